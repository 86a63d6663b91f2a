"""The event as it lies in the log, between the Capture API that writes it and the Consumer that reads it.

Stored as JSON, so that any Kafka tool can read it. `t` tells the two kinds apart; fields at their default are
left out. Times are Unix milliseconds. Adding a field with a default is compatible; anything else is not.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final

import msgspec

MAX_BODY_BYTES: Final = 20 * 1024 * 1024
"""A request body after decompression."""
MAX_EVENT_BYTES: Final = 1024 * 1024
"""One event's JSON."""
MAX_EVENT_NAME: Final = 200
"""Characters of an event's name."""
MAX_DISTINCT_ID: Final = 200
"""Characters of a distinct_id; longer ones are cut, as the field's SDKs expect."""
MAX_DEPTH: Final = 64
"""Levels of nesting in properties."""
MAX_PROPERTIES: Final = 1_000
"""Properties of one event, top level."""
MAX_REJECTED_PAYLOAD: Final = 16 * 1024
"""Characters that the Capture API keeps of a rejected event, and that are shown of one."""


class EventRecord(msgspec.Struct, tag_field="t", tag="event", omit_defaults=True, gc=False):
    """An accepted event. `properties` is an object, by names, that ClickHouse is known to take.

    `oldest_at` is the earlier of the client's own clock and the corrected `timestamp`: the event cannot have
    been sent before it, which is what the Consumer needs to know about retries. It is 1 when the client gave a
    uuid and no clock to go by.
    """

    project_id: int
    uuid: str
    event: str
    distinct_id: str
    timestamp: int
    received_at: int
    properties: Any
    oldest_at: int = 0
    session_id: str = ""
    ip: str = ""
    user_agent: str = ""


class RawEventRecord(EventRecord, tag_field="t", tag="event", omit_defaults=True, gc=False):
    """The same with the text of `properties`, for whom they may be more than Python can hold."""

    properties: msgspec.Raw


class RejectedRecord(msgspec.Struct, tag_field="t", tag="rejected", omit_defaults=True):
    """An event that was sent with a valid key and cannot be stored, and why.

    `reason` is one of a closed set of words (`REJECTION_REASONS`), `detail` a sentence, `payload` the event
    as it came, cut to `MAX_REJECTED_PAYLOAD` characters.
    """

    project_id: int
    reason: str
    detail: str
    payload: str
    received_at: int
    source: str = "capture"


REJECTION_REASONS: Final = {
    "invalid_event": "The event is not a JSON object, or a field of it has the wrong type.",
    "missing_event_name": "`event` is missing or empty.",
    "event_name_too_long": f"`event` is longer than {MAX_EVENT_NAME} characters.",
    "missing_distinct_id": "No distinct_id at any of the places where one may stand.",
    "invalid_distinct_id": "`distinct_id` holds a NUL character or only white space.",
    "invalid_uuid": "`uuid` is given and is not a UUID.",
    "invalid_properties": "`properties` is not an object that can be stored.",
    "properties_too_deep": f"`properties` nests deeper than {MAX_DEPTH} levels.",
    "too_many_properties": f"`properties` has more than {MAX_PROPERTIES} names.",
    "event_too_large": f"The event's JSON is larger than {MAX_EVENT_BYTES} bytes.",
    "unreadable_record": "The Consumer could not read the record in the log.",
    "refused_by_clickhouse": "ClickHouse refused the row; the detail has its words.",
}

LogPayload = EventRecord | RejectedRecord

encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(LogPayload).decode
decode_raw_record = msgspec.json.Decoder(RawEventRecord | RejectedRecord).decode


BASE64: Final = "base64:"


def write_payload(value: bytes) -> str:
    """A record of the log as the payload of a rejected event: all of it. What is no text is in base64."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text and not text.startswith(BASE64) else BASE64 + b64encode(value).decode()


def read_payload(payload: str) -> bytes:
    """The record that `write_payload` wrote."""
    return b64decode(payload.removeprefix(BASE64)) if payload.startswith(BASE64) else payload.encode()


def log_key(project_id: int, distinct_id: str) -> bytes:
    """The log's key for an event: one person's events stay in order."""
    return f"{project_id}:{distinct_id}".encode("utf-8", "replace")
