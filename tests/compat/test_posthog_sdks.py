"""PostHog's own SDKs, unmodified: what they send is stored field by field, once, and they see no error."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import pytest
from programs import Run, chromium
from proxy import Project, Proxy, Stored

WHEN = "2026-11-01T10:00:00"
ADDED = {"$ip"}
"""What Footfall adds to events of servers."""


def sent_events(proxy: Proxy) -> dict[str, dict[str, Any]]:
    """What went over the wire, by uuid."""
    events: dict[str, dict[str, Any]] = {}
    for request in proxy.seen:
        if request.method != "POST" or request.path.startswith(("/flags", "/decide")):
            continue
        text = gzip.decompress(request.body) if request.body.startswith(b"\x1f\x8b") else request.body
        if text.startswith(b"data="):  # a beacon
            text = b64decode(parse_qs(text.decode())["data"][0])
        document = json.loads(text)
        batch = document if isinstance(document, list) else document.get("batch", [document])
        events |= {event["uuid"]: event for event in batch}
    return events


def without_nothing(value: Any) -> Any:
    """ClickHouse's JSON keeps neither nulls nor empty objects."""
    if isinstance(value, dict):
        kept = {name: without_nothing(inner) for name, inner in value.items() if inner is not None}
        return {name: inner for name, inner in kept.items() if inner != {}}
    return value


def check_stored_as_sent(proxy: Proxy, stored: dict[str, Stored], key: str) -> None:
    """Every event that was sent is stored with all of its properties, and nothing was invented."""
    sent = sent_events(proxy)
    assert {event.uuid for event in stored.values()} == set(sent)
    for event in stored.values():
        was = sent[event.uuid]
        properties = dict(was.get("properties", {}))
        for name in ("$set", "$set_once"):
            if name in was:
                properties[name] = was[name]
        if properties.get("token") == key:
            del properties["token"]
        assert event.event == was["event"]
        assert event.distinct_id == was.get("distinct_id", properties.get("distinct_id"))
        kept = {name: value for name, value in event.properties.items() if name in properties or name not in ADDED}
        assert kept == without_nothing(properties)


@pytest.mark.parametrize("compressed", ["0", "1"])
def test_python(proxy: Proxy, project: Project, run_python: Run, compressed: str) -> None:
    proxy.losing = 1  # the answer to the first batch: it is sent again, and counts once
    said = run_python("posthog_v0.py", proxy.url, project.write_key, GZIP=compressed)
    stored = project.stored(6)

    assert (said["errors"], said["flags"]) == ([], {})
    first, *others = proxy.statuses("/batch/")  # more than one where the SDK had to wait for the processor
    assert (first, set(others)) == (503, {200})
    assert {name: event.uuid for name, event in stored.items()} == said["uuids"]
    assert stored["signup"].timestamp.startswith(WHEN)
    assert stored["signup"].distinct_id == "ann"
    assert {"plan": "pro", "amount": 12.5, "items": ["a", "b"], "nested": {"deep": True}}.items() <= stored[
        "signup"
    ].properties.items()
    assert stored["signup"].properties["$groups"] == {"company": "acme"}
    assert stored["$set"].properties["$set"] == {"name": "Ann", "age": 33}
    assert stored["$set_once"].properties["$set_once"] == {"first": "yes"}
    assert stored["$create_alias"].distinct_id == "anonymous-1"
    assert stored["$create_alias"].properties["alias"] == "ann"
    assert stored["nobody"].properties["$process_person_profile"] is False
    check_stored_as_sent(proxy, stored, project.write_key)


def test_python_version_1(proxy: Proxy, project: Project, run_python: Run) -> None:
    said = run_python("posthog_v0.py", proxy.url, project.write_key, MODE="v1")
    stored = project.stored(6)

    assert said["errors"] == []
    assert set(proxy.statuses("/i/v1/analytics/events")) == {200}
    assert {name: event.uuid for name, event in stored.items()} == said["uuids"]
    assert stored["signup"].timestamp.startswith(WHEN)
    assert stored["signup"].properties["$lib"] == "posthog-python"
    assert stored["$set"].properties["$set"] == {"name": "Ann", "age": 33}
    assert stored["$create_alias"].properties["alias"] == "ann"
    assert stored["nobody"].properties["$process_person_profile"] is False


