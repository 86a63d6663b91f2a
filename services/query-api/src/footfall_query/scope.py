"""What a question is asked of: one project, a range of time, a time zone. And the grammar of dates.

A date names a `Span`: a day names all of that day, a time names that instant. `date_from` takes the start of what
it names, `date_to` the end, and a filter on dates compares with either.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from footfall_core.timezones import check_timezone

Interval = Literal["minute", "hour", "day", "week", "month"]
WeekStart = Literal["sunday", "monday"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1900, 2299
EARLIEST: Final = (datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
"""The first Unix millisecond that ClickHouse's DateTime64(3) holds."""
LATEST: Final = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1) - 1
SECONDS: Final = {"M": 60, "h": 3600}
UTC_ZONE: Final = ZoneInfo("UTC")

_RELATIVE = re.compile(r"-(?P<count>\d{1,4})(?P<unit>[hdwmqyM])(?P<edge>Start|End)?|"
                       r"(?P<this>[hdwmqyM])(?P<this_edge>Start|End)")  # fmt: skip
_ABSOLUTE = re.compile(r"\d{4}-\d{2}-\d{2}(?P<time>[T ].+)?")


class Span(NamedTuple):
    """A stretch of time in Unix milliseconds; `start` belongs to it, `end` does not."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What every statement is bound to. `open_start`: the question was about all events there are."""

    project_id: int
    span: Span
    zone: ZoneInfo
    week_start: WeekStart
    now: datetime
    open_start: bool = False

    def starting(self, start: int) -> Scope:
        """The same scope from another Unix millisecond on."""
        return replace(self, span=Span(start, self.span.end), open_start=False)

    def parse(self, text: str) -> Span:
        """The span that a date in a filter names. Raises `ValueError`."""
        return parse_span(text, self.now, self.zone, self.week_start)


def check_date(text: str) -> str:
    """`text` if it follows the grammar. Raises `ValueError`."""
    if text != "all":
        parse_span(text, EPOCH, UTC_ZONE, "sunday")
    return text


def check_moment(text: str) -> str:
    """As `check_date`, where `all` makes no sense."""
    if text == "all":
        raise ValueError("`all` can only be date_from")
    return check_date(text)


DateText = Annotated[
    str,
    Field(max_length=64, examples=["-7d", "2026-11-01", "-1mStart", "all"]),
    AfterValidator(check_date),
]
MomentText = Annotated[str, Field(max_length=64), AfterValidator(check_moment)]
TimezoneName = Annotated[str, Field(max_length=64), AfterValidator(check_timezone)]


class EmptyRange(ValueError):
    """The range ends before it starts."""


def make_scope(
    project_id: int,
    *,
    date_from: str,
    date_to: str | None,
    zone: ZoneInfo,
    week_start: WeekStart,
    now: datetime,
    interval: Interval | None = None,
    open_end: bool = False,
) -> Scope:
    """The scope of a question asked at `now`. Raises `EmptyRange`.

    Without `date_to` the range ends with today, later events of today included; when it is counted in hours or
    minutes, it ends now. The hour of the end belongs to the range when buckets are hours. `open_end`: a range
    without `date_to` has no end.
    """
    everything = date_from == "all"
    start = EARLIEST if everything else parse_span(date_from, now, zone, week_start).start
    if date_to is not None:
        end = parse_span(date_to, now, zone, week_start).end
    elif open_end:
        end = LATEST
    elif interval in ("minute", "hour") or _is_exact(date_from):
        end = to_milliseconds(now) + 1
    else:
        end = day_span(now.astimezone(zone).date(), zone).end
    if interval == "hour":
        end = max(end, clock_span(end - 1, "h", zone).end)
    if end <= start:
        raise EmptyRange("date_to lies before date_from")
    return Scope(project_id, Span(start, end), zone, week_start, now, open_start=everything)


