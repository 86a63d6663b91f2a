"""The people themselves: who there is, and what one of them did. Pure, as the insights are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from footfall_core.errors import NotFound
from footfall_query.documents import Answer, EventName, Meta
from footfall_query.events import (
    EVENT_COLUMNS,
    Event,
    Listing,
    check_cursor,
    check_filters,
    read_event,
    read_event_cursor,
    read_filters,
    read_person_cursor,
    until,
    utc,
    write_cursor,
)
from footfall_query.filters import bind_time, where
from footfall_query.people import PERSON_ID, as_text, told
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON, value
from footfall_query.scope import EARLIEST, LATEST, Scope, Span
from footfall_query.sql import Fragment, Params, Sql, all_of

MAX_IDS: Final = 100
"""Ids of a person that a list shows."""

DistinctId = Annotated[str, Field(min_length=1, max_length=1_000)]


class Page(Protocol):
    """Which part of a list is asked for."""

    @property
    def limit(self) -> int: ...
    @property
    def cursor(self) -> str | None: ...


PersonCursor = Annotated[str, check_cursor(read_person_cursor), Field(max_length=200)]


class PersonsQuery(Listing):
    """Which people to list."""

    search: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Only people with an id or a property that contains this."
    )
    event: list[EventName] = Field(
        default=[], max_length=100, description="Only people with an event of any of these names; default: any event."
    )
    filters: Annotated[str | None, AfterValidator(check_filters)] = Field(
        default=None,
        max_length=50_000,
        description='Filters as in a query document, as JSON; with `"scope": "person"` they look at people.',
    )
    cursor: PersonCursor | None = Field(default=None, description="`next_cursor` of the page before.")


class Timeline(Listing):
    """Which events of a person to list."""

    event: list[EventName] = Field(default=[], max_length=100, description="Any of these names; default: all.")
    cursor: Annotated[str | None, check_cursor(read_event_cursor)] = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )


class PersonQuery(Timeline):
    """Whom to tell about."""

    distinct_id: DistinctId


class Person(BaseModel):
    """Somebody who does events. Of the ids a list shows at most 100. Times are UTC; null: no event is stored."""

    person_id: UUID
    distinct_ids: list[str]
    properties: dict[str, Any]
    events: int
    first_seen: str | None
    last_seen: str | None


class LinkShown(BaseModel):
    """A link that one of the person's ids is the source of. Refused ones link nothing."""

    source: str
    target: str
    at: str
    is_forced: bool
    is_refused: bool


class PersonsAnswer(Answer):
    results: list[Person]
    next_cursor: str | None


class PersonAnswer(Answer, Person):
    """`timeline` is the person's events, newest first."""

    links: list[LinkShown]
    timeline: list[Event]
    next_cursor: str | None


def build_persons(query: PersonsQuery, scope: Scope) -> Sql:
    """Rows of `list_persons`: of those with an event that made them a person."""
    p = Params()
    filters = read_filters(query.filters) if query.filters else []
    named = [Fragment(f"event IN {p(query.event, 'Array(String)')}")] if query.event else []
    having = [Fragment(f"countIf(ifNull({value('$process_person_profile')}.:Bool, true)) > 0")]
    if query.search:
        search = p(query.search, "String")
        known = told(Fragment(f"project_id = {p(scope.project_id, 'UInt32')}"))
        having.append(
            Fragment(
                f"(countIf(positionCaseInsensitiveUTF8(distinct_id, {search}) > 0) > 0 OR {PERSON} IN (SELECT person "
                f"FROM ({known}) WHERE positionCaseInsensitiveUTF8({as_text(Fragment('value'))}, {search}) > 0))"
            )
        )
    return list_persons(where(scope, filters, p, *named), having, query, scope, p)


def list_persons(found: Fragment, having: Sequence[Fragment], page: Page, scope: Scope, p: Params) -> Sql:
    """Rows of (key of the person, their UUID, ids, events, first and last Unix millisecond, (name, value) pairs), the
    latest first; one more than asked for. They are the persons with an event that passes the WHERE `found`, and it is
    these events that are counted."""
    wanted = [*having]
    if page.cursor is not None:
        instant, (last,) = read_person_cursor(page.cursor)
        wanted.append(Fragment(f"(max(timestamp), person) < ({bind_time(instant, p)}, {p(last, 'UInt64')})"))
    known = told(
        Fragment(
            f"project_id = {p(scope.project_id, 'UInt32')} AND person IN (SELECT tupleElement(arrayJoin(page), 1))"
        )
    )
    return Sql(
        f"""WITH (
    SELECT groupArray((person, person_id, ids, events, first_seen, last_seen))
    FROM (
        SELECT person, any(events.person_id) AS person_id, count() AS events,
            arraySort(groupUniqArray({MAX_IDS})(distinct_id)) AS ids,
            min({MILLISECONDS}) AS first_seen, max({MILLISECONDS}) AS last_seen
        FROM {EVENTS}
        {found}
        GROUP BY {PERSON} AS person
        HAVING {all_of(wanted)}
        ORDER BY last_seen DESC, person DESC
        LIMIT {p(page.limit + 1, "UInt16")}
    )
) AS page
SELECT person, {PERSON_ID}, one.3, one.4, one.5, one.6, pairs
FROM (SELECT arrayJoin(page) AS one, one.1 AS person, one.2 AS person_id) AS listed
LEFT JOIN (
    SELECT person, groupArray((name, value)) AS pairs FROM ({known}) GROUP BY person
) AS known USING person
ORDER BY one.6 DESC, person DESC""",
        p.values,
    )


