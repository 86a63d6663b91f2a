"""Runs a question: build, fetch, shape. Nothing else in this package executes a statement."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar, get_type_hints
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry, Histogram
from pydantic import TypeAdapter

from footfall_core.auth import ProjectInfo
from footfall_core.clickhouse import AsyncClickHouse, ClickHouseRefused, ClickHouseUnavailable, Fetched
from footfall_core.errors import AppError, BadRequest, FieldError, TooExpensive, Unavailable
from footfall_query import events, ingestion, persons
from footfall_query.buckets import MAX_BUCKETS, TooManyBuckets
from footfall_query.compare import TooEarly
from footfall_query.documents import Answer, Meta
from footfall_query.freshness import Mark, build_mark
from footfall_query.insights import funnels, lifecycle, paths, retention, stickiness, trends
from footfall_query.points import NoSuchPoint
from footfall_query.scope import EmptyRange, Interval, Scope, Span, make_scope
from footfall_query.sql import Fragment, Params, Sql
from footfall_query.tables import JsonObject, Table, derive_table

logger = structlog.get_logger(__name__)


class Asked(Protocol):
    """What every query document and every list's parameters say about project and time."""

    @property
    def project_id(self) -> int | None: ...
    @property
    def date_from(self) -> str: ...
    @property
    def date_to(self) -> str | None: ...
    @property
    def timezone(self) -> str | None: ...


Q = TypeVar("Q", bound=Asked)
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class Insight(Generic[Q, A]):
    """A kind of question. `build` and `shape` are pure; `shape` also makes the answer's `meta` a part of it.

    `build_start` asks for the first event's Unix millisecond and the number of events; a kind that has it needs
    to know where a range without a start begins. `open_end`: without `date_to`, events to come count as well.
    `point` reads what names one of its answer's numbers, and `persons` is the WHERE of the events that show whom that
    number counts. `place`: where, in what is asked, the query document stands.
    """

    kind: str
    document: type[Q]
    build: Callable[[Q, Scope], Sql]
    shape: Callable[[Q, Scope, Sequence[Any], Meta], A]
    build_start: Callable[[Q, Scope], Sql] | None = None
    open_end: bool = False
    point: TypeAdapter[Any] | None = None
    persons: Callable[[Q, Scope, Any, Params], Fragment] | None = None
    place: Sequence[str | int] = ()

    def table(self, answer: JsonObject) -> Table:
        """An answer, as its JSON, as a table."""
        return derive_table(get_type_hints(self.shape)["return"], answer)


TRENDS: Final = Insight(
    "trends",
    trends.TrendsQuery,
    trends.build,
    trends.shape,
    trends.build_start,
    point=trends.POINT,
    persons=trends.persons,
)
FUNNEL: Final = Insight(
    "funnels", funnels.FunnelQuery, funnels.build, funnels.shape, point=funnels.POINT, persons=funnels.persons
)
RETENTION: Final = Insight(
    "retention",
    retention.RetentionQuery,
    retention.build,
    retention.shape,
    retention.build_start,
    point=retention.POINT,
    persons=retention.persons,
)
LIFECYCLE: Final = Insight(
    "lifecycle",
    lifecycle.LifecycleQuery,
    lifecycle.build,
    lifecycle.shape,
    lifecycle.build_start,
    point=lifecycle.POINT,
    persons=lifecycle.persons,
)
STICKINESS: Final = Insight(
    "stickiness",
    stickiness.StickinessQuery,
    stickiness.build,
    stickiness.shape,
    stickiness.build_start,
    point=stickiness.POINT,
    persons=stickiness.persons,
)
PATHS: Final = Insight("paths", paths.PathsQuery, paths.build, paths.shape, point=paths.POINT, persons=paths.persons)
EVENTS: Final = Insight("events", events.EventsQuery, events.build_events, events.shape_events, open_end=True)
EVENT_NAMES: Final = Insight(
    "event_names", events.EventNamesQuery, events.build_event_names, events.shape_event_names, open_end=True
)
REJECTED_EVENTS: Final = Insight(
    "rejected_events",
    events.RejectedEventsQuery,
    events.build_rejected_events,
    events.shape_rejected_events,
    open_end=True,
)
PERSONS: Final = Insight("persons", persons.PersonsQuery, persons.build_persons, persons.shape_persons, open_end=True)
PERSON: Final = Insight("person", persons.PersonQuery, persons.build_person, persons.shape_person, open_end=True)
INGESTION: Final = Insight("ingestion", ingestion.IngestionQuery, ingestion.build, ingestion.shape, open_end=True)
INSIGHTS: Final[Mapping[str, Insight[Any, Any]]] = {
    insight.kind: insight for insight in (TRENDS, FUNNEL, RETENTION, LIFECYCLE, STICKINESS, PATHS)
}
"""The questions that have a query document, by the name that clients use."""

