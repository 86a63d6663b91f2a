"""Lifecycle: who is new, who came back, and who stayed away, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter

from footfall_query import matching
from footfall_query.buckets import Buckets, bucket_number, bucket_numbers, bucket_of, extend
from footfall_query.documents import Answer, EventName, Meta, Question
from footfall_query.filters import Document, bind_time, where
from footfall_query.matching import Matching, matches
from footfall_query.points import BucketLabel, find_bucket, is_among
from footfall_query.properties import EVENTS, FIRST_SEEN, MILLISECONDS, PERSON
from footfall_query.scope import EARLIEST, Interval, Scope, Span
from footfall_query.sql import Fragment, Params, Sql

State = Literal["new", "returning", "resurrecting", "dormant"]

STATES: Final[tuple[State, ...]] = get_args(State)


class LifecycleQuery(Question):
    """The query document of lifecycle. `event` and `filters` say what being active is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"event": "open", "interval": "week", "date_from": "-12w"}]}
    )

    event: EventName | None = Field(default=None, description="null: any event.")
    interval: Interval = "day"


class LifecycleAnswer(Answer):
    """Persons, one number for each of `buckets`; `dormant` is negative."""

    interval: Interval
    timezone: str
    buckets: list[str]
    new: list[int]
    returning: list[int]
    resurrecting: list[int]
    dormant: list[int]


class LifecyclePoint(Document):
    """The persons of a state in a bucket."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"bucket": "2026-11-01T00:00:00Z", "state": "resurrecting"}]}
    )

    bucket: BucketLabel
    state: State


POINT: Final = TypeAdapter(LifecyclePoint)


def build_start(query: LifecycleQuery, scope: Scope) -> Sql:
    """Where a range begins that is open at its start."""
    return matching.build_start([_active(query)], scope)


def build(query: LifecycleQuery, scope: Scope) -> Sql:
    """Rows of (bucket, state, persons): buckets by number, states as in `STATES`. Raises `TooManyBuckets`."""
    p = Params()
    return Sql(
        f"""SELECT change.1 AS bucket, change.2 AS state, count() AS persons
{_changes(query, scope, _buckets(query, scope), p)}
GROUP BY bucket, state""",
        p.values,
    )


def persons(query: LifecycleQuery, scope: Scope, point: LifecyclePoint, p: Params) -> Fragment:
    """The WHERE of the events with which these persons were active in the bucket and in the one before. Raises
    `NoSuchPoint` and what `build` does."""
    buckets = _buckets(query, scope)
    at = find_bucket(point.bucket, replace(buckets, starts=buckets.starts[1:]))
    two = replace(buckets, starts=buckets.starts[at : at + 2])
    end = min([*buckets.starts[at + 2 : at + 3], scope.span.end])
    scope = replace(scope, span=Span(two.starts[0], end))
    state = p(STATES.index(point.state), "UInt8")
    people = f"SELECT {PERSON}\n{_changes(query, scope, two, p)} AND change.2 = {state}"
    return where(scope, [], p, matches(_active(query), scope, p), is_among(people))


def _changes(query: LifecycleQuery, scope: Scope, buckets: Buckets, p: Params) -> Fragment:
    """A FROM to a WHERE of rows of a person and a `change`: (number of the bucket, number of the state).

    `at` holds the numbers of the buckets in which a person is active, ascending; 0 is the one before the range. `born`
    is one more than the number of the bucket that a person is new in, 0 of those who were there before.
    """
    active = where(scope.starting(buckets.starts[0]), [], p, matches(_active(query), scope, p))
    ever = where(scope.starting(EARLIEST), [], p, time=Fragment("at"))
    begin = bind_time(buckets.starts[0], p)
    first = Fragment("toUnixTimestamp64Milli(min(at))")
    return Fragment(
        f"""FROM (
    SELECT {PERSON}, {bucket_numbers(MILLISECONDS, buckets, p)} AS at
    FROM {EVENTS}
    {active}
    GROUP BY {PERSON}
) AS active
LEFT JOIN (
    SELECT {PERSON}, {bucket_number(bucket_of(first, buckets, p), buckets, p)} + 1 AS born
    FROM {FIRST_SEEN}
    {ever}
    GROUP BY {PERSON}
    HAVING min(at) >= {begin}
) AS recent USING ({PERSON})
ARRAY JOIN arrayConcat(
    arrayMap((number, last) -> (number, multiIf(number + 1 = born, 0, last = number - 1, 1, 2)),
        at, arrayPushFront(arrayPopBack(at), -2)),
    arrayMap((number, next) -> (number + 1, if(next = number + 1, -1, 3)),
        at, arrayPushBack(arrayPopFront(at), -2))
) AS change
WHERE change.1 BETWEEN 1 AND {p(len(buckets.starts) - 1, "Int64")} AND change.2 >= 0"""
    )


def shape(query: LifecycleQuery, scope: Scope, rows: Sequence[tuple[int, int, int]], meta: Meta) -> LifecycleAnswer:
    """Rows as one list for each state."""
    buckets = _buckets(query, scope)
    found = {state: [0] * (len(buckets.starts) - 1) for state in STATES}
    for bucket, state, persons in rows:
        found[STATES[state]][bucket - 1] = -persons if STATES[state] == "dormant" else persons
    return LifecycleAnswer(
        interval=query.interval, timezone=scope.zone.key, buckets=buckets.labels()[1:], **found, meta=meta
    )


def _active(query: LifecycleQuery) -> Matching:
    return Matching(event=query.event, filters=query.filters)


def _buckets(query: LifecycleQuery, scope: Scope) -> Buckets:
    """The buckets of the range, whole ones, and the one before."""
    return extend(scope, query.interval, before=1)
