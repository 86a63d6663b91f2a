"""Turns a row into an event, ready to be sent. Pure: the time and who the rows are are given."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from footfall_cli.importing.columns import ColumnType, converter
from footfall_cli.importing.mapping import Constant, RowMapping, find_value
from footfall_cli.importing.rows import Row, RowFile
from footfall_cli.importing.timestamps import Read
from footfall_core.events import MAX_EVENT_BYTES

FUTURE_LIMIT: Final = 23 * 3_600.0
"""Seconds ahead of now beyond which the Capture API would change the time of an event."""
NAMESPACE: Final = uuid.UUID("5c1d3f0e-7d1b-5d0a-9c53-6f0f7f2b8a11")
"""What the uuids of imported events are derived in. Never change it: running an old import again would double it."""

REASONS: Final = {
    "wrong_column_count": "The row has more or fewer columns than the header.",
    "invalid_json": "The line is not a JSON object.",
    "invalid_encoding": "A value is not in the file's encoding.",
    "invalid_timestamp": "The time is missing or cannot be read.",
    "timestamp_before_1970": "The time is before 1970; the Capture API would change it.",
    "timestamp_in_future": "The time is more than 23 hours ahead; the Capture API would change it.",
    "invalid_value": "A value is not of its column's declared type, or cannot be an event name or distinct_id.",
    "event_too_large": f"The event's JSON is larger than {MAX_EVENT_BYTES} bytes.",
}
"""Why a row is not even sent. What is sent may be rejected for `footfall_core.events.REJECTION_REASONS`."""

Build = Callable[[Row], bytes]
Convert = Callable[[Any], Any]

_encode: Final = msgspec.json.Encoder().encode


class Rejected(Exception):
    """The row cannot be sent: a word of `REASONS`, and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def make_builder(
    mapping: RowMapping,
    file: RowFile,
    types: Mapping[str, ColumnType],
    *,
    read_time: Read,
    identity: str,
    now: float,
) -> Build:
    """What makes an event's JSON of a row. It raises `Rejected`.

    The event's uuid is the mapped one, or follows from `identity` (of the import), the row's number and the
    event itself: the same row has the same uuid whenever it is imported. `now` is Unix seconds.
    """
    read_event = _text_reader(mapping.event, "event")
    read_distinct_id = _text_reader(mapping.distinct_id, "distinct_id")
    read_properties = _properties_reader(mapping, file, types)
    seed = hashlib.sha1(NAMESPACE.bytes + identity.encode(), usedforsecurity=False)
    latest = now + FUTURE_LIMIT
    timestamp_column, uuid_column = mapping.timestamp or "", mapping.uuid

    def build(row: Row) -> bytes:
        if row.problem is not None:
            raise Rejected(*row.problem)
        values = row.values
        event = {
            "event": read_event(values),
            "distinct_id": read_distinct_id(values),
            "timestamp": _read_timestamp(values, timestamp_column, read_time, latest),
            "properties": read_properties(values),
        }
        try:
            encoded = _encode(event)
        except UnicodeEncodeError as error:
            raise Rejected("invalid_encoding", f"A value is not in {file.encoding}: {error.reason}.") from None
        if len(encoded) > MAX_EVENT_BYTES:
            raise Rejected("event_too_large", f"The event has {len(encoded)} bytes.")
        given = find_value(values, uuid_column) if uuid_column else None
        name = _encode(given) if given else b'"%s"' % _row_uuid(seed, row.number, encoded)
        return b'{"uuid":%s,%s' % (name, encoded[1:])

    return build


def _row_uuid(seed: Any, number: int, encoded: bytes) -> bytes:
    """A version 5 UUID, that is, a SHA-1 of names in a namespace."""
    digest = seed.copy()
    digest.update(b"%d\0" % number)
    digest.update(encoded)
    text = digest.hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}".encode()


def _text_reader(source: str | Constant | None, field: str) -> Callable[[Mapping[str, Any]], str]:
    """Reads the event's name or the distinct_id. Empty ones are left for the Capture API to reject."""
    if isinstance(source, Constant):
        constant = source.constant
        return lambda _: constant
    column = source or field

    def read(values: Mapping[str, Any]) -> str:
        value = find_value(values, column)
        if type(value) is str:
            return value
        if value is None:
            return ""
        if type(value) is int or type(value) is float:
            return str(value)
        raise Rejected("invalid_value", f"{column}: {str(value)[:100]} cannot be the {field}.")

    return read


def _read_timestamp(values: Mapping[str, Any], column: str, read_time: Read, latest: float) -> str:
    value = find_value(values, column)
    if value is None or value == "":
        raise Rejected("invalid_timestamp", f"{column} is empty.")
    try:
        moment = read_time(value)
    except ValueError as error:
        raise Rejected("invalid_timestamp", f"{column}: {str(value)[:100]!r} {error}.") from None
    if moment.seconds < 0:
        raise Rejected("timestamp_before_1970", f"{column}: {moment.text} is before 1970.")
    if moment.seconds > latest:
        raise Rejected("timestamp_in_future", f"{column}: {moment.text} is more than 23 hours ahead.")
    return moment.text


def property_columns(mapping: RowMapping, columns: tuple[str, ...]) -> dict[str, str]:
    """Each property of a file with these columns, and its column."""
    taken = {*mapping.used_columns(), *mapping.exclude, *mapping.rename.values()}
    chosen = mapping.properties if mapping.properties is not None else columns
    plain = {column: column for column in chosen if mapping.properties is not None or column not in taken}
    session = {"$session_id": mapping.session_id} if mapping.session_id else {}
    return {**plain, **mapping.rename, **session}


def _properties_reader(
    mapping: RowMapping, file: RowFile, types: Mapping[str, ColumnType]
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    converters: dict[str, Convert] = {
        column: converter(type, declared=column in mapping.types) for column, type in types.items() if type != "string"
    }
    # An object called `properties` holds properties, as in what `footfall export` writes.
    spread = "properties" not in property_columns(mapping, ()).values()
    if file.format == "csv":
        plan = property_columns(mapping, file.columns)
        if not (spread and types.get("properties") == "json"):
            cells = [(name, column, converters.get(column)) for name, column in plan.items()]
            return lambda values: _read_cells(values, cells)
        return lambda values: _read_properties(values, plan, converters, spread=True)
    if mapping.properties is not None:
        listed = property_columns(mapping, ())
        return lambda values: _read_properties(values, listed, converters, spread=False)
    return lambda values: _read_properties(values, property_columns(mapping, tuple(values)), converters, spread=spread)


def _read_cells(values: Mapping[str, Any], cells: Sequence[tuple[str, str, Convert | None]]) -> dict[str, Any]:
    """The properties of a CSV row: most of the work of most imports."""
    properties: dict[str, Any] = {}
    for name, column, convert in cells:
        value = values.get(column)
        if value is not None:
            properties[name] = value if convert is None else _convert(convert, column, value)
    return properties


def _convert(convert: Convert, column: str, value: str) -> Any:
    try:
        return convert(value)
    except ValueError as error:
        raise Rejected("invalid_value", f"{column}: {value[:100]!r} {error}.") from None


def _read_properties(
    values: Mapping[str, Any], plan: Mapping[str, str], converters: Mapping[str, Convert], *, spread: bool
) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, column in plan.items():
        value = find_value(values, column)
        if value is None:
            continue
        if column in converters and type(value) is str:
            value = _convert(converters[column], column, value)
        if spread and column == "properties" and isinstance(value, dict):
            properties.update(value)
        else:
            properties[name] = value
    return properties
