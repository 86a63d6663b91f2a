"""Sending events: one request, from its first byte to its answer, in whatever dialect its path speaks.

A raw ASGI endpoint, because a framework's request handling would cost more than all of the work done here.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
import uuid_utils
from starlette.types import Receive, Scope, Send

from footfall_capture.accept import Facts, Outcome, accept
from footfall_capture.body import BodyReader, Disconnected, drain
from footfall_capture.decode import Envelope, Unreadable, decode
from footfall_capture.dialects import Dialect
from footfall_capture.dialects.posthog import CAPTURE
from footfall_capture.keys import find_key, no_key_error, read_key_error
from footfall_capture.metrics import CaptureMetrics
from footfall_capture.origins import cors_headers, preflight_headers
from footfall_capture.rates import Rate
from footfall_capture.request import Headers, Request
from footfall_capture.unwrap import unwrap
from footfall_core.addresses import ClientAddress
from footfall_core.auth import ProjectDirectory
from footfall_core.errors import AppError, BadRequest, TooLarge, TooManyRequests, Unauthorized, Unavailable
from footfall_core.eventlog import EventLog, LogUnavailable, Record
from footfall_core.events import MAX_BODY_BYTES

logger = structlog.get_logger(__name__)

# Larger bodies are worked on in a thread, one at a time, so that small ones need not wait for them.
INLINE_BYTES: Final = 128 * 1024
MAX_USER_AGENT: Final = 1_000
MAX_PARAMETERS: Final = 20
"""Parameters in a query string; SDKs send up to five."""

_LATER: Final = frozenset((408, 429))
"""The statuses below 500 after which sending again may help."""

_JSON: Final = (b"content-type", b"application/json")
_OK: Final = b'{"status":"ok"}'


def make_uuid() -> str:
    """A new UUIDv7."""
    return str(uuid_utils.uuid7())


class Outage:
    """Logs when something needed goes away and when it is back, and not for every request between."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lasts = False

    def begin(self, reason: str) -> None:
        """A call failed."""
        if not self._lasts:
            self._lasts = True
            logger.warning("something needed is away", what=self._what, reason=reason)

    def end(self) -> None:
        """A call succeeded."""
        if self._lasts:
            self._lasts = False
            logger.info("it is back", what=self._what)


