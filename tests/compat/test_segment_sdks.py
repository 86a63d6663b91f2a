"""Segment's own SDKs, unmodified: what they send is stored, field by field, once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from programs import Run
from proxy import Project, Proxy, Stored

WHEN = "2026-11-01T10:00:00"


def own_properties(event: Stored) -> dict[str, Any]:
    """Without what says only which library sent it, and from where."""
    named = {"$lib", "$lib_version", "$geoip_disable", "$ip"}
    return {name: value for name, value in event.properties.items() if name not in named}


@pytest.mark.parametrize("compressed", ["0", "1"])
def test_python(proxy: Proxy, project: Project, run_python: Run, compressed: str) -> None:
    proxy.losing = 1  # the answer to the first batch: it is sent again, and counts once
    said = run_python("segment_python.py", proxy.url, project.write_key, GZIP=compressed)
    stored = project.stored(7)

    assert said["errors"] == []
    assert proxy.statuses("/v1/batch")[:2] == [503, 200]
    assert stored["signup"].uuid == said["message_id"]
    assert stored["signup"].timestamp.startswith(WHEN)
    assert stored["signup"].properties == {
        "plan": "pro",
        "amount": 12.5,
        "$ip": "198.51.100.4",
        "$lib": "analytics-python",
        "$lib_version": stored["signup"].properties["$lib_version"],
        "$raw_user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        # Read from the user agent by the Consumer.
        "$browser": "Firefox",
        "$browser_version": 140,
        "$device_type": "Desktop",
        "$os": "Linux",
    }
    assert own_properties(stored["$pageview"]) == {
        "name": "Start",
        "category": "Docs",
        "url": "https://shop.example/start",
        "path": "/start",
        "$current_url": "https://shop.example/start",
        "$host": "shop.example",
        "$pathname": "/start",
    }
    assert own_properties(stored["$screen"])["category"] == "Docs"
    check_identity(stored)


def test_node(proxy: Proxy, project: Project, run_node: Run) -> None:
    proxy.losing = 1
    said = run_node("segment-node.mjs", proxy.url, project.write_key)
    stored = project.stored(7)

    assert said["errors"] == []
    assert proxy.statuses("/v1/batch")[:2] == [503, 200]
    assert stored["signup"].uuid == "0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01"
    assert stored["signup"].timestamp.startswith(WHEN)
    assert stored["signup"].properties == {
        "plan": "pro",
        "amount": 12.5,
        "$ip": "198.51.100.4",
        "$locale": "de",
        "$lib": "@segment/analytics-node",
        "$lib_version": stored["signup"].properties["$lib_version"],
    }
    assert own_properties(stored["$pageview"]) == {
        "name": "Start",
        "category": "Docs",
        "url": "https://shop.example/start",
        "$current_url": "https://shop.example/start",
        "$host": "shop.example",
    }
    check_identity(stored)


def check_identity(stored: dict[str, Stored]) -> None:
    """What is the same whichever of their SDKs sent it."""
    assert {name: event.distinct_id for name, event in stored.items()} == {
        "signup": "ann",
        "$identify": "ann",
        "$pageview": "ann",
        "$screen": "ann",
        "$groupidentify": "ann",
        "$create_alias": "ann",
        "visit": "anonymous-3",
    }
    assert own_properties(stored["$identify"]) == {
        "$set": {"name": "Ann"},
        "$anon_distinct_id": "anonymous-1",
        "$device_id": "anonymous-1",
    }
    assert own_properties(stored["$create_alias"]) == {"alias": "anonymous-2"}
    assert own_properties(stored["$groupidentify"]) == {
        "$group_type": "group",
        "$group_key": "acme",
        "$group_set": {"seats": 5},
        "$groups": {"group": "acme"},
    }
    assert own_properties(stored["$screen"])["$screen_name"] == "Main"
    assert own_properties(stored["visit"]) == {"$device_id": "anonymous-3"}
    for event in stored.values():
        assert str(uuid.UUID(event.uuid)) == event.uuid