def shape_persons(query: Page, _: Scope, rows: Sequence[Sequence[Any]], meta: Meta) -> PersonsAnswer:
    """A page of people."""
    results = [
        Person(
            person_id=person_id,
            distinct_ids=ids,
            properties=_properties(pairs),
            events=events,
            first_seen=utc(first),
            last_seen=utc(last),
        )
        for _, person_id, ids, events, first, last, pairs in rows
    ]
    last_row = rows[query.limit - 1] if len(rows) > query.limit else None
    return PersonsAnswer(
        results=results[: query.limit],
        next_cursor=None if last_row is None else write_cursor(last_row[5], last_row[0]),
        meta=meta,
    )


def build_person(query: PersonQuery, scope: Scope) -> Sql:
    """One row: person, ids, (name, value) pairs, (events, first, last), links, events as `EVENT_COLUMNS`."""
    p = Params()
    project, distinct_id = p(scope.project_id, "UInt32"), p(query.distinct_id, "String")
    whole = replace(scope, span=Span(EARLIEST, LATEST))
    theirs = Fragment("person_id IN (SELECT person_id FROM ids)")
    more: list[Fragment] = [theirs]
    if query.event:
        more.append(Fragment(f"event IN {p(query.event, 'Array(String)')}"))
    if query.cursor is not None:
        instant, (last,) = read_event_cursor(query.cursor)
        scope = until(scope, instant)
        more.append(Fragment(f"(timestamp, uuid) < ({bind_time(instant, p)}, {p(str(last), 'UUID')})"))
    known = told(Fragment(f"project_id = {project} AND distinct_id IN (SELECT distinct_id FROM ids)"))
    return Sql(
        f"""WITH
    reinterpretAsUUID(sipHash128({project}, {distinct_id})) AS sought,
    dictGetOrDefault('analytics.person_of', 'person_id', reinterpretAsUInt64(sought), sought) AS who,
    ids AS (
        SELECT distinct_id, person_id FROM analytics.person_ids FINAL
        WHERE project_id = {project} AND root_person_id = who
        UNION DISTINCT SELECT {distinct_id}, sought
    )
SELECT who,
    (SELECT groupArray(distinct_id) FROM (SELECT distinct_id FROM ids ORDER BY distinct_id)),
    (SELECT groupArray((name, value)) FROM ({known})),
    (SELECT (count(), min({MILLISECONDS}), max({MILLISECONDS})) FROM {EVENTS} {where(whole, [], p, theirs)}),
    (
        SELECT arraySort(groupArrayIf((first, is_forced, distinct_id, other_id, is_refused), is_source))
        FROM (
            SELECT *, NOT is_forced AND (first, is_forced, source, target)
                    != min((first, is_forced, source, target)) OVER (PARTITION BY distinct_id) AS is_refused
            FROM (
                SELECT distinct_id, other_id, is_source, is_forced, min(at) AS first,
                    if(is_source, distinct_id, other_id) AS source, if(is_source, other_id, distinct_id) AS target
                FROM analytics.person_links
                WHERE project_id = {project} AND distinct_id IN (SELECT distinct_id FROM ids)
                GROUP BY distinct_id, other_id, is_source, is_forced
            )
        )
    ),
    (
        SELECT groupArray(found)
        FROM (
            SELECT ({EVENT_COLUMNS}) AS found FROM {EVENTS} {where(scope, [], p, *more)}
            ORDER BY timestamp DESC, uuid DESC
            LIMIT {p(query.limit + 1, "UInt16")}
        )
    )""",
        p.values,
    )


def shape_person(query: PersonQuery, _: Scope, rows: Sequence[Sequence[Any]], meta: Meta) -> PersonAnswer:
    """One person. Raises `NotFound` when nothing is known under this id."""
    ((person, ids, pairs, (events, first, last), links, timeline),) = rows
    if not events and not pairs and len(ids) == 1:
        raise NotFound(f"Nobody goes by the distinct_id {query.distinct_id!r}")
    last_row = timeline[query.limit - 1] if len(timeline) > query.limit else None
    return PersonAnswer(
        person_id=person,
        distinct_ids=ids,
        properties=_properties(pairs),
        events=events,
        first_seen=utc(first) if events else None,
        last_seen=utc(last) if events else None,
        links=[
            LinkShown(source=source, target=target, at=utc(at), is_forced=is_forced, is_refused=is_refused)
            for at, is_forced, source, target, is_refused in links
        ],
        timeline=[read_event(row) for row in timeline[: query.limit]],
        next_cursor=None if last_row is None else write_cursor(last_row[4], str(last_row[0])),
        meta=meta,
    )


def _properties(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in sorted(pairs)}
