"""Funnels: how many persons go from step to step, and how long it takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationInfo, field_validator

from footfall_query import attempts
from footfall_query.attempts import BITS, MAX_EXCLUSIONS, MAX_OVERLAP, MAX_STEPS, Between, Order, Plan
from footfall_query.buckets import Buckets, bucket_of, cut
from footfall_query.documents import Answer, Label, Meta, Question
from footfall_query.filters import Document, where
from footfall_query.matching import Matching, matches
from footfall_query.people import Whose, text_of
from footfall_query.points import BucketLabel, find_bucket, is_among, query_of
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON, PropertyName
from footfall_query.scope import Interval, Scope
from footfall_query.sql import Fragment, Params, Sql, any_of

OTHER: Final = "$other"
MAX_BINS: Final = 60
UNIT_SECONDS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,
}
STEPS_PART: Final = 0
VIEW_PART: Final = 1
NULL_PLACE: Final = -1
OTHER_PLACE: Final = 0

View = Literal["steps", "time_to_convert", "trend"]


class Step(Matching):
    """An event that matches the filters."""

    name: Label | None = None


class Window(Document):
    """The time from the first step within which all others must come. A month is 30 days."""

    value: Annotated[int, Field(ge=1, le=10_000)] = 14
    unit: Literal["second", "minute", "hour", "day", "week", "month"] = "day"


class Exclusion(Matching):
    """Events that must not come after one step and before another. Steps are numbered from 0 on."""

    from_step: Annotated[int, Field(ge=0, lt=MAX_STEPS)]
    to_step: Annotated[int, Field(ge=1, lt=MAX_STEPS)]

    @field_validator("to_step")
    @classmethod
    def _is_later(cls, given: int, info: ValidationInfo) -> int:
        if "from_step" in info.data and given <= info.data["from_step"]:
            raise ValueError("must be a later step than from_step")
        return given


class FunnelBreakdown(Document):
    """A funnel for each value of a property."""

    property: PropertyName
    scope: Whose = "event"
    attribution: Literal["first_touch", "last_touch", "all_events", "step"] = "first_touch"
    step: int | None = Field(default=None, ge=0, lt=MAX_STEPS, description="For the attribution `step`; from 0 on.")
    limit: Annotated[int, Field(ge=1, le=1000, description="Values beyond it are `$other`.")] = 25

    @field_validator("step")
    @classmethod
    def _fits_attribution(cls, given: int | None, info: ValidationInfo) -> int | None:
        if given is not None and info.data.get("attribution", "step") != "step":
            raise ValueError("goes with the attribution `step`")
        return given


class FunnelQuery(Question):
    """The query document of funnels."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"steps": [{"event": "visit"}, {"event": "signup"}], "window": {"value": 1, "unit": "hour"}},
                {
                    "steps": [{"event": "visit"}, {"event": "pay", "name": "Paid"}],
                    "order": "strict",
                    "exclusions": [{"event": "refund", "from_step": 0, "to_step": 1}],
                    "breakdown": {"property": "plan", "attribution": "last_touch"},
                },
                {"steps": [{"event": "visit"}, {"event": "pay"}], "view": "trend", "interval": "week"},
            ]
        }
    )

    steps: list[Step] = Field(min_length=2, max_length=MAX_STEPS)
    window: Window = Window()
    order: Order = "ordered"
    exclusions: list[Exclusion] = Field(default=[], max_length=MAX_EXCLUSIONS)
    view: View = "steps"
    breakdown: FunnelBreakdown | None = None
    interval: Interval | None = Field(default=None, description="For the view `trend`. Default: day.")
    bins: int | None = Field(
        default=None,
        ge=1,
        le=MAX_BINS,
        description="For the view `time_to_convert`. Default: the cube root of the number of conversions.",
    )

    @field_validator("order")
    @classmethod
    def _can_be_told_apart(cls, given: Order, info: ValidationInfo) -> Order:
        steps = info.data.get("steps", [])
        if given == "unordered" and any(
            len(group) > MAX_OVERLAP for group in attempts.kinships(steps, range(len(steps)))
        ):
            raise ValueError(f"unordered tells at most {MAX_OVERLAP} different steps apart that one event can match")
        return given

    @field_validator("exclusions")
    @classmethod
    def _fit_steps(cls, given: list[Exclusion], info: ValidationInfo) -> list[Exclusion]:
        last = len(info.data.get("steps", [None] * MAX_STEPS)) - 1
        for each in given:
            if each.to_step > last:
                raise ValueError(f"to_step: the last step is {last}")
            if info.data.get("order") == "unordered" and (each.from_step, each.to_step) != (0, last):
                raise ValueError(f"unordered steps have no between: an exclusion goes from step 0 to step {last}")
        return given

    @field_validator("breakdown")
    @classmethod
    def _fits(cls, given: FunnelBreakdown | None, info: ValidationInfo) -> FunnelBreakdown | None:
        if given is None:
            return None
        if info.data.get("view", "steps") != "steps":
            raise ValueError("goes with the view `steps`")
        if given.attribution == "step":
            if info.data.get("order") == "unordered":
                raise ValueError("unordered steps have no number: take another attribution than `step`")
            if (given.step or 0) >= len(info.data.get("steps", [None] * MAX_STEPS)):
                raise ValueError("step: there is no such step")
        return given

    @field_validator("interval")
    @classmethod
    def _goes_with_trend(cls, given: Interval | None, info: ValidationInfo) -> Interval | None:
        if given is not None and info.data.get("view", "trend") != "trend":
            raise ValueError("goes with the view `trend`")
        return given

    @field_validator("bins")
    @classmethod
    def _go_with_times(cls, given: int | None, info: ValidationInfo) -> int | None:
        if given is not None and info.data.get("view", "time_to_convert") != "time_to_convert":
            raise ValueError("go with the view `time_to_convert`")
        return given


