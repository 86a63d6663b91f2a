"""The range that a range is compared with: the same stretch of days, or of time, somewhat earlier."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from footfall_query.scope import (
    EARLIEST,
    SECONDS,
    Interval,
    Scope,
    Span,
    earlier_day,
    first_instant,
    relative_count,
    to_milliseconds,
)

PREVIOUS: Final = "previous_period"
CLOCK_INTERVALS: Final = ("minute", "hour")

_UNITS: Final = {"minute": "Mhdwmqy", "hour": "hdwmqy", "day": "dwmqy", "week": "dwmqy", "month": "mqy"}
"""By how much a range may be moved, so that its buckets still have counterparts."""


class TooEarly(ValueError):
    """The range to compare with begins before everything that can be asked about."""


def check_compare(text: str, interval: Interval) -> str:
    """`text` if it says what to compare with. Raises `ValueError`."""
    if text == PREVIOUS:
        return text
    if not re.fullmatch(r"-\d{1,4}[hdwmqyM]", text) or int(text[1:-1]) == 0:
        raise ValueError("must be previous_period, or by how much earlier, such as -1y or -4w")
    if text[-1] not in _UNITS[interval]:
        units = ", ".join(_UNITS[interval])
        raise ValueError(f"with {interval} as the interval, ranges can be compared by {units}")
    return text


def earlier(scope: Scope, compare: str, interval: Interval, date_from: str, date_to: str | None) -> Scope:
    """The scope to compare with: as many days, months, or seconds long. Raises `TooEarly`.

    Weeks move by whole weeks. `previous_period` of a relative range (`-7d` until now) begins by as much earlier;
    any other range has it just before.
    """
    relative = relative_count(date_from) if date_to is None and not scope.open_start else None
    try:
        if compare != PREVIOUS:
            span = _moved(scope, int(compare[1:-1]), compare[-1], interval)
        elif interval == "month":
            span = _moved(scope, _months(scope), "m", interval)
        elif relative is not None:
            span = _moved(scope, *relative, interval)
        elif (days := _whole_days(scope)) is not None or interval not in CLOCK_INTERVALS:
            days = days or _touched_days(scope)
            span = _moved(scope, -(-days // 7) * 7 if interval == "week" else days, "d", interval)
        else:
            span = Span(scope.span.start - (scope.span.end - scope.span.start), scope.span.start)
    except (ValueError, OverflowError) as error:
        raise TooEarly from error
    if span.start <= EARLIEST:
        raise TooEarly
    return replace(scope, span=span)


def _moved(scope: Scope, count: int, unit: str, interval: Interval) -> Span:
    start, end = scope.span
    if unit in SECONDS:
        if interval in CLOCK_INTERVALS:
            moved = count * SECONDS[unit] * 1000
            return Span(start - moved, end - moved)
        count, unit = max(count * SECONDS[unit] // 86_400, 1), "d"
    if interval == "month":
        return Span(*(_move(instant, count, unit, scope.zone) for instant in scope.span))
    day = datetime.fromtimestamp(start // 1000, scope.zone).date()
    days = (day - earlier_day(day, unit, count)).days
    if interval == "week":
        days = max(round(days / 7), 1) * 7
    begin = _move(start, days, "d", scope.zone)
    until = begin + end - start if interval in CLOCK_INTERVALS else _move(end, days, "d", scope.zone)
    return Span(begin, until)


def _move(instant: int, count: int, unit: str, zone: ZoneInfo) -> int:
    """The same time of day on an earlier day; the start of a day becomes the start of a day."""
    local = datetime.fromtimestamp(instant // 1000, zone)
    day = earlier_day(local.date(), unit, count)
    if first_instant(local.date(), zone) == instant:
        return first_instant(day, zone)
    clock = time(local.hour, local.minute, local.second)
    return to_milliseconds(datetime.combine(day, clock, zone)) + instant % 1000


def _months(scope: Scope) -> int:
    first, last = _days(scope)
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _whole_days(scope: Scope) -> int | None:
    """How many days the scope is long; None when it begins or ends within one."""
    first, last = _days(scope)
    begins = first_instant(first, scope.zone) == scope.span.start
    ends = first_instant(last + timedelta(days=1), scope.zone) == scope.span.end
    return (last - first).days + 1 if begins and ends else None


def _touched_days(scope: Scope) -> int:
    first, last = _days(scope)
    return (last - first).days + 1


def _days(scope: Scope) -> tuple[date, date]:
    """The local days of the first and the last instant."""
    start, end = (datetime.fromtimestamp(at // 1000, scope.zone) for at in (scope.span.start, scope.span.end - 1))
    return start.date(), end.date()
