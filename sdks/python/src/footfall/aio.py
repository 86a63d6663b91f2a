"""The same for asyncio. Events are queued without waiting; only flushing and stopping are awaited."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from footfall.client import Client
from footfall.sender import EXIT_SECONDS


class AsyncClient:
    """A client whose `flush` and `shutdown` do not hold up the event loop.

    `capture`, `identify`, `alias` and `set` are those of `Client`, and are called without `await`: they only queue.
    """

    def __init__(self, client: Client) -> None:
        """`client` does the work; one may serve threads and event loops at once."""
        self._client = client
        self.capture = client.capture
        self.identify = client.identify
        self.alias = client.alias
        self.set = client.set

    async def flush(self, timeout: float = 10.0) -> bool:  # noqa: ASYNC109  the same argument as the other client's
        """As `Client.flush`."""
        return await asyncio.to_thread(self._client.flush, timeout)

    async def shutdown(self, timeout: float = EXIT_SECONDS) -> bool:  # noqa: ASYNC109
        """As `Client.shutdown`."""
        return await asyncio.to_thread(self._client.shutdown, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.shutdown()
