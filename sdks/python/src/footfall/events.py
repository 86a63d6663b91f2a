"""Events as they travel. Pure, but for the clock and the random bits of a new uuid."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final

VERSION: Final = "0.1.0"
MAX_EVENT_BYTES: Final = 1024 * 1024
"""One event's JSON; Footfall takes no larger ones."""

Event = dict[str, Any]
"""`event`, `distinct_id`, `uuid`, `timestamp` (ISO 8601) and `properties`."""


def make_event(
    name: str,
    distinct_id: str,
    properties: Mapping[str, Any] | None = None,
    *,
    timestamp: datetime | str | None = None,
    uuid: str | None = None,
) -> Event:
    """An event. A `timestamp` without an offset is in this machine's time zone, as everywhere in Python."""
    # Hosts without a type checker may pass anything.
    if not str(name or "").strip():
        raise ValueError("an event needs a name")
    if distinct_id in (None, "") or not str(distinct_id).strip():
        raise ValueError("an event needs a distinct_id")
    own: dict[str, Any] = {"$lib": "footfall-python", "$lib_version": VERSION}
    if not properties or "$ip" not in properties:
        own["$geoip_disable"] = True  # where this server stands says nothing of its users
    return {
        "event": str(name),
        "distinct_id": str(distinct_id),
        "uuid": uuid or make_uuid(),
        "timestamp": format_time(timestamp),
        "properties": {**own, **(properties or {})},
    }


def make_uuid() -> str:
    """A new UUIDv7: in the order of time, so that storing many of them is cheap."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 7 << 76 | int.from_bytes(os.urandom(10), "big") & ~(0xF << 76)
    return str(uuid.UUID(int=number & ~(0b11 << 62) | 0b10 << 62))


def format_time(moment: datetime | str | None) -> str:
    """A time in UTC; now, if none is given. Text is passed on, and Footfall judges it."""
    if isinstance(moment, str):
        return moment
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode_event(event: Mapping[str, Any]) -> bytes:
    """The event's JSON. What JSON has no form for becomes text. Raises ValueError for what refers to itself."""
    return json.dumps(event, default=_as_text, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _as_text(value: object) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    return str(value)


def make_body(events: Sequence[bytes], sent_at: str) -> bytes:
    """The body that carries encoded events."""
    return b'{"sent_at":"%s","batch":[%s]}' % (sent_at.encode(), b",".join(events))
