"""The lists: events, their names, and what was rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from query_platform import Platform, Project, event

ID = "01939f00-0000-7000-8000-0000000000{:02x}"


def pages(project: Project, path: str, **parameters: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list."""
    found, cursor = [], {}
    while True:
        page = project.get(path, **parameters, **cursor).json()
        found.append(page["results"])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_a_whole_event(project: Project) -> None:
    properties = {"a.b": 1, "nested": {"x": [1, "two", None]}, "text": "é😀\n", "`\\'\"": True, "big": 2**63}
    project.store(
        event("signup", "ann", "2026-11-18T10:00:00.123", id=ID.format(1), session="s1", properties=properties)
    )
    (found,) = project.get("events").json()["results"]
    assert found.pop("person_id")
    assert found == {
        "uuid": ID.format(1),
        "event": "signup",
        "distinct_id": "ann",
        "timestamp": "2026-11-18T10:00:00.123Z",
        "properties": properties,
        "session_id": "s1",
        "received_at": "2026-11-18T10:00:00.123Z",
    }


def test_events_come_newest_first_page_by_page(project: Project) -> None:
    rows = [event("open", f"p{n}", f"2026-11-18T10:00:{n // 4:02}", id=ID.format(n * 37 % 256)) for n in range(25)]
    project.store(*rows)
    everything = project.get("events", limit=100).json()["results"]
    assert [row["timestamp"] for row in everything] == sorted((row["timestamp"] for row in everything), reverse=True)
    assert {row["uuid"] for row in everything} == {row["uuid"] for row in rows}
    for size in (1, 3, 5, 24, 25, 26):
        found = pages(project, "events", limit=size)
        assert [row for page in found for row in page] == everything
        assert all(len(page) == size for page in found[:-1])


def test_events_that_arrive_between_two_pages_do_not_shift_them(project: Project) -> None:
    project.store(*(event("open", f"p{n}", f"2026-11-18T10:00:{n:02}") for n in range(4)))
    first = project.get("events", limit=2).json()
    project.store(event("open", "new", "2026-11-18T11:00"))
    second = project.get("events", limit=2, cursor=first["next_cursor"]).json()
    assert [row["distinct_id"] for row in first["results"] + second["results"]] == ["p3", "p2", "p1", "p0"]


def test_events_can_be_picked(project: Project) -> None:
    project.store(
        event("a", "ann", "2026-11-18T10:00", plan="pro"),
        event("b", "ann", "2026-11-17T10:00", plan="free"),
        event("c", "bob", "1997-01-01T10:00", plan="pro"),
    )

    def names(**parameters: Any) -> str:
        return "".join(row["event"] for row in project.get("events", **parameters).json()["results"])

    assert names() == "abc"
    assert names(event=["c", "a"]) == "ac"
    assert names(distinct_id="ann") == "ab"
    assert names(filters=json.dumps([{"property": "plan", "value": "pro"}])) == "ac"
    assert names(filters=json.dumps({"any": [{"property": "plan", "value": "free"}]})) == "b"
    assert names(date_from="-1d") == "ab"
    assert names(date_to="2026-11-17") == "bc"
    assert names(date_from="2026-11-17T10:00:00Z", date_to="2026-11-17T10:00:00Z") == "b"


def test_events_of_the_future_are_listed(project: Project) -> None:
    project.store(event("a", "ann", "2026-11-19T10:00"))
    assert len(project.get("events").json()["results"]) == 1


def test_names_of_events(project: Project) -> None:
    project.store(
        *(event("open", "ann", f"2026-11-18T10:0{n}") for n in range(3)),
        event("close", "ann", "2026-11-17T10:00"),
        event("Reopen", "ann", "2026-11-16T10:00"),
    )
    assert project.get("event-names").json()["results"] == [
        {"event": "open", "count": 3, "last_seen": "2026-11-18T10:02:00.000Z"},
        {"event": "Reopen", "count": 1, "last_seen": "2026-11-16T10:00:00.000Z"},
        {"event": "close", "count": 1, "last_seen": "2026-11-17T10:00:00.000Z"},
    ]
    found = project.get("event-names", search="OPEN", limit=1).json()
    assert [row["event"] for row in found["results"]] == ["open"]
    assert [row["event"] for row in project.get("event-names", date_from="-1d").json()["results"]] == ["open", "close"]


def test_rejected_events(platform: Platform, project: Project) -> None:
    rows = [
        {
            "project_id": project.id,
            "reason": ["missing_event_name", "invalid_uuid"][n % 2],
            "detail": f"number {n}",
            "source": "capture",
            "payload": '{"event": ""}',
            "received_at": f"2026-11-18 10:00:0{n // 3}.000",
            "log_partition": n % 3,
            "log_offset": n,
        }
        for n in range(9)
    ]
    body = "\n".join(json.dumps(row) for row in rows).encode()
    platform.clickhouse.insert("analytics.rejected_events", list(rows[0]), body)
    everything = project.get("rejected-events").json()["results"]
    assert [row["detail"] for row in everything] == [f"number {n}" for n in range(8, -1, -1)]
    assert everything[0] == {
        "reason": "missing_event_name",
        "detail": "number 8",
        "source": "capture",
        "payload": '{"event": ""}',
        "received_at": "2026-11-18T10:00:02.000Z",
        "log_partition": 2,
        "log_offset": 8,
    }
    for size in (1, 2, 4, 9):
        assert [row for page in pages(project, "rejected-events", limit=size) for row in page] == everything
    assert len(project.get("rejected-events", reason="invalid_uuid").json()["results"]) == 4
    assert project.get("rejected-events", date_to="2026-11-17").json()["results"] == []
    assert platform.project().get("rejected-events").json()["results"] == []


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("events", "limit", 0),
        ("events", "limit", 1001),
        ("events", "cursor", "x"),
        ("events", "cursor", "ä"),
        ("events", "cursor", "W10"),  # []
        ("events", "cursor", "WzEsMl0"),  # [1,2]
        ("events", "cursor", "WzFlOTksICJhIl0"),  # [1e99, "a"]
        ("events", "cursor", "e30"),  # {}
        ("events", "cursor", "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAsICIwMTkzOWYwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiXQ"),
        ("events", "filters", "plan"),
        ("events", "filters", '[{"property": "plan"}]'),
        ("events", "filters", "[" * 10_000),
        ("events", "filters", '{"any":[' * 1_000 + "]}" * 1_000),
        ("events", "filters", r'[{"property": "a", "value": "\ud800"}]'),
        ("events", "date_from", "yesterday"),
        ("events", "date_to", "all"),
        ("events", "timezone", "Mars/Base"),
        ("events", "even", "a"),
        ("rejected-events", "cursor", "WzEsMl0"),
        ("rejected-events", "cursor", "WzEsMiwtM10"),  # [1,2,-3]
        ("rejected-events", "cursor", "WzEsMiwxODQ0Njc0NDA3MzcwOTU1MTYxNl0"),  # [1,2,2**64]
        ("event-names", "cursor", "x"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(project: Project, path: str, field: str, value: Any) -> None:
    answer = project.get(path, **{field: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["loc"][:2] == ["query", field]


def test_an_invalid_regex_in_the_url(project: Project) -> None:
    bad = json.dumps({"property": "a", "operator": "regex", "value": "("})
    answer = project.get("events", filters=bad)
    assert answer.status_code == 400
    assert "invalid regular expression: missing )" in answer.json()["detail"]
