"""Trends: how often something happened, bucket by bucket."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Annotated, Final, get_args
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator

from footfall_query import formula as formulas
from footfall_query import matching
from footfall_query.buckets import Buckets, bucket_of, cut, numbers, round_down
from footfall_query.compare import CLOCK_INTERVALS, check_compare, earlier
from footfall_query.documents import Answer, Label, Meta, Question
from footfall_query.filters import Document, where
from footfall_query.formula import LETTERS, Expression
from footfall_query.matching import Matching, named
from footfall_query.people import Whose, text_of
from footfall_query.points import BucketLabel, find_bucket, is_among, query_of
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON, Math, NumberMath, PropertyName, aggregate, argument
from footfall_query.scope import EARLIEST, Interval, Scope, Span, clock_span, first_instant
from footfall_query.sql import Fragment, Params, Sql

OTHER: Final = "$other"
NUMBER_MATHS: Final = frozenset(get_args(NumberMath))
ACTIVE_DAYS: Final[dict[Math, int]] = {"weekly_active_users": 7, "monthly_active_users": 30}
"""The maths that look back from the end of each bucket, and how far."""
NULL_PLACE: Final = -1
OTHER_PLACE: Final = 0
NO_BUCKET: Final = -1
DAY_MS: Final = 86_400_000


class Series(Matching):
    """What is counted, and how."""

    math: Math = "total"
    math_property: PropertyName | None = Field(
        default=None, validate_default=True, description="The number that `sum` and its kin are computed over."
    )
    name: Label | None = None

    @field_validator("math_property")
    @classmethod
    def _fits_math(cls, given: str | None, info: ValidationInfo) -> str | None:
        math = info.data.get("math")
        if given is None and math in NUMBER_MATHS:
            raise ValueError(f"{math} needs a math_property")
        if given is not None and math is not None and math not in NUMBER_MATHS:
            raise ValueError(f"{math} takes no math_property")
        return given


class Breakdown(Document):
    """One series for each value of a property."""

    property: PropertyName
    scope: Whose = "event"
    limit: Annotated[int, Field(ge=1, le=1000, description="Values beyond it are `$other`.")] = 25


class TrendsQuery(Question):
    """The query document of trends."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"series": [{"event": "signup", "math": "unique_users"}], "date_from": "-30d"},
                {
                    "series": [{"event": "order", "math": "unique_users"}, {"event": "visit", "math": "unique_users"}],
                    "formula": "A / B * 100",
                    "breakdown": {"property": "plan", "limit": 5},
                    "compare": "previous_period",
                    "interval": "week",
                    "filters": [{"any": [{"property": "country", "value": ["DE", "FR"]}]}],
                },
            ]
        }
    )

    series: list[Series] = Field(min_length=1, max_length=len(LETTERS))
    interval: Interval = "day"
    breakdown: Breakdown | None = None
    formula: str | None = Field(
        default=None,
        min_length=1,
        max_length=formulas.MAX_LENGTH,
        description="Arithmetic over the series, which it calls A, B, … Its result stands instead of them.",
        examples=["A / B * 100"],
    )
    compare: str | None = Field(
        default=None, max_length=16, description="`previous_period`, or by how much earlier.", examples=["-1y"]
    )
    cumulative: bool = Field(default=False, description="Each bucket counts from the start of the range on.")

    @field_validator("formula")
    @classmethod
    def _can_be_read(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is None or "series" not in info.data:
            return given
        if not formulas.letters(formulas.parse(given, len(info.data["series"]))):
            raise ValueError("speaks of no series")
        return given

    @field_validator("compare")
    @classmethod
    def _fits_interval(cls, given: str | None, info: ValidationInfo) -> str | None:
        return given if given is None or "interval" not in info.data else check_compare(given, info.data["interval"])

    @field_validator("cumulative")
    @classmethod
    def _fits_maths(cls, given: bool, info: ValidationInfo) -> bool:
        for series in info.data.get("series", []) if given else []:
            if series.math in ACTIVE_DAYS:
                raise ValueError(f"{series.math} looks back from each bucket, so it does not add up")
        return given


class TrendsSeries(Document):
    """One line of the chart. `breakdown_value` is null without a breakdown, and for events that lack it. `compare`
    is null for the range itself."""

    index: int
    name: str
    event: str | None
    breakdown_value: str | None
    compare: str | None
    data: list[int | float]
    total: int | float


class TrendsAnswer(Answer):
    """`data` has one number for each of `buckets`; `total` is the same math over the whole range."""

    interval: Interval
    timezone: str
    buckets: list[str]
    compare_buckets: list[str] | None = Field(
        default=None,
        exclude_if=lambda labels: labels is None,
        description="The buckets that the compared lines are about.",
    )
    series: list[TrendsSeries]


class TrendsPoint(Document):
    """A number of one line."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"index": 0, "bucket": "2026-11-01T00:00:00Z"}]})

    index: Annotated[int, Field(ge=0)]
    bucket: BucketLabel | None = Field(
        default=None, description="Of a compared line one of `compare_buckets`. null: the total."
    )
    breakdown_value: str | None = Field(default=None, description="null: events that lack the property.")
    compare: str | None = Field(default=None, description="null: the range itself.")

    @field_validator("index")
    @classmethod
    def _has_a_series(cls, given: int, info: ValidationInfo) -> int:
        query: TrendsQuery = query_of(info)
        if query.formula is not None:
            raise ValueError("what a formula computes is a number of no people")
        if given >= len(query.series):
            raise ValueError(f"the last series is {len(query.series) - 1}")
        return given

    @field_validator("breakdown_value")
    @classmethod
    def _goes_with_a_breakdown(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and query_of(info).breakdown is None:
            raise ValueError("goes with a breakdown")
        return given

    @field_validator("compare")
    @classmethod
    def _is_what_is_compared(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given not in (None, query_of(info).compare):
            raise ValueError("must be null, or what the query compares with")
        return given


POINT: Final = TypeAdapter(TrendsPoint)


@dataclass(frozen=True, slots=True)
class Period:
    """The range that is asked about, or the one that it is compared with."""

    number: int
    scope: Scope
    buckets: Buckets


@dataclass(frozen=True, slots=True)
class Source:
    """What a series is computed from: `FROM … WHERE …`, and of each row the bucket, the breakdown's value and what
    the math is computed over."""

    rows: Fragment
    bucket: Fragment
    value: Fragment
    over: Fragment


def build_start(query: TrendsQuery, scope: Scope) -> Sql:
    """Where a range begins that is open at its start."""
    return matching.build_start(query.series, scope)


def build(query: TrendsQuery, scope: Scope) -> Sql:
    """Rows of (series, period, place, value, bucket, is_total, number); see `shape`.

    Raises `TooManyBuckets` and `TooEarly`.
    """
    p = Params()
    periods = cut_periods(query, scope)
    asked = _asked(query)
    tops: dict[int, Fragment] = {}
    if query.formula and query.breakdown:
        tops[asked[0]] = _top(query, asked, periods, p)
    elif query.breakdown:
        tops = {index: _top(query, [index], periods, p) for index in asked if _needs_top(query, index)}
    named_tops = ",\n".join(f"{top} AS top_{index}" for index, top in tops.items())
    parts = []
    for index in asked:
        ranking = asked[0] if query.formula else index
        top = Fragment(f"top_{ranking}") if ranking in tops else None
        parts += [_build_series(query, index, period, top, p) for period in periods]
    return Sql((f"WITH {named_tops}\n" if tops else "") + "\nUNION ALL\n".join(parts), p.values)


def persons(query: TrendsQuery, scope: Scope, point: TrendsPoint, p: Params) -> Fragment:
    """The WHERE of the events that a point counts: of first times, those of the same people in the same time. Raises
    `NoSuchPoint` and what `build` does."""
    periods = cut_periods(query, scope)
    period = periods[0 if point.compare is None else 1]
    series = query.series[point.index]
    period = replace(period, scope=replace(period.scope, span=_counted_span(query, series, period, point.bucket)))
    filters = [*query.filters, *series.filters]
    if series.math == "first_time_users":
        source = _source(query, series, period, p)
        chosen = _is_chosen(query, point, periods, source.value, p)
        first = is_among(f"SELECT {PERSON} {source.rows}\nWHERE {chosen}")
        return where(period.scope, filters, p, *named(series, p), first)
    over = argument(series.math, series.math_property)
    counts = [] if over in ("", PERSON) else [Fragment(f"isNotNull({over})")]
    chosen = _is_chosen(query, point, periods, _value(query, period.scope, p), p)
    return where(period.scope, filters, p, *named(series, p), *counts, chosen)


def _counted_span(query: TrendsQuery, series: Series, period: Period, label: str | None) -> Span:
    """From when to when events count in a bucket, or in the total."""
    span, starts = period.scope.span, period.buckets.starts
    at = None if label is None else find_bucket(label, period.buckets)
    if series.math in ACTIVE_DAYS:
        back = _look_back(query, series, period)
        if at is None:
            return Span(back.total_start, span.end)
        return Span(back.starts[at], min(back.ends[at], span.end))
    if at is None:
        return span
    start = span.start if query.cumulative else max(span.start, starts[at])
    return Span(start, starts[at + 1] if at + 1 < len(starts) else span.end)


def _is_chosen(
    query: TrendsQuery, point: TrendsPoint, periods: Sequence[Period], value: Fragment, p: Params
) -> Fragment:
    """Whether a value of the breakdown is that of the point's line."""
    if query.breakdown is None:
        return Fragment("1")
    if point.breakdown_value is None:
        return Fragment(f"isNull({value})")
    if point.breakdown_value != OTHER:
        return Fragment(f"ifNull({value} = {p(point.breakdown_value, 'String')}, 0)")
    return Fragment(f"{_place(value, _top(query, [point.index], periods, p))} = {OTHER_PLACE}")


def cut_periods(query: TrendsQuery, scope: Scope) -> list[Period]:
    """The range, and the one that it is compared with, each with its buckets."""
    scopes = [scope]
    if query.compare is not None:
        scopes.append(earlier(scope, query.compare, query.interval, query.date_from, query.date_to))
    return [Period(number, *cut(each, query.interval)) for number, each in enumerate(scopes)]


def _asked(query: TrendsQuery) -> list[int]:
    """The series that have to be computed."""
    if query.formula is None:
        return list(range(len(query.series)))
    return sorted(LETTERS.index(letter) for letter in formulas.letters(_parsed(query)))


def _parsed(query: TrendsQuery) -> Expression:
    assert query.formula is not None
    return formulas.parse(query.formula, len(query.series))


def _needs_top(query: TrendsQuery, index: int) -> bool:
    """Whether values are ranked beforehand, because the statement cannot rank them as it goes."""
    return query.compare is not None or query.cumulative or query.series[index].math in ACTIVE_DAYS


def _build_series(query: TrendsQuery, index: int, period: Period, top: Fragment | None, p: Params) -> Fragment:
    series = query.series[index]
    head = Fragment(f"SELECT {p(index, 'UInt8')} AS series, {p(period.number, 'UInt8')} AS period")
    if series.math in ACTIVE_DAYS:
        return _build_active(query, series, period, head, top, p)
    source = _source(query, series, period, p)
    if query.cumulative:
        return _build_cumulative(series, source, head, top)
    if query.breakdown is None:
        return Fragment(
            f"""{head}, toInt32(1) AS place, NULL AS value,
    {source.bucket} AS bucket, grouping(bucket) AS is_total, toFloat64({aggregate(series.math, source.over)}) AS number
{source.rows}
GROUP BY ROLLUP (bucket)"""
        )
    if top is not None:
        return Fragment(
            f"""{head}, {_place(source.value, top)} AS place, any({source.value}) AS value,
    {source.bucket} AS bucket, grouping(bucket) AS is_total, toFloat64({aggregate(series.math, source.over)}) AS number
{source.rows}
GROUP BY GROUPING SETS ((place, bucket), (place))"""
        )
    return _build_ranked(series, source, query.breakdown.limit, head, p)


def _build_ranked(series: Series, source: Source, limit: int, head: Fragment, p: Params) -> Fragment:
    """Ranks the values in passing: states of each value and bucket are merged, once to rank and once to answer."""
    merged = aggregate(series.math, Fragment("state"), "Merge")
    last = p(limit, "UInt16")
    return Fragment(
        f"""{head}, place, any(value) AS value,
    bucket, grouping(bucket) AS is_total, toFloat64({merged}) AS number
FROM (
    SELECT bucket, value, state, toInt32(multiIf(value IS NULL, -1, rank <= {last}, rank, 0)) AS place
    FROM (
        SELECT *, dense_rank() OVER (ORDER BY value IS NULL, total DESC, value) AS rank
        FROM (
            SELECT *, ifNull({merged} OVER (PARTITION BY value), 0) AS total
            FROM (
                SELECT {source.bucket} AS bucket, {source.value} AS value,
                    {aggregate(series.math, source.over, "State")} AS state
                {source.rows}
                GROUP BY bucket, value
            )
        )
    )
)
GROUP BY GROUPING SETS ((place, bucket), (place))"""
    )


def _build_cumulative(series: Series, source: Source, head: Fragment, top: Fragment | None) -> Fragment:
    """Merges the state of each bucket into all that follow, so that a person still counts once."""
    merged = aggregate(series.math, Fragment("state"), "Merge")
    return Fragment(
        f"""{head}, place, value, bucket, 0 AS is_total,
    toFloat64({merged} OVER (PARTITION BY place ORDER BY bucket)) AS number
FROM (
    SELECT {_place(source.value, top)} AS place, {source.bucket} AS bucket, any({source.value}) AS value,
        {aggregate(series.math, source.over, "State")} AS state
    {source.rows}
    GROUP BY place, bucket
)"""
    )


def _source(query: TrendsQuery, series: Series, period: Period, p: Params) -> Source:
    filters = [*query.filters, *series.filters]
    value = _value(query, period.scope, p)
    if series.math != "first_time_users":
        rows = Fragment(f"FROM {EVENTS}\n{where(period.scope, filters, p, *named(series, p))}")
        over = argument(series.math, series.math_property)
        return Source(rows, bucket_of(MILLISECONDS, period.buckets, p), value, over)
    ever = where(period.scope.starting(EARLIEST), filters, p, *named(series, p))
    rows = Fragment(
        f"""FROM (
    SELECT {PERSON}, min(({MILLISECONDS}, {value} IS NULL, ifNull({value}, ''))) AS first
    FROM {EVENTS}
    {ever}
    GROUP BY {PERSON}
    HAVING first.1 >= {p(period.scope.span.start, "Int64")}
)"""
    )
    bucket = bucket_of(Fragment("first.1"), period.buckets, p)
    return Source(rows, bucket, Fragment("if(first.2, NULL, first.3)"), Fragment(""))


def _value(query: TrendsQuery, scope: Scope, p: Params) -> Fragment:
    """The breakdown's value; an empty text is as good as none."""
    if query.breakdown is None:
        return Fragment("CAST(NULL, 'Nullable(String)')")
    return Fragment(f"nullIf({text_of(query.breakdown.property, query.breakdown.scope, scope, p)}, '')")


def _top(query: TrendsQuery, indices: Sequence[int], periods: Sequence[Period], p: Params) -> Fragment:
    """The values with the largest totals, as an array: totals of the first series before those of others, and those
    of the range before those of the one that it is compared with.

    A scalar subquery, which ClickHouse computes once however often it is named in a statement.
    """
    assert query.breakdown is not None
    totals: list[str] = []
    order: list[str] = []
    for period in periods:
        for index in indices:
            totals.append(
                f"SELECT {len(order)} AS ranking, assumeNotNull(value) AS known, toFloat64(ifNull(total, 0)) AS total\n"
                f"FROM (\n{_totals(query, query.series[index], period, p)}\n)\nWHERE value IS NOT NULL"
            )
            order.append(f"sumIf(total, ranking = {len(order)}) DESC")
    text = "\nUNION ALL\n".join(totals)
    return Fragment(
        f"""(SELECT groupArray(known) FROM (
SELECT known FROM (
{text}
)
GROUP BY known
ORDER BY {", ".join(order)}, known
LIMIT {p(query.breakdown.limit, "UInt16")}
))"""
    )


def _totals(query: TrendsQuery, series: Series, period: Period, p: Params) -> Fragment:
    """Each value with the math over the whole range."""
    if series.math in ACTIVE_DAYS:
        back = _look_back(query, series, period)
        rows = where(period.scope.starting(back.first), [*query.filters, *series.filters], p, *named(series, p))
        total = f"uniqExactIf({PERSON}, {MILLISECONDS} >= {p(back.total_start, 'Int64')})"
        return Fragment(
            f"SELECT {_value(query, period.scope, p)} AS value, {total} AS total\nFROM {EVENTS}\n{rows}\nGROUP BY value"
        )
    source = _source(query, series, period, p)
    return Fragment(
        f"SELECT {source.value} AS value, {aggregate(series.math, source.over)} AS total\n{source.rows}\nGROUP BY value"
    )


def _place(value: Fragment, top: Fragment | None) -> Fragment:
    """Where a value stands: its rank from 1 on, 0 beyond the limit, -1 without a value."""
    if top is None:
        return Fragment("toInt32(1)")
    return Fragment(f"toInt32(if({value} IS NULL, -1, indexOf({top}, assumeNotNull({value}))))")


@dataclass(frozen=True, slots=True)
class LookBack:
    """What active persons are counted from: for each bucket the instant from which events count in it, and when it
    ends; and the instant from which events count in the total."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    total_start: int

    @property
    def first(self) -> int:
        """The instant from which events count in anything."""
        return min(self.starts[0], self.total_start)


def _look_back(query: TrendsQuery, series: Series, period: Period) -> LookBack:
    days = ACTIVE_DAYS[series.math]
    zone, span = period.scope.zone, period.scope.span
    starts = period.buckets.starts
    if query.interval in CLOCK_INTERVALS:
        last = clock_span(span.end - 1, "h" if query.interval == "hour" else "M", zone).end
        ends = (*starts[1:], last)
        return LookBack(tuple(end - days * DAY_MS for end in ends), ends, last - days * DAY_MS)
    ends = (*starts[1:], span.end)
    total_start = _days_before(span.end - 1, days, zone)
    if query.interval == "day":
        return LookBack(tuple(_days_before(start, days, zone) for start in starts), ends, total_start)
    return LookBack((span.start, *starts[1:]), ends, total_start)


def _days_before(instant: int, days: int, zone: ZoneInfo) -> int:
    """The start of the first of so many days, the last of which the instant lies in."""
    local = datetime.fromtimestamp(instant // 1000, zone).date()
    return first_instant(local - timedelta(days=days - 1), zone)


def _build_active(
    query: TrendsQuery, series: Series, period: Period, head: Fragment, top: Fragment | None, p: Params
) -> Fragment:
    """Rows of changes: how many persons begin to count in a bucket, and how many cease to. Adding up is `shape`'s.

    An event counts from the bucket that it lies in to the last one that looks back on it. These stretches overlap,
    so each ends where the person's next one begins.
    """
    back = _look_back(query, series, period)
    until = dict(zip(back.starts, back.ends, strict=True))
    scope = period.scope.starting(back.first)
    leave = Fragment(
        f"transform({round_down(MILLISECONDS, tuple(until), p)}, {numbers(tuple(until), p)}, "
        f"{numbers(tuple(until.values()), p)}, toInt64(0))"
    )
    value = _value(query, period.scope, p)
    stretch = f"({bucket_of(MILLISECONDS, period.buckets, p)}, {leave})"
    return Fragment(
        f"""{head}, place, any(value) AS value,
    change.1 AS bucket, change.1 = {NO_BUCKET} AS is_total, toFloat64(sum(change.2)) AS number
FROM (
    SELECT place, value, in_total, arraySort(stretches) AS stretches,
        arrayPopFront(arrayPushBack(arraySort(stretches).1, {p(scope.span.end, "Int64")})) AS following
    FROM (
        SELECT {_place(value, top)} AS place, any({value}) AS value,
            groupUniqArrayIf({stretch}, {MILLISECONDS} >= {p(back.starts[0], "Int64")}) AS stretches,
            max({MILLISECONDS} >= {p(back.total_start, "Int64")}) AS in_total
        FROM {EVENTS}
        {where(scope, [*query.filters, *series.filters], p, *named(series, p))}
        GROUP BY place, {PERSON}
    )
)
ARRAY JOIN arrayConcat(
    arrayMap(stretch -> (stretch.1, 1), stretches),
    arrayMap((stretch, next) -> (least(stretch.2, next), -1), stretches, following),
    [(toInt64({NO_BUCKET}), toInt16(in_total))]
) AS change
GROUP BY place, bucket"""
    )


Row = tuple[int, int, int, str | None, int, int, float | None]


@dataclass(slots=True)
class Line:
    """One line before it is dressed up."""

    value: str | None
    data: list[int | float]
    total: int | float = 0


def shape(query: TrendsQuery, scope: Scope, rows: Sequence[Row], meta: Meta) -> TrendsAnswer:
    """Rows as series: by index, values by rank, then events without the property, then all other values."""
    periods = cut_periods(query, scope)
    count = len(periods[0].buckets.starts)
    lines = _read(query, periods, rows, count)
    if query.formula is not None:
        lines = _apply(_parsed(query), lines, count)
    series = []
    for index, place, number in sorted(lines, key=lambda key: (key[0], key[1] < 1, key[1], key[2])):
        line = lines[index, place, number]
        one = query.series[index]
        series.append(
            TrendsSeries(
                index=index,
                name=query.formula or one.name or one.event or "All events",
                event=None if query.formula else one.event,
                breakdown_value=OTHER if place == OTHER_PLACE else None if place == NULL_PLACE else line.value,
                compare=query.compare if number else None,
                data=line.data,
                total=line.total,
            )
        )
    return TrendsAnswer(
        interval=query.interval,
        timezone=scope.zone.key,
        buckets=periods[0].buckets.labels(),
        compare_buckets=periods[1].buckets.labels() if query.compare else None,
        series=series,
        meta=meta,
    )


def _read(
    query: TrendsQuery, periods: Sequence[Period], rows: Sequence[Row], count: int
) -> dict[tuple[int, int, int], Line]:
    """Lines by series, place and period. What is compared has a line in every period."""
    positions = [{start: at for at, start in enumerate(period.buckets.starts[:count])} for period in periods]
    lines: dict[tuple[int, int, int], Line] = {}

    def line(index: int, place: int, number: int, value: str | None) -> Line:
        for each in range(len(periods)):
            lines.setdefault((index, place, each), Line(value, [0] * count))
        return lines[index, place, number]

    if query.breakdown is None:
        for index in _asked(query):
            line(index, 1, 0, None)
    known: set[tuple[int, int, int, int]] = set()
    for index, number, place, value, bucket, is_total, found in rows:
        one = line(index, place, number, value)
        amount = _clean(query.series[index].math, found)
        if is_total:
            one.total = amount
        elif bucket in positions[number]:
            one.data[positions[number][bucket]] = amount
            known.add((index, place, number, positions[number][bucket]))
    for key, one in lines.items():
        if query.series[key[0]].math in ACTIVE_DAYS:
            one.data = list(accumulate(one.data))
        elif query.cumulative:
            for at in range(1, count):
                if (*key, at) not in known:
                    one.data[at] = one.data[at - 1]
            one.total = one.data[-1]
    return lines


def _apply(
    formula: Expression, lines: dict[tuple[int, int, int], Line], count: int
) -> dict[tuple[int, int, int], Line]:
    """The formula's lines instead of those of its series; a series without a value is 0 there."""
    nothing = Line(None, [0] * count)
    found = {}
    for place, number in {(place, number) for _, place, number in lines}:
        mine = {
            letter: lines.get((LETTERS.index(letter), place, number), nothing) for letter in formulas.letters(formula)
        }
        data = formulas.evaluate_all(formula, {letter: line.data for letter, line in mine.items()}, count)
        total = formulas.evaluate(formula, {letter: line.total for letter, line in mine.items()})
        value = next((line.value for line in mine.values() if line.value is not None), None)
        found[0, place, number] = Line(value, [*data], total)
    return found


def _clean(math: Math, number: float | None) -> int | float:
    """Counts as whole numbers; nothing as 0; what is too large for a float as the largest one."""
    if number is None or number != number:
        return 0
    if math not in NUMBER_MATHS:
        return int(number)
    return min(max(number, -sys.float_info.max), sys.float_info.max)
