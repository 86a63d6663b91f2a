"""Segment's calls and the events that they become."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest

from footfall_capture.dialects.segment import TYPES

NOW_MS = 1_793_527_200_000
UUID = "0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01"


async def take(service: Any, path: str, body: object) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, distinct_id and properties of the events that a body became."""
    credentials = base64.b64encode(f"{service.key}:".encode()).decode()
    answer = await service.client.post(path, json=body, headers={"authorization": f"Basic {credentials}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    return [(event.event, event.distinct_id, json.loads(bytes(event.properties))) for event in service.log.events]


CALLS: list[tuple[str, dict[str, Any], tuple[str, str, dict[str, Any]]]] = [
    ("track", {"userId": "ann", "event": "signup", "properties": {"plan": "pro"}}, ("signup", "ann", {"plan": "pro"})),
    ("track", {"anonymousId": "a1", "event": "signup"}, ("signup", "a1", {"$device_id": "a1"})),
    ("track", {"userId": "", "anonymousId": "a1", "event": "x"}, ("x", "a1", {"$device_id": "a1"})),
    ("track", {"userId": 7, "event": "x"}, ("x", "7", {})),
    (
        "identify",
        {"userId": "ann", "anonymousId": "a1", "traits": {"plan": "pro"}},
        ("$identify", "ann", {"$set": {"plan": "pro"}, "$anon_distinct_id": "a1", "$device_id": "a1"}),
    ),
    ("identify", {"userId": "ann"}, ("$identify", "ann", {"$set": {}})),
    (
        "identify",
        {"anonymousId": "a1", "traits": {"plan": "pro"}},
        ("$set", "a1", {"$set": {"plan": "pro"}, "$device_id": "a1"}),
    ),
    (
        "page",
        {
            "userId": "ann",
            "name": "Home",
            "category": "Docs",
            "properties": {
                "url": "https://shop.example/a?b",
                "path": "/a",
                "referrer": "https://r.example",
                "title": "T",
            },
        },
        (
            "$pageview",
            "ann",
            {
                "name": "Home",
                "category": "Docs",
                "url": "https://shop.example/a?b",
                "path": "/a",
                "referrer": "https://r.example",
                "title": "T",
                "$current_url": "https://shop.example/a?b",
                "$host": "shop.example",
                "$pathname": "/a",
                "$referrer": "https://r.example",
            },
        ),
    ),
    ("page", {"userId": "ann", "properties": {"url": "http://[x"}}, (
        "$pageview", "ann", {"url": "http://[x", "$current_url": "http://[x"}
    )),
    (
        "screen",
        {"userId": "ann", "name": "Main", "properties": {"n": 1}},
        ("$screen", "ann", {"$screen_name": "Main", "name": "Main", "n": 1}),
    ),
    (
        "group",
        {"userId": "ann", "groupId": "acme", "traits": {"seats": 5}},
        (
            "$groupidentify",
            "ann",
            {
                "$group_type": "group",
                "$group_key": "acme",
                "$group_set": {"seats": 5},
                "$groups": {"group": "acme"},
            },
        ),
    ),
    ("alias", {"userId": "ann", "previousId": "a1"}, ("$create_alias", "ann", {"alias": "a1"})),
]  # fmt: skip


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("type", "call", "expected"), CALLS)
async def test_a_call_becomes_an_event(service: Any, type: str, call: Any, expected: Any, slash: str) -> None:
    assert await take(service, f"/v1/{type}{slash}", call) == [expected]


async def test_a_batch_holds_calls_of_every_type(service: Any) -> None:
    batch = [{"type": type, **call} for type, call, _ in CALLS]

    assert await take(service, "/v1/batch", {"batch": batch}) == [expected for _, _, expected in CALLS]
    assert {type for type, _, _ in CALLS} == set(TYPES)


async def test_the_context_is_shared_and_overridden(service: Any) -> None:
    context = {
        "ip": "198.51.100.4",
        "library": {"name": "analytics.js", "version": "2.0"},
        "page": {"url": "https://shop.example/", "path": "/", "title": "Shop"},
        "campaign": {"source": "news", "name": "autumn"},
        "os": {"name": "iOS", "version": "17"},
        "screen": {"width": 390, "height": 844},
        "userAgent": "Mozilla/5.0",
        "locale": "de",
        "timezone": "Europe/Berlin",
        "traits": {"plan": "pro"},
        "groupId": "acme",
    }
    call = {"type": "track", "event": "x", "userId": "ann", "context": {"locale": "fr", "os": 7}}
    [(_, _, properties)] = await take(service, "/v1/batch", {"batch": [call], "context": context})

    assert properties == {
        "$ip": "198.51.100.4",
        "$lib": "analytics.js",
        "$lib_version": "2.0",
        "$current_url": "https://shop.example/",
        "$host": "shop.example",
        "$pathname": "/",
        "title": "Shop",
        "utm_source": "news",
        "utm_campaign": "autumn",
        "$screen_width": 390,
        "$screen_height": 844,
        "$raw_user_agent": "Mozilla/5.0",
        "$locale": "fr",
        "$timezone": "Europe/Berlin",
        "$set": {"plan": "pro"},
        "$groups": {"group": "acme"},
    }
    assert service.log.events[0].ip == "198.51.100.4"


@pytest.mark.parametrize("name", ["analytics-python", "@segment/analytics-node", "analytics-ruby"])
async def test_where_a_server_stands_says_nothing_of_its_users(service: Any, name: str) -> None:
    call = {"event": "x", "userId": "ann", "context": {"library": {"name": name}}}
    [(_, _, properties)] = await take(service, "/v1/track", call)

    assert properties == {"$lib": name, "$geoip_disable": True}


@pytest.mark.parametrize(
    ("message_id", "stored"),
    [
        (UUID.upper(), UUID),
        ("node-1-x", str(uuid.uuid5(uuid.UUID("5f0bf2a1-94a3-5b3c-8a53-8f2f0a8f6a1e"), "node-1-x"))),
    ],
)
async def test_the_message_id_names_the_event(service: Any, message_id: str, stored: str) -> None:
    await take(service, "/v1/track", {"event": "x", "userId": "ann", "messageId": message_id})

    assert service.log.events[0].uuid == stored


@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp"])
async def test_sent_at_corrects_the_clock(service: Any, field: str) -> None:
    call = {"event": "x", "userId": "ann", field: "2026-11-01T08:59:55Z"}
    await take(service, "/v1/track", {**call, "sentAt": "2026-11-01T09:00:00Z"})
    await take(service, "/v1/batch", {"batch": [{"type": "track", **call}], "sentAt": "2026-11-01T09:00:00Z"})

    assert [event.timestamp for event in service.log.events] == [NOW_MS - 5_000] * 2


async def test_bad_calls_are_a_success_that_says_what_was_rejected(service: Any) -> None:
    calls = [{"type": "track", "userId": "ann"}, {"type": "dance"}, {"type": "track", "event": "x"}, 7,
             {"type": "page", "userId": "ann", "properties": 7}]  # fmt: skip
    answer = await service.client.post("/v1/batch", json={"writeKey": service.key, "batch": calls})

    said = answer.json()
    assert (answer.status_code, said["success"], said["accepted"]) == (200, True, 0)
    assert [each["reason"] for each in said["rejected"]] == [
        "missing_event_name",
        "invalid_event",
        "missing_distinct_id",
        "invalid_event",
        "invalid_properties",
    ]
    assert [record.payload for record in service.log.rejected][1] == '{"type":"dance"}'


@pytest.mark.parametrize("suffix", ["", ":"])
async def test_the_key_is_the_user_of_basic(service: Any, suffix: str) -> None:
    credentials = base64.b64encode(f"{service.key}{suffix}".encode()).decode()
    call = {"event": "x", "userId": "ann"}
    answer = await service.client.post("/v1/track", json=call, headers={"authorization": f"Basic {credentials}"})

    assert answer.status_code == 200


@pytest.mark.parametrize("credentials", ["", "!", "YTpi", "/w=="])
async def test_another_user_of_basic_is_no_key(service: Any, credentials: str) -> None:
    call = {"event": "x", "userId": "ann"}
    answer = await service.client.post("/v1/track", json=call, headers={"authorization": f"Basic {credentials}"})

    assert answer.status_code == 401