class FunnelStep(BaseModel):
    """`conversion` is a share of the first step, `step_conversion` of the one before, both from 0 to 1. The times
    lead from the step before; null for the first step, and where nobody got to."""

    index: int
    name: str
    event: str | None
    count: int
    conversion: float
    step_conversion: float
    avg_seconds: float | None
    median_seconds: float | None


class FunnelValue(BaseModel):
    """The funnel of one value of the breakdown; null: without a value."""

    value: str | None
    steps: list[FunnelStep]


class Bin(BaseModel):
    """How many persons took at least `from_seconds` and less than `to_seconds`, which belongs to the last bin."""

    from_seconds: float
    to_seconds: float
    count: int


class TimeToConvert(BaseModel):
    """From the first step to the last, over persons who converted."""

    avg_seconds: float | None
    median_seconds: float | None
    bins: list[Bin]


class FunnelTrend(BaseModel):
    """For each bucket the persons who did the first step in it, how many of them went all the way from there, and
    their share."""

    interval: Interval
    timezone: str
    buckets: list[str]
    entered: list[int]
    converted: list[int]
    conversion: list[float]


class FunnelAnswer(Answer):
    """Persons by the furthest step that they reached, cumulated."""

    steps: list[FunnelStep]
    breakdown: list[FunnelValue] | None = None
    time_to_convert: TimeToConvert | None = Field(default=None, exclude_if=lambda given: given is None)
    trend: FunnelTrend | None = Field(default=None, exclude_if=lambda given: given is None)


