"""`footfall persons`. tests/test_identity.py runs it against the real Query API."""

from __future__ import annotations

from typing import Any

ANN: dict[str, Any] = {
    "person_id": "8a3e4c1a-0000-4000-8000-000000000001",
    "distinct_ids": ["ann", "lap\ntop"],
    "properties": {"plan": "pro"},
    "events": 1_234,
    "first_seen": "2026-11-01T10:00:00.000Z",
    "last_seen": "2026-11-02T10:00:00.000Z",
}
LINK = {"source": "lap\ntop", "at": "2026-11-01T10:00:00.000Z", "is_forced": False}
SHOWN = {
    **ANN,
    "links": [{**LINK, "target": "ann", "is_refused": False}, {**LINK, "target": "bob", "is_refused": True}],
    "timeline": [
        {"timestamp": "2026-11-02T10:00:00.000Z", "event": "buy", "distinct_id": "ann", "properties": {"n": 1}}
    ],
    "next_cursor": None,
}


def test_people_are_listed(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.results["/api/persons"] = {"results": [ANN], "next_cursor": None}

    ran = footfall("persons", "list", "--search", "an", "-n", 5)

    assert (ran.code, ran.err) == (0, "")
    for words in ("ann, lap\\ntop", "1,234", "2026-11-02", '{"plan":"pro"}'):
        assert words in ran.out
    asked = query_api.asked[-1]
    assert (asked.path, asked.parameters, asked.key) == (
        "/api/persons",
        {"limit": ["5"], "search": ["an"]},
        platform.read_key,
    )
    assert footfall("persons", "list", "--json").json == [ANN]


def test_when_there_is_nobody_it_is_said(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.results["/api/persons"] = {"results": [], "next_cursor": None}

    assert "Nobody did anything yet" in footfall("persons", "list").out
    assert "Nobody has an id or a property with x" in footfall("persons", "list", "--search", "x").out
    assert footfall("persons", "list", "--json").json == []


def test_a_person_is_shown(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.results["/api/persons/a%2Fnn"] = SHOWN

    ran = footfall("persons", "show", "a/nn")

    assert (ran.code, ran.err) == (0, "")
    for words in ("1,234 events", "ann, lap\\ntop", "lap\\ntop → bob, 2026-11-01T10:00:00.000Z, refused", "buy"):
        assert words in ran.out
    assert footfall("persons", "show", "a/nn", "--json").json == SHOWN


def test_an_unknown_person_is_an_error(footfall: Any, platform: Any, query_api: Any) -> None:
    ran = footfall("persons", "show", "nobody")

    assert (ran.code, "No /api/persons/nobody" in ran.err) == (1, True)
