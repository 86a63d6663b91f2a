"""The real process on the real embedded log, killed and stopped as processes are."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from footfall_consumer.consume import Consumer, Pace, Progress
from footfall_consumer.metrics import Metrics
from footfall_consumer.recent import Recent
from footfall_consumer.store import Store
from footfall_core.clickhouse import ClickHouse
from footfall_core.eventlog import Record, open_event_log, open_log_reader
from footfall_core.events import EventRecord, encode_record, log_key
from footfall_embedded.testing import free_ports

MakeEvent = Callable[..., EventRecord]
DAY = 86_400_000


async def append(url: str, batches: list[list[EventRecord]], pause: float = 0.0) -> None:
    log = open_event_log(url)
    try:
        for batch in batches:
            await log.append([Record(log_key(1, event.distinct_id), encode_record(event)) for event in batch])
            await asyncio.sleep(pause)
    finally:
        await log.close()


def make_batches(event: MakeEvent, count: int, seed: random.Random) -> list[list[EventRecord]]:
    """Events of two months, of which some are sent twice."""
    batches: list[list[EventRecord]] = []
    for number in range(count):
        batch = [event(distinct_id=f"u{n % 11}", at=event().timestamp - n % 2 * 40 * DAY) for n in range(20)]
        if number:
            batch += seed.sample(batches[seed.randrange(number)], 3)
        batches.append(batch)
    return batches


def uuids(batches: list[list[EventRecord]]) -> Counter[str]:
    return Counter({event.uuid: 1 for batch in batches for event in batch})


def stored(clickhouse: ClickHouse) -> Counter[str]:
    return Counter(uuid for (uuid,) in clickhouse.fetch("SELECT toString(uuid) FROM analytics.events").rows)


class Process:
    """`python -m footfall_consumer`, with small batches so that there is much to interrupt."""

    def __init__(self, log_url: str, clickhouse_url: str) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            "EVENT_LOG_URL": log_url,
            "CLICKHOUSE_URL": clickhouse_url,
            "CONSUMER_PORT": str(port),
            "CONSUMER_BATCH_EVENTS": "60",
            "CONSUMER_FLUSH_MS": "0",
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
        environment |= {f"FOOTFALL_{name}": value for name, value in settings.items()}
        self.popen = subprocess.Popen([sys.executable, "-m", "footfall_consumer"], env=environment)

    def get(self, path: str) -> int:
        try:
            return httpx.get(self.url + path, timeout=2).status_code
        except httpx.HTTPError:
            return 0

    def wait_ready(self) -> None:
        until = time.monotonic() + 60
        while self.get("/readyz") != 200:
            assert time.monotonic() < until
            assert self.popen.poll() is None
            time.sleep(0.02)


def test_killed_at_random_moments(clickhouse: ClickHouse, bridge: str, event: MakeEvent, tmp_path: Path) -> None:
    seed = random.Random(7)
    log_url = f"sqlite:///{tmp_path}/log.db"
    batches = make_batches(event, 100, seed)
    appending = threading.Thread(target=asyncio.run, args=(append(log_url, batches, pause=0.03),))
    appending.start()
    for _ in range(3):
        process = Process(log_url, bridge)
        process.wait_ready()
        time.sleep(seed.uniform(0.05, 0.5))
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait()
    appending.join()
    process = Process(log_url, bridge)
    try:
        until = time.monotonic() + 60
        while len(stored(clickhouse)) < len(uuids(batches)):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(20) == 0
    finally:
        process.popen.kill()
        process.popen.wait()
    assert stored(clickhouse) == uuids(batches)


def test_members_come_and_go(clickhouse: ClickHouse, bridge: str, event: MakeEvent, tmp_path: Path) -> None:
    """Two consumers share the log; one joins late and one leaves early."""
    log_url = f"sqlite:///{tmp_path}/log.db"
    batches = make_batches(event, 60, random.Random(8))
    asyncio.run(append(log_url, batches[:1]))

    def consume(stop: threading.Event) -> None:
        reader = open_log_reader(log_url, "consumer")
        mine = ClickHouse(bridge)
        try:
            Consumer(
                reader,
                Store(mine),
                Recent(10_000),
                (),
                metrics=Metrics(CollectorRegistry()),
                progress=Progress(),
                pace=Pace(batch_events=50, flush=0.01, idle=0.02),
            ).run(stop)
        finally:
            reader.close()
            mine.close()

    stops = [threading.Event() for _ in range(3)]
    members = [threading.Thread(target=consume, args=(stop,)) for stop in stops]
    appending = threading.Thread(target=asyncio.run, args=(append(log_url, batches[1:], pause=0.03),))
    members[0].start()
    appending.start()
    members[1].start()
    time.sleep(0.8)
    stops[0].set()
    members[0].join(20)
    members[2].start()
    appending.join()
    until = time.monotonic() + 60
    while len(stored(clickhouse)) < len(uuids(batches)):
        assert time.monotonic() < until
        time.sleep(0.05)
    for stop in stops:
        stop.set()
    for member in members:
        member.join(20)
    assert stored(clickhouse) == uuids(batches)


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "FOOTFALL_GEOIP_DB": str(tmp_path / "none.mmdb")}
    ended: Any = subprocess.run(
        [sys.executable, "-m", "footfall_consumer"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "FOOTFALL_GEOIP_DB" in ended.stderr