class FunnelStepPoint(Document):
    """The persons who reached a step, or dropped out after it. Left out, `breakdown_value` means all of them; null
    those without a value."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"index": 1, "outcome": "dropped"}]})

    index: Annotated[int, Field(ge=0)]
    outcome: Literal["reached", "dropped"] = Field(
        default="reached", description="`dropped`: reached this step and no later one."
    )
    breakdown_value: str | None = None

    @field_validator("index")
    @classmethod
    def _is_a_step(cls, given: int, info: ValidationInfo) -> int:
        last = len(query_of(info).steps) - 1
        if given > last:
            raise ValueError(f"the last step is {last}")
        return given

    @field_validator("outcome")
    @classmethod
    def _has_a_step_ahead(cls, given: str, info: ValidationInfo) -> str:
        if given == "dropped" and info.data.get("index") == len(query_of(info).steps) - 1:
            raise ValueError("nobody drops out after the last step")
        return given

    @field_validator("breakdown_value")
    @classmethod
    def _goes_with_a_breakdown(cls, given: str | None, info: ValidationInfo) -> str | None:
        if query_of(info).breakdown is None:
            raise ValueError("goes with a breakdown")
        return given


class FunnelBinPoint(Document):
    """The persons of a bin of `time_to_convert`, by its place from 0 on."""

    bin: Annotated[int, Field(ge=0, lt=MAX_BINS)]

    @field_validator("bin")
    @classmethod
    def _goes_with_times(cls, given: int, info: ValidationInfo) -> int:
        if query_of(info).view != "time_to_convert":
            raise ValueError("goes with the view `time_to_convert`")
        return given


class FunnelTrendPoint(Document):
    """The persons who did the first step in a bucket of `trend`, or those of them who went all the way, or did not."""

    bucket: BucketLabel
    outcome: Literal["entered", "converted", "dropped"] = "entered"

    @field_validator("bucket")
    @classmethod
    def _goes_with_trend(cls, given: str, info: ValidationInfo) -> str:
        if query_of(info).view != "trend":
            raise ValueError("goes with the view `trend`")
        return given


FunnelPoint = FunnelStepPoint | FunnelBinPoint | FunnelTrendPoint


def _kind_of_point(given: dict[str, Any]) -> str:
    return next((word for word in ("bin", "bucket") if word in given), "step")


POINT: Final = TypeAdapter[FunnelPoint](
    Annotated[
        Annotated[FunnelStepPoint, Tag("step")]
        | Annotated[FunnelBinPoint, Tag("bin")]
        | Annotated[FunnelTrendPoint, Tag("bucket")],
        Discriminator(_kind_of_point),
    ]
)


def build(query: FunnelQuery, scope: Scope) -> Sql:
    """Rows of (part, place, value, numbers); see `shape`. Raises `TooManyBuckets`.

    The part of steps has for each of them the count, the average and the median of milliseconds from the step before.
    """
    p = Params()
    scope, buckets = _cut(query, scope)
    plan = _plan(query)
    if query.breakdown is None:
        tried = _tried(query, plan, scope, None, p)
        parts = [_summary(plan, tried)]
        if query.view == "time_to_convert":
            parts.append(_histogram(query, plan, tried, p))
        elif query.view == "trend":
            parts.append(_trend(plan, tried, scope, buckets, p))
    else:
        chosen = _plan(query, _chosen_step(query.breakdown))
        parts = [_broken_down(chosen, _tried(query, chosen, scope, query.breakdown, p), query.breakdown, p)]
        if query.breakdown.attribution in ("all_events", "step"):  # a person may be there with several values
            parts.append(_summary(plan, _tried(query, plan, scope, None, p)))
    return Sql("\nUNION ALL\n".join(parts), p.values)


def persons(query: FunnelQuery, scope: Scope, point: FunnelPoint, p: Params) -> Fragment:
    """The WHERE of the events of these persons that match a step. Raises `NoSuchPoint` and what `build` does."""
    scope, buckets = _cut(query, scope)
    plan = _plan(query)
    if isinstance(point, FunnelStepPoint) and "breakdown_value" in point.model_fields_set:
        assert query.breakdown is not None
        chosen = _plan(query, _chosen_step(query.breakdown))
        tried = _tried(query, chosen, scope, query.breakdown, p)
        tables = _ranked(chosen, tried, query.breakdown, p)
        people = f"FROM ranked\nWHERE {_did(point)} AND {_is_kept(point.breakdown_value, p)}"
    else:
        tried = _tried(query, plan, scope, None, p)
        if isinstance(point, FunnelStepPoint):
            tables, people = _people(plan, tried), f"FROM people\nWHERE {_did(point)}"
        elif isinstance(point, FunnelBinPoint):
            tables, people = _times(query, plan, tried, p), f"FROM times\nWHERE bin = {p(point.bin, 'UInt8')}"
        else:
            assert buckets is not None
            start = p(buckets.starts[find_bucket(point.bucket, buckets)], "Int64")
            went = {"entered": "1", "converted": f"level >= {plan.count}", "dropped": f"level < {plan.count}"}
            tables = _entries(tried, scope, buckets, p)
            people = f"FROM entries\nWHERE bucket = {start} AND {went[point.outcome]}"
    steps = any_of(matches(step, scope, p) for step in query.steps)
    return where(scope, query.filters, p, steps, is_among(f"SELECT * FROM (\n{tables}\nSELECT person {people}\n)"))


def _did(point: FunnelStepPoint) -> str:
    """Whether a person's furthest step makes them one of these."""
    return f"level {'>=' if point.outcome == 'reached' else '='} {point.index + 1}"


def _is_kept(value: str | None, p: Params) -> str:
    """Whether a row of `ranked` is of a value of the breakdown."""
    if value is None:
        return f"kept = {NULL_PLACE}"
    return f"kept = {OTHER_PLACE}" if value == OTHER else f"value = {p(value, 'String')}"


