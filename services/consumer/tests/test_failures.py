"""What the Consumer does when something fails: wait, set aside, or give itself up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from footfall_consumer.app import Thread, make_consumer_app
from footfall_consumer.consume import LEAST_BATCH, Consumer, LeaseExpired, Pace, Progress
from footfall_consumer.report import keep_reporting, report
from footfall_consumer.store import Store, TooManyRefused
from footfall_core.clickhouse import ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.eventlog import Lag, LogUnavailable
from footfall_core.events import EventRecord
from footfall_core.migrate import migrate
from footfall_embedded.testing import free_ports, running_bridge

MakeEvent = Callable[..., EventRecord]

POISON = b'{"a":1e400}'
APPENDED = 1_795_000_000_000
"""When the log in memory says that its oldest record was appended, in Unix milliseconds."""


def wait_until(is_true: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def running(bench: Any) -> Iterator[Callable[[], None]]:
    """Run the bench's consumer in a thread until the test ends."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        threads.append(threading.Thread(target=bench.consumer.run, args=(stop,)))
        threads[0].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_only_poison_rows_are_set_aside(bench: Any, event: MakeEvent) -> None:
    good = [event(distinct_id=f"u{n}", properties=b'{\n"n":1}') for n in range(2_000)]
    poison = event(properties=POISON, project_id=4, ip="1.2.3.4")
    bench.log.append(*good[:777], poison, *good[777:])
    bench.consume()
    assert len(bench.stored()) == 2_000
    [(project_id, reason, detail, source, payload)] = bench.rejected("project_id, reason, detail, source, payload")
    assert (project_id, reason, source) == (4, "refused_by_clickhouse", "consumer")
    assert "Cannot parse JSON object" in detail
    assert poison.uuid in payload
    assert bench.clickhouse.inserts == 2  # the good ones, and the poison alone
    assert bench.metric("events_stored_total") == 2_000
    assert bench.metric("events_rejected_total", reason="refused_by_clickhouse") == 1


def test_a_batch_of_nothing_but_poison_is_set_aside_cheaply(bench: Any, event: MakeEvent) -> None:
    bench.log.append(*(event(distinct_id=f"u{n}", properties=POISON) for n in range(500)))
    bench.consume()
    assert bench.stored() == []
    assert len(bench.rejected()) == 500
    assert bench.clickhouse.inserts <= 25


def test_a_poison_row_read_again_is_not_set_aside_again(bench: Any, event: MakeEvent) -> None:
    bench.log.append(event(properties=POISON), event())
    bench.reader.fault_on_commit = LogUnavailable("away")
    bench.consume()
    assert (len(bench.stored()), len(bench.rejected())) == (1, 1)


def test_rows_that_clickhouse_cannot_step_over_are_found_by_halving(bench: Any, event: MakeEvent) -> None:
    def refuse(lines: bytes) -> None:
        if b"odd one" in lines:
            raise ClickHouseRefused(53, "TYPE_MISMATCH")

    bench.clickhouse.refuse = refuse
    good = [event(distinct_id=f"u{n}") for n in range(99)]
    bench.log.append(*good[:20], event(distinct_id="odd one"), *good[20:])
    bench.consume()
    assert len(bench.stored()) == 99
    assert [reason for _, reason, _ in bench.rejected()] == ["refused_by_clickhouse"]


def test_too_many_rows_to_halve_make_the_batches_smaller(
    bench: Any, event: MakeEvent, running: Callable[[], None]
) -> None:
    def refuse(lines: bytes) -> None:
        if b"odd one" in lines:
            raise ClickHouseRefused(53, "TYPE_MISMATCH")

    bench.clickhouse.refuse = refuse
    bench.pace = Pace(batch_events=400, flush=0, idle=0.01, first_pause=0.001, longest_pause=0.01)
    bench.restart()
    bench.log.append(*(event(distinct_id="odd one") for _ in range(120)), event())
    with pytest.raises(TooManyRefused):
        bench.consumer.turn()
    assert bench.rejected() == []
    bench.reader.rewind()
    running()
    wait_until(lambda: bool(bench.log.is_read))
    assert (len(bench.stored()), len(bench.rejected())) == (1, 120)


def test_a_table_that_refuses_everything_is_not_the_events_fault(bench: Any, event: MakeEvent) -> None:
    bench.log.append(event(), event())
    table = "ALTER TABLE analytics.events MODIFY COLUMN session_id"
    bench.clickhouse.command(f"{table} UUID")
    try:
        with pytest.raises(ClickHouseUnavailable, match="refuses every event, also a good one"):
            bench.consumer.turn()
    finally:
        bench.clickhouse.command(f"{table} String")
    assert bench.rejected() == []
    bench.reader.rewind()
    bench.consume()
    assert len(bench.stored()) == 2


