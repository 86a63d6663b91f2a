"""Reading a request's body from the connection, bounded in size and time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive

from footfall_core.errors import AppError, TooLarge, Unavailable
from footfall_core.events import MAX_BODY_BYTES

_DRAIN_BYTES: Final = 3 * MAX_BODY_BYTES
_DRAIN_SECONDS: Final = 5.0


class RequestTimeout(AppError):
    status, title = 408, "Request timeout"


class Disconnected(Exception):
    """The client went away before its body was complete; nobody waits for an answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a body may take: seconds without a byte of it, and seconds in all."""

    idle: float = 30.0
    total: float = 120.0


class BodyReader:
    """Reads bodies; all that are held at once, until they are released, stay near `max_buffered` bytes."""

    def __init__(self, patience: Patience, max_buffered: int) -> None:
        self._patience = patience
        self._max_buffered = max_buffered
        self._buffered = 0

    async def read(self, receive: Receive, content_length: bytes | None) -> bytes:
        """The whole body, as it travelled. The caller gives it back with `release`.

        Raises `TooLarge` (at once if `content_length` says so), `RequestTimeout`, `Unavailable` when other
        bodies fill the memory, and `Disconnected`.
        """
        if content_length is not None and content_length.isdigit() and int(content_length) > MAX_BODY_BYTES:
            raise _too_large()
        loop = asyncio.get_running_loop()
        start = loop.time()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout_at(start + self._patience.idle) as timeout:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Disconnected
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    self._buffered += len(part)
                    parts.append(part)
                    if size > MAX_BODY_BYTES:
                        raise _too_large()
                    if not message.get("more_body", False):
                        return part if len(parts) == 1 else b"".join(parts)
                    if self._buffered > self._max_buffered:
                        raise Unavailable("Too many bodies are being sent at once.")
                    timeout.reschedule(min(loop.time() + self._patience.idle, start + self._patience.total))
        except BaseException as error:
            self._buffered -= size
            if isinstance(error, TimeoutError):
                raise RequestTimeout(f"The body did not arrive in time: {size} bytes came.") from None
            raise

    def release(self, body: bytes) -> None:
        """The body is no longer needed."""
        self._buffered -= len(body)


async def drain(receive: Receive) -> None:
    """Read on, within bounds, and throw it away.

    Closing a connection on which the client still sends would reset it, and the answer would be lost.
    """
    size = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while size < _DRAIN_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                size += len(message.get("body", b""))
    except TimeoutError:
        return


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