def _chosen_step(breakdown: FunnelBreakdown) -> int | None:
    """The step, from 0 on, whose value it is that a person counts under."""
    return (breakdown.step or 0) if breakdown.attribution == "step" else None


def _cut(query: FunnelQuery, scope: Scope) -> tuple[Scope, Buckets | None]:
    return cut(scope, query.interval or "day") if query.view == "trend" else (scope, None)


def _plan(query: FunnelQuery, chosen: int | None = None) -> Plan:
    between = [Between(each.from_step + 1, each.to_step + 1) for each in query.exclusions]
    return attempts.make_plan(query.steps, query.order, between, chosen)


def _tried(query: FunnelQuery, plan: Plan, scope: Scope, breakdown: FunnelBreakdown | None, p: Params) -> str:
    """Tables up to `measured`: a row for each person, or each person and value."""
    tables = chain([_matched(query, plan, scope, breakdown, p)], attempts.attempts(plan))
    window = p(query.window.value * UNIT_SECONDS[query.window.unit] * 1000, "Int64")
    return "WITH " + ",\n".join([*tables, attempts.measured(plan, window)])


def _matched(query: FunnelQuery, plan: Plan, scope: Scope, breakdown: FunnelBreakdown | None, p: Params) -> str:
    """The sorted hits of each person, or of each person and value."""
    strict = plan.order == "strict"
    inner = query.filters if strict else []  # what does not pass them still stands between steps
    steps = [matches(step, scope, p, inner) for step in query.steps]
    exclusions = [matches(each, scope, p, inner) for each in query.exclusions]
    shifted = f"bitShiftLeft(toUInt64({MILLISECONDS} - {p(scope.span.start, 'Int64')} + 1), {BITS})"
    hit = f"{shifted} + {attempts.mark(plan, steps)}"
    hits = f"groupArray({hit})"
    if exclusions:
        excluded = f"groupArrayIf({shifted} + {attempts.mask(exclusions)}, {any_of(exclusions)})"
        hits = f"arrayConcat(groupArrayIf({hit}, {'1' if strict else any_of(steps)}), {excluded})"
    read = f"""FROM {EVENTS}
    {where(scope, [] if strict else query.filters, p, *([] if strict else [any_of([*steps, *exclusions])]))}"""
    if breakdown is None:
        return f"""matched AS (
    SELECT {PERSON} AS person, arraySort({hits}) AS hits
    {read}
    GROUP BY person
)"""
    value = Fragment(f"nullIf({text_of(breakdown.property, breakdown.scope, scope, p)}, '')")
    if breakdown.attribution == "all_events":
        return f"""matched AS (
    SELECT {PERSON} AS person, {value} AS value, arraySort({hits}) AS hits
    {read}
    GROUP BY person, value
)"""
    if breakdown.attribution != "step":
        touch = "minIf" if breakdown.attribution == "first_touch" else "maxIf"
        valued = f"isNotNull({value}) AND {any_of(steps)}"
        return f"""matched AS (
    SELECT {PERSON} AS person, nullIf({touch}(({MILLISECONDS}, ifNull({value}, '')), {valued}).2, '') AS value,
        arraySort({hits}) AS hits
    {read}
    GROUP BY person
)"""
    number = (breakdown.step or 0) + 1
    its = steps[number - 1]
    valued = f"({hit}, if({its}, ifNull({value}, ''), ''))"
    valued_hits = f"groupArray({valued})"
    if exclusions:
        nothing = f"groupArrayIf(({shifted} + {attempts.mask(exclusions)}, ''), {any_of(exclusions)})"
        valued_hits = f"arrayConcat(groupArrayIf({valued}, {'1' if strict else any_of(steps)}), {nothing})"
    lost = f"{attempts.is_step(plan, number, 'one.1')} AND one.2 != chosen"
    left = f"if({lost}, {attempts.without_step(plan, number, 'one.1')}, one.1)"
    return f"""matched AS (
    SELECT person, nullIf(chosen, '') AS value, arraySort(arrayFilter(hit -> hit != 0, arrayMap(one -> {left}, valued)))
        AS hits
    FROM (
        SELECT {PERSON} AS person, {valued_hits} AS valued, groupUniqArrayIf(ifNull({value}, ''), {its}) AS choices
        {read}
        GROUP BY person
    )
    ARRAY JOIN choices AS chosen
)"""


