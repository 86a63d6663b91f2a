"""Retention: of the persons who began in a period, how many return in those that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from footfall_query import matching
from footfall_query.buckets import bucket_number, bucket_numbers, bucket_of, extend, make_buckets, widen
from footfall_query.documents import Answer, Meta, Question
from footfall_query.filters import where
from footfall_query.matching import Matching, matches
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


def build_start(query: RetentionQuery, scope: Scope) -> Sql:
    """Where a range begins that is open at its start."""
    return matching.build_start([query.start], scope)


def build(query: RetentionQuery, scope: Scope) -> Sql:
    """Rows of (cohort, periods later, persons), both from 0 on. Raises `TooManyBuckets`.

    `starts` and `returns` hold numbers of periods, `starts` only of those in the range. A cumulative row says how
    much later persons were seen last; adding up is `shape`'s.
    """
    p = Params()
    scope = widen(scope, query.period)
    buckets = extend(scope, query.period, after=query.periods)
    begin, end = (p(instant, "Int64") for instant in scope.span)
    first = EARLIEST if query.mode == "first_time" else scope.span.start
    last = LATEST if query.cumulative else buckets.starts[-1]
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
    return Sql(
        f"""SELECT cohort, later, count() AS persons
FROM (
    SELECT arrayJoin({starts}) AS cohort, {returns} AS returns
    FROM {EVENTS}
    {where(replace(scope, span=Span(first, last)), [], p, any_of([started, returned]))}
    GROUP BY {PERSON}
)
ARRAY JOIN {later} AS later
GROUP BY cohort, later""",
        p.values,
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
