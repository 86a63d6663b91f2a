"""Who may run now: a bounded number of statements of each kind, and a short queue for the rest."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from footfall_embedded.bridge.errors import refuse

T = TypeVar("T")


class Lane:
    """Places and threads for one kind of statement, so that no kind starves another."""

    def __init__(self, name: str, size: int, wait_seconds: float) -> None:
        """`size`: statements at once. `wait_seconds`: how long another may wait before it is refused."""
        self.name = name
        self.size = size
        self._free = size
        self._wait_seconds = wait_seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=f"bridge-{name}")

    def enter_now(self) -> bool:
        """Take a place, if one is free."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    async def enter(self) -> None:
        """Take a place, in turn. Raises EngineError 202 when there is none in time."""
        if self.enter_now():
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.leave()  # it was given at the very moment of giving up
            elif place in self._waiting:
                self._waiting.remove(place)
            if isinstance(error, TimeoutError):
                raise refuse(
                    "TOO_MANY_SIMULTANEOUS_QUERIES", f"Too many simultaneous queries. Maximum: {self.size}."
                ) from None
            raise

    def leave(self) -> None:
        """Give the place to the one who has waited longest."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run `work` in a thread of the lane. The caller should have a place."""
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for the threads to end."""
        self._threads.shutdown(wait=True)
