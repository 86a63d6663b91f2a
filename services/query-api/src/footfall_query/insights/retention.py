"""Retention: of the persons who began in a period, how many return in those that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator

from footfall_query import matching
from footfall_query.buckets import Buckets, bucket_number, bucket_numbers, bucket_of, extend, make_buckets, widen
from footfall_query.documents import Answer, Meta, Question
from footfall_query.filters import Document, where
from footfall_query.matching import Matching, matches
from footfall_query.points import BucketLabel, find_bucket, is_among, query_of
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON
from footfall_query.scope import EARLIEST, LATEST, Interval, Scope, Span
from footfall_query.sql import Fragment, Params, Sql, any_of

MAX_PERIODS: Final = 100


class RetentionQuery(Question):
    """The query document of retention. `filters` are for the events of both kinds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "start": {"event": "signup"},
                    "return": {"event": "open"},
                    "period": "week",
                    "periods": 8,
                    "date_from": "-8w",
                }
            ]
        }
    )

    start: Matching = Matching()
    return_: Matching = Field(default=Matching(), alias="return")
    period: Literal["hour", "day", "week", "month"] = "day"
    periods: Annotated[int, Field(ge=1, le=MAX_PERIODS, description="Columns: the period of the start and more.")] = 8
    mode: Literal["recurring", "first_time"] = "recurring"
    cumulative: bool = Field(default=False, description="Count who returns in a period or any later one.")

    @property
    def interval(self) -> Interval:
        """What the range is counted in."""
        return self.period


class Cohort(BaseModel):
    """The persons who began in the period that `date` names. `values`: how many there are, then how many of them
    returned one period later, two, …"""

    date: str
    size: int
    values: list[int]


class RetentionAnswer(Answer):
    """A cohort for each period of the range."""

    period: Interval
    timezone: str
    cohorts: list[Cohort]


class RetentionPoint(Document):
    """A cell: of the cohort of `date`, the number at the place `period` of its `values`; 0 is who began."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"date": "2026-11-01T00:00:00Z", "period": 1}]})

    date: BucketLabel
    period: Annotated[int, Field(ge=0, lt=MAX_PERIODS)]

    @field_validator("period")
    @classmethod
    def _is_asked_about(cls, given: int, info: ValidationInfo) -> int:
        last = query_of(info).periods - 1
        if given > last:
            raise ValueError(f"the last period is {last}")
        return given


POINT: Final = TypeAdapter(RetentionPoint)


def build_start(query: RetentionQuery, scope: Scope) -> Sql:
    """Where a range begins that is open at its start."""
    return matching.build_start([query.start], scope)


def build(query: RetentionQuery, scope: Scope) -> Sql:
    """Rows of (cohort, periods later, persons), both from 0 on. Raises `TooManyBuckets`.

    A cumulative row says how much later persons were seen last; adding up is `shape`'s.
    """
    p = Params()
    scope = widen(scope, query.period)
    buckets = extend(scope, query.period, after=query.periods)
    return Sql(
        f"""SELECT cohort, later, count() AS persons
FROM (
    {_people(query, scope, buckets, p)}
)
ARRAY JOIN later
GROUP BY cohort, later""",
        p.values,
    )


def persons(query: RetentionQuery, scope: Scope, point: RetentionPoint, p: Params) -> Fragment:
    """The WHERE of the events of both kinds of the persons in a cell, from their cohort's period on. Raises
    `NoSuchPoint` and what `build` does."""
    scope = widen(scope, query.period)
    buckets = extend(scope, query.period, after=query.periods)
    starts = buckets.starts
    cohort = find_bucket(point.date, make_buckets(scope, query.period), "date")
    scope = replace(scope, span=Span(starts[cohort], min(starts[cohort + 1], scope.span.end)))
    buckets = replace(buckets, starts=starts[cohort : cohort + query.periods + 1])
    period = p(point.period, "Int64")
    back = f"arrayMax(later) >= {period}" if query.cumulative else f"has(later, {period})"
    people = f"SELECT {PERSON} FROM (\n    {_people(query, scope, buckets, p)}\n) WHERE {back}"
    theirs = (matches(each, scope, p, query.filters) for each in (query.start, query.return_))
    span = Span(scope.span.start, _last(query, buckets))
    return where(replace(scope, span=span), [], p, any_of(theirs), is_among(people))


def _last(query: RetentionQuery, buckets: Buckets) -> int:
    """When nobody can return any more who still counts."""
    return LATEST if query.cumulative else buckets.starts[-1]


def _people(query: RetentionQuery, scope: Scope, buckets: Buckets, p: Params) -> Fragment:
    """A SELECT of (person, cohort, later): `later` is how many periods later persons return, 0 for who begins, or,
    cumulative, when they return last.

    `starts` and `returns` hold numbers of periods, `starts` only of those in the range.
    """
    begin, end = (p(instant, "Int64") for instant in scope.span)
    first = EARLIEST if query.mode == "first_time" else scope.span.start
    started, returned = (matches(each, scope, p, query.filters) for each in (query.start, query.return_))
    if query.mode == "first_time":
        began = Fragment(f"minIf({MILLISECONDS}, {started})")
        number = f"toInt64({bucket_number(bucket_of(began, buckets, p), buckets, p)})"
        starts = f"if(max({started}) AND {began} BETWEEN {begin} AND {end} - 1, [{number}], [])"
    else:
        starts = bucket_numbers(MILLISECONDS, buckets, p, f"{started} AND {MILLISECONDS} < {end}")
    returns = bucket_numbers(MILLISECONDS, buckets, p, f"{returned} AND {MILLISECONDS} >= {begin}")
    columns = p(query.periods - 1, "Int64")
    if query.cumulative:
        later = f"[least(greatest(arrayMax(arrayPushBack(returns, -1)) - cohort, 0), {columns})]"
    else:
        later = f"""arrayPushBack(
        arrayFilter(n -> n BETWEEN 1 AND {columns}, arrayMap(number -> number - cohort, returns)), 0)"""
    span = Span(first, _last(query, buckets))
    return Fragment(
        f"""SELECT {PERSON}, arrayJoin({starts}) AS cohort, {returns} AS returns,
        {later} AS later
    FROM {EVENTS}
    {where(replace(scope, span=span), [], p, any_of([started, returned]))}
    GROUP BY {PERSON}"""
    )


def shape(query: RetentionQuery, scope: Scope, rows: Sequence[tuple[int, int, int]], meta: Meta) -> RetentionAnswer:
    """Rows as cohorts, also those of nobody."""
    buckets = make_buckets(widen(scope, query.period), query.period)
    values = [[0] * query.periods for _ in buckets.starts]
    for cohort, later, persons in rows:
        values[cohort][later] = persons
    if query.cumulative:
        values = [list(accumulate(reversed(row)))[::-1] for row in values]
    return RetentionAnswer(
        period=query.period,
        timezone=scope.zone.key,
        cohorts=[
            Cohort(date=label, size=row[0], values=row) for label, row in zip(buckets.labels(), values, strict=True)
        ],
        meta=meta,
    )
