"""Metadata databases: one SQLAlchemy model and one Alembic history serve SQLite and PostgreSQL."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from anyio.to_thread import run_sync
from sqlalchemy import Connection, DateTime, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeDecorator

from footfall_core.errors import Unavailable

NAMING: Final[Mapping[str, str]] = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names for constraints, so that a migration can find them again."""


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        known: datetime = value
        return known.replace(tzinfo=UTC) if known.tzinfo is None else known.astimezone(UTC)


def open_database(url: str) -> Engine:
    """An engine for `url`. SQLite gets what a server has anyway: foreign keys, durable commits, waiting."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 15})

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def check_tables(engine: Engine, owner: str, migrations: Path) -> Callable[[], Awaitable[None]]:
    """A readiness check: raises `Unavailable` unless the database answers and has the tables of this version."""
    newest = ScriptDirectory(str(migrations)).get_current_head()

    def look() -> None:
        try:
            with engine.connect() as connection:
                options = {"version_table": f"{owner}_alembic_version"}
                found = MigrationContext.configure(connection, opts=options).get_current_revision()
        except OperationalError as error:
            raise Unavailable(f"the database does not answer: {error.orig}") from error
        if found != newest:
            raise Unavailable(f"its tables are at revision {found}, not {newest}: run footfall migrate")

    async def check() -> None:
        await run_sync(look)

    return check


def migrate_database(url: str, migrations: Path) -> None:
    """Bring the database at `url` to the newest revision in the Alembic folder `migrations`."""
    open_database(url).dispose()  # makes the folder that an SQLite file lies in
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def run_history(owner: str, metadata: MetaData | None = None) -> None:
    """What a history's `env.py` does: run it in one transaction, one run at a time.

    A second run at the same time waits, then finds nothing to do. Only tables whose names begin with `owner_`
    are compared with `metadata`: other services keep theirs in the same database.
    """
    if context.is_offline_mode():
        raise SystemExit(f"run footfall-{owner} migrate: this history needs a database to look at")
    engine = open_database(context.config.attributes["url"])
    try:
        with engine.connect() as connection:
            _run_history(connection, owner, metadata)
    finally:
        engine.dispose()


def _run_history(connection: Connection, owner: str, metadata: MetaData | None) -> None:
    def owns(name: str | None, type: str, _: object) -> bool:
        return type != "table" or bool(name and name.startswith(f"{owner}_"))

    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=f"{owner}_alembic_version",
        render_as_batch=True,
        include_name=owns,
        transactional_ddl=True,
    )
    if connection.dialect.name == "sqlite":
        # The driver would commit before each CREATE TABLE; with this it leaves transactions to us.
        connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]
        connection.execute(text("BEGIN IMMEDIATE"))
    else:
        lock = zlib.crc32(f"footfall-{owner}".encode())
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
