"""What waits to be stored, and how long the project's events take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from query_platform import Platform, Project, event


@pytest.fixture(autouse=True)
def no_reports(platform: Platform) -> Iterator[None]:
    platform.clickhouse.command("TRUNCATE TABLE analytics.log_lag")
    yield
    platform.clickhouse.command("TRUNCATE TABLE analytics.log_lag")


def ago(seconds: float) -> str:
    """A moment before now, as ClickHouse takes it."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    return moment.replace(tzinfo=None).isoformat(" ", "milliseconds")


def ask(project: Project) -> dict[str, Any]:
    answer = project.get("ingestion")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    del body["meta"]
    return body


def around(seconds: float) -> Any:
    return pytest.approx(seconds, abs=2.0)


def test_before_the_first_report_nothing_is_known(project: Project) -> None:
    assert ask(project) == {
        "waiting_events": None,
        "oldest_waiting_seconds": None,
        "reported_at": None,
        "silent_seconds": None,
        "events_per_second": 0.0,
        "freshness": None,
    }


def test_the_last_report_counts_and_the_projects_own_events(platform: Platform, project: Project) -> None:
    platform.write("log_lag", [{"records": 9, "oldest_appended_at": ago(80), "reported_at": ago(8)}])
    reported_at = ago(3)
    platform.write("log_lag", [{"records": 3_200, "oldest_appended_at": ago(12), "reported_at": reported_at}])
    platform.project().store(event("signup", "bob", "2026-11-18T10:00"))
    project.store(*({**event("visit", f"p{n}", "2026-11-18"), "received_at": ago(2)} for n in range(18)))
    project.store(*({**event("visit", f"q{n}", "2026-11-18"), "received_at": ago(30)} for n in range(12)))
    assert ask(project) == {
        "waiting_events": 3_200,
        "oldest_waiting_seconds": around(12),
        "reported_at": f"{reported_at.replace(' ', 'T')}Z",
        "silent_seconds": None,
        "events_per_second": 0.1,
        "freshness": {"p50": around(2), "p95": around(30)},
    }


def test_events_that_were_stored_a_while_ago_are_not_what_happens_now(project: Project, platform: Platform) -> None:
    row = {**event("visit", "ann", "2026-11-18"), "project_id": project.id, "received_at": ago(330)}
    platform.write("events", [{**row, "inserted_at": ago(320), "log_partition": 0, "log_offset": 0}])
    assert (ask(project)["events_per_second"], ask(project)["freshness"]) == (0.0, None)


def test_a_consumer_that_does_not_report_is_silent_while_its_oldest_event_gets_older(
    platform: Platform, project: Project
) -> None:
    platform.write("log_lag", [{"records": 3, "oldest_appended_at": ago(125), "reported_at": ago(120)}])
    found = ask(project)
    assert (found["waiting_events"], found["oldest_waiting_seconds"], found["silent_seconds"]) == (
        3,
        around(125),
        around(120),
    )


def test_clocks_that_differ_make_no_time_negative(platform: Platform, project: Project) -> None:
    platform.write("log_lag", [{"records": 1, "oldest_appended_at": ago(-5), "reported_at": ago(-5)}])
    project.store({**event("visit", "ann", "2026-11-18"), "received_at": ago(-5)})
    found = ask(project)
    assert (found["oldest_waiting_seconds"], found["silent_seconds"]) == (0.0, None)
    assert found["freshness"] == {"p50": 0.0, "p95": 0.0}
