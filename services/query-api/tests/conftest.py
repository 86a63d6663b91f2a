"""A platform to test on, shared by all tests; every test has projects of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from footfall_core.clickhouse import ClickHouse
from footfall_core.database import migrate_database
from footfall_core.migrate import migrate, read_migrations
from footfall_embedded.testing import running_bridge
from footfall_query.app import MIGRATIONS
from footfall_query.runner import Limits

sys.path.append(str(Path(__file__).parent))  # tests share modules, which importlib mode does not look for

from query_platform import NOW, Platform, Project, client_of


@pytest.fixture(scope="session")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_bridge(tmp_path_factory.mktemp("clickhouse")) as url:
        clickhouse = ClickHouse(url)
        folder = Path(__file__).parents[3] / "schemas" / "clickhouse"
        migrate(clickhouse, events_ttl_days=0, migrations=read_migrations(folder))
        clickhouse.close()
        yield url


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('database')}/query.db"
    migrate_database(url, MIGRATIONS)
    return url


@pytest.fixture(scope="session")
def shared_platform(clickhouse_url: str, database_url: str) -> Iterator[Platform]:
    with asyncio.Runner() as loop:
        platform = Platform(clickhouse_url, loop, ClickHouse(clickhouse_url), database_url)
        yield platform

        async def close() -> None:
            async with platform.app.router.lifespan_context(platform.app):
                await platform.client.aclose()

        platform.run(close())
        platform.clickhouse.close()


@pytest.fixture
def any_database(empty_database: str) -> str:
    """A migrated database of its own, of each kind."""
    migrate_database(empty_database, MIGRATIONS)
    return empty_database


@pytest.fixture
def platform(shared_platform: Platform) -> Iterator[Platform]:
    """The platform, with its clock and its Auth API as they were when the test is over."""
    yield shared_platform
    shared_platform.now, shared_platform.auth_is_away = NOW, False


@pytest.fixture
def project(platform: Platform) -> Project:
    """A project in UTC whose weeks begin on Sunday."""
    return platform.project()


@pytest.fixture
def limited(platform: Platform) -> Callable[[Limits], httpx.AsyncClient]:
    """A client of an application with other limits."""
    return lambda limits: client_of(platform.make_app(platform.clickhouse_url, limits=limits))
