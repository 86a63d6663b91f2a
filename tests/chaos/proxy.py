"""A TCP proxy between two programs that do not know of it, for tests to harm their connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from itertools import count
from typing import Any


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes everything on to `target`, until told otherwise. Thread-safe."""

    def __init__(self, target: int = 0) -> None:
        """`target`: the port that connections go to; may be set later, and changed."""
        self.target = target
        self.others: list[int] = []  # ports that take connections in turn with `target`, as behind a front
        self.refusing = False  # new connections are closed at once
        self.silent = False  # bytes are held back, as if the network swallowed them
        self.delay = 0.0  # seconds that every piece of data waits, in both directions
        self.answers_to_cut = 0  # connections to cut instead of passing on the answer to …
        self.cut_after = b""  # … a request that contains this
        self._open: set[asyncio.StreamWriter] = set()
        self._turn = count()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    def cut(self) -> None:
        """Reset every connection that is open now."""
        self._run(self._cut())

    def heal(self) -> None:
        """Pass everything on again."""
        self.refusing = self.silent = False
        self.delay = 0.0
        self.answers_to_cut = 0

    def close(self) -> None:
        """Cut everything and listen no more."""
        self._run(self._cut())
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=self._listening)

    async def _stop(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            ports = [self.target, *self.others]
            there, back = await asyncio.open_connection("127.0.0.1", ports[next(self._turn) % len(ports)])
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._open |= ends
        asked = asyncio.Event()  # a request that is not to be answered has passed
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, back, asked, answers=False))
                both.create_task(self._pass(there, writer, asked, answers=True))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open -= ends
            for each in ends:
                each.transport.abort()

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, asked: asyncio.Event, *, answers: bool
    ) -> None:
        seen = b""
        while data := await source.read(1 << 16):
            if answers and asked.is_set():
                asked.clear()
                if self.answers_to_cut:
                    self.answers_to_cut -= 1
                    raise ConnectionResetError
            elif not answers and self.answers_to_cut:
                seen = seen[-200:] + data
                if self.cut_after in seen:
                    asked.set()
                    seen = b""
            if self.delay:
                await asyncio.sleep(self.delay)
            while self.silent:
                await asyncio.sleep(0.05)
            sink.write(data)
            await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()
