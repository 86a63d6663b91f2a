"""When an event happened: reading the forms of time that clients send, and correcting their clocks.

Times are Unix milliseconds. docs/capture.md has the rule in words, with examples.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import floor
from typing import Any, Final

FUTURE_LIMIT: Final = 23 * 3_600_000
"""How far ahead of now a timestamp may lie: enough for a client that sends local time as UTC."""

# Numbers below it are seconds, the rest milliseconds: as seconds it is the year 5138, as milliseconds 1973.
_MILLISECONDS_FROM: Final = 1e11

# Seconds as a float may fall short of the microsecond that they mean; more precise than that they never are.
_HALF_MICROSECOND: Final = 0.0005  # in milliseconds

_read_iso: Final = datetime.fromisoformat
_EPOCH_TEXT: Final = re.compile(r"[+-]?\d{9,16}(?:\.\d*)?", re.ASCII)
_ISO_TEXT: Final = re.compile(r"\d{4}[-/]?\d\d[-/]?\d\d(?:[Tt ].*)?", re.ASCII)
_SPACE_BEFORE_ZONE: Final = re.compile(r" +(?=[+-]\d|Z$)")
_RFC_2822_TEXT: Final = re.compile(r"(?:[A-Za-z]{3},\s*)?\d{1,2}\s+[A-Za-z]{3}\s+\d{4}\s+\d\d?:\d\d.*", re.ASCII)


UNKNOWN: Final = 1
"""Stands for the client's own clock where it says nothing."""

When = tuple[int, int, tuple[str, ...]]
"""The time of an event; the earlier of that and the client's own clock, or `UNKNOWN`; words of `accept.WARNINGS`."""


def find_time(event: dict[str, Any], now: int, skew: int) -> When:
    """When `event` happened, given that the client's clock is `skew` milliseconds behind ours."""
    given = event.get("timestamp")
    said = parse_time(given)
    if said is not None and "offset" not in event:
        timestamp = said + skew
        if 0 <= said <= timestamp <= now + FUTURE_LIMIT:  # nearly always
            return timestamp, said, ()
        return _bounded(timestamp, said, now, ())
    warnings: tuple[str, ...] = ()
    if said is None and given is not None and given != "":
        warnings = ("timestamp_unreadable",)
    offset = event.get("offset")
    if offset is not None:
        elapsed = _number(offset)
        if elapsed is not None:
            # It is the time between the event and its sending, by one clock, so nothing is to be corrected.
            return _bounded(int(now - elapsed), said, now, warnings)
        warnings = (*warnings, "offset_unreadable")
    if said is None:
        return now, UNKNOWN, warnings
    return _bounded(said + skew, said, now, warnings)


def _bounded(timestamp: int, said: int | None, now: int, warnings: tuple[str, ...]) -> When:
    if timestamp > now + FUTURE_LIMIT:
        timestamp, warnings = now, (*warnings, "timestamp_in_future")
    elif timestamp < 0:
        timestamp, warnings = 0, (*warnings, "timestamp_before_1970")
    if said is None:
        return timestamp, UNKNOWN, warnings
    if said >= timestamp:
        return timestamp, timestamp, warnings
    return timestamp, max(0, said), warnings


def parse_time(value: object) -> int | None:
    """The time that `value` names, or None. Text without an offset is UTC.

    Reads ISO 8601 and RFC 3339 (with `T` or a space, slashes, or the date alone), RFC 2822, and Unix seconds
    or milliseconds as a number or its text.
    """
    if type(value) is str:
        if value[4:5] == "-":
            try:
                return _milliseconds(_read_iso(value))
            except ValueError:
                pass
        return _parse_unusual(value)
    if type(value) is int or type(value) is float:
        return _from_epoch(value)
    return None


def _parse_unusual(value: str) -> int | None:
    text = value.strip()
    if len(text) > 64:
        return None
    try:
        if _EPOCH_TEXT.fullmatch(text):
            return _from_epoch(float(text))
        if _ISO_TEXT.fullmatch(text):
            text = _SPACE_BEFORE_ZONE.sub("", text.replace("/", "-").upper().replace("UTC", "Z"))
            return _milliseconds(_read_iso(text))
        if _RFC_2822_TEXT.fullmatch(text):
            return _milliseconds(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        pass
    return None


def _milliseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return floor(moment.timestamp() * 1000 + _HALF_MICROSECOND)


def _from_epoch(number: float) -> int:
    if -_MILLISECONDS_FROM < number < _MILLISECONDS_FROM:
        return floor(number * 1000 + _HALF_MICROSECOND)
    return int(number)


def _number(value: object) -> float | None:
    if type(value) is int or type(value) is float:
        return value
    if type(value) is str and len(value) <= 32:
        try:
            number = float(value)
        except ValueError:
            return None
        return number if abs(number) < 1e300 else None
    return None
