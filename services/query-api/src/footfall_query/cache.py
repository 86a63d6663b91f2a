"""Where answers are kept for a while: in this process, or in Redis for all instances."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol, cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

PREFIX: Final = "footfall:query:answer:"
REDIS_SECONDS: Final = 0.5
"""How long one call to Redis may take. A slower Redis is worse than none."""
REST_SECONDS: Final = 5.0
"""How long Redis is left alone after it failed."""


class Cache(Protocol):
    """Keeps values for some seconds, or forgets them earlier. It never fails: what cannot be read is not there."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, seconds: float) -> None: ...

    async def close(self) -> None: ...


def open_cache(url: str, max_bytes: int) -> Cache:
    """The cache at `url`, `redis://…`; with an empty one, this process's memory. `max_bytes` bounds the memory, and
    an eighth of it one value. Raises `ValueError` for a URL that is none."""
    if not url:
        return MemoryCache(max_bytes)
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("FOOTFALL_REDIS_URL must look like redis://host:6379/0")
    return RedisCache(url, max_bytes // 8)


class MemoryCache:
    """The values that were used last, up to a number of bytes. `clock` tells seconds."""

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        until, value = self._known.get(key, (0.0, b""))
        if key not in self._known:
            return None
        if until <= self._clock():
            self._drop(key)
            return None
        self._known.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        self._drop(key)
        if len(value) > self._max_bytes // 8:
            return
        self._known[key] = self._clock() + seconds, value
        self._bytes += len(key) + len(value)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._known)))

    async def close(self) -> None:
        self._known.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        if key in self._known:
            _, value = self._known.pop(key)
            self._bytes -= len(key) + len(value)


class RedisCache:
    """Redis decides what it forgets when its memory is full. While it is away, nothing is known."""

    def __init__(self, url: str, max_value_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._max_value_bytes = max_value_bytes
        self._clock = clock
        self._rests_until = 0.0

    async def get(self, key: str) -> bytes | None:
        if self._clock() < self._rests_until:
            return None
        try:
            value = cast("bytes | None", await self._redis.get(PREFIX + key))
        except (RedisError, OSError) as error:
            self._rest(error)
            return None
        return value

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        if len(value) > self._max_value_bytes or self._clock() < self._rests_until:
            return
        try:
            await self._redis.set(PREFIX + key, value, px=max(1, int(seconds * 1000)))
        except (RedisError, OSError) as error:
            self._rest(error)

    async def close(self) -> None:
        await self._redis.aclose()

    def _rest(self, error: Exception) -> None:
        self._rests_until = self._clock() + REST_SECONDS
        logger.warning("Redis does not answer; questions are computed anew", error=str(error))
