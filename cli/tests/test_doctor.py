"""`footfall doctor` finds what is broken, and `footfall migrate` mends what it can."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from footfall_core.clickhouse import ClickHouse
from footfall_core.eventlog import open_event_log
from footfall_core.migrate import read_ttl


async def make_log(data_dir: Path) -> None:
    await open_event_log(f"sqlite:///{data_dir}/events.log.db").close()


@pytest.fixture
def healthy(platform: Any, clickhouse_url: str, query_api: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A platform where nothing is wrong. The Query API's double also answers for the Consumer."""
    platform.save(clickhouse_url=clickhouse_url)
    asyncio.run(make_log(platform.data_dir))
    platform.consumer = {"FOOTFALL_CONSUMER_PORT": query_api.url.rpartition(":")[2]}
    return platform


def find(ran: Any) -> dict[str, str]:
    return {check["part"]: check["status"] for check in ran.json["checks"]}


def test_a_healthy_platform(footfall: Any, healthy: Any) -> None:
    ran = footfall("doctor", "--json", env=healthy.consumer)

    assert (ran.code, ran.err) == (0, "")
    assert ran.json["ok"] is True
    found = find(ran)
    assert found.pop("disk") in ("ok", "warning")
    assert found == {
        "connection": "ok",
        "secret key": "ok",
        "auth": "ok",
        "capture": "ok",
        "consumer": "ok",
        "query": "ok",
        "clickhouse": "ok",
        "migrations": "ok",
        "retention": "ok",
        "event log": "ok",
        "project": "ok",
        "read key": "ok",
    }
    assert "events are deleted 90 days after their timestamp" in footfall("doctor").out


def test_nothing_running(footfall: Any) -> None:
    ran = footfall("doctor", "--json")

    assert (ran.code, find(ran)) == (1, {"connection": "failed"})
    assert ran.json["checks"][0]["fix"] == "Start Footfall: footfall up"


@pytest.mark.parametrize(
    ("breakage", "part", "words"),
    [
        (lambda p: (p.data_dir / "local.json").chmod(0o644), "connection", "chmod 600"),
        (lambda p: (p.data_dir / "secret_key").chmod(0o644), "secret key", "chmod 600"),
        (lambda p: (p.data_dir / "secret_key").unlink(), "secret key", "cannot be read"),
        (lambda p: (p.data_dir / "secret_key").write_text("x" * 40), "secret key", "does not follow from"),
        (lambda p: (p.data_dir / "secret_key").write_text("short"), "secret key", "shorter than 32"),
        (lambda p: p.save(capture_url="http://127.0.0.1:1"), "capture", "does not answer"),
        (lambda p: p.save(query_url=p.local["auth_url"]), "read key", "Not Found"),
        (lambda p: p.save(clickhouse_url="http://127.0.0.1:1"), "clickhouse", "does not answer"),
        (lambda p: p.save(project_id=99_999), "project", "no project 99999"),
        (lambda p: p.save(operator_token="wrong"), "project", "operator token"),
        (lambda p: (p.data_dir / "events.log.db").unlink(), "event log", "does not exist"),
        (lambda p: (p.data_dir / "events.log.db").write_bytes(b"x" * 9_000), "event log", "events.log.db"),
    ],
)
def test_what_is_broken_is_named(
    footfall: Any, healthy: Any, breakage: Callable[[Any], object], part: str, words: str
) -> None:
    breakage(healthy)

    ran = footfall("doctor", "--json", env=healthy.consumer)

    assert (ran.code, ran.json["ok"]) == (1, False)
    (check,) = [check for check in ran.json["checks"] if check["part"] == part]
    assert check["status"] == "failed"
    assert words in f"{check['detail']} {check['fix']}"
    assert check["fix"]
    assert check["fix"] in footfall("doctor").out


def test_a_service_names_what_it_misses(footfall: Any, healthy: Any, query_api: Any) -> None:
    query_api.refusal = (503, {"status": "unavailable", "missing": {"clickhouse": "it is away"}}, {})

    ran = footfall("doctor", "--json", env=healthy.consumer)

    assert [check["detail"] for check in ran.json["checks"] if check["part"] == "query"] == ["clickhouse: it is away"]
    assert ran.code == 1


def test_a_setting_that_is_not_in_force_is_a_warning(footfall: Any, healthy: Any) -> None:
    ran = footfall("doctor", "--json", env={**healthy.consumer, "FOOTFALL_EVENTS_TTL_DAYS": "30"})

    assert ran.code == 0
    (check,) = [check for check in ran.json["checks"] if check["part"] == "retention"]
    assert (check["status"], check["fix"]) == ("warning", "footfall migrate")
    assert "but FOOTFALL_EVENTS_TTL_DAYS is 30" in check["detail"]


