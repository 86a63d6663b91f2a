"""Migrations written for a cluster: what the text becomes, and that the engine's own parser takes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from footfall_core.clickhouse import ClickHouse
from footfall_core.cluster import SHARDED, render
from footfall_core.migrate import MIGRATIONS_TABLE, read_migrations
from footfall_embedded.testing import running_bridge

STATEMENTS = [
    "CREATE DATABASE IF NOT EXISTS analytics",
    MIGRATIONS_TABLE,
    *(statement for migration in read_migrations() for statement in migration.statements()),
    "ALTER TABLE analytics.events ADD COLUMN IF NOT EXISTS more String",
    "ALTER TABLE analytics.events MODIFY TTL toDateTime(timestamp) + toIntervalDay(90)",
]


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouse]:
    with running_bridge() as url:
        client = ClickHouse(url)
        yield client
        client.close()


def rendered(statement: str) -> list[str]:
    return list(render(statement, "main"))


def test_without_a_cluster_nothing_changes() -> None:
    assert [list(render(statement, "")) for statement in STATEMENTS] == [[statement] for statement in STATEMENTS]


def test_a_sharded_table_is_a_replicated_one_and_one_that_spreads_over_the_shards() -> None:
    local, spread = rendered(
        "CREATE TABLE IF NOT EXISTS analytics.events\n(\n    a Int8,\n    b String DEFAULT f(a)\n)\n"
        "ENGINE = ReplacingMergeTree\nORDER BY a\nSETTINGS non_replicated_deduplication_window = 1000"
    )

    assert local == (
        "CREATE TABLE IF NOT EXISTS analytics.events_local ON CLUSTER 'main'\n"
        "(\n    a Int8,\n    b String DEFAULT f(a)\n)\n"
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/analytics/events', '{replica}')\n"
        "ORDER BY a\nSETTINGS replicated_deduplication_window = 1000"
    )
    assert spread == (
        "CREATE TABLE IF NOT EXISTS analytics.events ON CLUSTER 'main' AS analytics.events_local\n"
        "ENGINE = Distributed('main', 'analytics', 'events_local', cityHash64(person_id))"
    )


def test_a_small_table_is_whole_on_every_server() -> None:
    [statement] = rendered(
        "CREATE TABLE IF NOT EXISTS analytics.small (a Int8) ENGINE = ReplacingMergeTree(a) ORDER BY a"
    )

    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/all/analytics/small', '{replica}', a)" in statement


def test_columns_change_in_both_tables_and_what_is_stored_only_where_it_is_stored() -> None:
    assert rendered("ALTER TABLE analytics.events ADD COLUMN a Int8") == [
        "ALTER TABLE analytics.events_local ON CLUSTER 'main' ADD COLUMN a Int8",
        "ALTER TABLE analytics.events ON CLUSTER 'main' ADD COLUMN a Int8",
    ]
    assert rendered("ALTER TABLE analytics.events REMOVE TTL") == [
        "ALTER TABLE analytics.events_local ON CLUSTER 'main' REMOVE TTL"
    ]
    assert rendered("CREATE DICTIONARY IF NOT EXISTS analytics.d\n(a Int8)") == [
        "CREATE DICTIONARY IF NOT EXISTS analytics.d ON CLUSTER 'main'\n(a Int8)"
    ]


def test_what_nobody_thought_of_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written for a cluster: OPTIMIZE"):
        rendered("OPTIMIZE TABLE analytics.events")


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: " ".join(statement.split()[:6]))
def test_the_engine_parses_what_is_rendered(clickhouse: ClickHouse, statement: str) -> None:
    for each in rendered(statement):
        [[said]] = clickhouse.fetch("SELECT formatQuery({statement:String})", {"statement": each}).rows
        assert "ON CLUSTER main" in said or said.startswith("INSERT INTO ")


def test_rows_of_a_person_share_a_shard(clickhouse: ClickHouse) -> None:
    """The key that spreads rows is the same for all of a person's, and spreads persons."""
    shards = clickhouse.fetch(
        f"SELECT person % 50, uniqExact({SHARDED['events']} % 3), count() FROM (SELECT number AS person, "
        "reinterpretAsUUID(sipHash128(toUInt32(1), concat('user-', toString(number % 50)))) AS person_id "
        "FROM numbers(500)) GROUP BY 1"
    ).rows
    assert {(shards_of, rows) for _, shards_of, rows in shards} == {(1, 10)}
