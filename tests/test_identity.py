"""A shop's customer comes without a name, signs in, and comes back on a phone: one person in every answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Platform, wait_until

DAY = "2026-11-01"
SECONDS = 5.0
"""How soon a link is in effect, with a machine that does other things as well."""


def event(name: str, id: str, at: str, **properties: Any) -> dict[str, Any]:
    return {"event": name, "distinct_id": id, "timestamp": f"{DAY}T{at}Z", "properties": properties}


ANONYMOUS = [
    event("view", "anon-laptop", "09:00:00", **{"$set_once": {"first_page": "/shoes"}}),
    event("add to cart", "anon-laptop", "09:05:00"),
]
SIGN_IN = [
    event("$identify", "ann", "09:10:00", **{"$anon_distinct_id": "anon-laptop", "$set": {"plan": "pro"}}),
    event("checkout", "ann", "09:11:00"),
]
PHONE = [
    event("view", "anon-phone", "20:00:00", **{"$set_once": {"first_page": "/sale"}}),
    event("$identify", "ann", "20:01:00", **{"$anon_distinct_id": "anon-phone"}),
    event("buy", "ann", "20:05:00", amount=120),
]
OTHERS = [
    event("view", "anon-bob", "10:00:00"),
    event("$identify", "bob", "10:10:00", **{"$anon_distinct_id": "anon-bob", "$set": {"plan": "free"}}),
    # Cid borrows Ann's laptop and nobody resets it: he is not Ann.
    event("$identify", "cid", "21:00:00", **{"$anon_distinct_id": "anon-laptop"}),
    event("view", "cid", "21:01:00"),
]
STEPS = [{"event": name} for name in ("view", "add to cart", "checkout", "buy")]
HISTORIES = {
    "as it happened": [ANONYMOUS, SIGN_IN, PHONE, OTHERS],
    "the phone first": [PHONE, OTHERS, SIGN_IN, ANONYMOUS],
    "all at once, twice": [[*OTHERS, *SIGN_IN, *ANONYMOUS, *PHONE], [*PHONE, *ANONYMOUS]],
}


@pytest.mark.parametrize("history", HISTORIES)
def test_one_person_across_an_anonymous_session_a_sign_in_and_a_second_device(platform: Platform, history: str) -> None:
    project, write_key, read_key = platform.make_project(f"shop, {history}")
    for number, batch in enumerate(HISTORIES[history]):
        known = [{**each, "uuid": uuid_of(number_of(each))} for each in batch]
        assert platform.capture(write_key, known).json()["rejected"] == [], number
    range_ = {"date_from": DAY, "date_to": DAY}

    def funnel() -> list[int]:
        answer = platform.ask(read_key, "funnels", steps=STEPS, **range_)
        return [step["count"] for step in answer["steps"]]

    wait_until(lambda: funnel() == [3, 1, 1, 1], SECONDS, "the funnel crosses both devices and the sign-in")

    users = platform.ask(read_key, "trends", series=[{"math": "unique_users"}], **range_)
    assert users["series"][0]["total"] == 3
    pro = {"property": "plan", "value": "pro", "scope": "person"}
    views = platform.ask(read_key, "trends", series=[{"event": "view", "filters": [pro]}], **range_)
    assert views["series"][0]["total"] == 2
    broken_down = platform.ask(
        read_key, "trends", series=[{"event": "view"}], breakdown={"property": "plan", "scope": "person"}, **range_
    )
    assert {each["breakdown_value"]: each["total"] for each in broken_down["series"]} == {"pro": 2, "free": 1, None: 1}

    shown = json.loads(platform.footfall("persons", "show", "anon-phone", "--read-key", read_key, "--json").stdout)
    assert shown["distinct_ids"] == ["ann", "anon-laptop", "anon-phone"]
    assert shown["properties"] == {"first_page": "/shoes", "plan": "pro"}
    assert [(link["source"], link["target"], link["is_refused"]) for link in shown["links"]] == [
        ("anon-laptop", "ann", False),
        ("anon-phone", "ann", False),
        ("anon-laptop", "cid", True),
    ]
    assert [each["event"] for each in shown["timeline"]] == [
        "buy", "$identify", "view", "checkout", "$identify", "add to cart", "view",
    ]  # fmt: skip
    listed = json.loads(platform.footfall("persons", "list", "--read-key", read_key, "--json").stdout)
    assert [each["distinct_ids"] for each in listed] == [
        ["cid"],
        ["ann", "anon-laptop", "anon-phone"],
        ["anon-bob", "bob"],
    ]
    assert project


EVERYTHING = [*ANONYMOUS, *SIGN_IN, *PHONE, *OTHERS]


def number_of(each: dict[str, Any]) -> int:
    return EVERYTHING.index(each)


def uuid_of(number: int) -> str:
    return f"0193a000-0000-7000-8000-{number:012d}"
