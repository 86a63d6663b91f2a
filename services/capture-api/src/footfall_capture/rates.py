"""How many requests a key or an address may send, counted without asking anybody.

Each process counts in its own memory, which costs a request about a microsecond. When there is a Redis, the processes
tell each other a few times a second through it what they have counted, so that a limit holds for all of them together,
give or take what was sent in between. While Redis is away each process counts for itself, and capture goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

import redis.asyncio
import structlog
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

WINDOW_SECONDS: Final = 10
"""A limit of n a second is one of 10 n in ten seconds, so that a short burst is no offence."""
SHARE_SECONDS: Final = 0.25
REDIS_SECONDS: Final = 0.5
"""How long Redis may take to answer."""


class Rate:
    """Counts requests by whose they are. `per_second` 0: no limit. `clock` gives Unix seconds."""

    def __init__(self, what: str, per_second: int, clock: Callable[[], float] = time.time) -> None:
        self.what = what
        self._limit = per_second * WINDOW_SECONDS
        self._clock = clock
        self._window = 0
        self._used: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._told: dict[str, int] = {}

    def take(self, whose: str) -> float | None:
        """Count one request. The seconds until the next may come, if this one is too many."""
        if not self._limit:
            return None
        now = self._clock()
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window, self._used, self._others, self._told = window, {}, {}, {}
        used = self._used.get(whose, 0)
        if used + self._others.get(whose, 0) >= self._limit:
            return (window + 1) * WINDOW_SECONDS - now
        self._used[whose] = used + 1
        return None

    def untold(self) -> tuple[int, dict[str, int]]:
        """The window, and what was counted in it since the other processes were last told."""
        told = self._told
        return self._window, {
            whose: n - told.get(whose, 0) for whose, n in self._used.items() if n > told.get(whose, 0)
        }

    def tell(self, window: int, counted: dict[str, int], totals: Sequence[int]) -> None:
        """`counted` was told, and these are the sums of all processes after that, in the same order."""
        if window != self._window:
            return
        for (whose, number), total in zip(counted.items(), totals, strict=True):
            self._told[whose] = self._told.get(whose, 0) + number
            self._others[whose] = total - self._told[whose]


class Sums(Protocol):
    """Sums over all processes."""

    async def add(self, window: int, counted: dict[str, int]) -> list[int]:
        """Add to the sums of a window; returns them, in the same order. Raises `RedisError` or `OSError`."""

    async def close(self) -> None: ...


class RedisSums:
    """Sums in Redis: one name a window, forgotten with it."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, retry=None
        )

    async def add(self, window: int, counted: dict[str, int]) -> list[int]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name, number in counted.items():
                pipeline.incrby(f"footfall-capture:{window}:{name}", number)
                pipeline.expire(f"footfall-capture:{window}:{name}", 3 * WINDOW_SECONDS)
            return [int(total) for total in (await pipeline.execute())[::2]]

    async def close(self) -> None:
        await self._redis.aclose()


async def share(rates: Sequence[Rate], sums: Sums) -> None:
    """Tell the other processes once what was counted here, and learn what they counted."""
    for rate in rates:
        window, counted = rate.untold()
        if counted:
            totals = await sums.add(window, {f"{rate.what}:{whose}": number for whose, number in counted.items()})
            rate.tell(window, counted, totals)


@asynccontextmanager
async def sharing(rates: Sequence[Rate], sums: Sums | None) -> AsyncIterator[None]:
    """Share while the block runs; without `sums` there is nobody to share with."""
    if sums is None:
        yield
        return
    task = asyncio.create_task(_share_on(rates, sums))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await sums.close()


async def _share_on(rates: Sequence[Rate], sums: Sums) -> None:
    is_away = False
    while True:
        try:
            await share(rates, sums)
        except (RedisError, OSError) as error:
            if not is_away:
                logger.warning("Redis is away; each process limits by itself", reason=str(error))
            is_away = True
        else:
            if is_away:
                logger.info("Redis is back; limits hold for all processes together")
            is_away = False
        await asyncio.sleep(SHARE_SECONDS)