def test_a_migration_that_is_not_applied_is_named(footfall: Any, healthy: Any, clickhouse_url: str) -> None:
    clickhouse = ClickHouse(clickhouse_url)
    clickhouse.command("RENAME TABLE analytics.migrations TO analytics.migrations_away")
    try:
        ran = footfall("doctor", "--json", env=healthy.consumer)
    finally:
        clickhouse.command("RENAME TABLE analytics.migrations_away TO analytics.migrations")
        clickhouse.close()

    (check,) = [check for check in ran.json["checks"] if check["part"] == "migrations"]
    assert (check["status"], check["fix"]) == ("failed", "footfall migrate")
    assert "0001_events" in check["detail"]


def test_parts_that_were_set_aside_are_named(footfall: Any, healthy: Any, clickhouse_url: str) -> None:
    clickhouse = ClickHouse(clickhouse_url)
    sql = "SELECT data_paths[1] FROM system.tables WHERE database = 'analytics' AND name = 'events'"
    part = Path(clickhouse.fetch(sql).rows[0][0]) / "detached" / "broken-on-start_202601_1_1_0"
    clickhouse.close()
    part.mkdir()
    try:
        ran = footfall("doctor", "--json", env=healthy.consumer)
    finally:
        part.rmdir()

    assert ran.code == 0
    (check,) = [check for check in ran.json["checks"] if check["part"] == "parts"]
    assert (check["status"], check["detail"]) == ("warning", "1 damaged parts of events were set aside")


def test_a_test_event_is_followed_to_its_end(footfall: Any, healthy: Any, capture: Any, query_api: Any) -> None:
    def pass_on() -> None:
        query_api.events = list(capture.events.values())

    query_api.on_ask = pass_on
    ran = footfall("doctor", "--send", "--json", env=healthy.consumer)

    assert (ran.code, find(ran)["test event"]) == (0, "ok")
    (event,) = capture.events.values()
    assert (event["event"], event["distinct_id"]) == ("$footfall_doctor", "$footfall_doctor")
    assert find(footfall("doctor", "--json")).get("test event") is None
    assert len(capture.events) == 1


def test_without_a_data_directory_what_is_known_is_looked_at(footfall: Any, platform: Any, capture: Any) -> None:
    (platform.data_dir / "local.json").unlink()

    ran = footfall("doctor", "--json", env={"FOOTFALL_CAPTURE_URL": capture.url})

    assert ran.code == 0
    found = find(ran)
    assert found["capture"] == "ok"
    assert {found[part] for part in ("auth", "query", "clickhouse", "event log", "secret key")} == {"warning"}


# Migrations


def test_migrating_keeps_the_ttl_unless_told_to_change_it(
    footfall: Any, healthy: Any, clickhouse_url: str, clickhouse_ttl: Callable[[int], None]
) -> None:
    """Events must not be deleted because a variable was forgotten."""
    clickhouse_ttl(0)

    ran = footfall("migrate", "--json")

    assert (ran.code, ran.err) == (0, "")
    assert ran.json == {
        "clickhouse": {"applied": [], "events_ttl_days": 0},
        "event_log": {"done": [], "warnings": []},
        "footfall_auth": "up to date",
        "footfall_query": "up to date",
    }
    with closing(sqlite3.connect(healthy.data_dir / "auth.db")) as database:
        assert database.execute("SELECT count(*) FROM auth_projects").fetchone() == (0,)

    ran = footfall("migrate", env={"FOOTFALL_EVENTS_TTL_DAYS": "400"})
    assert "ClickHouse: up to date; events are kept for 400 days" in ran.out
    clickhouse = ClickHouse(clickhouse_url)
    assert read_ttl(clickhouse) == 400
    clickhouse.close()


def test_migrating_needs_clickhouse(tmp_path: Path) -> None:
    """As a process, because what libraries log reaches its stderr too."""
    environment = {"FOOTFALL_DATA_DIR": str(tmp_path), "FOOTFALL_CLICKHOUSE_URL": "http://127.0.0.1:1"}
    command = [sys.executable, "-m", "footfall_cli", "migrate", "--json"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    said = json.loads(ran.stderr)["error"]
    assert (ran.returncode, ran.stdout) == (1, "")
    assert said == ("ClickHouse does not answer: Connection refused. Is it running, and FOOTFALL_CLICKHOUSE_URL right?")


def test_a_service_that_cannot_migrate_says_why(footfall: Any, healthy: Any) -> None:
    ran = footfall("migrate", env={"FOOTFALL_DATABASE_URL": "nonsense"})

    assert ran.code == 1
    assert "footfall_auth could not migrate its database" in ran.err
