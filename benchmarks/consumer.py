"""How fast the Consumer is: its steps alone, ClickHouse's INSERT alone, and the loop, in one run.

    python benchmarks/consumer.py [events]

Ratios within one run say something on any machine; the rates alone say little on a busy one.
"""

from __future__ import annotations

import asyncio
import platform
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry

from footfall_consumer.consume import Consumer, Pace, Progress
from footfall_consumer.metrics import Metrics
from footfall_consumer.recent import Recent
from footfall_consumer.rows import Row, encode_rows, to_row
from footfall_consumer.steps import make_steps
from footfall_consumer.store import Store
from footfall_core.clickhouse import ClickHouse
from footfall_core.eventlog import LogRecord, Record, open_event_log, open_log_reader
from footfall_core.events import EventRecord, encode_record, log_key
from footfall_core.migrate import migrate
from footfall_embedded.testing import running_bridge

T = TypeVar("T")

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
BATCH = 50_000


def make_records(count: int) -> list[LogRecord]:
    """Events of a web site's server: five properties, a visitor's browser and address, about 450 bytes."""
    start = int(time.time() * 1000) - count * 3  # 3 ms apart: long enough for most to be certainly new
    records = []
    for number in range(count):
        now = start + number * 3
        properties = msgspec.json.encode(
            {
                "$current_url": f"https://example.com/products/{number % 300}",
                "plan": ("free", "pro", "team")[number % 3],
                "amount": number % 1000 / 4,
                "items": [1, 2, 3],
                "beta": number % 2 == 0,
            }
        )
        event = EventRecord(
            1 + number % 3,
            str(uuid.uuid4()),
            ("pageview", "signup", "purchase")[number % 3],
            f"user{number % 20_000}",
            now,
            now,
            msgspec.Raw(properties),
            now,
            ip=f"10.0.{number % 200}.{number % 250}",
            user_agent=BROWSER.format(number % 40),
        )
        records.append(LogRecord(0, number, encode_record(event)))
    return records


def measure(name: str, count: int, work: Callable[[], T]) -> tuple[float, T]:
    """Run once; print and return events a second."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    wall = time.perf_counter() - wall
    cpu = time.process_time() - cpu
    print(f"{name:44} {count / wall:>10,.0f} events/s   {cpu / count * 1e6:6.2f} µs of this process's CPU an event")
    return count / wall, result


def consume(url: str, log_url: str, count: int) -> None:
    """The loop over a log that holds `count` records already."""
    reader = open_log_reader(log_url, "consumer")
    clickhouse = ClickHouse(url)
    registry = CollectorRegistry()
    consumer = Consumer(
        reader,
        Store(clickhouse),
        Recent(2_000_000),
        make_steps(),
        metrics=Metrics(registry),
        progress=Progress(),
        pace=Pace(),
    )
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    while (registry.get_sample_value("footfall_consumer_events_stored_total") or 0) < count:
        time.sleep(0.005)
    stop.set()
    thread.join()
    for phase in ("to_row", "people", "compare", "first_seen", "insert", "commit"):
        seconds = registry.get_sample_value("footfall_consumer_seconds_sum", {"phase": phase}) or 0.0
        print(f"    {phase:12} {seconds / count * 1e6:7.2f} µs an event")
    reader.close()
    clickhouse.close()


async def fill(log_url: str, records: Sequence[LogRecord]) -> None:
    log = open_event_log(log_url)
    for start in range(0, len(records), 1000):
        part = records[start : start + 1000]
        await log.append([Record(log_key(1, str(start)), record.value) for record in part])
    await log.close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    print(f"{platform.platform()}, Python {platform.python_version()}, {count:,} events")
    records = make_records(count)
    steps = make_steps()

    def convert() -> list[Row]:
        rows = [to_row(record, steps, 0) for record in records]
        return [row for row in rows if isinstance(row, Row)]

    converting, rows = measure("to_row (read, browser, address)", count, convert)
    encoding, _ = measure("encode_rows", count, lambda: encode_rows(rows))
    recent = Recent(2_000_000)
    recalling, _ = measure("Recent.may_be_known", count, lambda: recent.may_be_known(rows))
    with running_bridge() as url, tempfile.TemporaryDirectory() as folder:
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=0)
        store = Store(clickhouse)
        store.insert(rows[:1000])
        clickhouse.command("TRUNCATE TABLE analytics.events")

        def insert() -> None:
            for start in range(0, count, BATCH):
                store.insert(rows[start : start + BATCH])

        inserting, _ = measure(f"INSERT alone, {BATCH:,} rows each", count, insert)
        part = rows[:BATCH]
        asking, known = measure(f"is it known? asked for {len(part):,}", len(part), lambda: store.known(part))
        assert len(known) == len(part)
        clickhouse.command("TRUNCATE TABLE analytics.events")
        log_url = f"sqlite:///{folder}/log.db"
        asyncio.run(fill(log_url, records))
        looping, _ = measure("the loop, from the embedded log", count, lambda: consume(url, log_url, count))
        stored = clickhouse.fetch("SELECT count() FROM analytics.events").rows[0][0]
        assert stored == count, stored
    own = 1 / (1 / converting + 1 / encoding + 1 / recalling)
    print(f"the Consumer's own work: {own:,.0f} events/s, {1e6 / own:.2f} µs an event")
    print(f"the loop reaches {looping / inserting:.0%} of INSERT alone, which takes {own / inserting:.1f}x as long")
    print(f"asking for an event costs {inserting / asking:.2f}x of inserting it")


if __name__ == "__main__":
    main()
