"""The embedded event log against a model of what a log is: lists, one for each partition."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from zlib import crc32

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from footfall_core.eventlog import EventLog, LogReader, Record, open_event_log, open_log_reader

PARTITIONS = 3
KEYS = [b"a", b"b", b"c", b"d", b"e"]
VALUES = st.one_of(st.binary(max_size=20), st.binary(min_size=1, max_size=3).map(lambda some: some * 1000))


class LogMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{self.folder}/events.log.db?partitions={PARTITIONS}&retention_hours=0"
        self.partitions: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self.committed = [0] * PARTITIONS
        self.next = [0] * PARTITIONS
        self.log: EventLog | None = None
        self.reader: LogReader | None = None

    def opened_reader(self) -> LogReader:
        if self.reader is None:
            self.reader = open_log_reader(self.url, "group")
            assert self.reader.poll(0, 0, 0).assigned == dict(enumerate(self.committed))
            self.next = self.committed.copy()
        return self.reader

    @rule(appends=st.lists(st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=8), max_size=4))
    def append_at_once(self, appends: list[list[tuple[bytes, bytes]]]) -> None:
        log = self.log = self.log or self.loop.run_until_complete(opened_log(self.url))

        async def append() -> None:
            await asyncio.gather(*(log.append([Record(key, value) for key, value in pairs]) for pairs in appends))

        self.loop.run_until_complete(append())
        for pairs in appends:
            for key, value in pairs:
                self.partitions[crc32(key) % PARTITIONS].append(value)

    @rule(max_records=st.integers(1, 30), max_bytes=st.sampled_from([1, 100, 5000, 1 << 20]))
    def poll(self, max_records: int, max_bytes: int) -> None:
        batch = self.opened_reader().poll(max_records, max_bytes, 0)

        assert batch.assigned == {}
        assert len(batch.records) <= max_records
        assert sum(len(record.value) for record in batch.records) <= max_bytes or len(batch.records) == 1
        for record in batch.records:
            assert record.offset == self.next[record.partition]
            assert record.value == self.partitions[record.partition][record.offset]
            self.next[record.partition] += 1
        if not batch.records:
            assert self.next == list(map(len, self.partitions))

    @rule(which=st.sets(st.integers(0, PARTITIONS - 1)), held_back=st.integers(0, 2))
    def commit(self, which: set[int], held_back: int) -> None:
        reader = self.opened_reader()
        positions = {partition: max(self.committed[partition], self.next[partition] - held_back) for partition in which}
        reader.commit(positions)
        for partition, position in positions.items():
            self.committed[partition] = position

    @precondition(lambda self: self.reader)
    @rule()
    def rewind(self) -> None:
        self.opened_reader().rewind()
        self.next = self.committed.copy()

    @precondition(lambda self: self.reader)
    @rule()
    def reopen_reader(self) -> None:
        self.close_reader()
        self.opened_reader()

    @precondition(lambda self: self.log)
    @rule()
    def close_log(self) -> None:
        if self.log is not None:
            self.loop.run_until_complete(self.log.close())
        self.log = None

    @invariant()
    def ends_and_lags_agree(self) -> None:
        if self.reader is not None:
            ends = list(map(len, self.partitions))
            assert self.reader.end_offsets() == dict(enumerate(ends))
            lags = self.reader.lag()
            assert [lags[partition].records for partition in range(PARTITIONS)] == [
                end - position for end, position in zip(ends, self.committed, strict=True)
            ]
            assert all((lag.oldest_appended_at is None) == (lag.records == 0) for lag in lags.values())

    def close_reader(self) -> None:
        if self.reader is not None:
            self.reader.close()
        self.reader = None

    def teardown(self) -> None:
        self.close_reader()
        self.close_log()
        self.loop.close()
        shutil.rmtree(self.folder)


async def opened_log(url: str) -> EventLog:
    return open_event_log(url)


LogMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestSqliteLog = LogMachine.TestCase
