"""`footfall-query`: serve (the default), migrate the metadata database, or print the OpenAPI document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from footfall_core.auth import ProjectDirectory, derive_token
from footfall_core.clickhouse import AsyncClickHouse
from footfall_core.database import migrate_database, open_database
from footfall_core.telemetry import configure_logging, make_registry
from footfall_core.web import serve
from footfall_query.app import MIGRATIONS, make_query_app, make_readiness
from footfall_query.cache import open_cache
from footfall_query.jobs.store import JobTimes
from footfall_query.jobs.worker import JobLimits
from footfall_query.runner import PATIENCE_SECONDS, Limits
from footfall_query.settings import QuerySettings
from footfall_query.stream.tail import Pace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 1 when it failed."""
    parser = argparse.ArgumentParser("footfall-query", description="Footfall's Query API.")
    parser.add_argument("command", nargs="?", default="serve", choices=["serve", "migrate", "openapi"])
    command = parser.parse_args(arguments).command
    if command == "openapi":
        sys.stdout.write(openapi_document())
        return 0
    try:
        settings = QuerySettings.read()
        if command == "migrate":
            migrate_database(settings.database_url_for("query"), MIGRATIONS)
        else:
            _serve(settings)
    except (ValueError, SQLAlchemyError) as error:
        sys.stderr.write(f"footfall-query {command}: {error}\n")
        return 1
    return 0


def openapi_document() -> str:
    """The public API as JSON. Needs no settings, and connects to nothing."""
    app = make_query_app(
        AsyncClickHouse("http://localhost"),
        ProjectDirectory("http://localhost", ""),
        open_database("sqlite://"),
        "-" * 32,
        registry=CollectorRegistry(),
    )
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def _serve(settings: QuerySettings) -> None:
    secret_key = settings.require_secret_key()
    configure_logging("query", settings.log_level, settings.log_format)
    limits = Limits(settings.query_max_seconds, settings.query_max_memory_bytes)
    job_limits = JobLimits(
        Limits(settings.query_job_max_seconds, settings.query_job_max_memory_bytes),
        settings.query_jobs_at_once,
        settings.query_job_result_bytes,
    )
    # A little longer than ClickHouse takes to give up by itself.
    longest = max(limits.seconds, job_limits.each.seconds)
    clickhouse = AsyncClickHouse(settings.clickhouse_url, timeout=longest + PATIENCE_SECONDS)
    directory = ProjectDirectory(settings.auth_url, derive_token(secret_key, "internal"))
    engine = open_database(settings.database_url_for("query"))
    readiness = make_readiness(clickhouse, directory, engine)
    app = make_query_app(
        clickhouse,
        directory,
        engine,
        secret_key,
        registry=make_registry(),
        readiness=readiness,
        cache=open_cache(settings.redis_url, settings.query_cache_bytes),
        limits=limits,
        job_limits=job_limits,
        job_times=JobTimes(
            keep=timedelta(seconds=settings.query_job_keep_seconds),
            lease=timedelta(seconds=settings.query_job_lease_seconds),
        ),
        pace=Pace(per_second=settings.query_stream_events_per_second),
    )
    serve(app, host=settings.host, port=settings.query_port, readiness=readiness)


if __name__ == "__main__":
    sys.exit(main())
