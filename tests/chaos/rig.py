"""A platform with a proxy before each part that is not its own, and a load to harm it under."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from chaos.machine import Clock, Disk, MachineMissing, mounted, movable_clock
from chaos.proxy import Proxy
from conftest import Platform, http, platform_environment, running_platform, wait_until
from sending import Batch, lag_of, make_batch, read_metric, send

from brokers import Kafka, make_kafka
from footfall_embedded import testing

SESSION_SECONDS = 6.0
"""After which a Consumer that does not poll loses its partitions. The least that Kafka's brokers accept by default."""
BATCH = 20
CONNECTIONS = 3
PAUSE = 0.04
"""Seconds between a connection's batches: some 1,000 events/s in all, which leaves room to catch up."""
DISKS = {"log": 2048, "engine": 4096, "metadata": 64, "data": 256}
"""Megabytes of the disks that can get full, by what lies on them."""


class Engine:
    """The bridge with the ClickHouse engine, as a server that can be killed and started again.

    One that ends by itself is started again, as by any supervisor.
    """

    def __init__(self, data_dir: Path, proxy: Proxy) -> None:
        self._data_dir = data_dir
        self._proxy = proxy
        self._killed = threading.Event()
        self.start()

    def start(self) -> None:
        """Start it, at another port; the proxy hides that."""
        self._launch()
        self._killed.clear()
        self._supervisor = threading.Thread(target=self._supervise)
        self._supervisor.start()

    def _launch(self) -> None:
        self._process, url = testing.start_bridge(self._data_dir)
        self._proxy.target = httpx.URL(url).port or 0

    def _supervise(self) -> None:
        while not self._killed.wait(0.2):
            if self._process.poll() is not None:
                self._ended()
                with suppress(RuntimeError):  # it does not start; once more
                    self._launch()

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        self._killed.set()
        self._supervisor.join()
        self._process.send_signal(how)
        self._ended()

    def _ended(self) -> None:
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Instance:
    """One more instance of a service, which a fault may kill and start again at the same port."""

    def __init__(self, platform: Platform, service: str) -> None:
        [self.port] = testing.free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = platform.data_dir / "logs" / f"{service}-{self.port}.log"
        self._module = f"footfall_{service}"
        self._environment = {
            **platform.environment,
            "FOOTFALL_DATA_DIR": str(platform.data_dir),
            "FOOTFALL_SECRET_KEY": (platform.data_dir / "secret_key").read_text(),
            f"FOOTFALL_{service.upper()}_PORT": str(self.port),
        }
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module], env=self._environment, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        def ready() -> bool:
            with suppress(httpx.HTTPError):
                return http.get(f"{self.url}/readyz", timeout=5).status_code == 200
            return False

        wait_until(ready, 40, f"{self._module} is ready")

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait(30)

    def stop(self) -> None:
        """Ask it to stop, unless it is gone."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        self._process.wait(40)


@dataclass
class Rig:
    """What a fault can get at. `kafka`, `to_kafka`, `to_postgres` and `to_redis` are there on the real set only;
    `clock` and `disks` (by what lies on them: `log`, `engine`, `metadata`, `data` with the services' own logs) where
    the machine lets us, else `unavailable` says why not."""

    platform: Platform
    engine: Engine
    to_engine: Proxy
    front: Proxy
    clock: Clock | None
    disks: Mapping[str, Disk]
    unavailable: str
    kafka: Kafka | None = None
    to_kafka: list[Proxy] = field(default_factory=list)
    to_postgres: Proxy | None = None
    to_redis: Proxy | None = None

    @property
    def log_url(self) -> str:
        return self.platform.environment["FOOTFALL_EVENT_LOG_URL"]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.platform.environment[f'FOOTFALL_{service.upper()}_PORT']}"

    def metric(self, service: str, name: str, **labels: str) -> float:
        """A metric of a service without its prefix; 0 while there is none."""
        return read_metric(self.url(service), f"footfall_{service}_{name}", **labels) or 0.0

    def missing(self, service: str) -> Mapping[str, str]:
        """What the service's `/readyz` says is missing."""
        try:
            found: dict[str, str] = http.get(f"{self.url(service)}/readyz", timeout=5).json().get("missing", {})
        except httpx.HTTPError:
            return {service: "does not answer"}
        return found

    def process_started(self, service: str) -> float:
        """When the service's process started, in Unix seconds; 0 while it does not answer."""
        return read_metric(self.url(service), "process_start_time_seconds") or 0.0

    @contextmanager
    def full(self, disk: str) -> Iterator[None]:
        """Fill a disk, and keep it full when others give something back."""
        stop = threading.Event()

        def fill() -> None:
            while not stop.wait(0.1):
                self.disks[disk].fill()

        self.disks[disk].fill()
        filling = threading.Thread(target=fill)
        filling.start()
        try:
            yield
        finally:
            stop.set()
            filling.join()
            self.disks[disk].free()

    @contextmanager
    def another(self, service: str) -> Iterator[Instance]:
        """One more instance of a service, asked to stop at the end."""
        instance = Instance(self.platform, service)
        try:
            yield instance
        finally:
            instance.stop()

    def heal(self) -> None:
        """Undo what a fault did to the machine and to connections."""
        self.front.others = []
        for proxy in (self.to_engine, *self.to_kafka):
            proxy.heal()
        for disk in self.disks.values():
            disk.free()
        if self.clock is not None:
            self.clock.move(0)


class Load:
    """Clients that send until they are told to stop, and remember what was answered 200."""

    def __init__(self, rig: Rig, seed: random.Random) -> None:
        self._rig = rig
        self._random = seed
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.project, self.write_key, self.read_key = rig.platform.make_project("chaos")
        self.sent: list[Batch] = []
        self.failures = 0
        self.slowest = 0.0
        """Seconds that the slowest batch took, from the first try to its 200."""
        self._threads = [threading.Thread(target=self._send) for _ in range(CONNECTIONS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every batch under way get its 200."""
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a client still has no 200"

    def uuids(self) -> Counter[str]:
        """Each event that was answered 200."""
        return Counter(event["uuid"] for batch in self.sent for event in batch)

    def _send(self) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self._rig.front.port}", timeout=20) as client:
            while not self._stop.wait(PAUSE):
                with self._lock:
                    batch = make_batch(self._random, BATCH)
                began = time.monotonic()
                failures = send(client, self.write_key, batch)
                with self._lock:
                    self.sent.append(batch)
                    self.failures += failures
                    self.slowest = max(self.slowest, time.monotonic() - began)


def stored(rig: Rig, project: int) -> Counter[str]:
    """How often each event of a project is in the table, without FINAL."""
    sql = f"SELECT toString(uuid), count() FROM analytics.events WHERE project_id = {project} GROUP BY uuid"
    return Counter({uuid: int(count) for uuid, count in rig.platform.select(sql)})


def require_everything_stored_once(rig: Rig, load: Load, seconds: float, what: str) -> float:
    """The stored set is the sent set. Returns the seconds until the Consumers had read everything."""

    def done() -> bool:
        try:
            count = rig.platform.stored(load.project)[1]
        except (httpx.HTTPError, AssertionError):
            return False
        return count >= len(load.sent) * BATCH and lag_of(rig.platform) == 0

    took = wait_until(done, seconds, f"everything stored after {what}")
    sent, found = load.uuids(), stored(rig, load.project)
    lost, twice = sent - found, found - sent
    assert (sum(lost.values()), sum(twice.values())) == (0, 0), f"{what}: lost, stored twice or never sent"
    # Tomorrow belongs to it: a clock may have been ahead.
    days = [(datetime.now(UTC) + timedelta(days)).date().isoformat() for days in (-2, 2)]
    answer = rig.platform.ask(load.read_key, "trends", series=[{"event": None}], date_from=days[0], date_to=days[1])
    assert answer["series"][0]["total"] == sum(sent.values())
    return took


@contextmanager
def running_rig(kind: str, folder: Path, brokers: int) -> Iterator[Rig]:
    """A platform on `embedded` parts or on `real` ones, a proxy before each of them and a disk under each."""
    with ExitStack() as stack:

        def proxy(target: int = 0) -> Proxy:
            made = Proxy(target)
            stack.callback(made.close)
            return made

        clock, disks, missing = _machine(stack, folder)
        to_engine, front = proxy(), proxy()
        engine = Engine(folder / "engine" / "data", to_engine)
        stack.callback(engine.stop)
        # No room is kept free, so that a full disk is met and not only a nearly full one; a jump of the clock makes
        # everything that was read older than ten hours.
        options = f"session_seconds={SESSION_SECONDS}&partitions=4&min_free_bytes=0&retention_hours=10"
        settings = {
            "FOOTFALL_CLICKHOUSE_URL": f"http://default@127.0.0.1:{to_engine.port}",
            "FOOTFALL_EVENT_LOG_URL": f"sqlite:///{folder}/log/events.log.db?{options}",
            "FOOTFALL_DATABASE_URL": f"sqlite:///{folder}/metadata/footfall.db",
            "FOOTFALL_LOG_FORMAT": "json",
        }
        more: dict[str, Any] = {}
        if kind == "real":
            to_kafka = [proxy() for _ in range(brokers)]
            # Brokers keep their clocks: docs/failure-model.md#clocks tells what Kafka does where they jump.
            unmoved = {
                name: value for name, value in os.environ.items() if clock is None or name not in clock.environment
            }
            kafka = make_kafka(
                folder / "log" / "kafka", brokers, advertised=[each.port for each in to_kafka], environment=unmoved
            )
            for each, broker in zip(to_kafka, kafka.brokers, strict=True):
                each.target = broker.port
            stack.callback(kafka.kill)
            kafka.start()
            settings["FOOTFALL_EVENT_LOG_URL"] = (
                f"kafka://{kafka.addresses}/events?session_seconds={SESSION_SECONDS}&partitions=4"
            )
            more = {"kafka": kafka, "to_kafka": to_kafka}
            more |= _databases(stack, settings, proxy)
        with running_platform(folder / "data", platform_environment(**settings)) as platform:
            front.target = httpx.URL(platform.capture_url).port or 0
            yield Rig(platform, engine, to_engine, front, clock, disks, missing, **more)


def _machine(stack: ExitStack, folder: Path) -> tuple[Clock | None, Mapping[str, Disk], str]:
    """A clock and disks, where this user may have them, and why not all of them."""
    clock, disks, missing = None, {}, ""
    try:
        clock = stack.enter_context(movable_clock())
        for name, megabytes in DISKS.items():
            disks[name] = stack.enter_context(mounted(folder / name, megabytes))
    except MachineMissing as error:
        missing = str(error)
    for name in DISKS:
        (folder / name).mkdir(exist_ok=True)
    return clock, disks, missing


def _databases(stack: ExitStack, settings: dict[str, str], proxy: Callable[[int], Proxy]) -> dict[str, Any]:
    """PostgreSQL and Redis behind proxies."""
    more: dict[str, Any] = {}
    for name, variable, running in (
        ("postgres", "FOOTFALL_DATABASE_URL", testing.running_postgres),
        ("redis", "FOOTFALL_REDIS_URL", testing.running_redis),
    ):
        url = stack.enter_context(running())
        port = httpx.URL(url).port or 0
        to_server = proxy(port)
        settings[variable] = url.replace(f":{port}", f":{to_server.port}")
        more[f"to_{name}"] = to_server
    return more
