"""Hands the browser's requests on to the services, so that all of them have one origin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import httpx
import structlog
from starlette.types import Message, Receive, Scope, Send

from footfall_core.errors import AppError, TooLarge, Unavailable

logger = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
LOOK_SECONDS: Final = 0.5
"""How often a stream without news looks whether the server is stopping."""
_HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
     b"transfer-encoding", b"upgrade", b"host", b"content-length"}
)  # fmt: skip
_OWN: Final = _HOP_BY_HOP | {b"date", b"server", b"x-request-id"}
"""What this server says itself about an answer."""


class Gone(Exception):
    """The browser does not wait any more."""


class Forward:
    """An ASGI application. `upstreams` are base URLs by the first part of the path."""

    def __init__(
        self, client: httpx.AsyncClient, upstreams: Mapping[str, str], is_draining: Callable[[], bool]
    ) -> None:
        self._client = client
        self._upstreams = upstreams
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A browser that leaves takes its request along, so that no query runs for nobody."""
        try:
            body = await _read_body(receive)
        except TooLarge as error:
            await _send_problem(send, error)
            return
        except Gone:
            return
        working = asyncio.ensure_future(self._answer(scope, body, send))
        leaving = asyncio.ensure_future(_wait_until_gone(receive))
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (working, leaving):
                if not each.done():
                    each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _answer(self, scope: Scope, body: bytes, send: Send) -> None:
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        base = self._upstreams[scope["path"].split("/", 2)[1]]
        query = scope["query_string"].decode("latin-1")
        try:
            request = self._client.build_request(
                scope["method"],
                f"{base}{path}?{query}" if query else f"{base}{path}",
                headers=_request_headers(scope),
                content=body,
            )
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            logger.warning("a service does not answer", url=base, error=repr(error))
            await _send_problem(send, Unavailable("The service behind this page does not answer", retry_after=2.0))
            return
        try:
            await send(_start(response))
            is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
            chunks = self._until_draining(response.aiter_raw()) if is_stream else response.aiter_raw()
            try:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except httpx.HTTPError as error:
                if not is_stream:  # an answer that breaks off must not look complete
                    raise
                logger.info("a stream ended early", error=repr(error))
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()

    async def _until_draining(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Streams have no end of their own that a server which stops could wait for."""

        async def read() -> bytes | None:
            return await anext(chunks, None)

        reading = asyncio.ensure_future(read())
        try:
            while not self._is_draining():
                done, _ = await asyncio.wait({reading}, timeout=LOOK_SECONDS)
                if not done:
                    continue
                chunk = reading.result()
                if chunk is None:
                    return
                yield chunk
                reading = asyncio.ensure_future(read())
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, httpx.HTTPError):
                await reading


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"A request may have at most {MAX_BODY_BYTES} bytes")
        if not message.get("more_body", False):
            return b"".join(parts)


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _request_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The browser's headers, with its address at the end of `X-Forwarded-For`."""
    kept = [(name, value) for name, value in scope["headers"] if name not in _HOP_BY_HOP]
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id is not None:  # one request has one id, in the logs of every service that it passes
        kept = [(name, value) for name, value in kept if name != b"x-request-id"]
        kept.append((b"x-request-id", str(request_id).encode()))
    client = scope.get("client")
    if client is None:
        return kept
    given = [value for name, value in kept if name == b"x-forwarded-for"]
    others = [(name, value) for name, value in kept if name != b"x-forwarded-for"]
    return [*others, (b"x-forwarded-for", b", ".join([*given, str(client[0]).encode()]))]


def _start(response: httpx.Response) -> Message:
    headers = [(name.lower(), value) for name, value in response.headers.raw]
    length = [(name, value) for name, value in headers if name == b"content-length"]
    return {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": [(name, value) for name, value in headers if name not in _OWN] + length,
    }


async def _send_problem(send: Send, error: AppError) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers().items()]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error.body()})
