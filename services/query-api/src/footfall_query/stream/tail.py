"""Follows what arrives in a project, once for all who listen to it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from footfall_core.auth import ProjectInfo
from footfall_core.errors import AppError, TooManyRequests
from footfall_query.runner import Runner
from footfall_query.stream.position import (
    Arrival,
    Identity,
    Position,
    build_arrivals,
    build_start,
    read_arrivals,
    read_start,
)

logger = structlog.get_logger(__name__)

MAX_ARRIVALS: Final = 2_000
"""Events of a project that one look takes notice of."""
MAX_LISTENERS: Final = 100
"""Listeners of a project on one instance."""
REMEMBERED: Final = 20_000
"""Events that a stream knows as sent, so that a client's retry is not another event."""
MAX_QUEUED: Final = 1_000
"""Events that wait for a slow client; the oldest are skipped."""
WAKE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`look`: seconds between two looks at ClickHouse. `per_second`: events that one listener gets. `heartbeat`:
    seconds of silence. `end`: seconds after which a stream ends, so that it is asked anew who may listen."""

    look: float = 1.0
    per_second: int = 50
    heartbeat: float = 15.0
    end: float = 600.0


@dataclass(frozen=True, slots=True)
class Sent:
    """An event with the id to go on behind it; without an event, that `skipped` others were left out; with neither, a
    sign of life."""

    id: str
    arrival: Arrival | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a listener wants: of any of these names, and of this distinct_id; all, when it does not say."""

    events: Collection[str] = ()
    distinct_id: str | None = None

    def __contains__(self, arrival: Arrival) -> bool:
        event = arrival.event
        return (not self.events or event.event in self.events) and self.distinct_id in (None, event.distinct_id)


class Recent:
    """The identities that came last."""

    def __init__(self) -> None:
        self._known: OrderedDict[Identity, None] = OrderedDict()

    def add(self, identity: Identity) -> bool:
        """Whether it was not known."""
        if identity in self._known:
            return False
        self._known[identity] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return True


class Listener:
    """One client of a tail."""

    def __init__(self, tail: Tail, wanted: Wanted, pace: Pace) -> None:
        self._tail = tail
        self._wanted = wanted
        self._pace = pace
        self._waiting: deque[Sent] = deque()
        self._news = asyncio.Event()
        self._skipped = 0
        self._replayed: set[Identity] = set()
        self._since: Position | None = None

    async def begin(self, since: Position | None) -> None:
        """Listen from now on, or from a position. Raises `TooManyRequests`, `Unavailable`."""
        await self._tail.join(self)
        if since is None:
            return
        try:
            arrivals, others = await self._tail.look(since)
        except BaseException:
            self.close()
            raise
        # What came while we looked is in both: it waits already, and must not come twice.
        waiting, self._waiting, self._skipped = list(self._waiting), deque(), others
        recent = Recent()
        self.offer([(each, id) for each, id in _with_ids(since, arrivals) if recent.add(each.identity)], MAX_ARRIVALS)
        self._replayed = {arrival.identity for arrival in arrivals}
        self._waiting.extend(
            each for each in waiting if each.arrival is None or each.arrival.identity not in self._replayed
        )

    def close(self) -> None:
        self._tail.leave(self)

    def offer(self, arrivals: Collection[tuple[Arrival, str]], most: int, others: int = 0) -> None:
        """Take notice of what arrived: the newest `most` of what is wanted. `others` were not even looked at."""
        mine = [(each, id) for each, id in arrivals if each in self._wanted and each.identity not in self._replayed]
        self._skipped += others + max(0, len(mine) - most)
        self._waiting.extend(Sent(id, each) for each, id in mine[-most:])
        while len(self._waiting) > MAX_QUEUED + MAX_ARRIVALS:
            self._waiting.popleft()
            self._skipped += 1
        if self._waiting or self._skipped:
            self._news.set()

    async def sent(self, draining: Callable[[], bool]) -> AsyncIterator[Sent]:
        """What to send, until it is time to end. The first is a sign of life with the id to begin behind."""
        begun = alive = time.monotonic()
        yield Sent(str(self._tail.position) if not self._waiting else "")
        while not draining() and time.monotonic() - begun < self._pace.end:
            try:
                async with asyncio.timeout(min(WAKE_SECONDS, self._pace.heartbeat)):
                    await self._news.wait()
            except TimeoutError:
                if time.monotonic() - alive >= self._pace.heartbeat:
                    alive = time.monotonic()
                    yield Sent("")
                continue
            self._news.clear()
            alive = time.monotonic()
            if self._skipped:
                skipped, self._skipped = self._skipped, 0
                yield Sent("", skipped=skipped)
            while self._waiting:
                yield self._waiting.popleft()


