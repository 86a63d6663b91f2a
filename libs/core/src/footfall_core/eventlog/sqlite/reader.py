"""Reading the embedded event log as a member of a group."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from footfall_core.eventlog import AssignmentLost, Batch, Lag, LogRecord, LogUnavailable
from footfall_core.eventlog.sqlite.file import (
    Options,
    connect,
    decode,
    end_offset,
    identity,
    open_file,
    parse_url,
    reporting,
    transaction,
)
from footfall_core.eventlog.sqlite.group import (
    Member,
    generation,
    is_dead,
    leave,
    peers,
    rebalance,
    register,
    release,
)


@dataclass(slots=True)
class Owned:
    """What a member knows of a partition that it owns."""

    committed: int
    next: int  # the offset of the next record to return
    decoded: list[bytes]  # the values from `next` on, as far as they are decoded


class SqliteLogReader:
    """`LogReader` in an SQLite file."""

    SHORTEST_PAUSE = 0.005  # seconds between looks at the file while nothing comes
    LONGEST_PAUSE = 0.04
    LOOK_AROUND_SECONDS = 1.0  # for members that died, and whether the file is still there

    def __init__(self, options: Options, partitions: int, group: str, clock: Callable[[], float]) -> None:
        self._path = Path(options.path)
        self._session_seconds = options.session_seconds
        self._partitions = partitions
        self._group = group
        self._clock = clock
        self._closed = False
        self._member: Member | None = None
        self._owned: dict[int, Owned] = {}
        self._assigned: dict[int, int] = {}  # not told yet
        self._leaving: dict[int, float] = {}  # partitions that others wait for: how long they wait for a commit
        self._peers: list[str] = []
        self._generation = -1
        self._data_version = -1
        self._renew_at = 0.0  # monotonic seconds, as the next one
        self._look_around_at = 0.0
        self._turn = 0
        self._identity = identity(self._path)
        self._connection = connect(self._path)
        try:
            with reporting(self._path), transaction(self._connection):
                register(self._connection, group, partitions)
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def open(cls, url: str, group: str, clock: Callable[[], float] = time.time) -> SqliteLogReader:
        """Open the log at `url` to read as a member of `group`; a new group starts at the oldest record.

        Raises ValueError for a wrong URL or file, `LogUnavailable` if the file cannot be used now.
        """
        options = parse_url(url)
        return cls(options, open_file(options, clock()), group, clock)

    def poll(self, max_records: int, max_bytes: int, timeout: float) -> Batch:
        """See `LogReader.poll`."""
        self._require_open()
        deadline = time.monotonic() + timeout
        with reporting(self._path):
            while True:
                self._keep_membership()
                records = self._fetch(max_records, max_bytes)
                if records or time.monotonic() >= deadline:
                    break
                self._wait(deadline)
        assigned, self._assigned = self._assigned, {}
        return Batch(records, assigned)

    def commit(self, positions: Mapping[int, int]) -> None:
        """See `LogReader.commit`."""
        self._require_open()
        for partition in positions:
            if not 0 <= partition < self._partitions:
                raise ValueError(f"the log has {self._partitions} partitions, and no partition {partition}")
        kept = {partition: position for partition, position in positions.items() if partition in self._owned}
        if kept and self._member is not None:
            with reporting(self._path), transaction(self._connection):
                for partition, position in tuple(kept.items()):
                    update = self._connection.execute(
                        "UPDATE positions SET next_offset = ? WHERE group_name = ? AND partition = ? AND owner = ?",
                        (position, self._group, partition, self._member.id),
                    )
                    if not update.rowcount:
                        del kept[partition]
        for partition, position in kept.items():
            self._owned[partition].committed = position
        lost = frozenset(positions) - frozenset(kept)
        if lost:
            for partition in lost:
                self._drop(partition)
            raise AssignmentLost(lost)

    def rewind(self) -> None:
        """See `LogReader.rewind`."""
        self._require_open()
        for owned in self._owned.values():
            owned.next, owned.decoded = owned.committed, []

    def end_offsets(self) -> Mapping[int, int]:
        """See `LogReader.end_offsets`."""
        self._require_open()
        with reporting(self._path):
            return {partition: end_offset(self._connection, partition) for partition in sorted(self._owned)}

    def lag(self) -> Mapping[int, Lag]:
        """See `LogReader.lag`."""
        self._require_open()
        with reporting(self._path):
            positions = self._connection.execute(
                "SELECT partition, next_offset FROM positions WHERE group_name = ? ORDER BY partition",
                (self._group,),
            ).fetchall()
            return {partition: self._lag(partition, position) for partition, position in positions}

    def close(self) -> None:
        """See `LogReader.close`."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._member is not None:
                with reporting(self._path), transaction(self._connection):
                    leave(self._connection, self._member)
        except LogUnavailable:
            pass  # the others will see that its lock is free, which says the same
        finally:
            if self._member is not None:
                self._member.close()
            self._connection.close()

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the reader is closed")

    def _version(self) -> int:
        """A number that changes when another connection has changed the file."""
        return int(self._connection.execute("PRAGMA data_version").fetchall()[0][0])

    def _wait(self, deadline: float) -> None:
        """Return when something changed in the file, or at the deadline, or when membership needs care."""
        pause = self.SHORTEST_PAUSE
        until = min(deadline, self._renew_at, self._look_around_at)
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            if self._version() != self._data_version:
                return
            pause = min(pause * 1.25, self.LONGEST_PAUSE)

    def _keep_membership(self) -> None:
        """Renew the lease when it is due, and rebalance when something changed in the group."""
        version = self._version()
        now = time.monotonic()
        due = now >= self._renew_at
        if version != self._data_version:
            due = due or generation(self._connection, self._group) != self._generation
        if now >= self._look_around_at:
            if identity(self._path) != self._identity:
                raise LogUnavailable(f"{self._path}: was removed or replaced while in use")
            self._look_around_at = now + self.LOOK_AROUND_SECONDS
            due = due or any(is_dead(self._path, peer) for peer in self._peers)
        if due:
            self._rebalance(now)
        if self._leaving:
            self._release(now)
        self._data_version = version

    def _rebalance(self, now: float) -> None:
        if self._member is None:
            self._member = Member(self._path, self._group)
        with transaction(self._connection):
            share = rebalance(
                self._connection,
                self._path,
                self._member,
                self._partitions,
                self._clock(),
                self._session_seconds,
            )
            self._peers = peers(self._connection, self._member)
        if share is None:  # the others took this member for dead: begin anew
            self._member.close()
            self._member = None
            self._owned.clear()
            self._rebalance(now)
            return
        self._member.joined = True
        self._renew_at = now + self._session_seconds / 3
        self._generation = share.generation
        for partition in self._owned.keys() - share.positions.keys():
            self._drop(partition)
        for partition, position in share.positions.items():
            if partition not in self._owned:
                self._owned[partition] = Owned(position, position, [])
                self._assigned[partition] = position
        wait_until = now + self._session_seconds
        # Those that are leaving already go first, so that no second one starts to leave.
        leaving = sorted(self._owned, key=lambda partition: (partition not in self._leaving, -partition))
        self._leaving = {partition: self._leaving.get(partition, wait_until) for partition in leaving[: share.excess]}

    def _release(self, now: float) -> None:
        """Give up the partitions that others wait for, once all that was returned of them is committed."""
        finished = [
            partition
            for partition, wait_until in self._leaving.items()
            if self._owned[partition].next <= self._owned[partition].committed or now >= wait_until
        ]
        if finished and self._member is not None:
            with transaction(self._connection):
                release(self._connection, self._member, finished)
            for partition in finished:
                self._drop(partition)

    def _drop(self, partition: int) -> None:
        self._owned.pop(partition, None)
        self._assigned.pop(partition, None)
        self._leaving.pop(partition, None)

    def _fetch(self, max_records: int, max_bytes: int) -> list[LogRecord]:
        """The next records of the owned partitions, beginning with another partition each time."""
        partitions = sorted(self._owned.keys() - self._leaving.keys())
        self._turn += 1
        records: list[LogRecord] = []
        fetched: dict[int, tuple[int, list[bytes]]] = {}
        for index in range(len(partitions)):
            if len(records) >= max_records or max_bytes <= 0:
                break
            partition = partitions[(self._turn + index) % len(partitions)]
            position = self._owned[partition].next
            rest: list[bytes] = []
            for offset, values, total in self._batches(partition):
                count, size = fitting(values, total, max_records - len(records), max_bytes, not records)
                rest = values[count:]
                records += [
                    LogRecord(partition, number, value)
                    for number, value in enumerate(values[:count] if rest else values, offset)
                ]
                position = offset + count
                max_bytes -= size
                if rest or len(records) >= max_records or max_bytes <= 0:
                    break
            fetched[partition] = position, rest
            if rest:
                break
        for partition, (position, rest) in fetched.items():  # only now, when nothing can fail any more
            self._owned[partition].next, self._owned[partition].decoded = position, rest
        return records

    def _batches(self, partition: int) -> Iterator[tuple[int, list[bytes], int]]:
        """The values to return next, batch by batch, each with its first offset and its size in bytes."""
        owned = self._owned[partition]
        position = owned.next
        if owned.decoded:
            yield position, owned.decoded, sum(map(len, owned.decoded))
            position += len(owned.decoded)
        cursor = self._connection.execute(
            "SELECT base_offset, count, bytes, codec, payload FROM batches WHERE partition = ?1"
            " AND base_offset >= coalesce("
            "   (SELECT max(base_offset) FROM batches WHERE partition = ?1 AND base_offset <= ?2), 0)"
            " AND base_offset + count > ?2 ORDER BY base_offset",
            (partition, position),
        )
        try:
            for base_offset, count, size, codec, payload in cursor:
                try:
                    values = decode(codec, payload, count)
                except ValueError as error:
                    where = f"partition {partition}, offset {base_offset}"
                    raise LogUnavailable(f"{self._path}: the batch at {where} is damaged: {error}") from error
                if base_offset < position:
                    values = values[position - base_offset :]
                    yield position, values, sum(map(len, values))
                else:
                    yield base_offset, values, size
        finally:
            cursor.close()

    def _lag(self, partition: int, position: int) -> Lag:
        records = end_offset(self._connection, partition) - position
        if records <= 0:
            return Lag(0, None)
        rows = self._connection.execute(
            "SELECT appended_at FROM batches WHERE partition = ? AND base_offset <= ?"
            " ORDER BY base_offset DESC LIMIT 1",
            (partition, position),
        ).fetchall()
        return Lag(records, float(rows[0][0]) if rows else None)


def fitting(
    values: Sequence[bytes], size: int, max_records: int, max_bytes: int, at_least_one: bool
) -> tuple[int, int]:
    """How many of `values`, which are `size` bytes in all, fit the limits, and how many bytes these are."""
    if len(values) <= max_records and size <= max_bytes:
        return len(values), size
    sizes = list(accumulate(map(len, values[:max_records])))
    count = sum(total <= max_bytes for total in sizes)
    count = max(count, int(at_least_one))
    return count, sizes[count - 1] if count else 0
