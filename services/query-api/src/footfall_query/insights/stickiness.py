"""Stickiness: in how many intervals of the range persons are active."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, Field

from footfall_query import matching
from footfall_query.buckets import bucket_of, cut
from footfall_query.documents import Answer, Label, Meta, Question
from footfall_query.filters import where
from footfall_query.formula import LETTERS
from footfall_query.matching import Matching, named
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


def build_start(query: StickinessQuery, scope: Scope) -> Sql:
    """Where a range begins that is open at its start."""
    return matching.build_start(query.series, scope)


def build(query: StickinessQuery, scope: Scope) -> Sql:
    """Rows of (series, number of intervals, persons). Raises `TooManyBuckets`."""
    p = Params()
    scope, buckets = cut(scope, query.interval)
    bucket = bucket_of(MILLISECONDS, buckets, p)
    parts = [
        Fragment(
            f"""SELECT {p(index, "UInt8")} AS series, intervals, count() AS persons
FROM (
    SELECT uniqExact({bucket}) AS intervals
    FROM {EVENTS}
    {where(scope, [*query.filters, *series.filters], p, *named(series, p))}
    GROUP BY {PERSON}
)
GROUP BY intervals"""
        )
        for index, series in enumerate(query.series)
    ]
    return Sql("\nUNION ALL\n".join(parts), p.values)


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
