"""Cuts a range of time into buckets that follow a time zone, through every change of its clocks.

The boundaries are computed here, once, and handed to ClickHouse as numbers. So the question's time zone is
understood in one place, and the engine's own rules for odd zones never matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from footfall_query.scope import EPOCH, Interval, Scope, Span, first_day, first_instant, offset_at
from footfall_query.sql import Fragment, Params

MAX_BUCKETS: Final = 10_000
"""A year of hours, almost a week of minutes."""

_SECONDS: Final = {"minute": 60, "hour": 3600}
_SHORTEST_MS: Final = {"minute": 60_000, "hour": 1_800_000, "day": 72_000_000, "week": 5e8, "month": 2e9}
_LONGEST_MS: Final = {
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 93_600_000,
    "week": 700_000_000,
    "month": 2_700_000_000,
}


class TooManyBuckets(ValueError):
    """The range has more than `MAX_BUCKETS` intervals."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a range: when each starts, in Unix milliseconds, ascending."""

    starts: tuple[int, ...]
    zone: ZoneInfo

    def labels(self) -> list[str]:
        """Each start as ISO 8601 with the offset that holds there."""
        return [format_time(start, self.zone) for start in self.starts]


def format_time(instant: int, zone: ZoneInfo, precision: str = "seconds") -> str:
    """A Unix millisecond as ISO 8601 with the zone's offset, `Z` for zero."""
    text = (EPOCH + timedelta(milliseconds=instant)).astimezone(zone).isoformat(timespec=precision)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def make_buckets(scope: Scope, interval: Interval) -> Buckets:
    """The buckets that the scope touches, the first and last perhaps only in part. Raises `TooManyBuckets`.

    An hour or minute begins where the local clock shows it full, and where the clock is changed; a day at the
    first instant of its local date; a week on the scope's `week_start`; a month on the 1st.
    """
    start, end = scope.span
    if (end - start) / _SHORTEST_MS[interval] > MAX_BUCKETS * 2:
        raise TooManyBuckets
    if interval in _SECONDS:
        found = _clock_starts(scope.span, _SECONDS[interval], scope.zone)
    else:
        found = _calendar_starts(scope, interval)
    starts: list[int] = []
    for bucket in found:
        if not starts or bucket > starts[-1]:  # a zone that skipped a whole day has two dates at one instant
            starts.append(bucket)
        if len(starts) > MAX_BUCKETS:
            raise TooManyBuckets
    return Buckets(tuple(starts), scope.zone)


def cut(scope: Scope, interval: Interval) -> tuple[Scope, Buckets]:
    """The scope that is counted, and its buckets. Only months widen it. Raises `TooManyBuckets`."""
    if interval == "month":
        scope = widen(scope, interval)
    return scope, make_buckets(scope, interval)


def widen(scope: Scope, interval: Interval) -> Scope:
    """The scope from the start of its first interval on."""
    if interval in _SECONDS:
        return scope.starting(next(_clock_starts(scope.span, _SECONDS[interval], scope.zone)))
    return scope.starting(first_instant(_first_date(scope, interval[0]), scope.zone))


def extend(scope: Scope, interval: Interval, *, before: int = 0, after: int = 0) -> Buckets:
    """The buckets of a widened scope, with so many before and after them. Raises `TooManyBuckets`."""
    buckets = make_buckets(widen(scope, interval), interval)
    starts = list(buckets.starts)
    for _ in range(before):
        starts.insert(0, widen(scope.starting(starts[0] - 1), interval).span.start)
    if after:
        later = replace(scope, span=Span(starts[-1], scope.span.end + (after + 1) * _LONGEST_MS[interval]))
        starts[-1:] = make_buckets(later, interval).starts[: after + 1]
    return Buckets(tuple(starts), scope.zone)


def bucket_of(time: Fragment, buckets: Buckets, p: Params) -> Fragment:
    """The start of the bucket that `time`, in Unix milliseconds, falls into."""
    return round_down(time, buckets.starts, p)


def round_down(time: Fragment, instants: tuple[int, ...], p: Params) -> Fragment:
    """The last of the instants that is not after `time`; the first if all are."""
    return Fragment(f"roundDown({time}, {numbers(instants, p)})")


def numbers(instants: tuple[int, ...], p: Params) -> Fragment:
    """Ascending instants as a constant array."""
    runs = p(_runs(instants), "Array(Tuple(Int64, Int64, Int64))")
    return Fragment(f"arrayFlatten(arrayMap(run -> range(run.1, run.2, run.3), {runs}))")


def bucket_number(start: Fragment, buckets: Buckets, p: Params) -> Fragment:
    """The number of the bucket with that start, from 0 on."""
    starts = numbers(buckets.starts, p)
    return Fragment(f"transform({start}, {starts}, range(length({starts})), toUInt64(0))")


def bucket_numbers(time: Fragment, buckets: Buckets, p: Params, condition: str = "1") -> Fragment:
    """An aggregate: the numbers of the buckets that the times fall into for which `condition` holds, each once and
    ascending. `MAX_BUCKETS` fits two bytes, so that is what they take while they are gathered."""
    number = bucket_number(bucket_of(time, buckets, p), buckets, p)
    found = f"groupUniqArrayIf(toUInt16({number}), {condition})"
    return Fragment(f"arrayMap(number -> toInt64(number), arraySort({found}))")


def _runs(starts: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Evenly spaced starts as (first, end, step), so that a year of days is three runs instead of 365 numbers."""
    runs: list[tuple[int, int, int]] = []
    begin = 0
    steps = [later - earlier for earlier, later in pairwise(starts)]
    while begin < len(starts):
        step = steps[begin] if begin < len(steps) else 1
        last = begin
        while last < len(steps) and steps[last] == step:
            last += 1
        runs.append((starts[begin], starts[last] + 1, step))
        begin = last + 1
    return runs


def _clock_starts(span: Span, length: int, zone: ZoneInfo) -> Iterator[int]:
    second = span.start // 1000
    offset = offset_at(second, zone)
    start = second - (second + offset) % length
    if offset_at(start, zone) != offset:
        start = _transition(start, second, zone)
    while start * 1000 < span.end:
        yield start * 1000
        following = start + length - (start + offset) % length
        if offset_at(following - 1, zone) != offset:
            following = _transition(start, following - 1, zone)
        start, offset = following, offset_at(following, zone)


def _transition(before: int, after: int, zone: ZoneInfo) -> int:
    """The first second with another offset than at `before`; `after` is known to have one."""
    offset = offset_at(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _calendar_starts(scope: Scope, interval: Interval) -> Iterator[int]:
    day = _first_date(scope, interval[0])
    while (start := first_instant(day, scope.zone)) < scope.span.end:
        yield start
        if interval == "month":
            day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        else:
            day += timedelta(days=7 if interval == "week" else 1)


def _first_date(scope: Scope, unit: str) -> date:
    local = datetime.fromtimestamp(scope.span.start // 1000, scope.zone)
    return first_day(local.date(), unit, scope.week_start)
