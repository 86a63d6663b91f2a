"""A real ClickHouse behind the bridge, a log in memory that can be made to fail, and events to put into it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from footfall_consumer.consume import Consumer, Pace, Progress
from footfall_consumer.metrics import Metrics
from footfall_consumer.recent import Recent
from footfall_consumer.steps import make_steps
from footfall_consumer.store import Store
from footfall_core.clickhouse import ClickHouse, ClickHouseUnavailable, Fetched, Format
from footfall_core.eventlog import AssignmentLost, Batch, Lag, LogRecord, LogUnavailable
from footfall_core.events import EventRecord, RejectedRecord, encode_record
from footfall_core.migrate import migrate
from footfall_embedded.testing import running_bridge

NOW = int(time.time() * 1000)
APPENDED = 1_795_000_000_000
"""When the log in memory says that its oldest record was appended."""


def make_event(
    name: str = "signup",
    *,
    uuid: str | None = None,
    project_id: int = 1,
    distinct_id: str = "ann",
    at: int = NOW,
    received_at: int = NOW + 100,
    properties: bytes = b'{"plan":"pro"}',
    **more: Any,
) -> EventRecord:
    return EventRecord(
        project_id,
        uuid or new_uuid(),
        name,
        distinct_id,
        at,
        received_at,
        msgspec.Raw(properties),
        **more,
    )


def new_uuid() -> str:
    return str(uuid.uuid4())


class MemoryLog:
    """A log of two partitions with one group, which outlives the readers and consumers of a test."""

    def __init__(self) -> None:
        self.values: dict[int, list[bytes]] = {0: [], 1: []}
        self.positions = {0: 0, 1: 0}

    def append(self, *events: EventRecord | RejectedRecord | bytes, partition: int | None = None) -> None:
        """One person's events go to one partition."""
        for event in events:
            key = event.distinct_id if isinstance(event, EventRecord) else ""
            chosen = partition if partition is not None else sum(key.encode()) % 2
            self.values[chosen].append(event if isinstance(event, bytes) else encode_record(event))

    @property
    def is_read(self) -> bool:
        return all(self.positions[partition] == len(of) for partition, of in self.values.items())


class MemoryReader:
    """The only member of the group, as `LogReader` has it. Faults are raised once, by the next such call."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.next: dict[int, int] = {}
        self.assigned: dict[int, int] = {}
        self.fault_on_commit: Exception | None = None
        self.fault_on_poll: Exception | None = None
        self.polls = 0
        self.take_over()

    def take_over(self) -> None:
        """As if every partition had gone to another member and come back."""
        self.assigned = dict(self.log.positions)
        self.next = dict(self.log.positions)

    def poll(self, max_records: int, max_bytes: int, timeout: float) -> Batch:
        self.polls += 1
        fault, self.fault_on_poll = self.fault_on_poll, None
        if fault is not None:
            raise fault
        records: list[LogRecord] = []
        for partition, values in self.log.values.items():
            start = self.next[partition]
            for offset in range(start, min(len(values), start + max_records - len(records))):
                records.append(LogRecord(partition, offset, values[offset]))
                self.next[partition] = offset + 1
        assigned, self.assigned = self.assigned, {}
        return Batch(records, assigned)

    def commit(self, positions: Mapping[int, int]) -> None:
        fault, self.fault_on_commit = self.fault_on_commit, None
        if isinstance(fault, AssignmentLost):
            self.take_over()
        if fault is not None:
            raise fault
        self.log.positions.update(positions)

    def rewind(self) -> None:
        self.next = dict(self.log.positions)

    def end_offsets(self) -> Mapping[int, int]:
        return {partition: len(values) for partition, values in self.log.values.items()}

    def lag(self) -> Mapping[int, Lag]:
        return {
            partition: Lag(waiting, APPENDED / 1000 if waiting else None)
            for partition, values in self.log.values.items()
            for waiting in [len(values) - self.log.positions[partition]]
        }

    def close(self) -> None:
        pass


class FaultyClickHouse(ClickHouse):
    """The real one, whose next INSERT of events can be made to fail: before, after, or half way through."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fault = ""
        self.inserts = 0
        self.rows_read = 0
        self.refuse: Callable[[bytes], None] = lambda _: None

    def fetch(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Fetched:
        fetched = super().fetch(sql, parameters, settings)
        self.rows_read = fetched.rows_read
        return fetched

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        data: bytes,
        settings: Mapping[str, Any] | None = None,
        format: Format = "JSONEachRow",
    ) -> None:
        if not table.endswith(".events"):
            super().insert(table, columns, data, settings, format)
            return
        self.inserts += 1
        fault, self.fault = self.fault, ""
        self.refuse(data)
        if fault == "half":
            # What a crash between the parts of two months leaves behind.
            self.command("CREATE OR REPLACE TABLE analytics.whole AS analytics.events")
            super().insert("analytics.whole", columns, data, format=format)
            self.command(
                "INSERT INTO analytics.events SELECT * FROM analytics.whole "
                "WHERE toYYYYMM(timestamp) = (SELECT min(toYYYYMM(timestamp)) FROM analytics.whole)"
            )
            self.command("DROP TABLE analytics.whole")
        elif fault != "before":
            super().insert(table, columns, data, settings, format)
        if fault:
            raise ClickHouseUnavailable("the connection was cut")


