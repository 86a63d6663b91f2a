"""Answers that are computed once: for all who ask the same at the same time, and for a while after."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from prometheus_client import CollectorRegistry, Counter

from footfall_core.auth import ProjectInfo
from footfall_query.cache import Cache
from footfall_query.documents import Answer, Question
from footfall_query.filters import list_values
from footfall_query.freshness import Mark
from footfall_query.runner import Asked, Insight, Runner
from footfall_query.scope import Span, parse_span, to_milliseconds

Q = TypeVar("Q", bound=Asked)
A = TypeVar("A", bound=Answer)

FORMAT: Final = 2
"""Grows when answers that were kept by an earlier version must not be read any more."""
OPEN_SECONDS: Final = 300.0
"""How long an answer is kept whose range is not over, as long as no event arrives."""
PAST_SECONDS: Final = 86_400.0
"""How long an answer is kept whose range is over, as long as no event arrives for it."""


class _Kept(msgspec.Struct, array_like=True):
    """An answer as it is kept, with the mark that was read before it was computed."""

    mark: Mark
    answer: bytes


_answer_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_kept_decoder = msgspec.msgpack.Decoder(_Kept)


@dataclass(slots=True)
class _Flight:
    """A question that is being answered, and how many wait for it."""

    working: asyncio.Task[bytes]
    waiting: int = field(default=0)


class Answers:
    """What routes, dashboards and jobs ask. `clock` tells the time in UTC."""

    def __init__(
        self, runner: Runner, cache: Cache, *, clock: Callable[[], datetime], registry: CollectorRegistry
    ) -> None:
        self._runner = runner
        self._cache = cache
        self._clock = clock
        self._flights: dict[str, _Flight] = {}
        self._counted = Counter(
            "footfall_query_cache", "Questions with a query document, by where the answer came from.", ["outcome"],
            registry=registry,
        )  # fmt: skip

    async def get(self, insight: Insight[Q, A], query: Q, project: ProjectInfo, *, debug: bool = False) -> bytes:
        """The answer as JSON; kept or shared unless it is for debugging, or a list. Raises what `Runner.run` does.

        Whoever stops waiting stops the question only if nobody else waits for it.
        """
        if debug or not isinstance(query, Question):
            answer = await self._runner.run(insight, query, project, debug=debug)
            return answer.model_dump_json().encode()
        now = self._clock()
        span = self._runner.span(insight, query, project, now)
        identity = _identify(insight.kind, query, project, span, now)
        if query.refresh:
            self._counted.labels("refreshed").inc()
            return await self._share(f"{identity} anew", lambda: self._compute(insight, query, project, span, identity))
        return await self._share(identity, lambda: self._find(insight, query, project, span, identity))

    async def _find(self, insight: Insight[Q, A], query: Q, project: ProjectInfo, span: Span, identity: str) -> bytes:
        started = perf_counter()
        kept = _read_kept(await self._cache.get(identity))
        if kept is not None and await self._runner.mark(project, span.end, kept.mark.since) == kept.mark:
            self._counted.labels("known").inc()
            return _as_known(kept.answer, started)
        self._counted.labels("computed").inc()
        return await self._compute(insight, query, project, span, identity)

    async def _compute(
        self, insight: Insight[Q, A], query: Q, project: ProjectInfo, span: Span, identity: str
    ) -> bytes:
        """Compute and keep. The mark comes first: of an event that arrives meanwhile, the answer may know or not, and
        the next one who asks gets another."""
        mark = await self._runner.mark(project, span.end)
        answer = await self._runner.run(insight, query, project)
        body = answer.model_dump_json().encode()
        is_over = span.end <= to_milliseconds(self._clock())
        if mark.is_settled:  # else the answer may be about people as they were
            kept = msgspec.msgpack.encode(_Kept(mark, body))
            await self._cache.put(identity, kept, PAST_SECONDS if is_over else OPEN_SECONDS)
        return body

    async def _share(self, identity: str, begin: Callable[[], Awaitable[bytes]]) -> bytes:
        flight = self._flights.get(identity)
        if flight is None:
            flight = _Flight(asyncio.ensure_future(_as_task(begin())))
            self._flights[identity] = flight
            flight.working.add_done_callback(lambda _: self._land(identity, flight))
        else:
            self._counted.labels("shared").inc()
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.working)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.working.done():
                self._land(identity, flight)
                flight.working.cancel()

    def _land(self, identity: str, flight: _Flight) -> None:
        if self._flights.get(identity) is flight:
            del self._flights[identity]
        if flight.working.done() and not flight.working.cancelled():
            flight.working.exception()  # also when nobody waited to the end


async def _as_task(work: Awaitable[bytes]) -> bytes:
    return await work


def _read_kept(kept: bytes | None) -> _Kept | None:
    try:
        return None if kept is None else _kept_decoder.decode(kept)
    except msgspec.DecodeError:
        return None


def _as_known(answer: bytes, started: float) -> bytes:
    """A kept answer as one for now: what it cost is the look."""
    parts = _answer_decoder.decode(answer)
    cost = {"elapsed_ms": round((perf_counter() - started) * 1000, 3), "rows_read": 0, "bytes_read": 0, "cached": True}
    parts["meta"] = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(parts["meta"], type=dict[str, Any]) | cost))
    return msgspec.json.encode(parts)


def _identify(kind: str, query: Question, project: ProjectInfo, span: Span, now: datetime) -> str:
    """A hash of all that an answer follows from, but for the events. Relative dates count as what they mean now."""
    document = query.model_dump(mode="json", exclude={"refresh", "project_id", "date_from", "date_to"})
    zone = query.timezone or project.timezone
    dates = [parse_span(date, now, ZoneInfo(zone), project.week_start) for date in _dates(document)]  # of filters
    whole = [
        FORMAT,
        kind,
        project.project_id,
        zone,
        project.week_start,
        span,
        query.date_from == "all",
        dates,
        document,
    ]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _dates(node: Any) -> Iterator[str]:
    """The dates in a document's filters."""
    if isinstance(node, dict):
        if str(node.get("operator")).startswith("is_date"):
            yield from map(str, list_values(node.get("value")))
        for inner in node.values():
            yield from _dates(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _dates(inner)
