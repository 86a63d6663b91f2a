"""Puts the Query API together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from footfall_core.auth import ProjectDirectory, derive_token
from footfall_core.body import BodyLimit
from footfall_core.clickhouse import AsyncClickHouse
from footfall_core.database import check_tables
from footfall_core.errors import Unavailable
from footfall_core.web import Readiness, make_app, problem
from footfall_query import person_routes, routes
from footfall_query.answers import Answers
from footfall_query.autocomplete import routes as autocomplete
from footfall_query.cache import Cache, MemoryCache
from footfall_query.dashboards import routes as dashboards
from footfall_query.dashboards.store import DashboardStore
from footfall_query.deps import Parts
from footfall_query.erase import keep_erasing
from footfall_query.jobs import routes as jobs_routes
from footfall_query.jobs.store import JobStore, JobTimes
from footfall_query.jobs.worker import JobLimits, Worker
from footfall_query.runner import Limits, Runner
from footfall_query.stream import routes as stream
from footfall_query.stream.tail import Pace, Tails

MIGRATIONS: Final = Path(__file__).parent / "migrations"
MAX_BODY_BYTES: Final = 1024 * 1024
CACHE_BYTES: Final = 64_000_000


def make_query_app(
    clickhouse: AsyncClickHouse,
    directory: ProjectDirectory,
    engine: Engine,
    secret_key: str,
    *,
    registry: CollectorRegistry,
    readiness: Readiness | None = None,
    cache: Cache | None = None,
    limits: Limits = Limits(),
    job_limits: JobLimits = JobLimits(),
    job_times: JobTimes = JobTimes(),
    pace: Pace = Pace(),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The application over these parts, which it closes when it stops. It works on jobs while it runs."""
    cache = cache or MemoryCache(CACHE_BYTES)
    readiness = readiness or make_readiness(clickhouse, directory, engine)
    runner = Runner(clickhouse, limits=limits, clock=clock, registry=registry)
    jobs = JobStore(engine, clock, job_times)
    worker = Worker(jobs, runner, directory, limits=job_limits, registry=registry)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        working = {asyncio.create_task(worker.run()), asyncio.create_task(keep_erasing(directory, engine))}
        yield
        for task in working:
            task.cancel()
        await asyncio.wait(working)
        await clickhouse.close()
        await directory.close()
        await cache.close()
        engine.dispose()

    app = make_app(
        "Footfall Query API",
        registry=registry,
        readiness=readiness,
        lifespan=lifespan,
        description="Questions about one project's events.",
    )
    app.state.parts = Parts(
        answers=Answers(runner, cache, clock=clock, registry=registry),
        runner=runner,
        jobs=jobs,
        worker=worker,
        dashboards=DashboardStore(engine, clock),
        tails=Tails(runner, pace=pace, clock=clock, registry=registry),
        draining=lambda: readiness.draining,
        clock=clock,
        directory=directory,
        operator_token=derive_token(secret_key, "operator"),
    )
    for error in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(error, _answer_database_away)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    for module in (routes, person_routes, autocomplete, stream, jobs_routes, dashboards):
        app.include_router(module.router)
    return app


def make_readiness(clickhouse: AsyncClickHouse, directory: ProjectDirectory, engine: Engine) -> Readiness:
    """Ready when ClickHouse and the Auth API answer, and the database has this version's tables."""

    async def check_auth() -> None:
        await directory.check()
        await directory.signing_keys()  # so that tokens can be verified when it is away later

    database = check_tables(engine, "query", MIGRATIONS)
    return Readiness({"clickhouse": clickhouse.ping, "auth": check_auth, "database": database})


async def _answer_database_away(_: Request, __: Exception) -> Response:
    return problem(Unavailable("The database does not answer; try again shortly", retry_after=2.0))
