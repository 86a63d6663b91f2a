"""Puts the Auth API together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from footfall_auth.attempts import Attempts
from footfall_auth.deps import Parts
from footfall_auth.passwords import Passwords
from footfall_auth.routes import internal, keys, members, projects, sessions, users
from footfall_auth.signing import Signer
from footfall_core.addresses import ClientAddress
from footfall_core.auth import derive_token
from footfall_core.body import BodyLimit
from footfall_core.database import check_tables
from footfall_core.errors import Unavailable
from footfall_core.web import Readiness, make_app, problem

MIGRATIONS: Final = Path(__file__).parent / "migrations"
MAX_BODY_BYTES: Final = 64 * 1024


def make_auth_app(
    engine: Engine,
    secret_key: str,
    *,
    registry: CollectorRegistry,
    readiness: Readiness | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    passwords: Passwords | None = None,
    attempts: Attempts | None = None,
    client_address: ClientAddress | None = None,
    allow_registration: bool = False,
) -> FastAPI:
    """The application over the database of `engine`, which it disposes of when it stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = make_app(
        "Footfall Auth API",
        registry=registry,
        readiness=readiness or make_readiness(engine),
        lifespan=lifespan,
        description="Users, projects, members and keys.",
    )
    app.state.parts = Parts(
        engine=engine,
        operator_token=derive_token(secret_key, "operator"),
        internal_token=derive_token(secret_key, "internal"),
        clock=clock,
        resolved=Counter(
            "footfall_auth_keys_resolved", "Questions about keys, by answer.", ["answer"], registry=registry
        ),
        signed_in=Counter("footfall_auth_sign_ins", "Sign-ins, by answer.", ["answer"], registry=registry),
        passwords=passwords or Passwords(),
        signer=Signer(engine, secret_key, clock),
        attempts=attempts or Attempts(),
        client_address=client_address or ClientAddress(()),
        allow_registration=allow_registration,
    )
    for error in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(error, _answer_database_away)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    for module in (sessions, users, projects, members, keys, internal):
        app.include_router(module.router)
    return app


def make_readiness(engine: Engine) -> Readiness:
    """Ready when the database answers and has this version's tables."""
    return Readiness({"database": check_tables(engine, "auth", MIGRATIONS)})


async def _answer_database_away(_: Request, __: Exception) -> Response:
    return problem(Unavailable("The database does not answer; try again shortly", retry_after=2.0))