SETTINGS: Final[Mapping[str, Any]] = {
    "readonly": 1,
    "cancel_http_readonly_queries_on_client_close": 1,
    "wait_end_of_query": 1,  # else the figures of what was read come before it is read
    # What is known of people becomes JSON as the Consumer makes it of events.
    "json_type_escape_dots_in_keys": 1,
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "output_format_json_escape_forward_slashes": 0,  # the text of an array is how JavaScript writes it
    "timeout_overflow_mode": "throw",
    "max_query_size": 4 * 1024 * 1024,
    "max_ast_elements": 200_000,
    "max_expanded_ast_elements": 2_000_000,
}

TOO_SLOW: Final = frozenset({159, 160, 209})
TOO_MUCH: Final = frozenset({158, 167, 168, 241, 307, 396})
NOT_NOW: Final = frozenset({60, 81, 202, 203, 210, 236, 242, 279, 319, 373, 394, 425, 516, 735, 999})
"""Missing tables, connections, replicas, shutdown, cancellation: all may be different in a moment."""
BAD_PATTERN: Final = 427

MAX_STATEMENT: Final = 128 * 1024
MAX_PARAMETER: Final = 60_000
"""Bytes. ClickHouse takes 128 KiB in a field of a form, and writing a text as a parameter may double it."""

PATIENCE_SECONDS: Final = 15.0
"""How much longer than a statement's own limit its answer is waited for."""

ADVICE: Final = "Ask for a shorter time, fewer series or steps, or a breakdown with fewer values"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may cost: seconds, and bytes of ClickHouse's memory."""

    seconds: float = 60.0
    memory_bytes: int = 4_000_000_000


class Runner:
    """Answers questions. `clock` tells the time in UTC."""

    def __init__(
        self,
        clickhouse: AsyncClickHouse,
        *,
        limits: Limits,
        clock: Callable[[], datetime],
        registry: CollectorRegistry,
    ) -> None:
        self._clickhouse = clickhouse
        self._limits = limits
        self._clock = clock
        self._name: str | None = None
        self._statements = 0
        self.rows_read = 0
        self._seconds = Histogram(
            "footfall_query_seconds",
            "Time to answer a question, by kind and outcome.",
            ["kind", "outcome"],
            registry=registry,
        )

    def apart(self, limits: Limits, name: str) -> Runner:
        """A runner with limits of its own. `progress` and `stop` know its statements by `name`, and its `rows_read`
        are those of the statements that are done."""
        other = copy.copy(self)
        other._limits, other._name, other._statements, other.rows_read = limits, name, 0, 0
        return other

    def span(self, insight: Insight[Q, A], query: Q, project: ProjectInfo, now: datetime) -> Span:
        """The range that a question asks about. Raises `BadRequest`."""
        try:
            return _scope(query, project, now, open_end=insight.open_end).span
        except EmptyRange as error:
            raise _wrong(["date_to"], str(error)) from error

    async def mark(self, project: ProjectInfo, until: int, since: int | None = None) -> Mark:
        """What was inserted since `since`, or a moment ago, of events before the Unix millisecond `until`."""
        sql = build_mark(project.project_id, until, self._clock(), since)
        ((begun, count, people),) = (await self.fetch(sql, "freshness", project)).rows
        return Mark(int(begun), int(count), int(people or 0))

    async def progress(self, name: str) -> tuple[int, int]:
        """The rows that the statements of the runner `name` have read so far, and about how many they will read."""
        sql = Sql(
            "SELECT sum(read_rows), sum(total_rows_approx) FROM system.processes\n"
            "WHERE startsWith(query_id, {p0:String})",
            {"p0": f"{name}-"},
        )
        ((read, total),) = (await self._clickhouse.fetch(sql.text, sql.parameters)).rows
        return int(read), int(total)

    async def stop(self, name: str) -> None:
        """End the statements of the runner `name`, wherever it runs."""
        await self._clickhouse.fetch("KILL QUERY WHERE startsWith(query_id, {p0:String}) ASYNC", {"p0": f"{name}-"})

    async def run(self, insight: Insight[Q, A], query: Q, project: ProjectInfo, *, debug: bool = False) -> A:
        """The answer to `query` about `project`. Raises `BadRequest`, `TooExpensive` or `Unavailable`."""
        started, outcome = time.perf_counter(), "cancelled"
        try:
            answer = await self._answer(insight, query, project, started, debug)
            outcome = "ok"
            return answer
        except AppError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._seconds.labels(insight.kind, outcome).observe(time.perf_counter() - started)

    async def _answer(self, insight: Insight[Q, A], query: Q, project: ProjectInfo, started: float, debug: bool) -> A:
        now = self._clock()
        rows_read = bytes_read = 0
        try:
            scope = _scope(query, project, now, open_end=insight.open_end)
            if scope.open_start and insight.build_start is not None:
                first = await self._fetch(insight.build_start(query, scope), insight.kind, query, project)
                rows_read, bytes_read = first.rows_read, first.bytes_read
                ((instant, count),) = first.rows
                scope = scope.starting(min(instant if count else scope.span.end - 1, scope.span.end - 1))
            sql = insight.build(query, scope)
        except EmptyRange as error:
            raise _wrong([*insight.place, "date_to"], str(error)) from error
        except TooManyBuckets as error:
            message = f"the range has more than {MAX_BUCKETS} of these; take a longer interval or a shorter range"
            raise _wrong([*insight.place, "interval"], message) from error
        except TooEarly as error:
            raise _wrong([*insight.place, "compare"], "there is nothing to ask about so much earlier") from error
        except NoSuchPoint as error:
            raise _wrong(["point", error.field], str(error)) from error
        fetched = await self._fetch(sql, insight.kind, query, project)
        meta = Meta(
            elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
            rows_read=rows_read + fetched.rows_read,
            bytes_read=bytes_read + fetched.bytes_read,
            cached=False,
            computed_at=now,
            sql=sql.text if debug else None,
        )
        return insight.shape(query, scope, fetched.rows, meta)

    async def fetch(self, sql: Sql, kind: str, project: ProjectInfo) -> Fetched:
        """The rows of a statement that belongs to no query document. Raises `TooExpensive` or `Unavailable`."""
        return await self._fetch(sql, kind, None, project)

    async def _fetch(self, sql: Sql, kind: str, query: object, project: ProjectInfo) -> Fetched:
        _check_size(sql)
        comment = {
            "kind": kind,
            "project_id": project.project_id,
            "request_id": structlog.contextvars.get_contextvars().get("request_id"),
        }
        settings = {
            **SETTINGS,
            **sql.settings,
            "max_execution_time": self._limits.seconds,
            "max_memory_usage": self._limits.memory_bytes,
            "log_comment": json.dumps(comment),
        }
        if self._name is not None:
            self._statements += 1
            settings["query_id"] = f"{self._name}-{self._statements}"
        try:
            async with asyncio.timeout(self._limits.seconds + PATIENCE_SECONDS):
                fetched = await self._clickhouse.fetch(sql.text, sql.parameters, settings)
            self.rows_read += fetched.rows_read
            return fetched
        except TimeoutError as error:
            raise Unavailable("ClickHouse does not answer in time; try again shortly", retry_after=2.0) from error
        except ClickHouseUnavailable as error:
            logger.warning("ClickHouse does not answer", kind=kind, error=str(error))
            raise Unavailable("ClickHouse does not answer; try again shortly", retry_after=2.0) from error
        except ClickHouseRefused as error:
            raise self._explain(error, query) from error

    def _explain(self, error: ClickHouseRefused, query: object) -> Exception:
        """ClickHouse's error as ours; what only a bug here can cause stays what it is."""
        if error.code in TOO_SLOW:
            return TooExpensive(f"The question took longer than {self._limits.seconds:g} seconds. {ADVICE}")
        if error.code == 241 and "(total)" in error.message:
            return Unavailable("ClickHouse is short of memory right now; try again shortly", retry_after=5.0)
        if error.code in TOO_MUCH:
            return TooExpensive(f"The question needs more memory than it may have. {ADVICE}")
        if error.code in NOT_NOW:
            logger.warning("ClickHouse refused for now", code=error.code, error=error.message)
            return Unavailable("ClickHouse cannot answer right now; try again shortly", retry_after=2.0)
        if error.code == BAD_PATTERN:
            return _bad_pattern(query, error.message)
        return error