class Capture:
    """The endpoint. Answers 200 when every accepted event is durable in `log`."""

    def __init__(
        self,
        *,
        log: EventLog,
        directory: ProjectDirectory,
        reader: BodyReader,
        client_address: ClientAddress,
        metrics: CaptureMetrics,
        key_rate: Rate,
        address_rate: Rate,
        open_project_id: int | None = None,
        clock: Callable[[], float] = time.time,
        new_uuid: Callable[[], str] = make_uuid,
    ) -> None:
        self._log = log
        self._log_outage = Outage("event log")
        self._directory = directory
        self._directory_outage = Outage("Auth API")
        self._reader = reader
        self._client_address = client_address
        self._metrics = metrics
        self._key_rate = key_rate
        self._address_rate = address_rate
        self._open_project_id = open_project_id
        self._clock = clock
        self._new_uuid = new_uuid
        self._large = asyncio.Semaphore(1)
        self._dialect = CAPTURE

    def speaking(self, dialect: Dialect) -> Capture:
        """The same endpoint for another dialect. All that it stands on is shared."""
        other = copy.copy(self)
        other._dialect = dialect
        return other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: answer one request."""
        headers: Headers = dict(scope["headers"])
        cors = cors_headers(headers.get(b"origin"))
        if scope["method"] == "OPTIONS":
            requested = headers.get(b"access-control-request-headers")
            await _send(send, 200, (_JSON, *cors, *preflight_headers(requested)), _OK)
            return
        started = time.perf_counter()
        now = int(self._clock() * 1000)
        request = Request(headers, _peer(scope), _forwarded_for(scope, headers), now, scope["path"], _parameters(scope))
        body: bytes | None = None
        try:
            address = self._client_address(request.peer, request.forwarded_for)
            _limit(self._address_rate, address or "unknown", "from this address")
            body = await self._reader.read(receive, headers.get(b"content-length"))
            self._metrics.body_bytes.inc(len(body))
            answer = await self.capture(body, request, address)
        except AppError as refusal:
            error = self._dialect_error(refusal)
            status, answer = error.status, error.body()
            named = ((name.encode(), value.encode()) for name, value in error.headers().items())
            if body is None:
                await _refuse(receive, send, status, (*named, *cors), answer, headers)
            else:
                await _send(send, status, (*named, *cors), answer)
            self._metrics.answered(status, time.perf_counter() - started)
        except Disconnected:
            self._metrics.answered("disconnected", time.perf_counter() - started)
        else:
            await _send(send, 200, (_JSON, *cors), answer)
            self._metrics.answered(200, time.perf_counter() - started)
        finally:
            if body is not None:
                self._reader.release(body)

    async def capture(self, body: bytes, request: Request, address: str) -> bytes:
        """Store the events of `body`, sent from `address`; return the answer's JSON. Raises `AppError` for any
        other answer."""
        envelope, is_large = await self._decode(body, request)
        key, project_id = await self._find_project(envelope, request)
        _limit(self._key_rate, key, "with this write key")
        facts = Facts(
            project_id=project_id,
            write_key=key,
            now=request.now,
            ip=address,
            user_agent=request.header(b"user-agent")[:MAX_USER_AGENT],
            new_uuid=self._new_uuid,
        )
        if is_large:
            async with self._large:
                envelope, outcome = await asyncio.to_thread(self._accept, envelope, request, facts)
        else:
            envelope, outcome = self._accept(envelope, request, facts)
        await self._append(outcome.records)
        for rejection in outcome.rejections:
            self._metrics.rejected[rejection.reason].inc()
        self._metrics.accepted.inc(outcome.accepted)
        return self._dialect.answer(outcome, envelope)

    def _dialect_error(self, error: AppError) -> AppError:
        """The error as SDKs of this dialect take it: what may succeed later must not make them throw events away."""
        if self._dialect.only_5xx and error.status in _LATER:
            return Unavailable(error.detail, retry_after=error.retry_after or 1.0)
        return error

    def _accept(self, envelope: Envelope, request: Request, facts: Facts) -> tuple[Envelope, Outcome]:
        envelope = self._dialect.read(envelope, request)
        return envelope, accept(envelope, facts)

    async def _decode(self, body: bytes, request: Request) -> tuple[Envelope, bool]:
        """The body's events, and whether there are so many that a thread should work on them."""
        if len(body) <= INLINE_BYTES:
            try:
                text = unwrap(body, request, INLINE_BYTES)
            except TooLarge:
                pass
            else:
                return decode(text), False
        async with self._large:
            return await asyncio.to_thread(_decode_large, body, request), True

    async def _find_project(self, envelope: Envelope, request: Request) -> tuple[str, int]:
        """The write key, and the project whose it is."""
        key = find_key(envelope, request.header(b"authorization"), request.header(b"x-api-key"))
        if key is None:
            if self._open_project_id is not None:
                return "", self._open_project_id
            raise _unreadable_error(envelope) or no_key_error()
        project = self._directory.recall(key)
        if project is None:
            try:
                project = await self._directory.resolve(key)
            except Unavailable as error:
                self._directory_outage.begin(error.detail)
                raise Unavailable(
                    "The write key cannot be checked right now. Send the events again.",
                    retry_after=error.retry_after,
                ) from None
            self._directory_outage.end()
        if project is None:
            if self._open_project_id is not None:
                return key, self._open_project_id
            raise Unauthorized("No project has this write key.")
        if project.type != "write":
            raise read_key_error()
        return key, project.project_id

    async def _append(self, records: Sequence[Record]) -> None:
        started = time.perf_counter()
        try:
            await self._log.append(records)
        except LogUnavailable as error:
            self._log_outage.begin(error.reason)
            raise Unavailable(
                "The events cannot be stored right now. Send them again.", retry_after=error.retry_after
            ) from None
        self._metrics.append_seconds.observe(time.perf_counter() - started)
        self._log_outage.end()


def _limit(rate: Rate, whose: str, words: str) -> None:
    if (wait := rate.take(whose)) is not None:
        raise TooManyRequests(f"Too many requests {words}. Send the events again later.", retry_after=wait)


def _decode_large(body: bytes, request: Request) -> Envelope:
    return decode(unwrap(body, request, MAX_BODY_BYTES))


def _unreadable_error(envelope: Envelope) -> AppError | None:
    """Without a key, but with an event that cannot be read and may hold it, that is what went wrong."""
    for event in envelope.events:
        if isinstance(event, Unreadable):
            return BadRequest(event.detail)
    return None


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _parameters(scope: Scope) -> dict[str, str]:
    query = scope["query_string"]
    try:
        return dict(parse_qsl(query.decode("latin-1"), max_num_fields=MAX_PARAMETERS)) if query else {}
    except ValueError:
        return {}


def _forwarded_for(scope: Scope, headers: Headers) -> str:
    if b"x-forwarded-for" not in headers:
        return ""
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b",".join(lines).decode("latin-1")


async def _send(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _refuse(
    receive: Receive,
    send: Send,
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    asked: Headers,
) -> None:
    """Answer before the body is complete, and end the connection in a way that lets the client read that."""
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [*headers, (b"content-length", b"%d" % len(body)), (b"connection", b"close")],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if asked.get(b"expect", b"").lower() != b"100-continue":
        await drain(receive)
    await send({"type": "http.response.body", "body": b""})
