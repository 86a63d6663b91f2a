"""Puts the dashboard's server together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from footfall_core.errors import NotFound, Unavailable
from footfall_core.files import File, answer_file
from footfall_core.web import Readiness, make_app
from footfall_dashboard.files import INDEX, find_file
from footfall_dashboard.forward import Forward
from footfall_dashboard.settings import DashboardSettings

QUERY_PATHS: Final = ("api",)
AUTH_PATHS: Final = ("auth", "projects", "users")
METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
"""Nothing from elsewhere, and no script or style that is not a file of the build."""
SECURITY_HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


def make_dashboard_app(
    settings: DashboardSettings,
    files: Mapping[str, File],
    *,
    registry: CollectorRegistry,
    readiness: Readiness | None = None,
    client: httpx.AsyncClient | None = None,
) -> FastAPI:
    """The application: built pages, and the way to the Query and the Auth API under the same origin."""
    ready = readiness or make_readiness(files)
    upstream = client or httpx.AsyncClient(
        timeout=httpx.Timeout(10.0, read=None), limits=httpx.Limits(max_connections=500)
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await upstream.aclose()

    app = make_app(
        "Footfall dashboard", registry=registry, readiness=ready, lifespan=lifespan, docs_url=None, openapi_url=None
    )
    app.add_middleware(_SecurityHeaders)
    upstreams = {
        **dict.fromkeys(QUERY_PATHS, settings.query_url),
        **dict.fromkeys(AUTH_PATHS, settings.auth_url),
    }
    forward = Forward(upstream, upstreams, lambda: ready.draining)
    for name in upstreams:
        for path in (f"/{name}", f"/{name}/{{rest:path}}"):
            app.router.routes.append(Route(path, forward, methods=METHODS))

    @app.get("/config.json")
    async def config() -> Response:
        shown = {"capture_url": settings.public_capture_url or None, "capture_port": settings.capture_port}
        return JSONResponse(shown, headers={"cache-control": "no-cache"})

    @app.api_route("/{path:path}", methods=["GET", "HEAD"])
    async def page(path: str, request: Request) -> Response:
        found = find_file(files, path)
        if found is None:
            raise NotFound(f"There is no file {path}")
        return answer_file(found, request)

    return app


def make_readiness(files: Mapping[str, File]) -> Readiness:
    """Ready when there is something to serve. The services behind have their own readiness."""

    async def check_pages() -> None:
        if INDEX not in files:
            raise Unavailable("the pages are not built: run `make dashboard`, which needs Node 20 or newer")

    return Readiness({"pages": check_pages})


class _SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers)
