"""Migrations for a cluster: the statements that one server takes, written anew for shards and replicas.

A sharded table becomes two: `…_local`, replicated within its shard, and one of the plain name that spreads over the
shards, so that no other SQL changes. Every other table is whole on every server. Pure: text in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

SHARDED: Final = {
    # By the person, so that all of a person's steps lie on one shard.
    "events": "cityHash64(person_id)",
    "first_seen": "cityHash64(person_id)",
    "rejected_events": "cityHash64(log_partition, log_offset)",
}
"""Tables that are cut into shards, and by what. The others are small and needed everywhere."""

_TABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS (\w+)\.(\w+)\s*(\(.*\))\s*ENGINE = (\w*MergeTree)(?:\(([^()]*)\))?(.*)", re.S
)
_ALTER = re.compile(r"ALTER TABLE (\w+)\.(\w+)\s+(.*)", re.S)
_NAMED = re.compile(r"CREATE (DATABASE|DICTIONARY|VIEW|OR REPLACE VIEW)( IF NOT EXISTS)? (\w+(?:\.\w+)?)(.*)", re.S)
_COLUMNS = re.compile(r"(?:ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN ")


def local_name(table: str, cluster: str) -> str:
    """The table that holds the rows of `table` on each server; without a cluster it is itself."""
    return f"{table}_local" if cluster and table in SHARDED else table


def on_cluster(cluster: str) -> str:
    """What makes a statement one for every server of the cluster; nothing without one."""
    return f" ON CLUSTER '{cluster}'" if cluster else ""


def render(statement: str, cluster: str) -> Iterator[str]:
    """The statements that do on a cluster what `statement` does on one server: itself without a cluster.

    Raises ValueError for a kind of statement that nobody thought of here yet.
    """
    if not cluster:
        yield statement
    elif found := _TABLE.fullmatch(statement):
        yield from _render_table(*found.groups(default=""), cluster=cluster)
    elif found := _ALTER.fullmatch(statement):
        database, table, change = found.groups()
        yield f"ALTER TABLE {database}.{local_name(table, cluster)}{on_cluster(cluster)} {change}"
        if table in SHARDED and _COLUMNS.match(change):
            yield f"ALTER TABLE {database}.{table}{on_cluster(cluster)} {change}"
    elif statement.startswith("INSERT INTO "):
        yield statement  # by the names that spread over the shards
    elif found := _NAMED.fullmatch(statement):
        kind, if_not_exists, name, rest = found.groups(default="")
        yield f"CREATE {kind}{if_not_exists} {name}{on_cluster(cluster)}{rest}"
    else:
        raise ValueError(f"this statement cannot be written for a cluster: {statement[:80]}")


def _render_table(
    database: str, table: str, columns: str, engine: str, arguments: str, rest: str, *, cluster: str
) -> Iterator[str]:
    local = local_name(table, cluster)
    # Servers find each other by this path. A table that is whole everywhere has one path for all shards.
    shard = "{shard}" if table in SHARDED else "all"
    path = f"'/clickhouse/tables/{shard}/{database}/{table}', '{{replica}}'"
    engine = f"Replicated{engine}({', '.join(filter(None, (path, arguments)))})"
    rest = rest.replace("non_replicated_deduplication_window", "replicated_deduplication_window")
    yield f"CREATE TABLE IF NOT EXISTS {database}.{local}{on_cluster(cluster)}\n{columns}\nENGINE = {engine}{rest}"
    if table in SHARDED:
        yield (
            f"CREATE TABLE IF NOT EXISTS {database}.{table}{on_cluster(cluster)} AS {database}.{local}\n"
            f"ENGINE = Distributed('{cluster}', '{database}', '{local}', {SHARDED[table]})"
        )
