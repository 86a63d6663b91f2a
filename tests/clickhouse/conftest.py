"""The server that the contract suite runs against: FOOTFALL_TEST_CLICKHOUSE_URL, or a bridge of its own."""

import os
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from footfall_embedded.testing import running_bridge


@pytest.fixture(scope="session")
def clickhouse_url() -> Iterator[str]:
    """Where ClickHouse answers, with the user and password if it needs them."""
    given = os.environ.get("FOOTFALL_TEST_CLICKHOUSE_URL")
    if given:
        yield given.rstrip("/")
        return
    with running_bridge() as url:
        yield url


@pytest.fixture(scope="session")
def connection(clickhouse_url: str) -> dict[str, Any]:
    """Arguments of clickhouse-connect's clients."""
    parts = urlsplit(clickhouse_url)
    return {
        "host": parts.hostname,
        "port": parts.port or 8123,
        "username": parts.username or "default",
        "password": parts.password or "",
        "interface": parts.scheme,
    }


@pytest.fixture(scope="session")
def database(connection: dict[str, Any]) -> Iterator[str]:
    """A database for this run."""
    name = f"contract_{uuid.uuid4().hex[:12]}"
    with clickhouse_connect.get_client(**connection) as client:
        client.command(f"CREATE DATABASE {name}")
        yield name
        client.command(f"DROP DATABASE {name} SYNC")


@pytest.fixture(scope="session")
def client(connection: dict[str, Any], database: str) -> Iterator[Client]:
    """clickhouse-connect's synchronous client."""
    with clickhouse_connect.get_client(**connection, database=database, autogenerate_session_id=False) as client:
        yield client


@pytest.fixture(scope="session")
def http(clickhouse_url: str, database: str) -> Iterator[httpx.Client]:
    """Plain HTTP, for what the drivers hide."""
    parts = urlsplit(clickhouse_url)
    with httpx.Client(
        base_url=f"{parts.scheme}://{parts.hostname}:{parts.port or 8123}",
        auth=(parts.username or "default", parts.password or ""),
        params={"database": database},
        timeout=60,
    ) as client:
        yield client


@pytest.fixture
def table(client: Client) -> Iterator[str]:
    """An empty table `(id UInt32, name String, properties JSON)`."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    client.command(f"CREATE TABLE {name} (id UInt32, name String, properties JSON) ENGINE = MergeTree ORDER BY id")
    yield name
    client.command(f"DROP TABLE {name} SYNC")