def _scope(query: Asked, project: ProjectInfo, now: datetime, *, open_end: bool) -> Scope:
    interval: Interval | None = getattr(query, "interval", None)
    return make_scope(
        project.project_id,
        date_from=query.date_from,
        date_to=query.date_to,
        zone=ZoneInfo(query.timezone or project.timezone),
        week_start=project.week_start,
        now=now,
        interval=interval,
        open_end=open_end,
    )


def _check_size(sql: Sql) -> None:
    longest = max((len(str(value).encode()) for value in sql.parameters.values()), default=0)
    if len(sql.text) > MAX_STATEMENT or longest > MAX_PARAMETER:
        raise TooExpensive("The question is too long. Ask with fewer filters, values, series or steps")


def _wrong(loc: list[str | int], message: str) -> BadRequest:
    return BadRequest(f"{loc[-1]}: {message}", errors=[FieldError(loc=loc, msg=message)])


def _bad_pattern(query: object, message: str) -> BadRequest:
    """Names the filters whose pattern ClickHouse complains about."""
    _, _, complaint = message.partition("cannot compile re2: ")
    complaint, _, _ = complaint.partition(". Look at")
    reason = complaint.rpartition(", error: ")[2] or "it cannot be compiled"
    told = f"invalid regular expression: {reason}"
    document = query.model_dump(by_alias=True) if hasattr(query, "model_dump") else {}
    found = [FieldError(loc=loc, msg=told) for loc, pattern in _patterns(document, []) if pattern in complaint]
    return BadRequest(f"{found[0]['loc'] if found else 'filters'}: {told}", errors=found)


def _patterns(node: object, loc: list[str | int]) -> list[tuple[list[str | int], str]]:
    """Every regular expression in a document, with the place where it stands."""
    if isinstance(node, dict) and node.get("operator") in ("regex", "not_regex"):
        values = node["value"] if isinstance(node["value"], list) else [node["value"]]
        return [([*loc, "value"], value) for value in values]
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, value in inner for found in _patterns(value, [*loc, key])]
