"""Reading the times in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple

# As seconds it is the year 5138, as milliseconds 1973: the same border as the Capture API's.
_MILLISECONDS_FROM: Final = 1e11
_EPOCH: Final = re.compile(r"-?\d{9,16}(?:\.\d+)?", re.ASCII)
_HOW: Final = "say how it is written with --timestamp-format"


class Moment(NamedTuple):
    """A time as ISO 8601 in UTC, and as Unix seconds."""

    text: str
    seconds: float


Read = Callable[[Any], Moment]


def make_reader(format: str | None, zone: tzinfo) -> Read:
    """What reads a time. It raises `ValueError` with the reason for what is none.

    `format` is one of `strptime`, or `unix` or `unix_ms`; None reads ISO 8601 and Unix time, in seconds or
    milliseconds. Times without an offset are local times of `zone`.
    """
    parse = _parser(format)

    # Files repeat times a lot, above all those with nothing but dates.
    @lru_cache(65_536)
    def read(value: Any) -> Moment:
        try:
            moment = parse(value)
            at = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        except (OverflowError, OSError):
            raise ValueError("lies outside the years 1 to 9999") from None
        return Moment(at.isoformat(timespec="milliseconds"), at.timestamp())

    def read_any(value: Any) -> Moment:
        if type(value) not in (str, int, float):
            raise ValueError("is no time")
        return read(value)

    return read_any


def _parser(format: str | None) -> Callable[[Any], datetime]:
    if format in ("unix", "unix_ms"):
        divisor = 1000.0 if format == "unix_ms" else 1.0

        def parse_epoch(value: Any) -> datetime:
            try:
                return datetime.fromtimestamp(float(value) / divisor, UTC)
            except ValueError:
                raise ValueError(f"is no Unix time in {'milliseconds' if divisor > 1 else 'seconds'}") from None

        return parse_epoch
    if format is not None:

        def parse_format(value: Any) -> datetime:
            try:
                return datetime.strptime(str(value).strip(), format)  # noqa: DTZ007  the caller adds the zone
            except ValueError:
                raise ValueError(f"does not look like {format}") from None

        return parse_format
    return _parse


def _parse(value: Any) -> datetime:
    if type(value) is not str:
        return _from_epoch(value)
    text = value.strip()
    try:
        if _EPOCH.fullmatch(text):
            return _from_epoch(float(text))
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is no time in ISO 8601; {_HOW}") from None


def _from_epoch(number: float) -> datetime:
    seconds = number if abs(number) < _MILLISECONDS_FROM else number / 1000
    return datetime.fromtimestamp(seconds, UTC)
