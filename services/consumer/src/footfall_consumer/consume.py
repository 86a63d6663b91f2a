"""The loop: poll, to_row, insert, commit. Commit last, and always the next offset to read.

There is one way to fail. Whatever goes wrong between a poll and its commit, the loop forgets what it has in
its hands, notes that ClickHouse *may* hold the records up to there, and begins again at the committed
positions, as a new process would after a crash. docs/consumer.md tells why each event is stored exactly once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

import structlog

from footfall_consumer.metrics import Metrics
from footfall_consumer.recent import Recent
from footfall_consumer.rows import Identity, RejectedRow, Row, reject_refused, to_row
from footfall_consumer.steps import Step
from footfall_consumer.store import Store, TooManyRefused
from footfall_core.clickhouse import ClickHouseRefused, ClickHouseUnavailable
from footfall_core.eventlog import AssignmentLost, Lag, LogReader, LogRecord, LogUnavailable

logger = structlog.get_logger(__name__)

UNKNOWN_END: Final = 2**63
LEAST_BATCH: Final = 50
"""A batch is not made smaller than this after failures."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and how often. Seconds and bytes."""

    batch_events: int = 50_000
    batch_bytes: int = 32 * 1024 * 1024
    flush: float = 0.25
    idle: float = 0.5
    """How long a poll waits for the first record."""
    lease: float = 15.0
    """How old a poll may be when its rows are inserted. Half of a session: after a whole one the partitions
    are another member's."""
    first_pause: float = 0.1
    longest_pause: float = 15.0
    keep_alive: float = 1.0
    lag: float = 2.0


class Progress:
    """What the loop shows to other threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.beat_at = clock()
        self.waiting_for: str | None = "the first look at the log"
        """Why nothing is stored now; None while all is well."""
        self.ended: str | None = None
        """Why the loop is over; None while it runs."""
        self.lags: Mapping[int, Lag] | None = None
        """How far the group is behind, by partition; another object after each look, None before the first."""

    def beat(self) -> None:
        """Tell that the loop moves."""
        self.beat_at = self._clock()

    def still_for(self) -> float:
        """Seconds without a beat."""
        return self._clock() - self.beat_at


class LeaseExpired(Exception):
    """So much time went by since the poll that the records may be another member's by now."""


FAILURES: Final = (ClickHouseUnavailable, ClickHouseRefused, TooManyRefused, LeaseExpired, LogUnavailable)
"""What the loop waits out. Anything else is a bug and ends it."""