def test_a_view_that_refuses_everything_is_not_the_events_fault(bench: Any, event: MakeEvent) -> None:
    bench.log.append(event())
    bench.clickhouse.command(
        "CREATE MATERIALIZED VIEW analytics.broken ENGINE = Memory AS "
        "SELECT toUInt8(distinct_id) AS number FROM analytics.events"
    )
    try:
        with pytest.raises(ClickHouseRefused):
            bench.consumer.turn()
    finally:
        bench.clickhouse.command("DROP VIEW analytics.broken")
    assert bench.rejected() == []
    bench.reader.rewind()
    bench.consume()
    assert len(bench.stored()) == 1


def test_a_stale_poll_is_not_inserted(bench: Any, event: MakeEvent) -> None:
    bench.pace = Pace(lease=-1.0)
    bench.restart()
    bench.log.append(event())
    with pytest.raises(LeaseExpired):
        bench.consumer.turn()
    assert bench.stored() == []
    assert bench.clickhouse.inserts == 0


def test_an_insert_that_is_still_running_is_killed_before_its_partitions_are_read(bench: Any, event: MakeEvent) -> None:
    def insert_slowly(partitions: str) -> None:
        try:
            bench.clickhouse.command(
                "INSERT INTO analytics.events (project_id, event, log_partition) "
                "SELECT 9, 'slow' || toString(sleepEachRow(0.5)), 0 FROM numbers(60) SETTINGS max_block_size = 1",
                settings={"log_comment": f"footfall-consumer {partitions}", "async_insert": 0},
            )
        except ClickHouseRefused as refusal:
            killed.append((partitions, refusal.code))

    def is_running(count: int) -> bool:
        query = "SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE 'footfall-consumer %'"
        return bool(bench.clickhouse.fetch(query).rows[0][0] == count)

    killed: list[tuple[str, int]] = []
    threads = [threading.Thread(target=insert_slowly, args=(partitions,)) for partitions in ("0 7", "70 10")]
    for thread in threads:
        thread.start()
    wait_until(lambda: is_running(2))
    bench.log.append(event())
    bench.consume()
    wait_until(lambda: is_running(1))
    assert [partitions for partitions, _ in killed] == ["0 7"]
    Store(bench.clickhouse).settle([10])
    for thread in threads:
        thread.join(20)
    assert len(killed) == 2
    assert [name for name, _, _ in bench.stored()] == ["signup"]


def test_clickhouse_away_and_back(event: MakeEvent, bench: Any, tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    with running_bridge(tmp_path, "--port", port) as url:
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=0)
    events = [event() for _ in range(10)]
    stop = threading.Event()
    bench.consumer = Consumer(
        bench.reader,
        Store(clickhouse),
        bench.consumer._recent,
        (),
        metrics=bench.consumer._metrics,
        progress=bench.progress,
        pace=Pace(idle=0.01, first_pause=0.01, longest_pause=0.05, keep_alive=0.01),
    )
    thread = threading.Thread(target=bench.consumer.run, args=(stop,))
    thread.start()
    try:
        bench.log.append(*events)
        wait_until(lambda: bench.metric("failures_total", cause="clickhouse") > 5)
        assert bench.progress.waiting_for == "ClickHouse does not answer: Connection refused"
        assert bench.log.positions == {0: 0, 1: 0}
        polls = bench.reader.polls
        wait_until(lambda: bench.reader.polls > polls)  # the membership is kept
        wait_until(lambda: bool(bench.consumer._take == LEAST_BATCH))
        with running_bridge(tmp_path, "--port", port):
            wait_until(lambda: bool(bench.log.is_read))
            wait_until(lambda: bench.progress.waiting_for is None)
            assert clickhouse.fetch("SELECT count() FROM analytics.events").rows[0][0] == 10
    finally:
        stop.set()
        thread.join(20)
        clickhouse.close()


def test_the_log_away_and_back(bench: Any, event: MakeEvent, running: Callable[[], None]) -> None:
    bench.log.append(event())
    bench.reader.fault_on_poll = LogUnavailable("the disk is full", retry_after=0.01)
    running()
    wait_until(lambda: bool(bench.log.is_read))
    wait_until(lambda: bench.progress.waiting_for is None)
    assert bench.metric("failures_total", cause="log") == 1
    assert len(bench.stored()) == 1