class Tail:
    """Looks at ClickHouse while somebody listens to the project."""

    def __init__(
        self, project: ProjectInfo, runner: Runner, pace: Pace, clock: Callable[[], datetime], skipped: Counter
    ) -> None:
        self._project = project
        self._runner = runner
        self._pace = pace
        self._clock = clock
        self._counted_skipped = skipped
        self._listeners: set[Listener] = set()
        self._following: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._recent = Recent()
        self.position = Position(0, {})

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def join(self, listener: Listener) -> None:
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooManyRequests(f"{MAX_LISTENERS} listen to this project already", retry_after=30.0)
        self._listeners.add(listener)
        try:
            async with self._beginning:
                if self._following is None or self._following.done():
                    sql = build_start(self._project.project_id, self._clock())
                    self.position = read_start((await self._runner.fetch(sql, "stream", self._project)).rows)
                    self._following = asyncio.create_task(self._follow())
        except BaseException:
            self.leave(listener)
            raise

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners and self._following is not None:
            self._following.cancel()
            self._following = None

    async def look(self, position: Position, floor: int = 0) -> tuple[list[Arrival], int]:
        """What came behind the position, oldest first, and how many more there were; nothing up to `floor`."""
        sql = build_arrivals(self._project.project_id, position, floor, MAX_ARRIVALS, self._clock())
        return read_arrivals((await self._runner.fetch(sql, "stream", self._project)).rows)

    async def _follow(self) -> None:
        floor = 0
        most = max(1, round(self._pace.per_second * self._pace.look))
        while True:
            await asyncio.sleep(self._pace.look)
            try:
                arrivals, others = await self.look(self.position, floor)
            except AppError as error:
                logger.warning("a stream waits", project=self._project.project_id, error=error.detail)
                continue
            except Exception as error:
                logger.error("a stream waits", project=self._project.project_id, exc_info=error)
                continue
            named = _with_ids(self.position, arrivals)
            self.position = self.position.after(arrivals)
            if others:
                floor = self.position.instant  # what was skipped stays skipped
                self._counted_skipped.inc(others)
            new = [(arrival, id) for arrival, id in named if self._recent.add(arrival.identity)]
            for listener in list(self._listeners):
                listener.offer(new, most, others)


class Tails:
    """One tail for each project that somebody listens to."""

    def __init__(
        self, runner: Runner, *, pace: Pace, clock: Callable[[], datetime], registry: CollectorRegistry
    ) -> None:
        self._runner = runner
        self._pace = pace
        self._clock = clock
        self._tails: dict[int, Tail] = {}
        self._skipped = Counter(
            "footfall_query_stream_skipped_events", "Events that no listener was shown.", registry=registry
        )
        listeners = Gauge("footfall_query_stream_listeners", "Clients that listen to a live stream.", registry=registry)
        listeners.set_function(lambda: sum(tail.listeners for tail in self._tails.values()))

    async def listen(self, project: ProjectInfo, wanted: Wanted, since: Position | None) -> Listener:
        """A listener, to be closed by whoever gets it. Raises `TooManyRequests`, `Unavailable`."""
        for id, quiet in list(self._tails.items()):
            if not quiet.listeners:
                del self._tails[id]
        tail = self._tails.get(project.project_id)
        if tail is None:
            tail = Tail(project, self._runner, self._pace, self._clock, self._skipped)
            self._tails[project.project_id] = tail
        listener = Listener(tail, wanted, self._pace)
        await listener.begin(since)
        return listener


def _with_ids(position: Position, arrivals: Collection[Arrival]) -> list[tuple[Arrival, str]]:
    """Each with the position behind it as text."""
    named = []
    for arrival in arrivals:
        position = position.after([arrival])
        named.append((arrival, str(position)))
    return named
