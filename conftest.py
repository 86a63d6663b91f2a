"""For every test: what a program configures for its whole process does not outlive the test that ran it; and
servers that several suites share, one of each a process of pytest."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from brokers import Kafka, KafkaMissing, fetch_jars, running_kafka
from footfall_embedded.testing import ServerMissing, running_postgres, running_redis

# Of sixty examples, hypothesis by itself makes about ten anew, half of these as small as can be, and varies each a
# little. Larger and slower tests get through whole bugs that way; every example drawn independently does not.
AVAILABLE_PROVIDERS["independent"] = "hypothesis.internal.conjecture.providers.HypothesisProvider"
settings.register_profile("independent", settings(), backend="independent")
settings.load_profile("independent")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A service's `main` sends the process's log to the stderr that it finds, here a test's own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL. Make a schema of your own in it."""
    yield from _started(running_postgres())


@pytest.fixture(scope="session")
def postgres_schema(postgres_url: str) -> Callable[[], AbstractContextManager[str]]:
    """Makes a schema; gives its SQLAlchemy URL, and drops it at the end."""

    @contextmanager
    def make() -> Iterator[str]:
        name = f"test_{uuid.uuid4().hex}"
        server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        yield make_url(postgres_url).update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(False)
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        server.dispose()

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy URL of a database without tables, of each kind: a file, or a schema of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/metadata.db"
    else:
        with request.getfixturevalue("postgres_schema")() as url:
            yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis. Use names of your own in it."""
    yield from _started(running_redis())


def _started(server: AbstractContextManager[str]) -> Iterator[str]:
    """The server's URL while it runs."""
    try:
        with server as url:
            yield url
    except ServerMissing as missing:
        _do_without(missing)


@pytest.fixture(scope="session")
def kafka(kafka_is_there: None) -> Iterator[Kafka]:
    """One real broker, for tests that do it no harm."""
    with running_kafka() as running:
        yield running


@pytest.fixture(scope="session")
def kafka_is_there() -> None:
    """For tests that start brokers of their own."""
    try:
        fetch_jars()
    except KafkaMissing as missing:
        _do_without(missing)


def _do_without(missing: Exception) -> NoReturn:
    """Where a server cannot be had, tests are skipped, but not unnoticed in continuous integration."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"{missing}, and in continuous integration every test has to run")
    pytest.skip(f"NOT TESTED on a real server: {missing}")
