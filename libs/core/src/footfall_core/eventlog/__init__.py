"""The event log: a durable, partitioned, append-only log between the Capture API and the Consumer.

The words mean what they mean in Kafka, so that one interface serves both implementations:

- A *record* is bytes with a key. Records of one key share a partition and keep their order.
- An *offset* numbers the records of one partition from 0, without being reused.
- A *group* reads every record; its *members* share the partitions, each partition has one owner at a time.
- The *position* of a group in a partition is the offset of the **next** record to read. It moves only by
  `commit`, so a member that dies hands everything it had not committed to its successor.

`open_event_log` and `open_log_reader` pick the implementation by the URL's scheme; nothing else knows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """What is appended. `key` decides the partition and with it the order."""

    key: bytes
    value: bytes


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """What is read: a record's value and where it stands in the log."""

    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one `poll` returned.

    `assigned` names the partitions that became this member's since the poll before, each with the position
    it starts from; the caller must treat what it knew of them as stale. `records` are in offset order within
    each partition and belong to partitions that this member owns. `deleted` counts, by partition, records that
    stood before these and that the log no longer had: they were never read, and each is told once.
    """

    records: Sequence[LogRecord]
    assigned: Mapping[int, int] = field(default_factory=dict)
    deleted: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind. `oldest_appended_at` is Unix seconds of the oldest uncommitted record."""

    records: int
    oldest_appended_at: float | None


class LogUnavailable(Exception):
    """The log cannot take or give records now; the same call may succeed after `retry_after` seconds.

    Raised by `append`, it promises nothing about the records: they may or may not be in the log, so the
    caller repeats them with the same uuids.
    """

    def __init__(self, reason: str, retry_after: float = 1.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class AssignmentLost(Exception):
    """`commit` named partitions that this member does not own, or no longer. Nothing was committed for them;
    what it named besides them was committed."""

    def __init__(self, partitions: frozenset[int]) -> None:
        super().__init__(f"partitions {sorted(partitions)} belong to another member now")
        self.partitions = partitions


class LogRefused(Exception):
    """What the URL asks of the log cannot be, or would delete records that nobody has read. Says what to do."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare_event_log` did, and what about the log may cost records one day; sentences for operators."""

    done: Sequence[str] = ()
    warnings: Sequence[str] = ()


class EventLog(Protocol):
    """Appends records. Made for one event loop and many concurrent `append` calls on it."""

    async def append(self, records: Sequence[Record]) -> None:
        """Return once every record survives a crash of any process and of the machine.

        All or none become readable when it returns; an exception other than a bug is `LogUnavailable`.
        """

    async def check(self) -> None:
        """Raise `LogUnavailable` when an append would be refused now. For readiness."""

    async def close(self) -> None:
        """Finish the appends under way, then release everything."""


class LogReader(Protocol):
    """Reads as one member of a group. Synchronous, for use from one thread."""

    def poll(self, max_records: int, max_bytes: int, timeout: float) -> Batch:
        """Return up to about `max_records` records and `max_bytes` bytes of values, waiting up to `timeout`
        seconds for the first; an empty batch when none came. Each call continues where the one before
        stopped, also without a commit. Also keeps this member alive in its group: call it at least every
        `session_seconds` (default 30), or the partitions pass to other members.
        """

    def commit(self, positions: Mapping[int, int]) -> None:
        """Store the next offset to read for each partition, durably. Raises `AssignmentLost` or
        `LogUnavailable`."""

    def rewind(self) -> None:
        """Make the next `poll` start again from the committed positions of every owned partition."""

    def end_offsets(self) -> Mapping[int, int]:
        """The offset that the next appended record will get, for each owned partition."""

    def lag(self) -> Mapping[int, Lag]:
        """How far the group is behind, for each partition of the log, owned or not."""

    def close(self) -> None:
        """Leave the group at once, so that others need not wait for the session to time out."""


def open_event_log(url: str) -> EventLog:
    """The log at `url` (`sqlite:///path` or `kafka://host:port,…/topic`), to append to."""
    match urlsplit(url).scheme:
        case "sqlite":
            from footfall_core.eventlog.sqlite import SqliteEventLog

            return SqliteEventLog.open(url)
        case "kafka":
            from footfall_core.eventlog.kafka import KafkaEventLog

            return KafkaEventLog.open(url)
        case scheme:
            raise ValueError(f"FOOTFALL_EVENT_LOG_URL: unknown scheme {scheme!r}; use sqlite:/// or kafka://")


def open_log_reader(url: str, group: str) -> LogReader:
    """The log at `url`, to read as a member of `group`."""
    match urlsplit(url).scheme:
        case "sqlite":
            from footfall_core.eventlog.sqlite import SqliteLogReader

            return SqliteLogReader.open(url, group)
        case "kafka":
            from footfall_core.eventlog.kafka import KafkaLogReader

            return KafkaLogReader.open(url, group)
        case scheme:
            raise ValueError(f"FOOTFALL_EVENT_LOG_URL: unknown scheme {scheme!r}; use sqlite:/// or kafka://")


def prepare_event_log(url: str, group: str = "consumer", *, change: bool = True) -> Prepared:
    """Make the log at `url` what it says, for the readers in `group`. Repeating it changes nothing.

    Without `change` it only looks. Raises `LogRefused`, `LogUnavailable`, or ValueError for a wrong URL.
    """
    match urlsplit(url).scheme:
        case "kafka":
            from footfall_core.eventlog.topic import prepare_topic

            return prepare_topic(url, group, change=change)
        case "sqlite":
            return Prepared()  # the file is made by whoever opens it first
        case scheme:
            raise ValueError(f"FOOTFALL_EVENT_LOG_URL: unknown scheme {scheme!r}; use sqlite:/// or kafka://")
