"""Events → records, or why not. Pure: the clock's time and the client's address are among the facts given.

docs/capture.md says in words what happens here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final

import msgspec

from footfall_capture.decode import Envelope, Mended, Unreadable, is_deeper
from footfall_capture.timestamps import find_time, parse_time
from footfall_core.eventlog import Record
from footfall_core.events import (
    MAX_DEPTH,
    MAX_DISTINCT_ID,
    MAX_EVENT_BYTES,
    MAX_EVENT_NAME,
    MAX_PROPERTIES,
    MAX_REJECTED_PAYLOAD,
    EventRecord,
    RejectedRecord,
    encode_record,
    log_key,
)

MAX_RECORD_BYTES: Final = 2 * MAX_EVENT_BYTES
"""One record in the log. An event's JSON can grow on its way there: `1e15` becomes `1000000000000000.0`."""
MAX_SESSION_ID: Final = 200
"""Characters of a `$session_id`; a longer one stays a property and names no session."""

MAX_IP: Final = 45
"""Characters of the longest way to write an address."""

WARNINGS: Final = {
    "timestamp_unreadable": "`timestamp` could not be read; the time of arrival was used.",
    "timestamp_in_future": "The time was more than 23 hours ahead; the time of arrival was used.",
    "timestamp_before_1970": "The time was before 1970; 1970-01-01 was used.",
    "offset_unreadable": "`offset` is not a number and was ignored.",
    "sent_at_unreadable": "`sent_at` could not be read, so the client's clock was not corrected.",
    "distinct_id_cut": f"`distinct_id` was longer than {MAX_DISTINCT_ID} characters and was cut.",
    "number_out_of_range": "A number that a double cannot hold became its text.",
    "text_replaced": "Bytes that are not UTF-8, or half a character, became U+FFFD.",
}
"""What was mended in an accepted event: the words in its property `$ingestion_warnings`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request besides its body. `now` is Unix milliseconds, `ip` may be empty."""

    project_id: int
    write_key: str
    now: int
    ip: str
    user_agent: str
    new_uuid: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be stored. `field` is where in the event the reason lies."""

    index: int
    reason: str
    detail: str
    field: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What became of a body: the records for the log in the order of the events, rejected ones too; how many
    events were accepted, repetitions within the body included; the others; and by their index in the body the
    words in `WARNINGS` of those that were mended."""

    records: list[Record] = field(default_factory=list)
    accepted: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    warnings: dict[int, list[str]] = field(default_factory=dict)


