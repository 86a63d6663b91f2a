"""The events themselves: what came in, which names there are, what was rejected. Pure, as the insights are."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from footfall_core.errors import field_errors
from footfall_core.events import MAX_REJECTED_PAYLOAD
from footfall_query.buckets import format_time
from footfall_query.documents import Answer, EventName, Meta, ProjectId
from footfall_query.filters import Document, Filters, Node, bind_time, where
from footfall_query.people import PERSON_ID
from footfall_query.properties import EVENTS, MILLISECONDS
from footfall_query.scope import UTC_ZONE, DateText, MomentText, Scope, Span, TimezoneName
from footfall_query.sql import Fragment, Params, Sql
from footfall_query.tables import Format

T = TypeVar("T")
MAX_PAGE: Final = 1_000
MAX_LOG_OFFSET: Final = 2**64 - 1

REJECTED: Final = Fragment("analytics.rejected_events")
RECEIVED: Final = Fragment("received_at")

_filters = TypeAdapter[list[Node]](Filters)


def read_filters(text: str) -> list[Node]:
    """Filters that were sent as JSON in a URL. Raises `ValueError`."""
    try:
        return _filters.validate_json(text)
    except ValidationError as error:
        found = field_errors(error.errors())[0]
        raise ValueError(f"{'.'.join(map(str, found['loc']))}: {found['msg']}".lstrip(": ")) from error


def check_filters(text: str | None) -> str | None:
    """`text` if it is filters. Raises `ValueError`."""
    if text is not None:
        read_filters(text)
    return text


def _read_cursor(text: str, *kinds: Callable[[Any], T]) -> tuple[int, list[T]]:
    """The Unix millisecond and the rest of the last item of a page. Raises `ValueError`."""
    try:
        instant, *rest = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        bind_time(instant, Params())
        return instant, [kind(value) for kind, value in zip(kinds, rest, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        raise ValueError("must be the next_cursor of an earlier answer") from error


def write_cursor(*values: Any) -> str:
    """What `next_cursor` says: the last item of a page."""
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _offset(value: Any) -> int:
    if type(value) is int and 0 <= value <= MAX_LOG_OFFSET:
        return value
    raise ValueError(value)


def read_event_cursor(text: str) -> tuple[int, list[UUID]]:
    return _read_cursor(text, UUID)


def read_person_cursor(text: str) -> tuple[int, list[int]]:
    return _read_cursor(text, _offset)


def read_rejected_cursor(text: str) -> tuple[int, list[int]]:
    return _read_cursor(text, _offset, _offset)


def check_cursor(read: Callable[[str], object]) -> AfterValidator:
    """A validator for cursors that `read` understands."""

    def check(text: str | None) -> str | None:
        if text is not None:
            read(text)
        return text

    return AfterValidator(check)


class Listing(Document):
    """The URL parameters of every list."""

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    date_from: DateText = "all"
    date_to: MomentText | None = Field(default=None, description="Default: no end.")
    timezone: TimezoneName | None = Field(default=None, description="Default: the project's.")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 100
    debug: bool = Field(default=False, description="Operators get the SQL with the answer.")
    format: Format | None = None


class EventsQuery(Listing):
    """Which events to list."""

    event: list[EventName] = Field(default=[], max_length=100, description="Any of these names; default: all.")
    distinct_id: Annotated[str, Field(max_length=1_000)] | None = None
    filters: Annotated[str | None, AfterValidator(check_filters)] = Field(
        default=None, max_length=50_000, description="Filters as in a query document, as JSON."
    )
    cursor: Annotated[str | None, check_cursor(read_event_cursor)] = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )


class EventNamesQuery(Listing):
    """Which names to list."""

    search: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Only names that contain this."
    )


class RejectedEventsQuery(Listing):
    """Which rejected events to list."""

    reason: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=100)
    cursor: Annotated[str | None, check_cursor(read_rejected_cursor)] = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )


class Event(BaseModel):
    """An event as it is stored. Times are UTC."""

    uuid: UUID
    event: str
    distinct_id: str
    person_id: UUID
    timestamp: str
    properties: dict[str, Any]
    session_id: str
    received_at: str


class EventNameCount(BaseModel):
    """A name, how many events have it, and when the latest did."""

    event: str
    count: int
    last_seen: str


class RejectedEvent(BaseModel):
    """What was sent with a valid key and could not be stored, and why."""

    reason: str
    detail: str
    source: str
    payload: str
    received_at: str
    log_partition: int
    log_offset: int


class EventsAnswer(Answer):
    results: list[Event]
    next_cursor: str | None


class EventNamesAnswer(Answer):
    results: list[EventNameCount]
    next_cursor: None = None


class RejectedEventsAnswer(Answer):
    results: list[RejectedEvent]
    next_cursor: str | None


EVENT_COLUMNS: Final = Fragment(
    f"uuid, event, distinct_id, {PERSON_ID}, {MILLISECONDS}, toJSONString(properties), session_id,\n"
    "    toUnixTimestamp64Milli(received_at)"
)
"""What `read_event` reads."""


def build_events(query: EventsQuery, scope: Scope) -> Sql:
    """Rows of `Event`'s fields with times in Unix milliseconds, newest first; one more than asked for."""
    p = Params()
    more: list[Fragment] = []
    if query.event:
        more.append(Fragment(f"event IN {p(query.event, 'Array(String)')}"))
    if query.distinct_id is not None:
        more.append(Fragment(f"distinct_id = {p(query.distinct_id, 'String')}"))
    if query.cursor is not None:
        instant, (last,) = read_event_cursor(query.cursor)
        scope = until(scope, instant)
        more.append(Fragment(f"(timestamp, uuid) < ({bind_time(instant, p)}, {p(str(last), 'UUID')})"))
    filters = read_filters(query.filters) if query.filters else []
    return Sql(
        f"""SELECT {EVENT_COLUMNS}
FROM {EVENTS}
{where(scope, filters, p, *more)}
ORDER BY timestamp DESC, uuid DESC
LIMIT {p(query.limit + 1, "UInt16")}""",
        p.values,
    )


