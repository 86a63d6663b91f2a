"""Deleted projects: their events and people go, nobody else's do."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from footfall_consumer.erase import AuthUnavailable, ask_deleted, erase, keep_erasing
from footfall_core.clickhouse import ClickHouse


def store(bench: Any, event: Any, *project_ids: int) -> None:
    for project_id in project_ids:
        bench.log.append(event(project_id=project_id, distinct_id=f"someone in {project_id}"))
        bench.log.append(event(project_id=project_id, uuid="no uuid"))  # which is rejected
        signed_in = b'{"$anon_distinct_id":"a visitor","$set":{"plan":"pro"}}'
        bench.log.append(event("$identify", project_id=project_id, distinct_id="ann", properties=signed_in))
    bench.consume()


def left(bench: Any) -> tuple[set[int], set[int]]:
    return (
        {row[0] for row in bench.stored("project_id")},
        {row[0] for row in bench.rejected("project_id")},
    )


def people_left(bench: Any) -> list[set[int]]:
    tables = ("first_seen", "person_links", "person_ids", "person_properties")
    sql = "SELECT DISTINCT project_id FROM analytics."
    return [{row[0] for row in bench.clickhouse.fetch(sql + table).rows} for table in tables]


def test_people_of_deleted_projects_are_removed_and_no_others(bench: Any, event: Any) -> None:
    store(bench, event, 1, 2)
    assert people_left(bench) == [{1, 2}] * 4

    erase(bench.clickhouse, [2])

    assert people_left(bench) == [{1}] * 4
    assert bench.clickhouse.fetch("SELECT count() FROM analytics.person_of").rows == [(1,)]


def test_events_of_deleted_projects_are_removed_and_no_others(bench: Any, event: Any) -> None:
    store(bench, event, 1, 2, 3)
    assert left(bench) == ({1, 2, 3}, {1, 2, 3})

    assert erase(bench.clickhouse, [2, 3, 4_000_000_000]) == [2, 3]

    assert left(bench) == ({1}, {1})
    assert erase(bench.clickhouse, [2, 3, 4_000_000_000]) == []


def test_what_was_in_the_log_at_the_time_goes_too(bench: Any, event: Any) -> None:
    store(bench, event, 1, 2)
    erase(bench.clickhouse, [2])
    store(bench, event, 1, 2)
    erase(bench.clickhouse, [2])

    assert left(bench) == ({1}, {1})


def test_it_goes_on_after_trouble(bench: Any, event: Any) -> None:
    store(bench, event, 1, 2)
    stop = threading.Event()
    answers: list[Any] = [AuthUnavailable("away"), AuthUnavailable("away"), [2], []]

    def ask() -> Sequence[int]:
        answer = answers.pop(0)
        if not answers:
            stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    keep_erasing(ask, bench.clickhouse, seconds=0.01, stop=stop)

    assert left(bench) == ({1}, {1})


def test_it_waits_for_clickhouse() -> None:
    stop = threading.Event()
    asked = []

    def ask() -> Sequence[int]:
        asked.append(1)
        if len(asked) == 2:
            stop.set()
        return [1]

    keep_erasing(ask, ClickHouse("http://127.0.0.1:1"), seconds=0.01, stop=stop)

    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(401), httpx.Response(503), httpx.Response(200, content=b"<html>"), httpx.ConnectError("refused")],
)
def test_an_auth_api_that_does_not_answer_is_trouble(answer: httpx.Response | Exception) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with (
        httpx.Client(base_url="http://auth", transport=httpx.MockTransport(handle)) as client,
        pytest.raises(AuthUnavailable),
    ):
        ask_deleted(client)


def test_the_auth_api_is_asked() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/internal/projects/deleted"
        return httpx.Response(200, content=json.dumps({"project_ids": [1, 5]}).encode())

    with httpx.Client(base_url="http://auth", transport=httpx.MockTransport(handle)) as client:
        assert ask_deleted(client) == [1, 5]
