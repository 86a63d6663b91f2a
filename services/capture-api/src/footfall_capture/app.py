"""The parts of the Capture API, put together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import Route

from footfall_capture.body import BodyReader, Patience
from footfall_capture.document import describe
from footfall_capture.metrics import CaptureMetrics
from footfall_capture.paths import PATHS
from footfall_capture.rates import Rate, Sums, sharing
from footfall_capture.routes import Capture
from footfall_capture.script import BUILT, SCRIPT_PATH, script_routes
from footfall_capture.settings import CaptureSettings
from footfall_capture.stubs import stub_routes
from footfall_core.addresses import ClientAddress
from footfall_core.auth import ProjectDirectory
from footfall_core.eventlog import EventLog
from footfall_core.web import Check, Readiness, make_app

logger = structlog.get_logger(__name__)

TITLE = "Footfall Capture API"


def make_readiness(log: EventLog, directory: ProjectDirectory) -> Readiness:
    """Ready while the event log takes records, from the moment the Auth API has answered once."""
    return Readiness({"event log": log.check, "auth": _answered_once(directory)})


def make_capture_app(
    settings: CaptureSettings,
    *,
    log: EventLog,
    directory: ProjectDirectory,
    registry: CollectorRegistry,
    readiness: Readiness,
    clock: Callable[[], float] = time.time,
    sums: Sums | None = None,
    script: Path = BUILT,
) -> FastAPI:
    """The application. It closes `log` and `directory` when it stops. `clock` gives Unix seconds, `sums` counts
    requests together with other processes, `script` is the built web SDK. Raises `ValueError` for paths in `settings`
    that are taken."""
    rates = Rate("key", settings.capture_key_rate, clock), Rate("address", settings.capture_address_rate, clock)
    capture = Capture(
        log=log,
        directory=directory,
        reader=BodyReader(
            Patience(settings.capture_body_idle_seconds, settings.capture_body_total_seconds),
            settings.capture_buffer_bytes,
        ),
        client_address=ClientAddress(settings.trusted_proxies),
        metrics=CaptureMetrics(registry),
        key_rate=rates[0],
        address_rate=rates[1],
        open_project_id=settings.capture_open_project_id,
        clock=clock,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.capture_open_project_id is not None:
            logger.warning(
                "ANYBODY MAY SEND EVENTS: requests without a valid key go to a project. For development only",
                project_id=settings.capture_open_project_id,
                setting="FOOTFALL_CAPTURE_OPEN_PROJECT_ID",
            )
        async with sharing(rates, sums):
            yield
        await log.close()
        await directory.close()

    renamed = [(settings.capture_path, *PATHS[0][1:])] if settings.capture_path else []
    routes = [
        Route(f"{path}{slash}", capture.speaking(dialect), methods=[*methods, "OPTIONS"])
        for path, dialect, methods in (*PATHS, *renamed)
        for slash in ("", "/")
    ]
    scripts = script_routes(script, [path for path in (SCRIPT_PATH, settings.capture_script_path) if path])
    app = make_app(
        TITLE,
        registry=registry,
        readiness=readiness,
        lifespan=lifespan,
        routes=[*routes, *stub_routes(), *scripts],
        # Looking for a tracer takes a twentieth of a small request's time; the metrics here are Prometheus's.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    describe(app)
    _require_different_paths(app)
    return app


def _require_different_paths(app: FastAPI) -> None:
    """What was renamed must not hide, or be hidden by, what is there already."""
    seen: set[str] = set()
    for route in app.routes:
        path = getattr(route, "path", "")
        if path in seen:
            raise ValueError(f"FOOTFALL_CAPTURE_PATH and FOOTFALL_CAPTURE_SCRIPT_PATH: {path} is taken")
        seen.add(path)


def openapi_document() -> dict[str, object]:
    """The service's OpenAPI document. Needs no settings, no log and no Auth API."""
    app = make_app(TITLE, registry=CollectorRegistry(), readiness=Readiness({}))
    describe(app)
    return app.openapi()


def _answered_once(directory: ProjectDirectory) -> Check:
    """Known keys go on working without the Auth API, so only a process that never reached it is unready."""
    answered = False

    async def check() -> None:
        nonlocal answered
        if not answered:
            await directory.check()
            answered = True

    return check