class _Rejected(Exception):
    def __init__(self, reason: str, detail: str, *place: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.place = place


def accept(envelope: Envelope, facts: Facts) -> Outcome:
    """The records that `envelope` amounts to. Never raises for what a client sent."""
    outcome = Outcome()
    records = outcome.records
    skew, warnings = _clock_skew(envelope, facts.now)
    if envelope.fields.get("historical_migration") is True:
        # Where old events come from is not where they happened.
        facts = replace(facts, ip="", user_agent="")
    seen: set[tuple[str, str, str]] = set()
    for index, event in enumerate(envelope.events):
        try:
            record, mended = _make_record(event, facts, skew, warnings, seen)
        except _Rejected as rejected:
            outcome.rejections.append(Rejection(index, rejected.reason, rejected.detail, rejected.place))
            records.append(_rejected_record(event, rejected, facts))
        else:
            outcome.accepted += 1
            if mended:
                outcome.warnings[index] = mended
            if record is not None:
                records.append(record)
    return outcome


def _clock_skew(envelope: Envelope, now: int) -> tuple[int, tuple[str, ...]]:
    """By how many milliseconds the client's clock is behind ours, and warnings."""
    given = envelope.fields.get("sent_at")
    if given is None or given == "":
        return 0, ()
    sent_at = parse_time(given)
    return (0, ("sent_at_unreadable",)) if sent_at is None else (now - sent_at, ())


def _make_record(
    event: Any, facts: Facts, skew: int, warnings: tuple[str, ...], seen: set[tuple[str, str, str]]
) -> tuple[Record | None, list[str]]:
    """The event's record, None for a repetition of one in `seen`; and what was mended. Raises `_Rejected`."""
    if type(event) is not dict:
        if isinstance(event, Mended) and isinstance(event.value, dict):
            event, warnings = event.value, (*warnings, *event.warnings)
        elif isinstance(event, Unreadable):
            raise _Rejected(event.reason, event.detail)
        else:
            raise _Rejected("invalid_event", "The event is not a JSON object.")
    name = event.get("event")
    if type(name) is not str or not 0 < len(name) <= MAX_EVENT_NAME or name.isspace():
        raise _name_error(name)

    properties = event.get("properties")
    if properties is None:
        properties = {}
    elif type(properties) is not dict:
        raise _Rejected("invalid_properties", "`properties` is not an object.", "properties")
    if not _MERGED.isdisjoint(event):
        _merge(event, properties)
    if len(properties) > MAX_PROPERTIES:
        detail = f"`properties` has {len(properties)} names."
        raise _Rejected("too_many_properties", detail, "properties")

    distinct_id = event.get("distinct_id")
    if type(distinct_id) is not str or not distinct_id:
        distinct_id = _find_distinct_id(event, properties)
    if "\0" in distinct_id or distinct_id.isspace():
        detail = "`distinct_id` holds a NUL character, or only white space."
        raise _Rejected("invalid_distinct_id", detail, "distinct_id")
    if len(distinct_id) > MAX_DISTINCT_ID:
        distinct_id, warnings = distinct_id[:MAX_DISTINCT_ID], (*warnings, "distinct_id_cut")

    uuid = event.get("uuid")
    if uuid is not None and uuid != "":
        uuid = _read_uuid(uuid)

    if skew and properties.get("$ignore_sent_at") is True:
        skew = 0
    timestamp, oldest_at, doubts = find_time(event, facts.now, skew)
    if doubts:
        warnings = (*warnings, *doubts)
        properties["$timestamp_original"] = event.get("timestamp", event.get("offset"))
    mended: list[str] = []
    if warnings:
        properties["$ingestion_warnings"] = mended = list(dict.fromkeys(warnings))
    if "token" in properties and properties["token"] == facts.write_key:
        del properties["token"]
    if not _NESTED.isdisjoint(map(type, properties.values())):
        _check_depth(properties)

    session_id = properties.get("$session_id", "")
    if type(session_id) is not str or len(session_id) > MAX_SESSION_ID:
        session_id = ""
    record = EventRecord(
        facts.project_id,
        uuid or facts.new_uuid(),
        name,
        distinct_id,
        timestamp,
        facts.now,
        properties,
        # An event that got its uuid here cannot have been sent before.
        oldest_at if uuid else timestamp,
        session_id,
        (_read_ip(properties["$ip"]) or facts.ip) if "$ip" in properties else facts.ip,
        facts.user_agent,
    )
    value = encode_record(record)
    if len(value) > MAX_RECORD_BYTES:
        raise _Rejected("event_too_large", f"The event takes {len(value)} bytes in the log.")
    if uuid:
        # What the events table would take for one event is one already here.
        identity = (uuid, name, distinct_id)
        if identity in seen:
            return None, mended
        seen.add(identity)
    return Record(log_key(facts.project_id, distinct_id), value), mended


# What SDKs put beside the properties and belongs to them.
_MERGED: Final = frozenset(("$set", "$set_once", "$unset", "$groups", "$group_type", "$group_key", "$group_set"))


def _name_error(name: object) -> _Rejected:
    if name is None:
        return _Rejected("missing_event_name", "`event` is missing.", "event")
    if not isinstance(name, str):
        return _Rejected("invalid_event", "`event` is not a string.", "event")
    if len(name) > MAX_EVENT_NAME:
        return _Rejected("event_name_too_long", f"`event` has {len(name)} characters.", "event")
    return _Rejected("missing_event_name", "`event` is empty.", "event")


def _merge(event: dict[str, Any], properties: dict[str, Any]) -> None:
    """Move what stands beside the properties into them; of two objects the outer one's names win."""
    for name in _MERGED.intersection(event):
        outer, inner = event[name], properties.get(name)
        if isinstance(outer, dict) and isinstance(inner, dict):
            properties[name] = {**inner, **outer}
        elif outer is not None:
            properties[name] = outer


def _check_depth(properties: dict[str, Any]) -> None:
    if is_deeper(properties, MAX_DEPTH):
        detail = f"`properties` nests deeper than {MAX_DEPTH} levels."
        raise _Rejected("properties_too_deep", detail, "properties")


def _find_distinct_id(event: dict[str, Any], properties: dict[str, Any]) -> str:
    """The first distinct_id that is there at all, as text."""
    for fields in (event, properties):
        for name in ("distinct_id", "$distinct_id"):
            value = fields.get(name)
            if value is None or value == "":
                continue
            if type(value) is str:
                return value
            if is_deeper(value, MAX_DEPTH):
                detail = f"`distinct_id` nests deeper than {MAX_DEPTH} levels."
                raise _Rejected("invalid_distinct_id", detail, "distinct_id")
            return _encode_json(value).decode()
    raise _Rejected("missing_distinct_id", "`distinct_id` is missing.", "distinct_id")


_is_uuid: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_is_uuid_hex: Final = re.compile("[0-9a-f]{32}").fullmatch
_NIL_UUID: Final = "00000000-0000-0000-0000-000000000000"


def _read_uuid(uuid: object) -> str:
    """A client's uuid in its canonical form; empty for the nil UUID, which names nothing."""
    if type(uuid) is str:
        if _is_uuid(uuid):
            return uuid if uuid != _NIL_UUID else ""
        text = uuid.strip().lower()
        if _is_uuid(text):
            return text
        if _is_uuid_hex(text):
            return _read_uuid(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")
    raise _Rejected("invalid_uuid", "`uuid` is not a UUID.", "uuid")


_NESTED: Final = frozenset((dict, list))
_encode_json: Final = msgspec.json.Encoder().encode


@lru_cache(4096)
def _parse_ip(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _read_ip(value: object) -> str:
    """An address in its usual form; empty if it is none."""
    return _parse_ip(value) if isinstance(value, str) and len(value) <= MAX_IP else ""


def _rejected_record(event: Any, rejected: _Rejected, facts: Facts) -> Record:
    if isinstance(event, Unreadable):
        payload = event.payload
    else:
        value = event.value if isinstance(event, Mended) else event
        try:
            payload = _encode_json(value).decode()[:MAX_REJECTED_PAYLOAD]
        except RecursionError:
            payload = ""
    record = RejectedRecord(facts.project_id, rejected.reason, rejected.detail, payload, facts.now)
    # Rejected events need no order, so any key will do that spreads them over the partitions.
    return Record(log_key(facts.project_id, facts.new_uuid()), encode_record(record))