@contextmanager
def beside(*works: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run each in a thread until the block ends."""
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(stop,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


@pytest.fixture
def looking(bench: Any) -> Any:
    """A bench whose consumer looks at the lag in every turn."""
    bench.pace = Pace(flush=0, idle=0.01, first_pause=0.01, longest_pause=0.02, keep_alive=0.01, lag=0)
    bench.restart()
    return bench


def reporting(bench: Any) -> Callable[[threading.Event], None]:
    failures = bench.consumer._metrics.reports_failed
    return lambda stop: keep_reporting(lambda: bench.progress.lags, bench.clickhouse, failures, seconds=0.02, stop=stop)


def told(bench: Any, columns: str = "records, toUnixTimestamp64Milli(oldest_appended_at)") -> tuple[Any, ...] | None:
    """The last report."""
    rows = bench.clickhouse.fetch(f"SELECT {columns} FROM analytics.log_lag ORDER BY reported_at DESC LIMIT 1").rows
    return tuple(rows[0]) if rows else None


def test_a_report_sums_up_all_partitions(bench: Any) -> None:
    report(bench.clickhouse, {0: Lag(3, APPENDED / 1000), 1: Lag(4, APPENDED / 1000 - 5), 2: Lag(0, None)})
    assert told(bench) == (7, APPENDED - 5000)
    report(bench.clickhouse, {0: Lag(0, None)})
    assert told(bench) == (0, None)
    bench.clickhouse.command("OPTIMIZE TABLE analytics.log_lag FINAL")
    assert bench.clickhouse.fetch("SELECT count() FROM analytics.log_lag").rows[0][0] == 1


def test_events_that_cannot_be_stored_are_told_of_until_they_are(looking: Any, event: MakeEvent) -> None:
    looking.clickhouse.command("RENAME TABLE analytics.first_seen TO analytics.elsewhere")
    looking.log.append(*(event(distinct_id=f"u{n}") for n in range(7)))
    with beside(looking.consumer.run, reporting(looking)):
        try:
            wait_until(lambda: told(looking) == (7, APPENDED))
        finally:
            looking.clickhouse.command("RENAME TABLE analytics.elsewhere TO analytics.first_seen")
        wait_until(lambda: told(looking) == (0, None))
    assert len(looking.stored()) == 7


def test_a_loop_that_does_not_look_does_not_report(looking: Any) -> None:
    with beside(reporting(looking)):
        with beside(looking.consumer.run):
            wait_until(lambda: told(looking) == (0, None))
        # Fifteen times as long as from one report to the next.
        wait_until(lambda: told(looking, "now64(3) - reported_at > 0.3") == (True,))


def test_a_report_that_fails_stops_nothing_and_is_counted(looking: Any, event: MakeEvent) -> None:
    looking.clickhouse.command("RENAME TABLE analytics.log_lag TO analytics.elsewhere")
    with capture_logs() as logged, beside(looking.consumer.run, reporting(looking)):
        try:
            wait_until(lambda: looking.metric("reports_failed_total") > 3)
            looking.log.append(event())
            wait_until(lambda: looking.log.is_read)
        finally:
            looking.clickhouse.command("RENAME TABLE analytics.elsewhere TO analytics.log_lag")
        wait_until(lambda: told(looking) == (0, None))
    assert len(looking.stored()) == 1
    assert [entry["event"] for entry in logged if entry["log_level"] == "warning"] == ["the lag cannot be reported"]


async def get(app: Any, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


async def ping() -> None:
    pass


def wait_for(told: threading.Event) -> None:
    told.wait()


class World:
    """An application around a loop that does what the test says."""

    def __init__(self, work: Callable[[threading.Event], None], stall_seconds: float = 60.0) -> None:
        self.gave_up = asyncio.Event()
        self.progress = Progress()
        self.progress.waiting_for = None
        self.thread = Thread(
            work,
            self.progress,
            stall_seconds=stall_seconds,
            give_up=self.gave_up.set,
            grace_seconds=0.05,
            drain_seconds=5.0,
            look_seconds=0.01,
        )
        self.app, self.readiness = make_consumer_app(self.thread, self.progress, ping, registry=CollectorRegistry())


async def test_ready_while_the_loop_is_well_and_stops_when_told() -> None:
    world = World(wait_for)
    async with world.thread.running():
        assert (await get(world.app, "/readyz")).status_code == 200
        world.progress.waiting_for = "ClickHouse does not answer"
        answer = await get(world.app, "/readyz")
        assert (answer.status_code, answer.json()["missing"]) == (503, {"storing": "ClickHouse does not answer"})
        assert (await get(world.app, "/livez")).status_code == 200
    assert not world.thread.failed
    assert not world.gave_up.is_set()


async def test_a_loop_that_dies_is_seen_at_once_and_ends_the_process() -> None:
    def die(_: threading.Event) -> None:
        raise ZeroDivisionError("a bug")

    world = World(die)
    async with world.thread.running():
        await asyncio.wait_for(world.gave_up.wait(), 5)
        answer = await get(world.app, "/readyz")
        assert answer.json()["missing"] == {"loop": "the loop ended: ZeroDivisionError: a bug"}
    assert world.thread.failed


async def test_a_loop_that_stalls_ends_the_process() -> None:
    free = threading.Event()
    world = World(lambda _: wait_for(free), stall_seconds=0.05)
    async with world.thread.running():
        await asyncio.wait_for(world.gave_up.wait(), 5)
        assert "has not moved" in (await get(world.app, "/readyz")).json()["missing"]["loop"]
    assert world.thread.failed
    free.set()
