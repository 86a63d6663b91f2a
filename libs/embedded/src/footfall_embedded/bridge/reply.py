"""A result on its way to the client: held back while it may still become an error, then streamed."""

import asyncio
import secrets
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import IO, Any

from footfall_embedded.bridge.encoding import Compressor, make_compressor
from footfall_embedded.bridge.spool import refuse_full_disk, write_all

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_PIECE_BYTES = 1 << 20
_LARGE_BYTES = 64 * 1024  # pieces above this are compressed in a thread


class Reply:
    """One response: `push` the result's pieces, then `finish` or `break_off`, and `close` in any case.

    Each of them raises TimeoutError when the client takes nothing for `stall_seconds`, and EngineError when the disk
    is full.
    """

    def __init__(
        self,
        send: Send,
        headers: Callable[[], Awaitable[Headers]],
        *,
        encoding: str,
        level: int,
        buffer_bytes: int,
        stall_seconds: float,
        whole: bool,
        folder: Path,
    ) -> None:
        """`headers` is asked for when the response starts, which is when the result exceeds `buffer_bytes`.

        `whole`: start only when the result is complete, and keep the rest of it in a file in `folder`.
        """
        self._send = send
        self._headers = headers
        self._encoding = encoding
        self._compressor: Compressor | None = make_compressor(encoding, level) if encoding else None
        self._buffer_bytes = buffer_bytes
        self._stall_seconds = stall_seconds
        self._whole = whole
        self._folder = folder
        self._held: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._tag = secrets.token_hex(8).encode()
        self.started = False
        self.result_bytes = 0

    async def push(self, data: bytes) -> None:
        """A piece of the result. Waits while the client is slow."""
        self.result_bytes += len(data)
        if self._file is not None:
            self._keep(data)
        elif self.started:
            await self._send_piece(await self._compress(data))
        else:
            self._held.append(data)
            if self.result_bytes > self._buffer_bytes:
                await self._let_go()

    async def _let_go(self) -> None:
        data = b"".join(self._held)
        self._held.clear()
        if self._whole:
            with refuse_full_disk(self._folder):
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 (closed by close)
            self._keep(data)
        else:
            await self._start(None)
            await self._send_piece(await self._compress(data))

    def _keep(self, data: bytes) -> None:
        assert self._file is not None
        with refuse_full_disk(self._folder):
            write_all(self._file, data)

    async def finish(self) -> None:
        """The result is complete."""
        if not self.started and self._file is None:
            body = b"".join(self._held)
            if body:
                body = await self._compress(body) + self._flush()
            else:
                self._encoding = ""
            await self._start(len(body))
            await self._send_piece(body, more=False)
            return
        if self._file is not None:
            await self._start(None)
            self._file.seek(0)
            while data := self._file.read(_PIECE_BYTES):
                await self._send_piece(await self._compress(data))
        await self._send_piece(self._flush(), more=False)

    async def break_off(self, error: str) -> None:
        """Tell a client that already has a part of the result why there is no more.

        The response has no proper end: the connection must break, as a ClickHouse server breaks it.
        """
        message = error.encode("utf-8", "replace")
        block = b"\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n"
        tail = block % (self._tag, message, len(message) + 1, self._tag)
        await self._send_piece(await self._compress(tail) + self._flush())

    def close(self) -> None:
        """Free what the reply holds."""
        if self._file is not None:
            self._file.close()

    async def _start(self, length: int | None) -> None:
        headers = await self._headers()
        headers.append((b"x-clickhouse-exception-tag", self._tag))
        if self._encoding:
            headers.append((b"content-encoding", self._encoding.encode()))
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        self.started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _send_piece(self, data: bytes, more: bool = True) -> None:
        if data or not more:
            async with asyncio.timeout(self._stall_seconds):
                await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def _compress(self, data: bytes) -> bytes:
        if self._compressor is None:
            return data
        if len(data) > _LARGE_BYTES:
            return await asyncio.to_thread(self._compressor.compress, data)
        return self._compressor.compress(data)

    def _flush(self) -> bytes:
        return b"" if self._compressor is None else self._compressor.flush()
