"""A pipe from the engine's thread to the event loop: a bounded queue of result bytes."""

import asyncio
import contextlib
import fcntl
import os

_CAPACITY = 256 * 1024


class Pipe:
    """The engine opens `path` and writes; it waits while the pipe is full. The event loop reads."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # the user's limit for pipes is reached: the default will do
                fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, _CAPACITY)
        self.path = b"/dev/fd/%d" % self._writer

    def end(self) -> None:
        """No more will be written. Called once, by the thread that writes."""
        os.close(self._writer)

    def read(self) -> bytes | None:
        """What is there now; empty at the end; None when there is nothing yet."""
        try:
            return os.read(self._reader, _CAPACITY)
        except BlockingIOError:
            return None

    def when_readable(self) -> asyncio.Future[None]:
        """Done when there is something to read, or the end."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            loop.remove_reader(self._reader)
            if not ready.done():
                ready.set_result(None)

        loop.add_reader(self._reader, wake)
        return ready

    def discard(self) -> None:
        """From now on throw away what comes, so that the engine never waits."""
        loop = asyncio.get_running_loop()

        def drain() -> None:
            if self.read() == b"":
                loop.remove_reader(self._reader)

        loop.add_reader(self._reader, drain)

    def close(self) -> None:
        """Close the reading end."""
        asyncio.get_running_loop().remove_reader(self._reader)
        os.close(self._reader)
