"""schemas/cases/sdks.json, run by both SDKs against a double of the Capture API. tests/compat runs
them against the real one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from double import Arrived, Double, running_double
from drivers import CASES, DRIVERS, KEY, with_places


@pytest.fixture(scope="module", params=DRIVERS)
def driven(request: pytest.FixtureRequest) -> Iterator[tuple[str, Double, dict[str, dict[str, int]]]]:
    """All cases at once, as most of their time is waiting."""
    with running_double() as double:
        for number, case in enumerate(CASES):
            double.answers[str(number)] = list(case.get("answers", []))
        yield request.param, double, DRIVERS[request.param](double.url, with_places(CASES, KEY, "/{}/capture"))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_case(driven: tuple[str, Double, dict[str, dict[str, int]]], number: int) -> None:
    _, double, dropped = driven
    expect = CASES[number]["expect"]
    arrived = double.arrived.get(str(number), [])

    assert [[event["event"] for event in request.events] for request in arrived] == expect["batches"]
    assert dropped[str(number)] == expect.get("dropped", {})
    if "packed" in expect:
        assert {request.is_packed for request in arrived} == {expect["packed"]}
    for earlier, later in pairwise(arrived):
        assert later.at - earlier.at >= expect.get("least_pause", 0)
    last = {event["event"]: event for request in arrived for event in request.events}
    for name, properties in expect.get("properties", {}).items():
        assert properties.items() <= last[name]["properties"].items()
    assert {name: last[name]["distinct_id"] for name in expect.get("distinct_ids", {})} == expect.get(
        "distinct_ids", {}
    )
    for request in arrived:
        check_request(request)
    check_ids(arrived)


def check_request(request: Arrived) -> None:
    """What is true of every request."""
    assert request.body.get("api_key") == KEY or request.headers["authorization"] == f"Bearer {KEY}"
    sent_at = datetime.fromisoformat(request.body["sent_at"])
    for event in request.events:
        assert datetime.fromisoformat(event["timestamp"]) <= sent_at
        assert event["distinct_id"]
        assert event["properties"]["$lib"].startswith("footfall-")
        assert event["properties"]["$lib_version"]
        assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", event["uuid"])


def check_ids(arrived: list[Arrived]) -> None:
    """An event is the same on every try, but for when it was sent; no two events have one uuid."""
    seen: dict[str, dict[str, Any]] = {}
    for request in arrived:
        for event in request.events:
            assert seen.setdefault(event["uuid"], event) == event
    assert len({event["event"] for event in seen.values()}) == len(seen)
    sent = [request.body["sent_at"] for request in arrived]
    assert sent == sorted(sent)
