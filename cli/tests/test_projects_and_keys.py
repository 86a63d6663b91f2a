"""`footfall projects` and `footfall keys`, with the real Auth API."""

from __future__ import annotations

from typing import Any

import pytest

from footfall_core.auth import is_key


def test_a_project_is_made_and_listed(footfall: Any, platform: Any) -> None:
    ran = footfall(
        "projects", "create", "My [bold] shop", "--timezone", "Europe/Berlin", "--week-start", "monday", "--json"
    )

    assert (ran.code, ran.err) == (0, "")
    project = ran.json
    assert is_key(project["write_key"], "write")
    assert project == {
        "id": project["id"],
        "name": "My [bold] shop",
        "timezone": "Europe/Berlin",
        "week_start": "monday",
        "write_key": project["write_key"],
        "role": None,
        "created_at": project["created_at"],
    }
    assert project in footfall("projects", "list", "--json").json
    listed = footfall("projects", "list").out
    assert "My [bold] shop" in listed
    assert project["write_key"] in listed
    assert project["created_at"] in listed


def test_making_a_project_shows_its_key(footfall: Any, platform: Any) -> None:
    ran = footfall("projects", "create", "Shop")

    assert ran.code == 0
    assert is_key(ran.out.split()[-1], "write")


def test_keys_are_made_listed_and_revoked(footfall: Any, platform: Any) -> None:
    project = footfall("projects", "create", "Shop", "--json").json["id"]

    made = footfall("keys", "create", "--project", project, "--type", "read", "--name", "N", "--json")
    assert (made.code, made.err) == (0, "")
    key = made.json
    assert (key["type"], key["name"], is_key(key["key"], "read")) == ("read", "N", True)

    keys = footfall("keys", "list", "--project", project, "--json").json
    assert [(each["type"], each["name"]) for each in keys] == [("write", "first write key"), ("read", "N")]
    assert keys[1]["key"] == f"ffr_…{key['key'][-4:]}"
    assert keys[0]["key"] in footfall("keys", "list", "--project", project).out

    revoked = footfall("keys", "revoke", key["id"], "--project", project, "--json")
    assert revoked.json == {"id": key["id"], "project_id": project, "revoked": True}
    again = footfall("keys", "revoke", key["id"], "--project", project, "--json")
    assert (again.code, again.error["status"]) == (1, 404)


def test_people_are_told_to_keep_a_read_key(footfall: Any, platform: Any) -> None:
    ran = footfall("keys", "create", "--type", "read", "--name", "N")

    assert ran.code == 0
    assert "Keep it: it is not shown again." in ran.out
    assert "was revoked" in footfall("keys", "revoke", footfall("keys", "list", "--json").json[-1]["id"]).out


def test_the_project_of_up_is_meant_unless_one_is_named(footfall: Any, platform: Any) -> None:
    assert footfall("keys", "list", "--json").json[0]["key"] == platform.write_key


def test_long_lists_are_whole(footfall: Any, platform: Any) -> None:
    project = footfall("projects", "create", "Many keys", "--json").json["id"]
    for number in range(3):
        footfall("keys", "create", "--project", project, "--type", "write", "--name", f"key {number}")

    assert len(footfall("keys", "list", "--project", project, "--json").json) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("projects", "create", " "), 1, "name"),
        (("projects", "create", "Shop", "--timezone", "europe/berlin"), 1, "did you mean Europe/Berlin?"),
        (("projects", "create", "Shop", "--week-start", "friday"), 2, "--week-start"),
        (("projects", "create"), 2, "Missing argument"),
        (("projects", "creat"), 2, "No such command"),
        (("keys", "list", "--project", "99999"), 1, "no project 99999"),
        (("keys", "create", "--name", "N"), 2, "--type"),
        (("keys", "create", "--name", "N", "--type", "admin"), 2, "--type"),
        (("keys", "revoke", "0"), 2, "greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(footfall: Any, platform: Any, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = footfall(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert ("--help` tells how" in ran.err) == (code == 2)

    ran = footfall(*arguments, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.error["error"]