def _people(plan: Plan, tried: str) -> str:
    return ",\n".join([tried, *attempts.best(plan)])


def _numbers(plan: Plan) -> str:
    """For each step the count, and the average and the median of the time from the step before."""
    columns = ["toFloat64(count()), NULL, NULL"]
    for k in range(2, plan.count + 1):
        took = f"time_{k} - time_{k - 1}"
        columns.append(
            f"toFloat64(countIf(level >= {k})), avgIf({took}, level >= {k}), "
            f"toFloat64(quantileExactInclusiveIf(0.5)({took}, level >= {k}))"
        )
    return f"CAST([{', '.join(columns)}], 'Array(Nullable(Float64))')"


def _row(part: int, place: str, value: str, numbers: str) -> str:
    return (
        f"SELECT toUInt8({part}) AS part, toInt64({place}) AS place, CAST({value}, 'Nullable(String)') AS value, "
        f"{numbers} AS numbers"
    )


def _summary(plan: Plan, tried: str) -> str:
    return f"SELECT * FROM (\n{_people(plan, tried)}\n{_row(STEPS_PART, '0', 'NULL', _numbers(plan))}\nFROM people\n)"


def _broken_down(plan: Plan, tried: str, breakdown: FunnelBreakdown, p: Params) -> str:
    """A row for each place: values by conversions, then by entries; and one for all persons where each has one
    value."""
    once = breakdown.attribution in ("first_touch", "last_touch")
    sets = "GROUPING SETS ((kept), ())" if once else "kept"
    part = f"if(grouping(kept) = 1, {STEPS_PART}, {VIEW_PART})" if once else str(VIEW_PART)
    return f"""SELECT * FROM (
{_ranked(plan, tried, breakdown, p)}
SELECT toUInt8({part}) AS part, toInt64(kept) AS place, any(ranked.value) AS value, {_numbers(plan)} AS numbers
FROM ranked
GROUP BY {sets}
)"""


def _ranked(plan: Plan, tried: str, breakdown: FunnelBreakdown, p: Params) -> str:
    """Tables up to `ranked`: a row for each person, or each person and value, with the place of the value."""
    reached = f"WHERE level > {breakdown.step or 0}" if breakdown.attribution == "step" else ""
    return f"""{_people(plan, tried)},
counted AS (
    SELECT *, countIf(level >= {plan.count}) OVER (PARTITION BY value) AS conversions,
        count() OVER (PARTITION BY value) AS entries
    FROM people
    {reached}
),
ranked AS (
    SELECT *, dense_rank() OVER (ORDER BY value IS NULL, conversions DESC, entries DESC, value) AS rank,
        multiIf(value IS NULL, {NULL_PLACE}, rank <= {p(breakdown.limit, "UInt16")}, toInt64(rank), {OTHER_PLACE})
            AS kept
    FROM counted
)"""


def _histogram(query: FunnelQuery, plan: Plan, tried: str, p: Params) -> str:
    """A row for each bin: its number, shortest and longest time of all, bins, persons, average, median of all."""
    numbers = "[toFloat64(any(shortest)), any(longest), any(bins), count(), any(average), any(middle)]"
    return f"""SELECT * FROM (
{_times(query, plan, tried, p)}
{_row(VIEW_PART, "bin", "NULL", f"CAST({numbers}, 'Array(Nullable(Float64))')")}
FROM times
GROUP BY bin
)"""


def _times(query: FunnelQuery, plan: Plan, tried: str, p: Params) -> str:
    """Tables up to `times`: how long each person who converted took, and the bin that it is in."""
    bins = p(query.bins, "UInt8") if query.bins else Fragment(f"least(ceil(cbrt(converted) - 1e-9), {MAX_BINS})")
    return f"""{_people(plan, tried)},
times AS (
    SELECT person, time_{plan.count} - time_1 AS took, min(took) OVER () AS shortest, max(took) OVER () AS longest,
        avg(took) OVER () AS average, quantileExactInclusive(0.5)(took) OVER () AS middle, count() OVER () AS converted,
        if(shortest = longest, 1, toInt64({bins})) AS bins,
        if(shortest = longest, 0, least(intDiv((took - shortest) * bins, longest - shortest), bins - 1)) AS bin
    FROM people
    WHERE level >= {plan.count}
)"""


