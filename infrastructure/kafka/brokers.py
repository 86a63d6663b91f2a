"""Apache Kafka on this machine, without Docker: what `infrastructure/kafka/brokers.py` starts, and tests do.

    python infrastructure/kafka/brokers.py --brokers 3 --data-dir data/kafka

Needs Java 17 or newer, and Maven the first time, which fetches the jars that pom.xml names. Each process is broker
and controller (KRaft). Everything listens on 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
JARS: Final = HERE / "build" / "jars"
FETCH_SECONDS: Final = 600.0
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0

CLUSTER_ID: Final = "Zm9vdGZhbGwtbG9jYWwta2"
JVM: Final = ("-Xms64m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Small, and quick to start rather than fast in the long run."""

PROPERTIES: Final = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",  # `footfall migrate` creates topics; a wrong name is an error
    "offsets.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",  # a dead broker's partitions have another leader after this
    "replica.lag.time.max.ms": "5000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(4 << 20),
    "message.max.bytes": str(8 << 20),
    "replica.fetch.max.bytes": str(8 << 20),
}
"""What every broker has in common. Times are short, because tests wait for them."""


class KafkaMissing(Exception):
    """Kafka cannot run here: Java or Maven is missing, or the jars cannot be fetched. Says which."""


def fetch_jars() -> Path:
    """The folder with Kafka's jars, fetched if pom.xml changed. Raises `KafkaMissing`."""
    if shutil.which("java") is None:
        raise KafkaMissing("Java 17 or newer is not installed")
    stamp, wanted = JARS / "pom.sha256", hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()
    JARS.mkdir(parents=True, exist_ok=True)
    with (JARS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return JARS
        if shutil.which("mvn") is None:
            raise KafkaMissing("Maven, which fetches Kafka's jars, is not installed")
        for old in JARS.glob("*.jar"):
            old.unlink()
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={JARS}", "-DincludeScope=runtime"],
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
        if done.returncode:
            raise KafkaMissing(f"Maven could not fetch Kafka's jars: {done.stdout[-1_000:]}")
        stamp.write_text(wanted)
    return JARS


class Broker:
    """One process of a cluster, which a test may end, freeze and start again."""

    def __init__(
        self,
        node: int,
        folder: Path,
        ports: tuple[int, int, int],
        advertised: int,
        cluster: str,
        environment: Mapping[str, str] | None,
    ) -> None:
        """`ports`: for clients, for brokers, for controllers. `advertised`: the port that clients are told.
        `cluster`: properties that depend on the whole cluster, as lines. `environment`: this process's without."""
        self.node = node
        self.port = ports[0]
        self.log = folder / "broker.log"
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        client, internal, controller = (f"127.0.0.1:{port}" for port in ports)
        lines = [
            *(f"{name}={value}" for name, value in PROPERTIES.items()),
            f"node.id={node}",
            f"log.dirs={data}",
            f"listeners=CLIENT://{client},INTERNAL://{internal},CONTROLLER://{controller}",
            f"advertised.listeners=CLIENT://127.0.0.1:{advertised},INTERNAL://{internal}",
            cluster,
        ]
        (folder / "server.properties").write_text("\n".join(lines) + "\n")
        # What kafka-storage.sh would write: a second Java machine only for this takes longer than the broker.
        (data / "meta.properties").write_text(f"version=1\ncluster.id={CLUSTER_ID}\nnode.id={node}\n")

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process; `wait` returns when it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["java", *JVM, f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", "-cp", f"{fetch_jars()}/*",
                 "kafka.Kafka", str(self._folder / "server.properties")],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when the broker takes connections. Raises RuntimeError with the end of its log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.pid is not None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return
            time.sleep(0.05)
        raise RuntimeError(f"broker {self.node} did not start:\n{self.log.read_text(errors='replace')[-2_000:]}")

    def signal(self, number: signal.Signals) -> None:
        """SIGKILL ends it as a crash does, SIGSTOP freezes it, SIGCONT lets it go on."""
        if self.pid is not None:
            os.kill(self.pid, number)
            if number == signal.SIGKILL and self._process is not None:
                self._process.wait()

    def stop(self) -> None:
        """Let it shut down; kill it when it takes too long."""
        if self._process is None:
            return
        self.signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Kafka:
    """A cluster. `addresses` is what `bootstrap.servers` takes."""

    def __init__(self, brokers: Sequence[Broker], addresses: str) -> None:
        self.brokers = brokers
        self.addresses = addresses

    def start(self) -> None:
        """Start every broker and wait until all take connections."""
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            broker.wait()

    def kill(self) -> None:
        """End all of it as a power cut would."""
        for broker in self.brokers:
            broker.signal(signal.SIGKILL)

    def stop(self) -> None:
        """Stop every broker. Together, because a controller waits for a majority that is going away too."""
        for broker in self.brokers:
            broker.signal(signal.SIGCONT)
            broker.signal(signal.SIGTERM)
        for broker in self.brokers:
            broker.stop()


def make_kafka(
    folder: Path,
    brokers: int = 1,
    *,
    port: int | None = None,
    advertised: Sequence[int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Kafka:
    """A cluster with its data in `folder`, not started yet.

    `port`: of the first broker, the others follow; free ones without. `advertised`: the ports that clients are
    told instead, one a broker, such as a proxy's. `environment`: the brokers'; this process's without.
    """
    free = iter(free_ports(3 * brokers))
    ports = [(port + node if port else next(free), next(free), next(free)) for node in range(brokers)]
    told = advertised or [each[0] for each in ports]
    replication, in_sync = min(3, brokers), 2 if brokers > 2 else 1
    cluster = "\n".join(
        [
            "controller.quorum.voters=" + ",".join(f"{n}@127.0.0.1:{each[2]}" for n, each in enumerate(ports, 1)),
            f"offsets.topic.replication.factor={replication}",
            f"default.replication.factor={replication}",
            f"min.insync.replicas={in_sync}",
            f"transaction.state.log.replication.factor={replication}",
            f"transaction.state.log.min.isr={in_sync}",
        ]
    )
    made = [
        Broker(node, folder / f"broker-{node}", each, told[node - 1], cluster, environment)
        for node, each in enumerate(ports, 1)
    ]
    return Kafka(made, ",".join(f"127.0.0.1:{each}" for each in told))


@contextmanager
def running_kafka(
    brokers: int = 1, *, data_dir: Path | None = None, advertised: Sequence[int] | None = None
) -> Iterator[Kafka]:
    """Kafka on free ports until the block ends. Raises `KafkaMissing` where it cannot be had.

    `data_dir`: kept afterwards; a temporary one without. `advertised`: see `make_kafka`.
    """
    fetch_jars()
    with tempfile.TemporaryDirectory(prefix="footfall-kafka-") as temporary:
        kafka = make_kafka(data_dir or Path(temporary), brokers, advertised=advertised)
        try:
            kafka.start()
            yield kafka
        finally:
            if data_dir is None:
                kafka.kill()
            else:
                kafka.stop()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", type=int, default=1, choices=range(1, 10), metavar="N")
    parser.add_argument("--port", type=int, default=9092, help="of the first broker; the others follow")
    parser.add_argument("--data-dir", type=Path, default=Path("data/kafka"))
    given = parser.parse_args()
    try:
        fetch_jars()
    except KafkaMissing as missing:
        parser.exit(1, f"{missing}\n")
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    kafka = make_kafka(given.data_dir.absolute(), given.brokers, port=given.port)
    try:
        kafka.start()
        print(f"FOOTFALL_EVENT_LOG_URL=kafka://{kafka.addresses}/events", flush=True)  # noqa: T201
        stopping.wait()
    finally:
        kafka.stop()


if __name__ == "__main__":
    main()
