"""ClickHouse migrations, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from footfall_core.clickhouse import ClickHouse, ClickHouseRefused, Fetched
from footfall_core.migrate import Migration, MigrationChanged, migrate, read_migrations, read_ttl
from footfall_embedded.testing import running_bridge


@pytest.fixture
def clickhouse() -> Iterator[ClickHouse]:
    with running_bridge() as url:
        client = ClickHouse(url)
        yield client
        client.close()


def test_everything_is_applied_once(clickhouse: ClickHouse) -> None:
    assert migrate(clickhouse, events_ttl_days=None) == [each.name for each in read_migrations()]
    assert migrate(clickhouse, events_ttl_days=None) == []


def test_the_ttl_follows_the_setting_and_a_forgotten_one_changes_nothing(clickhouse: ClickHouse) -> None:
    migrate(clickhouse, events_ttl_days=None)
    assert read_ttl(clickhouse) == 90
    for days in (30, 0, 400):
        migrate(clickhouse, events_ttl_days=days)
        assert read_ttl(clickhouse) == days
        migrate(clickhouse, events_ttl_days=None)
        assert read_ttl(clickhouse) == days


def test_an_interrupted_run_is_mended_by_the_next(clickhouse: ClickHouse) -> None:
    whole = [*read_migrations(), Migration(9, "0009_more", "CREATE TABLE IF NOT EXISTS analytics.a (x Int8) ENGINE = "
             "Memory;\nCREATE TABLE IF NOT EXISTS analytics.b (x Int8) ENGINE = Memory;\n")]  # fmt: skip
    broken = [*whole[:-1], Migration(9, "0009_more", whole[-1].sql.replace("analytics.b (x Int8)", "analytics.b (x)"))]
    with pytest.raises(ClickHouseRefused, match="Syntax error"):
        migrate(clickhouse, events_ttl_days=None, migrations=broken)

    assert migrate(clickhouse, events_ttl_days=None, migrations=whole) == ["0009_more"]
    assert clickhouse.fetch("SELECT count() FROM system.tables WHERE name IN ('a', 'b')").rows[0][0] == 2


def test_an_edited_migration_is_refused(clickhouse: ClickHouse) -> None:
    migrate(clickhouse, events_ttl_days=None)
    edited = [Migration(each.version, each.name, each.sql + "\n-- more\n") for each in read_migrations()]

    with pytest.raises(MigrationChanged, match="0001_events"):
        migrate(clickhouse, events_ttl_days=None, migrations=edited)


def test_events_from_before_people_were_known_have_a_person_each(clickhouse: ClickHouse) -> None:
    before = [each for each in read_migrations() if each.version < 3]
    migrate(clickhouse, events_ttl_days=0, migrations=before)
    clickhouse.command(
        "INSERT INTO analytics.events (project_id, uuid, event, distinct_id, timestamp, properties, session_id, "
        "received_at, log_partition, log_offset) "
        "SELECT 1, generateUUIDv4(), 'seen', ['ann', 'ann', 'bob'][number + 1], now64(3), '{}', '', now64(3), 0, 0 "
        "FROM numbers(3)"
    )

    migrate(clickhouse, events_ttl_days=None)

    assert clickhouse.fetch("SELECT count(), uniqExact(person) FROM analytics.events").rows == [(3, 2)]


def test_whoever_guards_the_way_to_the_engine_has_users_of_its_own() -> None:
    with running_bridge(None, "--user", "footfall", "--password", "se'cret") as url:
        client = ClickHouse(url.replace("http://", "http://footfall:se'cret@"))
        assert client.credentials() == {"user": "default", "password": ""}
        migrate(client, events_ttl_days=0)
        client.command("SYSTEM RELOAD DICTIONARY analytics.person_of")
        client.close()


def test_a_password_is_quoted_where_a_migration_needs_it() -> None:
    class Recording(ClickHouse):
        said: list[str] = []  # noqa: RUF012

        def credentials(self) -> dict[str, str]:
            return {"user": "us'er", "password": "pass\\word"}

        def command(self, sql: str, *_: object, **__: object) -> None:
            self.said.append(sql)

        def fetch(self, *_: object, **__: object) -> Fetched:
            return Fetched([], [])

    client = Recording("http://localhost")
    migrate(client, events_ttl_days=None, migrations=[Migration(7, "0007_who", "USER '{user}' PASSWORD '{password}';")])
    assert r"USER 'us\'er' PASSWORD 'pass\\word'" in client.said