class Consumer:
    """One member of the group."""

    def __init__(
        self,
        reader: LogReader,
        store: Store,
        recent: Recent,
        steps: Sequence[Step],
        *,
        metrics: Metrics,
        progress: Progress,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives monotonic seconds, `now` Unix seconds."""
        self._reader = reader
        self._store = store
        self._recent = recent
        self._steps = steps
        self._metrics = metrics
        self._progress = progress
        self._pace = pace
        self._clock = clock
        self._now = now
        self._take = pace.batch_events
        self._polled_at = 0.0
        self._lag_shown_at = -pace.lag
        # By partition: ClickHouse may hold records below this offset without this process knowing of it.
        self._doubtful_below: dict[int, int] = {}
        # Partitions of which an INSERT may still be running: a former owner's, or one of ours that failed.
        self._unsettled: set[int] = set()

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set; then finish the batch in hand and return."""
        failed = 0
        for number in count(1):
            if stop.is_set():
                return
            structlog.contextvars.bind_contextvars(batch=number)  # of this process; also on what fails
            self._progress.beat()
            took = self._take
            try:
                records = self.turn()
            except AssignmentLost as lost:
                logger.warning("assignment lost", partitions=sorted(lost.partitions))
                self._metrics.failures.labels("assignment").inc()
                self._reader.rewind()
            except FAILURES as error:
                self._report(error)
                pause = min(self._pace.longest_pause, self._pace.first_pause * 2**failed)
                failed = min(failed + 1, 30)
                if isinstance(error, LogUnavailable):
                    pause = max(pause, error.retry_after)
                else:
                    self._take = max(LEAST_BATCH, took // 2)  # in case that it was too much at once
                self._wait(pause * random.uniform(0.5, 1.0), stop)  # noqa: S311  it only spreads load
                self._reader.rewind()
            else:
                failed, self._progress.waiting_for = 0, None
                self._show_lag()
                if 0 < records < took:
                    stop.wait(self._polled_at + self._pace.flush - self._clock())

    def turn(self) -> int:
        """Read one batch and store it. Returns the number of its records.

        Raises `AssignmentLost` or one of `FAILURES`; `LogReader.rewind` is to be called then.
        """
        batch = self._reader.poll(self._take, self._pace.batch_bytes, self._pace.idle)
        self._polled_at = self._clock()
        self._take_over(batch.assigned)
        if batch.deleted:
            logger.error("the log deleted records before they were read", deleted=dict(batch.deleted))
            self._metrics.deleted.inc(sum(batch.deleted.values()))
        if self._unsettled:
            self._settle()
        if batch.records:
            self._store_records(batch.records)
        self._store.people.show()
        if batch.records:
            self._take = min(self._pace.batch_events, self._take * 2)  # it shrinks after failures
        return len(batch.records)

    def _take_over(self, assigned: Mapping[int, int]) -> None:
        """Trust nothing about partitions that others may have owned."""
        self._recent.assign(assigned)
        self._unsettled.update(assigned)
        self._doubtful_below.update(dict.fromkeys(assigned, UNKNOWN_END))
        if assigned:
            logger.info("assigned", positions=dict(assigned))

    def _settle(self) -> None:
        self._store.settle(self._unsettled)
        self._unsettled.clear()
        if UNKNOWN_END in self._doubtful_below.values():
            # What is appended from now on can only have been read by this member.
            ends = self._reader.end_offsets()
            self._doubtful_below = {
                partition: ends[partition] if below == UNKNOWN_END else below
                for partition, below in self._doubtful_below.items()
                if partition in ends
            }

    def _store_records(self, records: Sequence[LogRecord]) -> None:
        started = self._clock()
        now = int(self._now() * 1000)
        rows: list[Row] = []
        rejected: list[RejectedRow] = []
        firsts: dict[int, int] = {}
        positions: dict[int, int] = {}
        for record in records:
            made = to_row(record, self._steps, now)
            if type(made) is Row:
                rows.append(made)
                received_at = made.event.received_at
            else:
                assert type(made) is RejectedRow
                rejected.append(made)
                received_at = made.received_at
            if record.partition not in firsts:
                firsts[record.partition] = record.offset
                self._recent.read(record.partition, received_at)
            positions[record.partition] = record.offset + 1
        converted = self._measure("to_row", started)

        # Before their events, and also for those that are stored already: a crash can lie between the two.
        for reason, number in self._store.people.store(row.event for row in rows).items():
            self._metrics.links_refused.labels(reason).inc(number)
        converted = self._measure("people", converted)

        doubtful = {p for p, first in firsts.items() if first < self._doubtful_below.get(p, 0)}
        rows, rejected = self._drop_stored(rows, rejected, doubtful)
        compared = self._measure("compare", converted)
        self._store.first_seen.store(rows)
        compared = self._measure("first_seen", compared)

        if self._clock() - self._polled_at > self._pace.lease:
            raise LeaseExpired("too much time went by between reading a batch and storing it")
        self._doubt(positions)
        refused = self._store.insert(rows)
        rejected += refused
        self._store.insert_rejected(rejected)
        inserted = self._measure("insert", compared)
        self._metrics.batch_records.observe(len(records))
        self._count(rows, rejected, refused)

        self._reader.commit(positions)
        self._measure("commit", inserted)
        logger.debug("stored", records=len(records), first=firsts, next=positions)
        for partition, position in positions.items():
            self._unsettled.discard(partition)
            if self._doubtful_below.get(partition, 0) <= position:
                self._doubtful_below.pop(partition, None)

    def _count(self, rows: Sequence[Row], rejected: Sequence[RejectedRow], refused: Sequence[RejectedRow]) -> None:
        """Show what was stored just now: `rows` without those `refused`, and `rejected`."""
        now = self._now()
        set_aside = {row.record for row in refused}
        self._metrics.stored.inc(len(rows) - len(refused))
        self._metrics.freshness.observe(
            [now - row.event.received_at / 1000 for row in rows if row.record not in set_aside]
        )
        for rejected_row in rejected:
            self._metrics.rejected.labels(rejected_row.reason).inc()

    def _doubt(self, positions: Mapping[int, int]) -> None:
        """From here on ClickHouse may hold these records, until their commit says that it does."""
        self._unsettled.update(positions)
        for partition, position in positions.items():
            self._doubtful_below[partition] = max(position, self._doubtful_below.get(partition, 0))

    def _drop_stored(
        self, rows: list[Row], rejected: list[RejectedRow], doubtful: set[int]
    ) -> tuple[list[Row], list[RejectedRow]]:
        """Without the duplicates. `doubtful` names partitions with records that may be stored already."""
        dropped = self._metrics.duplicates
        may_be_known = set(self._recent.may_be_known(rows))
        stored: set[int] = set()  # indexes of rows
        if doubtful:
            stored, stored_rejected = self._find_stored(rows, rejected, doubtful)
            rejected = [row for index, row in enumerate(rejected) if index not in stored_rejected]
            dropped.labels("log").inc(len(stored) + len(stored_rejected))
        asked = [rows[index] for index in sorted(may_be_known - stored)]
        if not asked:
            return [row for index, row in enumerate(rows) if index not in stored] if stored else rows, rejected
        self._metrics.asked.inc(len(asked))
        known = self._store.known(asked)
        kept: list[Row] = []
        seen: set[Identity] = set()
        for index, row in enumerate(rows):
            identity = row.identity
            if index not in stored:
                if identity in seen:
                    dropped.labels("batch").inc()
                elif identity in known:
                    dropped.labels("table").inc()
                else:
                    kept.append(row)
            seen.add(identity)
        return kept, rejected

    def _find_stored(
        self, rows: Sequence[Row], rejected: Sequence[RejectedRow], doubtful: set[int]
    ) -> tuple[set[int], set[int]]:
        """The indexes of rows and of rejected rows whose record is stored, as the one or as the other."""
        doubted = [row for row in rows if row.record.partition in doubtful]
        doubted_rejected = [row for row in rejected if row.record.partition in doubtful]
        held = self._store.held(doubted)
        self._progress.beat()
        held_rejected = self._store.held_rejected(
            [row.record for row in doubted] + [row.record for row in doubted_rejected]
        )
        self._progress.beat()
        refused = {(partition, offset) for partition, offset, _ in held_rejected}
        stored = {
            index
            for index, row in enumerate(rows)
            if row.place in held
            or ((row.record.partition, row.record.offset) in refused and reject_refused(row, "").place in held_rejected)
        }
        return stored, {index for index, row in enumerate(rejected) if row.place in held_rejected}

    def _measure(self, phase: str, since: float) -> float:
        """Note how long a phase took that began at `since`. Returns when the next one begins."""
        self._progress.beat()
        now = self._clock()
        self._metrics.seconds.labels(phase).observe(now - since)
        return now

    def _show_lag(self) -> None:
        if self._clock() < self._lag_shown_at + self._pace.lag:
            return
        self._lag_shown_at = self._clock()
        with suppress(LogUnavailable):  # the next poll will say so too
            lags = self._progress.lags = self._reader.lag()
            self._metrics.show_lag(lags)

    def _report(self, error: Exception) -> None:
        reason = explain(error)
        if self._progress.waiting_for != reason:
            logger.warning("waiting", reason=reason)
        self._progress.waiting_for = reason
        if isinstance(error, LogUnavailable):
            cause = "log"
        elif isinstance(error, TooManyRefused):
            cause = "rows"
        elif isinstance(error, LeaseExpired):
            cause = "assignment"
        else:
            cause = "clickhouse"
        self._metrics.failures.labels(cause).inc()

    def _wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait without losing the membership."""
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0 and not stop.wait(min(left, self._pace.keep_alive)):
            self._progress.beat()
            with suppress(LogUnavailable):
                self._take_over(self._reader.poll(0, 0, 0.0).assigned)
            self._show_lag()


def explain(error: Exception) -> str:
    """What is wrong, in a sentence that stays the same from try to try."""
    root: BaseException = error
    while (before := root.__cause__ or root.__context__) is not None:
        root = before
    if isinstance(error, ClickHouseUnavailable) and isinstance(root, OSError):
        return f"ClickHouse does not answer: {root.strerror or root}"
    return (str(error) or type(error).__name__)[:1000]