def shape_events(query: EventsQuery, _: Scope, rows: Sequence[Sequence[Any]], meta: Meta) -> EventsAnswer:
    """A page of events."""
    last = rows[query.limit - 1] if len(rows) > query.limit else None
    return EventsAnswer(
        results=[read_event(row) for row in rows[: query.limit]],
        next_cursor=None if last is None else write_cursor(last[4], str(last[0])),
        meta=meta,
    )


def read_event(row: Sequence[Any]) -> Event:
    """A row of `EVENT_COLUMNS` as an event."""
    uuid, event, distinct_id, person_id, timestamp, properties, session_id, received_at = row
    return Event(
        uuid=uuid,
        event=event,
        distinct_id=distinct_id,
        person_id=person_id,
        timestamp=utc(timestamp),
        properties=json.loads(properties),
        session_id=session_id,
        received_at=utc(received_at),
    )


def build_event_names(query: EventNamesQuery, scope: Scope) -> Sql:
    """Rows of (event, count, last Unix millisecond), the most frequent first."""
    p = Params()
    more: list[Fragment] = []
    if query.search:
        more.append(Fragment(f"positionCaseInsensitiveUTF8(event, {p(query.search, 'String')}) > 0"))
    return Sql(
        f"""SELECT event, count() AS events, max({MILLISECONDS})
FROM {EVENTS}
{where(scope, [], p, *more)}
GROUP BY event
ORDER BY events DESC, event
LIMIT {p(query.limit, "UInt16")}""",
        p.values,
    )


def shape_event_names(_: EventNamesQuery, __: Scope, rows: Sequence[Sequence[Any]], meta: Meta) -> EventNamesAnswer:
    """The names."""
    return EventNamesAnswer(
        results=[EventNameCount(event=name, count=n, last_seen=utc(last)) for name, n, last in rows], meta=meta
    )


def build_rejected_events(query: RejectedEventsQuery, scope: Scope) -> Sql:
    """Rows of `RejectedEvent`'s fields with the time in Unix milliseconds, newest first; one more than asked for."""
    p = Params()
    more: list[Fragment] = []
    if query.reason:
        more.append(Fragment(f"reason IN {p(query.reason, 'Array(String)')}"))
    if query.cursor is not None:
        instant, (partition, offset) = read_rejected_cursor(query.cursor)
        scope = until(scope, instant)
        last = f"{bind_time(instant, p)}, {p(partition, 'UInt64')}, {p(offset, 'UInt64')}"
        more.append(Fragment(f"(received_at, log_partition, log_offset) < ({last})"))
    return Sql(
        f"""SELECT reason, detail, source, substringUTF8(payload, 1, {MAX_REJECTED_PAYLOAD}) AS payload,
    toUnixTimestamp64Milli(received_at), log_partition, log_offset
FROM {REJECTED}
{where(scope, [], p, *more, time=RECEIVED)}
ORDER BY received_at DESC, log_partition DESC, log_offset DESC
LIMIT {p(query.limit + 1, "UInt16")}""",
        p.values,
    )


def shape_rejected_events(
    query: RejectedEventsQuery, _: Scope, rows: Sequence[Sequence[Any]], meta: Meta
) -> RejectedEventsAnswer:
    """A page of rejected events."""
    results = [
        RejectedEvent(
            reason=reason,
            detail=detail,
            source=source,
            payload=payload,
            received_at=utc(received_at),
            log_partition=partition,
            log_offset=offset,
        )
        for reason, detail, source, payload, received_at, partition, offset in rows
    ]
    last = rows[query.limit - 1] if len(rows) > query.limit else None
    return RejectedEventsAnswer(
        results=results[: query.limit],
        next_cursor=None if last is None else write_cursor(*last[4:]),
        meta=meta,
    )


def until(scope: Scope, instant: int) -> Scope:
    """The scope up to a Unix millisecond, which still belongs to it. Lets ClickHouse skip what is newer."""
    return replace(scope, span=Span(scope.span.start, min(scope.span.end, instant + 1)))


def utc(instant: int) -> str:
    """A Unix millisecond as ISO 8601."""
    return format_time(instant, UTC_ZONE, "milliseconds")