def _trend(plan: Plan, tried: str, scope: Scope, buckets: Buckets | None, p: Params) -> str:
    """A row for each bucket: who entered, and who of them converted."""
    assert buckets is not None
    numbers = f"CAST([toFloat64(count()), countIf(level >= {plan.count})], 'Array(Nullable(Float64))')"
    return f"""SELECT * FROM (
{_entries(tried, scope, buckets, p)}
{_row(VIEW_PART, "bucket", "NULL", numbers)}
FROM entries
GROUP BY bucket
)"""


def _entries(tried: str, scope: Scope, buckets: Buckets, p: Params) -> str:
    """Tables up to `entries`: each person and bucket of a first step, and how far they came from there."""
    time = Fragment(f"(one.1 + {p(scope.span.start, 'Int64')} - 1)")
    return f"""{tried},
entries AS (
    SELECT person, {bucket_of(time, buckets, p)} AS bucket, max(taken) AS level
    FROM measured
    ARRAY JOIN attempts AS one, levels AS taken, spoilt AS bad
    GROUP BY person, bucket
    HAVING level = maxIf(taken, NOT bad)
)"""


Row = tuple[int, int, str | None, Sequence[float | None]]


def shape(query: FunnelQuery, scope: Scope, rows: Sequence[Row], meta: Meta) -> FunnelAnswer:
    """Rows as steps, as a list of values, as bins, as buckets."""
    steps = next((numbers for part, _, _, numbers in rows if part == STEPS_PART), [])
    found = [row for row in rows if row[0] == VIEW_PART]
    return FunnelAnswer(
        steps=_shape_steps(query, steps),
        breakdown=None if query.breakdown is None else _shape_values(query, found),
        time_to_convert=_shape_times(found) if query.view == "time_to_convert" else None,
        trend=_shape_trend(query, scope, found) if query.view == "trend" else None,
        meta=meta,
    )


def _shape_steps(query: FunnelQuery, numbers: Sequence[float | None]) -> list[FunnelStep]:
    values = list(numbers) or [0.0] * 3 * len(query.steps)
    counts = [int(count or 0) for count in values[::3]]
    return [
        FunnelStep(
            index=index,
            name=step.name or step.event or "Any event",
            event=step.event,
            count=counts[index],
            conversion=_share(counts[index], counts[0]),
            step_conversion=_share(counts[index], counts[max(index - 1, 0)]),
            avg_seconds=_seconds(values[3 * index + 1]) if index and counts[index] else None,
            median_seconds=_seconds(values[3 * index + 2]) if index and counts[index] else None,
        )
        for index, step in enumerate(query.steps)
    ]


def _shape_values(query: FunnelQuery, rows: Sequence[Row]) -> list[FunnelValue]:
    """Values by rank, then persons without one, then all other values."""
    return [
        FunnelValue(
            value=OTHER if place == OTHER_PLACE else None if place == NULL_PLACE else value,
            steps=_shape_steps(query, numbers),
        )
        for _, place, value, numbers in sorted(rows, key=lambda row: (row[1] < 1, row[1]))
    ]


def _shape_times(rows: Sequence[Row]) -> TimeToConvert:
    if not rows:
        return TimeToConvert(avg_seconds=None, median_seconds=None, bins=[])
    shortest, longest, bins, _, average, median = (number or 0.0 for number in rows[0][3])
    counts = {place: int(numbers[3] or 0) for _, place, _, numbers in rows}
    edges = [(shortest + (longest - shortest) * number / bins) / 1000 for number in range(int(bins) + 1)]
    return TimeToConvert(
        avg_seconds=_seconds(average),
        median_seconds=_seconds(median),
        bins=[
            Bin(from_seconds=edges[number], to_seconds=edges[number + 1], count=counts.get(number, 0))
            for number in range(int(bins))
        ],
    )


def _shape_trend(query: FunnelQuery, scope: Scope, rows: Sequence[Row]) -> FunnelTrend:
    _, buckets = _cut(query, scope)
    assert buckets is not None
    found = {place: [int(number or 0) for number in numbers] for _, place, _, numbers in rows}
    entered, converted = ([found.get(start, [0, 0])[at] for start in buckets.starts] for at in (0, 1))
    return FunnelTrend(
        interval=query.interval or "day",
        timezone=scope.zone.key,
        buckets=buckets.labels(),
        entered=entered,
        converted=converted,
        conversion=[_share(done, begun) for done, begun in zip(converted, entered, strict=True)],
    )


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None or math.isnan(milliseconds) else milliseconds / 1000
