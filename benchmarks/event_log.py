"""How fast the embedded event log is, next to what SQLite itself can do on the same disk in the same run.

    python benchmarks/event_log.py [--seconds 3] [--url sqlite:///…]

The baseline is the same payload bytes in bare SQLite: one row per event, WAL, synchronous=FULL, one transaction
and one fsync for every 100 events. CPU is what this process used, by all of its threads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from footfall_core.eventlog import EventLog, Record, open_event_log, open_log_reader


@dataclass
class Measurement:
    name: str
    events: int
    wall: float
    cpu: float
    note: str = ""

    @property
    def per_second(self) -> float:
        return self.events / self.wall


def make_records(count: int) -> list[Record]:
    """Records of about 330 bytes, as the Capture API writes them."""
    chance = random.Random(1)
    return [
        Record(
            b"1:user_%d" % person,
            json.dumps(
                {
                    "uuid": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                    "event": chance.choice(["$pageview", "signup", "purchase"]),
                    "distinct_id": f"user_{person}",
                    "project_id": 1,
                    "timestamp": f"2026-11-01T10:{chance.randrange(60):02}:{chance.randrange(60):02}.123Z",
                    "properties": {
                        "$browser": chance.choice(["Chrome", "Firefox", "Safari"]),
                        "$current_url": f"https://example.com/products/{chance.randrange(1000)}",
                        "$os": chance.choice(["Linux", "Windows", "Mac OS X"]),
                        "$ip": f"10.0.{chance.randrange(256)}.{chance.randrange(256)}",
                        "plan": chance.choice(["free", "pro"]),
                        "amount": chance.randrange(10000) / 100,
                    },
                }
            ).encode(),
        )
        for person in (chance.randrange(100_000) for _ in range(count))
    ]


def insert_bare(path: Path, records: list[Record], seconds: float) -> Measurement:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, value BLOB)")
    events, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        first = events % len(records)
        batch = [(record.value,) for record in records[first : first + 100]]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events (value) VALUES (?)", batch)
        connection.execute("COMMIT")
        events += len(batch)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    connection.close()
    return Measurement("bare SQLite, 100 events per transaction", events, wall, cpu)


async def append_many(log: EventLog, records: list[Record], seconds: float, clients: int, batch: int) -> Measurement:
    waits: list[float] = []
    requests = [records[start : start + batch] for start in range(0, len(records), batch)]
    deadline = time.perf_counter() + seconds

    async def client(number: int) -> int:
        sent = number * 7
        first = sent
        while (start := time.perf_counter()) < deadline:
            await log.append(requests[sent % len(requests)])
            waits.append(time.perf_counter() - start)
            sent += 1
        return sent - first

    start, cpu = time.perf_counter(), time.process_time()
    appends = sum(await asyncio.gather(*map(client, range(clients))))
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    waits.sort()
    p50, p99, most = (waits[int(len(waits) * share)] * 1e3 for share in (0.5, 0.99, 0.99999))
    note = f"{appends / wall:,.0f} appends/s; p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {most:.0f} ms"
    return Measurement(f"append, {clients} clients x {batch} events", appends * batch, wall, cpu, note)


def read_all(url: str) -> Measurement:
    reader = open_log_reader(url, "benchmark")
    while not reader.poll(1, 1, 1.0).records:
        pass  # until this member owns partitions
    events, start, cpu = 0, time.perf_counter(), time.process_time()
    while batch := reader.poll(50_000, 16 << 20, 1.0).records:
        events += len(batch)
        wall, used = time.perf_counter() - start, time.process_time() - cpu
    reader.close()
    return Measurement("poll, 50,000 records at a time", events, wall, used)


async def with_log(url: str, measure: Callable[[EventLog], Awaitable[Measurement]]) -> Measurement:
    log = open_event_log(url)
    try:
        return await measure(log)
    finally:
        await log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    parser.add_argument("--url", help="another log to measure; by default a new SQLite file")
    arguments = parser.parse_args()
    records = make_records(20_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.log.db"
        url = arguments.url or f"sqlite:///{path}"
        results = [insert_bare(Path(folder) / "bare.db", records, arguments.seconds)]
        for clients, batch in ((1, 1), (64, 1), (512, 1), (1, 100), (16, 100)):
            results.append(
                asyncio.run(
                    with_log(url, lambda log: append_many(log, records, arguments.seconds, clients, batch))  # noqa: B023
                )
            )
        results.append(read_all(url))
        size = path.stat().st_size if path.exists() else 0
    average = sum(len(record.value) for record in records) / len(records)
    print(f"{average:.0f} bytes per event")
    for result in results:
        print(
            f"{result.name:42} {result.per_second:10,.0f} events/s {result.per_second / results[0].per_second:7.2f}x"
            f" {result.cpu / result.events * 1e6:7.2f} µs CPU/event  {result.note}"
        )
    if size:
        print(f"{size / sum(result.events for result in results[1:-1]):.0f} bytes per event on disk")


if __name__ == "__main__":
    main()
