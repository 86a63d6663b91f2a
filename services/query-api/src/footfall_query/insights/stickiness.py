"""Stickiness: in how many intervals of the range persons are active."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator

from footfall_query import matching
from footfall_query.buckets import Buckets, bucket_of, cut
from footfall_query.documents import Answer, Label, Meta, Question
from footfall_query.filters import Document, where
from footfall_query.formula import LETTERS
from footfall_query.matching import Matching, named
from footfall_query.points import NoSuchPoint, is_among, query_of
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON
from footfall_query.scope import Interval, Scope
from footfall_query.sql import Fragment, Params, Sql


class StickinessSeries(Matching):
    """What being active is."""

    name: Label | None = None


class StickinessQuery(Question):
    """The query document of stickiness."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"series": [{"event": "open"}], "date_from": "-30d"}]})

    series: list[StickinessSeries] = Field(min_length=1, max_length=len(LETTERS))
    interval: Interval = "day"
    cumulative: bool = Field(default=False, description="Count persons active in at least so many intervals.")


class StickinessCounts(BaseModel):
    """`counts` has the persons active in 1, 2, … intervals."""

    index: int
    name: str
    event: str | None
    counts: list[int]


class StickinessAnswer(Answer):
    """`intervals` is 1, 2, … up to the number of intervals in the range."""

    interval: Interval
    timezone: str
    intervals: list[int]
    series: list[StickinessCounts]


class StickinessPoint(Document):
    """The persons of a series who are active in so many intervals."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"index": 0, "intervals": 3}]})

    index: Annotated[int, Field(ge=0)]
    intervals: Annotated[int, Field(ge=1)]

    @field_validator("index")
    @classmethod
    def _has_a_series(cls, given: int, info: ValidationInfo) -> int:
        last = len(query_of(info).series) - 1
        if given > last:
            raise ValueError(f"the last series is {last}")
        return given


POINT: Final = TypeAdapter(StickinessPoint)


def build_start(query: StickinessQuery, scope: Scope) -> Sql:
    """Where a range begins that is open at its start."""
    return matching.build_start(query.series, scope)


def build(query: StickinessQuery, scope: Scope) -> Sql:
    """Rows of (series, number of intervals, persons). Raises `TooManyBuckets`."""
    p = Params()
    scope, buckets = cut(scope, query.interval)
    parts = [
        Fragment(
            f"""SELECT {p(index, "UInt8")} AS series, intervals, count() AS persons
FROM (
    {_people(buckets, _active(query, series, scope, p), p)}
)
GROUP BY intervals"""
        )
        for index, series in enumerate(query.series)
    ]
    return Sql("\nUNION ALL\n".join(parts), p.values)


def persons(query: StickinessQuery, scope: Scope, point: StickinessPoint, p: Params) -> Fragment:
    """The WHERE of the events with which these persons were active. Raises `NoSuchPoint` and what `build` does."""
    scope, buckets = cut(scope, query.interval)
    if point.intervals > len(buckets.starts):
        raise NoSuchPoint("intervals", f"the range has {len(buckets.starts)}")
    active = _active(query, query.series[point.index], scope, p)
    many = f"intervals {'>=' if query.cumulative else '='} {p(point.intervals, 'UInt64')}"
    people = f"SELECT {PERSON} FROM (\n    {_people(buckets, active, p)}\n) WHERE {many}"
    return Fragment(f"{active}\n  AND {is_among(people)}")


def _active(query: StickinessQuery, series: StickinessSeries, scope: Scope, p: Params) -> Fragment:
    """The WHERE of the events with which persons are active."""
    return where(scope, [*query.filters, *series.filters], p, *named(series, p))


def _people(buckets: Buckets, active: Fragment, p: Params) -> Fragment:
    """A SELECT of (person, in how many intervals they are active)."""
    return Fragment(
        f"""SELECT {PERSON}, uniqExact({bucket_of(MILLISECONDS, buckets, p)}) AS intervals
    FROM {EVENTS}
    {active}
    GROUP BY {PERSON}"""
    )


def shape(query: StickinessQuery, scope: Scope, rows: Sequence[tuple[int, int, int]], meta: Meta) -> StickinessAnswer:
    """Rows as counts from 1 interval on."""
    _, buckets = cut(scope, query.interval)
    length = len(buckets.starts)
    counts = [[0] * length for _ in query.series]
    for index, intervals, persons in rows:
        counts[index][intervals - 1] = persons
    if query.cumulative:
        counts = [list(accumulate(reversed(each)))[::-1] for each in counts]
    return StickinessAnswer(
        interval=query.interval,
        timezone=scope.zone.key,
        intervals=list(range(1, length + 1)),
        series=[
            StickinessCounts(
                index=index, name=one.name or one.event or "All events", event=one.event, counts=counts[index]
            )
            for index, one in enumerate(query.series)
        ],
        meta=meta,
    )