def test_python_version_1_is_told_of_each_event(proxy: Proxy, project: Project, run_python: Run) -> None:
    proxy.losing = 1  # all are sent again
    said = run_python("posthog_v1_results.py", proxy.url, project.write_key)
    stored = project.stored(2)

    assert proxy.statuses("/i/v1/analytics/events") == [503, 200]
    results = json.loads(proxy.seen[-1].answer)["results"]
    uuids = said["uuids"]
    assert {name: results[uuid]["result"] for name, uuid in uuids.items()} == {
        "good": "ok",
        "mended": "warning",
        "dropped": "drop",
    }
    assert said["dropped"] == [[uuids["dropped"], "event_name_too_long: `event` has 201 characters."]]
    assert results[uuids["mended"]]["details"].startswith("timestamp_before_1970: ")
    assert {name: event.uuid for name, event in stored.items()} == {n: uuids[n] for n in ("good", "mended")}


@pytest.mark.parametrize("compressed", ["0", "1"])
def test_node(proxy: Proxy, project: Project, run_node: Run, compressed: str) -> None:
    proxy.losing = 1
    said = run_node("posthog-node.mjs", proxy.url, project.write_key, GZIP=compressed)
    stored = project.stored(4)

    assert (said["errors"], said["flags"]) == ([], {})
    assert proxy.statuses("/batch/")[:2] == [503, 200]
    assert stored["signup"].uuid == said["uuid"]
    assert stored["signup"].timestamp.startswith(WHEN)
    assert stored["signup"].properties["$set"] == {"name": "Ann"}
    assert stored["$identify"].distinct_id == "ann"
    assert stored["$identify"].properties["$set"] == {"age": 33}
    assert stored["$identify"].properties["$set_once"] == {"first": "yes"}
    assert stored["$create_alias"].properties["alias"] == "anonymous-1"
    assert stored["$groupidentify"].properties["$group_set"] == {"seats": 5}
    check_stored_as_sent(proxy, stored, project.write_key)


@pytest.mark.parametrize(("options", "losing"), [({}, 1), ({"disable_compression": True}, 0)], ids=["gzip-js", "plain"])
def test_browser(proxy: Proxy, project: Project, run_node: Run, options: dict[str, Any], losing: int) -> None:
    browser = chromium()
    proxy.losing = losing
    more = {"RETRY": "1"} if losing else {}
    said = run_node("posthog-browser.mjs", browser, proxy.url, project.write_key, json.dumps(options), **more)
    stored = project.stored(8)

    # A lost answer is the only thing that the page may complain of.
    assert [error for error in said["errors"] if "503" not in error] == []
    assert len(said["errors"]) == losing
    assert proxy.statuses("/e/").count(503) == losing
    assert set(proxy.statuses("/array", "/flags", "/static")) == {200}
    own = {"$pageview", "$autocapture", "$pageleave", "$identify", "$groupidentify", "$create_alias"}
    assert set(stored) == own | {"signup", "last words"}
    anonymous = said["anonymousId"]
    assert stored["$pageview"].distinct_id == stored["signup"].distinct_id == anonymous
    assert stored["$pageview"].properties["$current_url"] == f"{said['origin']}/start?utm_source=news"
    assert stored["$pageview"].properties["utm_source"] == "news"
    assert {"plan": "pro", "amount": 12.5, "text": "é 😀 a+b", "theme": "dark"}.items() <= stored[
        "signup"
    ].properties.items()
    assert stored["$identify"].distinct_id == "ann"
    assert stored["$identify"].properties["$anon_distinct_id"] == anonymous
    assert stored["$identify"].properties["$set"]["name"] == "Ann"
    assert stored["$identify"].properties["$set_once"]["first"] == "yes"
    assert stored["$create_alias"].properties["alias"] == "ann-2"
    assert stored["$groupidentify"].properties["$group_key"] == "acme"
    assert stored["$autocapture"].properties["$el_text"] == "Buy it"
    assert stored["last words"].properties["$groups"] == {"company": "acme"}
    assert len({event.properties["$session_id"] for event in stored.values()}) == 1
    check_stored_as_sent(proxy, stored, project.write_key)
