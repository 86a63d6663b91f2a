"""A migrated database and the application over it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from footfall_auth.app import MIGRATIONS, make_auth_app
from footfall_auth.models import Table
from footfall_auth.passwords import Passwords
from footfall_core.auth import derive_token
from footfall_core.database import migrate_database, open_database

SECRET = "a secret of at least thirty-two characters"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "auth.db"
    migrate_database(f"sqlite:///{path}", MIGRATIONS)
    return path


@pytest.fixture(scope="session")
def migrated_schema(postgres_schema: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    with postgres_schema() as url:
        migrate_database(url, MIGRATIONS)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with empty tables, as new. Migrating for every test would take most of the time."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "auth.db")
        return f"sqlite:///{tmp_path}/auth.db"
    url: str = request.getfixturevalue("migrated_schema")
    engine = open_database(url)
    with engine.begin() as connection:
        names = ", ".join(table.name for table in Table.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(engine: Engine, clock: Clock) -> FastAPI:
    return make_auth_app(engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=CHEAP)


@dataclass
class Person:
    """Somebody with an account. `client` sends their access token; None until they sign in."""

    id: int
    email: str
    password: str
    tokens: dict[str, Any] = field(default_factory=dict)


PASSWORD = "correct horse battery"
Connect = Callable[[str | None], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def connect(app: FastAPI) -> Connect:
    """Opens a client that sends the given bearer token."""

    @asynccontextmanager
    async def connect(token: str | None) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://auth", headers=headers) as client:
            yield client

    return connect


@pytest.fixture
async def operator(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(derive_token(SECRET, "operator")) as client:
        yield client


@pytest.fixture
async def internal(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(derive_token(SECRET, "internal")) as client:
        yield client


SignUp = Callable[..., Any]


@pytest.fixture
async def people(connect: Connect, operator: httpx.AsyncClient) -> AsyncIterator[SignUp]:
    """Makes a user who is signed in: a client that sends their access token, with their account as `person`."""
    async with AsyncExitStack() as stack:

        async def sign_up(name: str, *, is_admin: bool = False) -> httpx.AsyncClient:
            email = f"{name}@example.com"
            wanted = {"email": email, "password": PASSWORD, "is_admin": is_admin}
            made = await operator.post("/users", json=wanted)
            assert made.status_code == 201, made.text
            person = Person(made.json()["id"], email, PASSWORD)
            anyone = await stack.enter_async_context(connect(None))
            signed_in = await anyone.post("/auth/login", json={"email": email, "password": PASSWORD})
            assert signed_in.status_code == 200, signed_in.text
            person.tokens = signed_in.json()
            client = await stack.enter_async_context(connect(person.tokens["access_token"]))
            client.person = person  # type: ignore[attr-defined]
            return client

        yield sign_up


@pytest.fixture
async def root(people: SignUp) -> Any:
    """The first user, who is admin of the platform."""
    return await people("root")


@pytest.fixture
async def anyone(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(None) as client:
        yield client