def parse_span(text: str, now: datetime, zone: ZoneInfo, week_start: WeekStart) -> Span:
    """What a date names, seen at `now`. Raises `ValueError` with a sentence about the grammar.

    `-7d`: the day 7 days ago (`w` weeks, `m` months, `q` quarters, `y` years likewise); `-1mStart`, `mEnd`: the
    first or last day of that month; `-24h`, `-30M`: that instant; ISO dates and times, in `zone` unless they
    carry an offset. Beyond what ClickHouse can hold it is the nearest millisecond that it can.
    """
    if relative := _RELATIVE.fullmatch(text):
        unit = relative["unit"] or relative["this"]
        edge = relative["edge"] or relative["this_edge"]
        count = int(relative["count"] or 0)
        if unit in SECONDS:
            return _clock_moment(to_milliseconds(now) - count * SECONDS[unit] * 1000, unit, edge, zone)
        try:
            return day_span(_shift(now.astimezone(zone).date(), unit, count, edge, week_start), zone)
        except (ValueError, OverflowError):  # before the year 1
            return Span(EARLIEST, EARLIEST + 1)
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None:
        raise ValueError("must be a date such as 2026-11-01, 2026-11-01T10:00:00Z, -7d, -24h, mStart or -1mEnd")
    if not absolute["time"]:
        return day_span(date.fromisoformat(text), zone)
    moment = datetime.fromisoformat(text)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return day_span(moment.date(), zone)
    start = _clamp(to_milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=zone)))
    return Span(start, start + 1)


def to_milliseconds(moment: datetime) -> int:
    """Unix milliseconds of an aware time, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def day_span(day: date, zone: ZoneInfo) -> Span:
    """The local day, however long it is."""
    if day.year > LAST_YEAR:
        return Span(LATEST, LATEST + 1)
    start = first_instant(day, zone)
    return Span(start, max(first_instant(day + timedelta(days=1), zone), start + 1))


def first_instant(day: date, zone: ZoneInfo) -> int:
    """When a local day begins, in Unix milliseconds; where midnight is skipped, the first instant after it."""
    if day.year < FIRST_YEAR:
        return EARLIEST
    return _clamp(to_milliseconds(datetime(day.year, day.month, day.day, tzinfo=zone)))


def offset_at(second: int, zone: ZoneInfo) -> int:
    """Seconds that local clocks are ahead of UTC."""
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return int((offset or timedelta()).total_seconds())


def first_day(day: date, unit: str, week_start: WeekStart) -> date:
    """The first day of the week, month, quarter or year (`w m q y`) that `day` lies in."""
    if unit == "w":
        return day - timedelta(days=day.weekday() if week_start == "monday" else day.isoweekday() % 7)
    if unit == "m":
        return day.replace(day=1)
    if unit == "q":
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return day.replace(month=1, day=1) if unit == "y" else day


def _shift(day: date, unit: str, count: int, edge: str | None, week_start: WeekStart) -> date:
    """`count` units before `day`, then the first or last day of that unit when `edge` says so."""
    day = earlier_day(day, unit, count)
    if edge == "Start":
        return first_day(day, unit, week_start)
    if edge == "End":
        return earlier_day(first_day(day, unit, week_start), unit, -1) - timedelta(days=1)
    return day


def earlier_day(day: date, unit: str, count: int) -> date:
    """`count` units (`d w m q y`) earlier; in a shorter month, its last day."""
    if unit in "dw":
        return day - timedelta(days=count * (7 if unit == "w" else 1))
    months = day.year * 12 + day.month - 1 - count * {"m": 1, "q": 3, "y": 12}[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _clock_moment(instant: int, unit: str, edge: str | None, zone: ZoneInfo) -> Span:
    if edge:
        hour = clock_span(instant, unit, zone)
        instant = hour.start if edge == "Start" else hour.end - 1
    instant = _clamp(instant)
    return Span(instant, instant + 1)


def clock_span(instant: int, unit: str, zone: ZoneInfo) -> Span:
    """The local hour or minute (`h M`) around a Unix millisecond."""
    length = SECONDS[unit] * 1000
    start = instant - (instant + offset_at(instant // 1000, zone) * 1000) % length
    return Span(start, start + length)


def relative_count(text: str) -> tuple[int, str] | None:
    """Count and unit of a relative date without an edge, such as 7 and `d`."""
    relative = _RELATIVE.fullmatch(text)
    return (
        None
        if relative is None or relative["unit"] is None or relative["edge"]
        else (
            int(relative["count"]),
            relative["unit"],
        )
    )


def _is_exact(text: str) -> bool:
    """Whether a relative date is counted in hours or minutes."""
    relative = _RELATIVE.fullmatch(text)
    return relative is not None and (relative["unit"] or relative["this"]) in SECONDS


def _clamp(instant: int) -> int:
    return min(max(instant, EARLIEST), LATEST)
