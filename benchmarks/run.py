"""`make bench`: what this machine does, in one run, each figure beside the limit it is measured against.

Starts the whole platform in a temporary directory on free ports, loads it from another process over loopback,
and prints a table. Takes about ten minutes,
most of them to store 20 million events; `--quick` takes one and is only good to see that it works.
"""

from __future__ import annotations

import argparse
import json
import os
import platform as machine
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

HERE = Path(__file__).parent
PORTS = ("CAPTURE", "QUERY", "AUTH", "DASHBOARD", "CLICKHOUSE", "CONSUMER")


@dataclass
class Running:
    """A platform under measurement."""

    data_dir: Path
    local: Mapping[str, Any]
    environment: Mapping[str, str]

    def select(self, sql: str) -> list[Any]:
        url = httpx.URL(self.local["clickhouse_url"])
        answer = httpx.post(
            url, content=f"{sql} FORMAT JSONCompactEachRow", auth=(url.username, url.password), timeout=120
        )
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]

    def stored(self) -> int:
        sql = f"SELECT count() FROM analytics.events WHERE project_id = {self.local['project_id']}"
        return int(self.select(sql)[0][0])

    def wait_stored(self, count: int, seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        while self.stored() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.stored()} of {count} events stored after {seconds} s")
            time.sleep(0.1)

    def memory(self) -> dict[str, float]:
        """MiB that each process has for itself and its share of what is shared (PSS), by part."""
        parts = {"supervisor": psutil.Process(int((self.data_dir / "run" / "up.pid").read_text()))}
        for path in sorted((self.data_dir / "run").glob("*.json")):
            parts[path.stem] = psutil.Process(json.loads(path.read_text())["pid"])
        return {name: process.memory_full_info().pss / 2**20 for name, process in parts.items()}


@contextmanager
def running(**settings: str) -> Iterator[Running]:
    """`footfall up` with these settings besides free ports, in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="footfall-bench-") as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
        for name, each in zip(PORTS, sockets, strict=True):
            environment[f"FOOTFALL_{name}_PORT"] = str(each.getsockname()[1])
            each.close()
        environment |= settings
        process = subprocess.Popen(
            [sys.executable, "-m", "footfall_cli", "up", "--data-dir", folder, "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            local = json.loads(process.stdout.readline())
            if local["status"] != "ready":
                raise RuntimeError(local["error"])
            (Path(folder) / "run" / "up.pid").write_text(str(process.pid))
            yield Running(Path(folder), local, environment)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)


def send(running: Running, **options: float) -> dict[str, Any]:
    """Load from another process, as a client would be."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(
        [
            sys.executable,
            str(HERE / "load.py"),
            f"{running.local['capture_url']}/capture",
            running.local["write_key"],
            *arguments,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@dataclass
class Freshness:
    """Sends one event of a second project after another and waits until a query counts it."""

    running: Running
    seconds: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def probe(self) -> None:
        local = self.running.local
        url = httpx.URL(local["clickhouse_url"])
        headers = {"authorization": f"Bearer {local['operator_token']}"}
        project = httpx.post(f"{local['auth_url']}/projects", json={"name": "probe"}, headers=headers).json()
        sql = f"SELECT count() FROM analytics.events WHERE project_id = {project['id']}"
        sent = 0
        with httpx.Client(auth=(url.username, url.password), timeout=60) as client:
            while not self.stop.is_set():
                body = {"api_key": project["write_key"], "event": "probe", "distinct_id": "probe"}
                began = time.perf_counter()
                if client.post(f"{local['capture_url']}/capture", json=body).status_code != 200:
                    continue
                sent += 1
                while int(client.post(url, content=sql).text) < sent:
                    time.sleep(0.02)
                self.seconds.append(time.perf_counter() - began)
                self.stop.wait(0.3)


@contextmanager
def measuring_freshness(running: Running) -> Iterator[Freshness]:
    freshness = Freshness(running)
    thread = threading.Thread(target=freshness.probe)
    thread.start()
    try:
        yield freshness
    finally:
        freshness.stop.set()
        thread.join()


def report_memory(title: str, memory: Mapping[str, float]) -> None:
    print(f"\n{title} (MiB)")
    for name, size in memory.items():
        print(f"  {name:<12}{size:>8.0f}")
    print(f"  {'in all':<12}{sum(memory.values()):>8.0f}")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def measure_platform(seconds: float) -> None:
    with running() as platform:
        time.sleep(min(10.0, seconds))
        report_memory("Memory, idle", platform.memory())

        print("\nAccepting events, everything running; answered 200 = durable")
        single = send(platform, seconds=seconds / 2, batch=1, connections=32)
        report_load("single events", f"{single['requests_per_second']:,} requests/s", single)
        expected = single["events"]
        platform.wait_stored(expected)

        with measuring_freshness(platform) as freshness:
            began = time.perf_counter()
            batches = send(platform, seconds=seconds, batch=100, connections=8)
            loaded = platform.memory()
            expected += batches["events"]
            platform.wait_stored(expected)
            end_to_end = batches["events"] / (time.perf_counter() - began)
        report_load("batches of 100", f"{batches['events_per_second']:,} events/s", batches)
        print(f"  until queryable   {end_to_end:>14,.0f} events/s   all {batches['events']:,}, to the last")
        report_freshness("as fast as it takes", freshness)
        steady(platform, end_to_end * 0.8, seconds)
        report_memory("Memory, under load", loaded)
        with measuring_freshness(platform) as freshness:
            time.sleep(seconds / 2)
        report_freshness("idle", freshness)


def steady(platform: Running, rate: float, seconds: float) -> None:
    """At four fifths of what it stores, so that no queue grows: the freshness that a busy day sees."""
    connections = 8
    pause = connections * 100 / rate
    with measuring_freshness(platform) as freshness:
        report = send(platform, seconds=seconds, batch=100, connections=connections, pause=pause)
    report_freshness(f"steady {report['events_per_second']:,} events/s", freshness)


def report_load(title: str, rate: str, report: Mapping[str, Any]) -> None:
    print(f"  {title:<18}{rate:>23}   p50 {report['p50_ms']} ms, p99 {report['p99_ms']} ms")


def report_freshness(title: str, freshness: Freshness) -> None:
    p50, p99 = statistics.median(freshness.seconds), percentile(freshness.seconds, 0.99)
    print(f"  freshness, {title}: p50 {p50:.2f} s, p99 {p99:.2f} s ({len(freshness.seconds)} probes)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs, only to see that it works")
    quick = parser.parse_args().quick
    memory = psutil.virtual_memory().total / 2**30
    print(f"{os.cpu_count()} cores, {memory:.0f} GiB, {machine.system()}, Python {machine.python_version()}")
    for script, arguments in (
        ("event_log.py", []),
        ("capture.py", []),
        ("consumer.py", []),
        ("kafka.py", ["--seconds", "2"] if quick else []),
        ("questions.py", ["--events", "200000", "--people", "20000"] if quick else []),
    ):
        print(f"\n== {script} ==", flush=True)
        subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)
    print("\n== the whole platform ==", flush=True)
    measure_platform(5.0 if quick else 20.0)


if __name__ == "__main__":
    main()
