"""Appending to the embedded event log."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from footfall_core.eventlog import LogUnavailable, Record
from footfall_core.eventlog.sqlite.file import (
    MEBIBYTE,
    BatchEncoder,
    Options,
    connect,
    identity,
    is_busy,
    is_damaged,
    open_file,
    parse_url,
    reporting,
    transaction,
)
from footfall_core.eventlog.sqlite.upkeep import STEP_BYTES, Space, delete_expired, measure, shrink

TRANSACTION_BYTES = 8 * MEBIBYTE  # of values; what is queued beyond goes into the next transaction
BATCH_BYTES = MEBIBYTE  # of values in one row, so that readers can keep to their `max_bytes`
CHECKPOINT_BYTES = 8 * MEBIBYTE  # appended, until they move from the WAL into the file
RECORD_OVERHEAD = 64  # bytes of memory that a queued record takes besides its value
PAGE = 4096

# An fsync costs CPU, and a busy log can wait for company: after a transaction of n appends the next begins n
# times the one later, at most the other. An append that comes alone does not wait.
PACE_SECONDS = 0.001
SLOWEST_PACE_SECONDS = 0.004

# The statement is the whole transaction: it finds the partition's next offset, takes it, and commits. Being
# one statement, it also lets go of the interpreter's lock only once.
INSERT = "INSERT INTO batches (partition, base_offset, count, bytes, appended_at, codec, payload) VALUES "
INSERT_ROW = (
    "(?, coalesce((SELECT base_offset + count FROM batches WHERE partition = ?"
    " ORDER BY base_offset DESC LIMIT 1), 0) + ?, ?, ?, ?, ?, ?)"
)


@dataclass(slots=True)
class Append:
    """One call of `append` that waits for the disk."""

    values: dict[int, list[bytes]]  # by partition
    bytes: int
    done: asyncio.Future[None]


class SqliteEventLog:
    """`EventLog` in an SQLite file.

    One thread writes, so that the event loop never waits for the disk; another one does the upkeep. The two
    take turns by a lock, because SQLite itself would make one poll for the other.
    """

    UPKEEP_SECONDS = 1.0

    def __init__(self, options: Options, partitions: int, clock: Callable[[], float]) -> None:
        self._options = options
        self._path = Path(options.path)
        self._partitions = partitions
        self._clock = clock
        self._encoder = BatchEncoder()  # the writing thread's
        self._next_commit_at = 0.0  # monotonic seconds
        self._closed = False
        self._queue: queue.SimpleQueue[Append | None] = queue.SimpleQueue()
        self._queued_bytes = 0  # only the event loop's thread touches it
        self._failure: str | None = None  # why the last attempt to write failed; the next may succeed
        self._refusal: str | None = None  # why no attempt is made now
        self._is_lost = False  # whether it stays so: the file was replaced or is damaged
        self._room = 0  # bytes that may be appended until the next look
        self._checkpoint_bytes = 0  # appended since the last checkpoint
        self._turn = threading.Lock()
        self._upkeep_due = threading.Event()
        self._connection = connect(self._path)
        try:
            with reporting(self._path):
                self._identity = identity(self._path)
                self._look_at_space(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._writer = threading.Thread(target=self._write, name="event-log-writer", daemon=True)
        self._keeper = threading.Thread(target=self._keep_up, name="event-log-upkeep", daemon=True)
        self._writer.start()
        self._keeper.start()

    @classmethod
    def open(cls, url: str, clock: Callable[[], float] = time.time) -> SqliteEventLog:
        """Open the log at `url`, creating the file if need be.

        Raises ValueError for a wrong URL or file, `LogUnavailable` if the file cannot be used now.
        """
        options = parse_url(url)
        return cls(options, open_file(options, clock()), clock)

    async def append(self, records: Sequence[Record]) -> None:
        """See `EventLog.append`."""
        if not records:
            return
        if self._closed or self._refusal is not None:
            raise LogUnavailable(self._refusal or f"{self._path}: the log is closed")
        partitions = self._partitions
        values: dict[int, list[bytes]] = {}
        size = RECORD_OVERHEAD * len(records)
        for record in records:
            value = record.value
            size += len(value)
            partition = crc32(record.key) % partitions
            if partition in values:
                values[partition].append(value)
            else:
                values[partition] = [value]
        if self._queued_bytes and self._queued_bytes + size > self._options.queue_bytes:
            raise LogUnavailable(f"{self._path}: {self._queued_bytes} bytes wait for the disk already")
        done = asyncio.get_running_loop().create_future()
        self._queued_bytes += size
        self._queue.put(Append(values, size, done))
        await done

    async def check(self) -> None:
        """See `EventLog.check`."""
        if self._closed:
            raise LogUnavailable(f"{self._path}: the log is closed")
        reason = self._refusal or self._failure
        if reason is not None:
            raise LogUnavailable(reason)

    async def close(self) -> None:
        """See `EventLog.close`."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._upkeep_due.set()
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._keeper.join)

    def _resolve(self, group: list[Append], error: Exception | None) -> None:
        """Tell those who wait, in the event loop's thread."""
        for append in group:
            self._queued_bytes -= append.bytes
            if append.done.done():
                continue
            if error is None:
                append.done.set_result(None)
            elif isinstance(error, LogUnavailable):
                append.done.set_exception(LogUnavailable(error.reason, error.retry_after))
            else:
                append.done.set_exception(error)

    # The writing thread

    def _write(self) -> None:
        closing = False
        while not closing:
            group, closing = self._take()
            if group:
                error = self._commit(group)
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    group[0].done.get_loop().call_soon_threadsafe(self._resolve, group, error)
        self._connection.close()

    def _take(self) -> tuple[list[Append], bool]:
        """Everything that is queued by now, up to the size of a transaction; waits for the first."""
        group: list[Append] = []
        size = 0
        append = self._queue.get()
        now = time.monotonic()
        if now < self._next_commit_at:
            time.sleep(self._next_commit_at - now)
        with suppress(queue.Empty):
            while append is not None:
                group.append(append)
                size += append.bytes
                if size >= TRANSACTION_BYTES:
                    break
                append = self._queue.get_nowait()
        if len(group) > 1:
            self._next_commit_at = time.monotonic() + min(PACE_SECONDS * len(group), SLOWEST_PACE_SECONDS)
        return group, append is None

    def _commit(self, group: list[Append]) -> Exception | None:
        try:
            statement, parameters, size = insertion(group, self._clock(), self._encoder)
            if size > self._room:  # by an estimate that errs on the safe side
                with reporting(self._path):
                    space = self._look_at_space(self._connection)
                if size > space.room:
                    self._upkeep_due.set()
                    return LogUnavailable(space.refusal)
            with reporting(self._path), self._turn:
                self._connection.execute(statement, parameters)
            self._failure = None
            self._room -= size
            self._checkpoint_bytes += size
            if self._checkpoint_bytes >= CHECKPOINT_BYTES:
                self._upkeep_due.set()
        except LogUnavailable as error:
            self._note(error)
            return error
        except Exception as error:  # noqa: BLE001  whatever it is, those who await the append must hear it
            return error
        return None

    def _note(self, error: LogUnavailable) -> None:
        """Remember that writing failed."""
        self._failure = error.reason
        if is_damaged(error):
            self._is_lost, self._refusal = True, error.reason

    # The upkeep's thread

    def _keep_up(self) -> None:
        connection: sqlite3.Connection | None = None
        while not self._closed:
            self._upkeep_due.wait(self.UPKEEP_SECONDS)
            self._upkeep_due.clear()
            try:
                with reporting(self._path):
                    if identity(self._path) != self._identity:  # what is written now would vanish
                        self._is_lost, self._refusal = True, f"{self._path}: was removed or replaced while in use"
                        continue
                    # A crash may undo a deletion, so these need no fsync of their own.
                    connection = connection or connect(self._path, synchronous="NORMAL", busy_seconds=0.05)
                    self._do_upkeep(connection)
            except LogUnavailable as error:
                if not is_busy(error):  # else another process has its turn
                    self._note(error)
            except ValueError as error:  # from `connect`: it was replaced by something else
                self._failure = str(error)
        if connection is not None:
            connection.close()

    def _do_upkeep(self, connection: sqlite3.Connection) -> None:
        if self._failure is not None:
            with self._turn, transaction(connection):
                connection.execute("UPDATE log SET checked_at = ?", (self._clock(),))
            self._failure = None
        more = shrunk = True
        while (more or shrunk) and not self._closed:
            space = self._look_at_space(connection)
            age = 0.0 if space.is_short else self._options.retention_hours * 3600
            with self._turn:
                more = delete_expired(connection, self._clock() - age)
            with self._turn:
                shrunk = shrink(connection, space)
            self._checkpoint_bytes += STEP_BYTES * more + STEP_BYTES * shrunk
            if self._checkpoint_bytes >= CHECKPOINT_BYTES:
                self._checkpoint(connection)
        self._look_at_space(connection)

    def _look_at_space(self, connection: sqlite3.Connection) -> Space:
        space = measure(connection, self._options)
        self._room = space.room
        if not self._is_lost:
            self._refusal = space.refusal if space.is_full else None
        return space

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        """Move the WAL into the file and let it begin anew.

        Most is moved while appends go on. Only then do they wait for the rest, because a WAL that is never
        done with is never begun anew.
        """
        self._checkpoint_bytes = 0
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        with self._turn:
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


def insertion(group: Sequence[Append], now: float, encoder: BatchEncoder) -> tuple[str, list[object], int]:
    """The one statement that appends `group`, its parameters, and about how many bytes it will write."""
    values = group[0].values
    if len(group) > 1:
        values = {}
        for append in group:
            for partition, more in append.values.items():
                values.setdefault(partition, []).extend(more)
    parameters: list[object] = []
    rows = 0
    written = 0
    for partition, queue_of_it in values.items():
        count = 0
        for batch, size in cut(queue_of_it):
            codec, payload = encoder.encode(batch)
            parameters += (partition, partition, count, len(batch), size, now, codec, payload)
            count += len(batch)
            rows += 1
            written += len(payload) + PAGE
    return INSERT + ",".join([INSERT_ROW] * rows), parameters, written


def cut(values: list[bytes]) -> Iterator[tuple[list[bytes], int]]:
    """Cut values into batches of about `BATCH_BYTES`, each with its size."""
    size = sum(map(len, values))
    if size <= BATCH_BYTES:
        yield values, size
        return
    start = size = 0
    for index, value in enumerate(values):
        if size and size + len(value) > BATCH_BYTES:
            yield values[start:index], size
            start, size = index, 0
        size += len(value)
    yield values[start:], size
