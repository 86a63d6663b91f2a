"""Lifecycle: what brute force, which knows no links between ids, does not ask."""

from __future__ import annotations

from typing import Any

import pytest
from query_platform import Project, event

DAYS = {"date_from": "2026-11-16", "date_to": "2026-11-18"}


def states(project: Project, **document: Any) -> dict[str, list[int]]:
    answer = project.ask("lifecycle", {**DAYS, **document})
    return {state: answer[state] for state in ("new", "returning", "resurrecting", "dormant")}


@pytest.fixture
def joined(project: Project) -> Project:
    """Ann, who was here in the summer without a name; and Bob, who came as somebody else the day before."""
    project.store(
        event("open", "laptop", "2026-07-01T10:00"),
        event("open", "ann", "2026-11-17T10:00"),
        event("open", "phone", "2026-11-16T10:00"),
        event("open", "bob", "2026-11-17T10:00"),
    )
    return project


def test_two_ids_are_two_new_people_until_they_are_linked(joined: Project) -> None:
    assert states(joined) == {
        "new": [1, 2, 0],
        "returning": [0, 0, 0],
        "resurrecting": [0, 0, 0],
        "dormant": [0, -1, -2],
    }


def test_a_person_is_as_old_as_their_oldest_id(joined: Project) -> None:
    joined.join("ann", "laptop")
    joined.join("bob", "phone")
    assert states(joined) == {
        "new": [1, 0, 0],
        "returning": [0, 1, 0],
        "resurrecting": [0, 1, 0],
        "dormant": [0, 0, -2],
    }


def test_who_did_something_else_before_is_not_new(project: Project) -> None:
    project.store(event("open", "ann", "2026-11-16T10:00"), event("pay", "ann", "2026-11-17T10:00"))
    assert states(project, event="pay")["new"] == [0, 0, 0]
    assert states(project, event="open")["new"] == [1, 0, 0]


def test_history_is_not_read_again_to_know_who_is_new(project: Project) -> None:
    project.store(*(event("open", "bob", "2025-03-01T10:00") for _ in range(60_000)))
    project.store(event("open", "ann", "2026-11-17T10:00"))
    answer = project.post("lifecycle", {**DAYS, "event": "open"}).json()
    assert answer["new"] == [0, 1, 0]
    assert answer["meta"]["rows_read"] < 60_000, "a row for each person, and those of other tests nearby"
