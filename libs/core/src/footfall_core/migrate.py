"""Applies ClickHouse migrations: numbered SQL files, in order, recorded in ClickHouse, safe to interrupt.

Every statement can be repeated without harm (`IF NOT EXISTS`), and a file is recorded after its last one. So
an interrupted run is mended by the next, and two runs at once do the same twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from footfall_core.clickhouse import DATABASE, ClickHouse
from footfall_core.cluster import local_name, on_cluster, render


@dataclass(frozen=True, slots=True)
class Migration:
    """One file `NNNN_name.sql`."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def statements(self) -> Iterator[str]:
        """The statements without comment lines; each ends with `;` at the end of a line."""
        lines = [line for line in self.sql.splitlines() if not line.lstrip().startswith("--")]
        for statement in "\n".join(lines).split(";\n"):
            if statement := statement.strip().rstrip(";"):
                yield statement


MIGRATIONS_TABLE = f"""
CREATE TABLE IF NOT EXISTS {DATABASE}.migrations
(
    version UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
""".strip()


class MigrationChanged(Exception):
    """A migration that was applied already reads differently now. Write a new one instead."""


def read_migrations(folder: Path | None = None) -> list[Migration]:
    """The migrations that ship with Footfall, or those in `folder`, by number."""
    source = folder or Path(str(files("footfall_core") / "migrations"))
    found = [
        Migration(int(path.name[:4]), path.stem, path.read_text("utf-8"))
        for path in sorted(source.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]
    if not found:
        raise FileNotFoundError(f"no migrations in {source}")
    return found


def migrate(
    clickhouse: ClickHouse,
    *,
    events_ttl_days: int | None,
    migrations: list[Migration] | None = None,
    cluster: str = "",
) -> list[str]:
    """Apply what is missing, set the TTL, and return the names of the migrations applied now. With `cluster`, its
    name in ClickHouse's configuration, on every server of it.

    Without `events_ttl_days` new tables keep events for `DEFAULT_TTL_DAYS`, and others as long as they did: a
    variable that was forgotten must not delete events.

    Raises `MigrationChanged` before applying anything when an applied file was edited.
    """
    migrations = read_migrations() if migrations is None else migrations
    for statement in (f"CREATE DATABASE IF NOT EXISTS {DATABASE}", MIGRATIONS_TABLE):
        _apply(clickhouse, statement, cluster)
    rows = clickhouse.fetch(f"SELECT version, checksum FROM {DATABASE}.migrations FINAL").rows
    applied = {int(version): str(checksum) for version, checksum in rows}
    for migration in migrations:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationChanged(f"{migration.name} was edited after it had been applied")
    missing = [migration for migration in migrations if migration.version not in applied]
    credentials = clickhouse.credentials()
    for migration in missing:
        for statement in migration.statements():
            _apply(clickhouse, _fill_in(statement, credentials), cluster)
        clickhouse.command(
            f"INSERT INTO {DATABASE}.migrations (version, name, checksum) "
            "SELECT {version:UInt32}, {name:String}, {checksum:String}",
            {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
        )
    if events_ttl_days is None and any(migration.version == 1 for migration in missing):
        events_ttl_days = DEFAULT_TTL_DAYS
    if events_ttl_days is not None:
        set_ttl(clickhouse, events_ttl_days, cluster)
    return [migration.name for migration in missing]


def _fill_in(statement: str, credentials: Mapping[str, str]) -> str:
    """The statement with `{user}` and `{password}`, each within a quotation, as whom a dictionary reads its table."""
    for name, value in credentials.items():
        statement = statement.replace(f"{{{name}}}", value.replace("\\", "\\\\").replace("'", "\\'"))
    return statement


def _apply(clickhouse: ClickHouse, statement: str, cluster: str) -> None:
    for rendered in render(statement, cluster):
        clickhouse.command(rendered)


_TTL_PATTERN = r"TTL toDateTime\([a-z_]+\) \+ toIntervalDay\((\d+)\)"
DEFAULT_TTL_DAYS = 90
TTL_COLUMNS = {"events": "timestamp", "rejected_events": "received_at"}


def read_ttl(clickhouse: ClickHouse) -> int:
    """The days after which ClickHouse deletes events now; 0 when it keeps them."""
    rows = clickhouse.fetch(
        "SELECT extract(create_table_query, {pattern:String}) FROM system.tables "
        "WHERE database = {database:String} AND name IN ('events', 'events_local') AND engine LIKE '%MergeTree'",
        {"pattern": _TTL_PATTERN, "database": DATABASE},
    ).rows
    return int(rows[0][0] or 0) if rows else 0


def set_ttl(clickhouse: ClickHouse, days: int, cluster: str = "") -> None:
    """Make ClickHouse delete events `days` after their timestamp; 0 keeps them forever.

    What lies on disk already follows at its next merge, not at once: shortening the TTL by mistake and taking
    it back soon loses nothing.
    """
    if read_ttl(clickhouse) == days:
        return
    for table, column in TTL_COLUMNS.items():
        if days:
            change = f"MODIFY TTL toDateTime({column}) + toIntervalDay({days})"
        else:
            change = "REMOVE TTL"
        name = f"{DATABASE}.{local_name(table, cluster)}{on_cluster(cluster)}"
        clickhouse.command(f"ALTER TABLE {name} {change}", settings={"materialize_ttl_after_modify": 0})
