"""Our own SDKs against the real Capture API, with the cases that sdks/conformance runs against a double of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conftest import Platform, wait_until
from drivers import CASES, DRIVERS, with_places
from running import running_page


def test_a_page_of_another_origin_needs_one_tag(platform: Platform) -> None:
    project, write_key, read_key = platform.make_project("one tag")
    with running_page(src=f"{platform.capture_url}/footfall.js", data_key=write_key) as page:
        page("shiftClock", 40 * 86_400_000)  # whoever sits there has never set the clock
        address = page("open", "/start?utm_source=news")
        page("capture", "signup")
        page("leave")
        assert page("errors") == []
    wait_until(lambda: platform.stored(project)[0] >= 3, 20, "the events are stored")
    stored = {event["event"]: event for event in platform.get(read_key, "/api/events")["results"]}

    assert set(stored) == {"$pageview", "signup", "$pageleave"}
    for event in stored.values():
        assert abs(datetime.fromisoformat(event["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=2)
    assert {event["properties"]["$current_url"] for event in stored.values()} == {address}
    assert {event["properties"]["utm_source"] for event in stored.values()} == {"news"}
    assert len({event["distinct_id"] for event in stored.values()}) == 1
    assert stored["$pageleave"]["properties"]["$prev_pageview_pathname"] == "/start"


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_real_one_stores_what_the_cases_send(platform: Platform, driver: str) -> None:
    chosen = [case for case in CASES if not case.get("answers") and "dropped" not in case["expect"]]
    project, write_key, read_key = platform.make_project(f"conformance {driver}")
    dropped = DRIVERS[driver](platform.capture_url, with_places(chosen, write_key, "/capture"))
    expected = sorted(name for case in chosen for batch in case["expect"]["batches"] for name in batch)
    wait_until(lambda: platform.stored(project)[0] >= len(expected), 20, "the events are stored")
    stored = platform.get(read_key, "/api/events")["results"]

    assert set(map(str, dropped.values())) == {"{}"}
    assert sorted(event["event"] for event in stored) == expected
    signup = next(event for event in stored if event["event"] == "signup")
    assert CASES[0]["expect"]["properties"]["signup"].items() <= signup["properties"].items()