@dataclass
class Bench:
    """A consumer over a log in memory and the real ClickHouse. `restart` is what a crash is to the log."""

    clickhouse: FaultyClickHouse
    log: MemoryLog = field(default_factory=MemoryLog)
    pace: Pace = field(default_factory=lambda: Pace(flush=0, idle=0, first_pause=0.001, longest_pause=0.01))
    recent_events: int = 10_000

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.registry = CollectorRegistry()
        self.reader = MemoryReader(self.log)
        self.progress = Progress()
        self.consumer = Consumer(
            self.reader,
            Store(self.clickhouse),
            Recent(self.recent_events),
            make_steps(),
            metrics=Metrics(self.registry),
            progress=self.progress,
            pace=self.pace,
        )

    def consume(self) -> None:
        """Turn until everything is committed, waiting out failures as `Consumer.run` does."""
        failures = 0
        while not self.log.is_read or self.reader.next != self.log.positions:
            try:
                self.consumer.turn()
            except (AssignmentLost, ClickHouseUnavailable, LogUnavailable):
                failures += 1
                assert failures < 20
                self.reader.rewind()

    def stored(self, columns: str = "event, distinct_id, toString(uuid)") -> list[tuple[Any, ...]]:
        rows = self.clickhouse.fetch(f"SELECT {columns} FROM analytics.events ORDER BY ALL").rows
        return [tuple(row) for row in rows]

    def rejected(self, columns: str = "project_id, reason, payload") -> list[tuple[Any, ...]]:
        rows = self.clickhouse.fetch(f"SELECT {columns} FROM analytics.rejected_events ORDER BY ALL").rows
        return [tuple(row) for row in rows]

    def first_seen(self) -> list[tuple[Any, ...]]:
        """Project, person and when they were seen first, of everybody."""
        sql = "SELECT project_id, person_id, min(at) FROM analytics.first_seen GROUP BY ALL ORDER BY ALL"
        return [tuple(row) for row in self.clickhouse.fetch(sql).rows]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"footfall_consumer_{name}", labels) or 0.0


@pytest.fixture(scope="session")
def bridge() -> Iterator[str]:
    with running_bridge() as url:
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=0)
        clickhouse.close()
        yield url


@pytest.fixture
def clickhouse(bridge: str) -> Iterator[FaultyClickHouse]:
    clickhouse = FaultyClickHouse(bridge)
    for table in ("events", "rejected_events", "first_seen", "log_lag"):
        clickhouse.command(f"TRUNCATE TABLE analytics.{table}")
    yield clickhouse
    clickhouse.close()


@pytest.fixture
def bench(clickhouse: FaultyClickHouse) -> Bench:
    return Bench(clickhouse)


@pytest.fixture
def event() -> Callable[..., EventRecord]:
    return make_event
