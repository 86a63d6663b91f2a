"""What happens to questions that cost too much, that nobody waits for, or that make no sense."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import uvicorn
from query_platform import Platform, Project, client_of, event

from footfall_query.runner import Limits

SLOW = {"property": "text", "operator": "regex", "value": ["(a|b|ab|ba)*c{200}" + "x" * n for n in range(9)]}
"""Patterns that each look at every character."""


@pytest.fixture(scope="module")
def busy(shared_platform: Platform) -> Project:
    """A project whose events take long to look at."""
    project = shared_platform.project()
    project.store(*(event("open", f"p{n}", "2026-11-18T10:00", text="ab" * 10_000) for n in range(400)))
    return project


def test_too_slow(busy: Project, limited: Callable[[Limits], httpx.AsyncClient]) -> None:
    answer = ask_with(busy, limited(Limits(seconds=0.05)), {"series": [{}], "filters": [SLOW]})
    assert answer.status_code == 422
    assert answer.json()["title"] == "Query too expensive"
    assert answer.json()["detail"].startswith("The question took longer than 0.05 seconds. Ask for a shorter time")


def test_too_much_memory(busy: Project, limited: Callable[[Limits], httpx.AsyncClient]) -> None:
    question = {"series": [{"math": "unique_users"}], "breakdown": {"property": "text"}}
    answer = ask_with(busy, limited(Limits(memory_bytes=1_000_000)), question)
    assert answer.status_code == 422
    assert "more memory than it may have" in answer.json()["detail"]


def test_the_list_behind_a_point_is_bound_likewise(
    platform: Platform, busy: Project, limited: Callable[[Limits], httpx.AsyncClient]
) -> None:
    asked: dict[str, Any] = {"kind": "trends", "query": {"series": [{}], "filters": [SLOW]}, "point": {"index": 0}}
    answer = ask_with(busy, limited(Limits(seconds=0.05)), asked, path="persons")
    assert (answer.status_code, answer.json()["title"]) == (422, "Query too expensive")
    asked["query"] = {"series": [{}], "breakdown": {"property": "text"}}
    asked["point"] = {"index": 0, "breakdown_value": "$other"}
    answer = ask_with(busy, limited(Limits(memory_bytes=1_000_000)), asked, path="persons")
    assert answer.status_code == 422
    assert "more memory than it may have" in answer.json()["detail"]
    away = client_of(platform.make_app("http://127.0.0.1:1"))
    assert ask_with(busy, away, asked, path="persons").status_code == 503


def test_too_long(project: Project) -> None:
    patterns = {"property": "a", "operator": "icontains", "value": ["x"] * 50}
    assert project.post("trends", {"series": [{}], "filters": [patterns] * 5}).status_code == 200
    answer = project.post("trends", {"series": [{}], "filters": [patterns] * 50})
    assert (answer.status_code, "too long" in answer.json()["detail"]) == (422, True)
    values = {"property": "a", "value": ["é" * 29_000]}
    assert project.post("trends", {"series": [{"filters": values}]}).status_code == 400
    values = {"property": "a", "value": ["é" * 9_000 for _ in range(3)]}
    assert project.post("trends", {"series": [{"filters": values}]}).status_code == 200
    values = {"property": "a", "value": ["é" * 9_000 for _ in range(4)]}
    assert project.post("trends", {"series": [{"filters": values}]}).status_code == 422


def ask_with(
    project: Project, client: httpx.AsyncClient, document: dict[str, Any], *, path: str = "trends"
) -> httpx.Response:
    headers = {"authorization": f"Bearer {project.read_key}"}
    return project.platform.run(client.post(f"/api/{path}", json=document, headers=headers))


def send(project: Project, path: str, content: str | bytes) -> httpx.Response:
    headers = {"authorization": f"Bearer {project.read_key}", "content-type": "application/json"}
    return project.platform.run(project.platform.client.post(f"/api/{path}", content=content, headers=headers))


def test_clickhouse_is_away(platform: Platform, project: Project) -> None:
    client = client_of(platform.make_app("http://127.0.0.1:1"))
    answer = ask_with(project, client, {"series": [{}]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_a_client_that_leaves_cancels_its_query(platform: Platform, busy: Project) -> None:
    """Down to ClickHouse: the query is gone from its list of what runs."""

    def running() -> int:
        rows = platform.clickhouse.fetch(
            "SELECT count() FROM system.processes WHERE query LIKE '%match(%' AND query NOT LIKE '%processes%'"
        ).rows
        return int(rows[0][0])

    async def until(condition: Callable[[], bool]) -> None:
        for _ in range(500):
            if await asyncio.to_thread(condition):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not happen")

    async def leave() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(platform.app, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        headers = {"authorization": f"Bearer {busy.read_key}"}
        question = {"series": [{"filters": [SLOW]} for _ in range(26)]}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            asking = asyncio.create_task(client.post("/api/trends", json=question))
            await until(lambda: running() == 1)
            asking.cancel()
            await until(lambda: running() == 0)
        server.should_exit = True
        await serving

    platform.run(leave())
    assert (
        'footfall_query_seconds_count{kind="trends",outcome="cancelled"} 1.0'
        in platform.call("GET", "/metrics", None).text
    )


@pytest.mark.parametrize(
    ("path", "document", "where"),
    [
        ("trends", {}, ["body", "series"]),
        ("trends", {"series": []}, ["body", "series"]),
        ("trends", {"series": [{}] * 27}, ["body", "series"]),
        ("trends", {"series": [{"event": ""}]}, ["body", "series", 0, "event"]),
        ("trends", {"series": [{"event": 3}]}, ["body", "series", 0, "event"]),
        ("trends", {"series": [{"math": "sum"}]}, ["body", "series", 0, "math_property"]),
        ("trends", {"series": [{"math_property": "n"}]}, ["body", "series", 0, "math_property"]),
        ("trends", {"series": [{}], "interval": "year"}, ["body", "interval"]),
        ("trends", {"series": [{}], "interval": "minute", "date_from": "-30d"}, ["body", "interval"]),
        ("trends", {"series": [{}], "date_from": "tomorrow"}, ["body", "date_from"]),
        ("trends", {"series": [{}], "date_from": "-1d", "date_to": "-2d"}, ["body", "date_to"]),
        ("trends", {"series": [{}], "date_to": "all"}, ["body", "date_to"]),
        ("trends", {"series": [{}], "timezone": "Mars/Base"}, ["body", "timezone"]),
        ("trends", {"series": [{}], "timezone": "../../etc/passwd"}, ["body", "timezone"]),
        ("trends", {"series": [{}], "breakdown": {"property": "a", "limit": 0}}, ["body", "breakdown", "limit"]),
        ("trends", {"series": [{"event": "\ud800"}]}, ["body", "series", 0, "event"]),
        ("funnels", {"steps": [{"event": "a"}]}, ["body", "steps"]),
        ("funnels", {"steps": [{"event": "a"}] * 21}, ["body", "steps"]),
        ("funnels", {"steps": [{}, {}], "window": {"value": 0}}, ["body", "window", "value"]),
        ("funnels", {"steps": [{}, {}], "window": {"unit": "year"}}, ["body", "window", "unit"]),
        ("trends", {"series": [{}], "formula": "A +"}, ["body", "formula"]),
        ("trends", {"series": [{}], "formula": "1 + 2"}, ["body", "formula"]),
        ("trends", {"series": [{}], "formula": "A / B"}, ["body", "formula"]),
        ("trends", {"series": [{}], "formula": "A A"}, ["body", "formula"]),
        ("trends", {"series": [{}], "formula": "__import__('os')"}, ["body", "formula"]),
        ("trends", {"series": [{}], "formula": "(" * 300}, ["body", "formula"]),
        ("trends", {"series": [{}], "compare": "last year"}, ["body", "compare"]),
        ("trends", {"series": [{}], "compare": "-0d"}, ["body", "compare"]),
        ("trends", {"series": [{}], "compare": "-3h"}, ["body", "compare"]),
        ("trends", {"series": [{}], "compare": "-1w", "interval": "month"}, ["body", "compare"]),
        ("trends", {"series": [{}], "compare": "-9999y"}, ["body", "compare"]),
        ("trends", {"series": [{"math": "weekly_active_users"}], "cumulative": True}, ["body", "cumulative"]),
        ("funnels", {"steps": [{}, {}], "order": "sideways"}, ["body", "order"]),
        ("funnels", {"steps": [{}, {}], "view": "pie"}, ["body", "view"]),
        ("funnels", {"steps": [{}, {}], "exclusions": [{"to_step": 1}]}, ["body", "exclusions", 0, "from_step"]),
        ("funnels", {"steps": [{}, {}], "exclusions": [{"from_step": 0, "to_step": 2}]}, ["body", "exclusions"]),
        (
            "funnels",
            {"steps": [{}, {}], "exclusions": [{"from_step": 1, "to_step": 1}]},
            ["body", "exclusions", 0, "to_step"],
        ),
        (
            "funnels",
            {"steps": [{}, {}, {}], "order": "unordered", "exclusions": [{"from_step": 0, "to_step": 1}]},
            ["body", "exclusions"],
        ),
        (
            "funnels",
            {"steps": [{}, {}], "breakdown": {"property": "a", "step": 1}},
            ["body", "breakdown", "step"],
        ),
        (
            "funnels",
            {"steps": [{}, {}], "breakdown": {"property": "a", "attribution": "step", "step": 2}},
            ["body", "breakdown"],
        ),
        (
            "funnels",
            {"steps": [{}, {}], "order": "unordered", "breakdown": {"property": "a", "attribution": "step"}},
            ["body", "breakdown"],
        ),
        ("funnels", {"steps": [{}, {}], "view": "trend", "breakdown": {"property": "a"}}, ["body", "breakdown"]),
        ("funnels", {"steps": [{}, {}], "interval": "day"}, ["body", "interval"]),
        ("funnels", {"steps": [{}, {}], "bins": 3}, ["body", "bins"]),
        (
            "funnels",
            {
                "steps": [{"filters": {"property": "n", "operator": "gt", "value": n}} for n in range(5)],
                "order": "unordered",
            },
            ["body", "order"],
        ),
        ("retention", {"periods": 0}, ["body", "periods"]),
        ("retention", {"period": "minute"}, ["body", "period"]),
        ("retention", {"return": {"event": ""}}, ["body", "return", "event"]),
        ("retention", {"return_": {}}, ["body", "return_"]),
        ("retention", {"period": "hour", "date_from": "-3y"}, ["body", "interval"]),
        ("lifecycle", {"interval": "minute", "date_from": "-30d"}, ["body", "interval"]),
        ("stickiness", {"series": []}, ["body", "series"]),
        ("paths", {"steps": 1}, ["body", "steps"]),
        ("paths", {"include": ["$autocapture"]}, ["body", "include", 0]),
        ("paths", {"include": []}, ["body", "include"]),
    ],
)
def test_a_field_that_makes_no_sense_is_named(
    project: Project, path: str, document: dict[str, Any], where: list[str | int]
) -> None:
    answer = send(project, path, json.dumps(document))
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["loc"] for error in answer.json()["errors"]] == [where]


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"math": "sum"}, ["query", "series", 0, "math_property"]),
        ({"interval": "fortnight"}, ["query", "interval"]),
        ({"interval": "minute"}, ["query", "interval"]),
        ({"event": ""}, ["query", "event", 0]),
        ({"evnt": "a"}, ["query", "evnt"]),
        ({"date_from": "-1d", "date_to": "-2d"}, ["query", "date_to"]),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    project: Project, parameters: dict[str, str], where: list[str | int]
) -> None:
    answer = project.get("trends", **parameters)
    assert answer.status_code == 400, answer.text
    assert [error["loc"] for error in answer.json()["errors"]] == [where]


@pytest.mark.parametrize(
    "content",
    ["", "null", "[]", "3", '"x"', "{", "[" * 100_000, "NaN",
     '{"series": [{}], "breakdown": {"property": "a", "limit": NaN}}',
     '{"series": [{}], "filters": [{"property": "a", "operator": "gt", "value": 1e999}]}',
     '{"series": [{}], "filters": [{"property": "a", "value": ' + "9" * 5_000 + "}]}", b"\xff\xfe", b"\x00"],
)  # fmt: skip
def test_a_body_that_is_no_document(project: Project, content: str | bytes) -> None:
    for path in ("trends", "funnels"):
        answer = send(project, path, content)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_long(project: Project) -> None:
    answer = send(project, "trends", b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
