"""The shell that every service's FastAPI application shares: errors, request ids, health, metrics."""

from __future__ import annotations

import logging
import re
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from footfall_core.errors import AppError, BadRequest, FieldError, field_errors

logger = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[None]]
"""Raises, with a sentence about what is missing, while the service cannot do its work."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Readiness:
    """What a service needs to do its work. `draining` turns it unready before it stops."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self.draining = False

    async def missing(self) -> dict[str, str]:
        """The names of what is missing, each with the reason."""
        missing = {"draining": "the service is stopping"} if self.draining else {}
        for name, check in self._checks.items():
            try:
                await check()
            except Exception as error:  # noqa: BLE001  any failure of a check is the answer
                missing[name] = str(error) or type(error).__name__
        return missing


def make_app(
    title: str, *, registry: CollectorRegistry, readiness: Readiness, lifespan: Any = None, **options: Any
) -> FastAPI:
    """An application with problem+json errors, request ids, `/livez`, `/readyz` and `/metrics`."""
    app = FastAPI(title=title, version="0.1.0", lifespan=lifespan, redoc_url=None, **options)
    app.add_middleware(_RequestId)
    app.add_exception_handler(AppError, _answer_app_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_crash)

    @app.get("/livez", tags=["operations"], summary="Is the process alive? Asks nothing else.")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        tags=["operations"],
        summary="Can it do its work? Names what is missing.",
        responses={503: {"description": "Not ready"}},
    )
    async def readyz() -> JSONResponse:
        missing = await readiness.missing()
        body = {"status": "unavailable", "missing": missing} if missing else {"status": "ok"}
        return JSONResponse(body, 503 if missing else 200)

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics.", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app


def problem(error: AppError) -> Response:
    """The HTTP answer for an error."""
    return Response(error.body(), error.status, error.headers())


async def _answer_app_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    return problem(error)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = field_errors(error.errors())
    first = errors[0] if errors else FieldError(loc=[], msg="invalid request")
    where = ".".join(str(part) for part in first["loc"])
    return problem(BadRequest(f"{where}: {first['msg']}" if where else first["msg"], errors=errors))


async def _answer_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = AppError(str(error.detail))
    answer.status, answer.title = error.status_code, str(error.detail)
    return Response(answer.body(), error.status_code, {**answer.headers(), **(error.headers or {})})


async def _answer_crash(request: Request, error: Exception) -> Response:
    logger.error("request failed", path=request.url.path, exc_info=error)
    return problem(AppError("Something went wrong here. The log has the details under this request's id."))


class _RequestId:
    """Gives every request an id: the caller's `X-Request-Id` when it is harmless, else a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")


def serve(app: FastAPI, *, host: str, port: int, readiness: Readiness, drain_seconds: float = 25.0) -> None:
    """Run until SIGTERM or SIGINT, then drain: unready first, and running requests finish.

    Returns after a signal; raises `SystemExit` with a code above 0 when it cannot listen or start.
    """

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            readiness.draining = True
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who is believed about a client's address is each service's own decision
        timeout_graceful_shutdown=int(drain_seconds),
        timeout_keep_alive=75,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logger.info("listening", url=f"http://{host}:{port}")
    # The server raises the signal again once it has stopped, which is no reason to die of it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        Server(config).run()
    except SystemExit as end:
        if end.code:
            raise


def _leave(_: int, __: FrameType | None) -> None:
    raise SystemExit(0)
