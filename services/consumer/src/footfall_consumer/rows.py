"""From a record in the log to a row for ClickHouse. Pure.

`to_row` is the pipeline for one record: read it, let every step add properties, and give a `Row`; or a
`RejectedRow`, which says why there is none. Nothing here fails because of what a client sent.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec

from footfall_consumer.steps import Step
from footfall_core.eventlog import LogRecord
from footfall_core.events import (
    EventRecord,
    RejectedRecord,
    decode_raw_record,
    decode_record,
    write_payload,
)

Identity = tuple[int, str, str, str]
"""What makes two deliveries one event: project_id, event, distinct_id, uuid. All tiers agree on it."""

Place = tuple[int, int, str]
"""Where an event's row came from: log_partition, log_offset, uuid. The uuid tells a log that was made anew,
and counts from 0 again, from the one before it."""

RejectedPlace = tuple[int, int, int]
"""The same for a rejected event, which may have no uuid: log_partition, log_offset, CRC-32 of its payload."""

MAX_PROJECT_ID: Final = 2**32 - 1  # ClickHouse would wrap a greater one, into somebody else's project
EARLIEST: Final = -62_135_596_800_000  # the years 1 to 9999, in milliseconds
LATEST: Final = 253_402_300_799_999


class Row(msgspec.Struct, gc=False):
    """An event that is to be stored.

    Its properties are enriched; or they are still `msgspec.Raw`, when only ClickHouse can say whether it takes
    them. `not_before` is the earliest time, in Unix milliseconds, at which the event can have been sent for the
    first time; 0 when nothing is known.
    """

    record: LogRecord
    event: EventRecord
    not_before: int

    @property
    def identity(self) -> Identity:
        event = self.event
        return event.project_id, event.event, event.distinct_id, event.uuid

    @property
    def place(self) -> Place:
        return self.record.partition, self.record.offset, self.event.uuid


class RejectedRow(msgspec.Struct, gc=False):
    """An event that cannot be stored, for the table of rejected events. Times are Unix milliseconds."""

    record: LogRecord
    project_id: int
    reason: str
    detail: str
    source: str
    payload: str
    received_at: int

    @property
    def place(self) -> RejectedPlace:
        return self.record.partition, self.record.offset, zlib.crc32(self.payload.encode())


class _Glimpse(msgspec.Struct):
    """What can be told of an unreadable record, perhaps."""

    project_id: int = 0
    received_at: int = 0


_read_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _read(value: bytes) -> EventRecord | RejectedRecord:
    """A record. Raises `msgspec.MsgspecError` and its kin when it is none."""
    try:
        payload: EventRecord | RejectedRecord = decode_record(value)
    except (msgspec.MsgspecError, RecursionError):
        # Properties may be what Python cannot hold, as numbers beyond doubles are.
        raw: EventRecord | RejectedRecord = decode_raw_record(value)
        if isinstance(raw, EventRecord):
            _read_object(raw.properties)
        return raw
    if type(payload) is EventRecord and type(payload.properties) is not dict:
        raise ValueError("properties is not an object")
    return payload


_is_uuid = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_read_glimpse = msgspec.json.Decoder(_Glimpse).decode


def to_row(record: LogRecord, steps: Sequence[Step], now: int) -> Row | RejectedRow:
    """The row that `record` becomes. `now` is Unix milliseconds, for records that do not tell their time."""
    try:
        payload = _read(record.value)
        if type(payload) is RejectedRecord:
            _require_range(payload.project_id, payload.received_at, payload.received_at)
            return RejectedRow(
                record,
                payload.project_id,
                payload.reason,
                payload.detail,
                payload.source,
                payload.payload,
                payload.received_at,
            )
        assert isinstance(payload, EventRecord)
        _require_range(payload.project_id, payload.received_at, payload.timestamp)
        if not _is_uuid(payload.uuid):
            payload.uuid = str(UUID(payload.uuid))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _reject_unreadable(record, str(error), now)
    if type(payload.properties) is dict:
        for step in steps:
            step(payload)
    timestamp, received_at = payload.timestamp, payload.received_at
    not_before = min(payload.oldest_at or timestamp, timestamp)
    if timestamp > received_at or not_before > received_at:
        not_before = 0  # a clock that is ahead says nothing
    return Row(record, payload, not_before)


def reject_refused(row: Row, words: str) -> RejectedRow:
    """`row` as a rejected event, because ClickHouse refused it with these words."""
    event = row.event
    # As it lies in the log, so that a second reading of the record makes the same of it.
    payload = write_payload(row.record.value)
    return RejectedRow(
        row.record, event.project_id, "refused_by_clickhouse", words, "consumer", payload, event.received_at
    )


def _reject_unreadable(record: LogRecord, words: str, now: int) -> RejectedRow:
    project_id, received_at = 0, now
    try:
        glimpse = _read_glimpse(record.value)
        _require_range(glimpse.project_id, glimpse.received_at, glimpse.received_at)
        project_id, received_at = glimpse.project_id, glimpse.received_at or now
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass  # nothing can be told of it
    payload = write_payload(record.value)
    return RejectedRow(record, project_id, "unreadable_record", words, "consumer", payload, received_at)


def _require_range(project_id: int, received_at: int, timestamp: int) -> None:
    if not 0 <= project_id <= MAX_PROJECT_ID:
        raise ValueError(f"project_id {project_id} is out of range")
    if not (EARLIEST <= received_at <= LATEST and EARLIEST <= timestamp <= LATEST):
        raise ValueError(f"received_at {received_at} or timestamp {timestamp} is out of range")


class _EventLine(msgspec.Struct, gc=False):
    project_id: int
    uuid: str
    event: str
    distinct_id: str
    timestamp: str
    properties: Any
    session_id: str
    received_at: str
    log_partition: int
    log_offset: int


class _RejectedLine(msgspec.Struct, gc=False):
    project_id: int
    reason: str
    detail: str
    source: str
    payload: str
    received_at: str
    log_partition: int
    log_offset: int


EVENT_COLUMNS: Final = _EventLine.__struct_fields__
REJECTED_COLUMNS: Final = _RejectedLine.__struct_fields__

_encode_lines = msgspec.json.Encoder().encode_lines


def encode_rows(rows: Iterable[Row]) -> bytes:
    """The rows as JSON lines with `EVENT_COLUMNS`."""
    return _encode_lines(
        [
            _EventLine(
                row.event.project_id,
                row.event.uuid,
                row.event.event,
                row.event.distinct_id,
                format_time(row.event.timestamp),
                row.event.properties,
                row.event.session_id,
                format_time(row.event.received_at),
                row.record.partition,
                row.record.offset,
            )
            for row in rows
        ]
    )


def encode_rejected_rows(rows: Iterable[RejectedRow]) -> bytes:
    """The rows as JSON lines with `REJECTED_COLUMNS`."""
    return _encode_lines(
        [
            _RejectedLine(
                row.project_id,
                row.reason,
                row.detail,
                row.source,
                row.payload,
                format_time(row.received_at),
                row.record.partition,
                row.record.offset,
            )
            for row in rows
        ]
    )


_MILLISECONDS: Final = tuple(f".{millisecond:03d}" for millisecond in range(1000))
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  the arithmetic is in UTC throughout


def format_time(milliseconds: int) -> str:
    """Unix milliseconds as `2026-11-01 10:00:00.000`, in UTC.

    The one form that every version of ClickHouse reads the same way in JSON: numbers are seconds to some and
    milliseconds to others.
    """
    second, millisecond = divmod(milliseconds, 1000)
    return _format_second(second) + _MILLISECONDS[millisecond]


@lru_cache(maxsize=4096)
def _format_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat(" ")
