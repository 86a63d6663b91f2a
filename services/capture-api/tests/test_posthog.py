"""What PostHog's SDKs of any age send, how they pack it, and the answers that they understand."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from footfall_capture.dialects.posthog import PATHS
from footfall_core.eventlog import LogUnavailable

NOW_MS = 1_793_527_200_000
OK_1 = {"status": "ok", "accepted": 1, "rejected": []}
EVENT = {"event": "signup", "distinct_id": "ann", "properties": {"plan": "a+b/c?é"}}
LZ64_OF_EVENT = (
    "N4IgpgbmB2AuIC4QENUgDQgCYEsDOsO0AxrAPo5aIrTQAEAb3YLwbgAHt2CnpoDTmGIADgCcA9nzADCYPIlDJqADwWKlylarVLeAI0QBtAIzoATOgDMA"
    "XQC+FoA="
)
UUIDS = [f"0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c0{n}" for n in (1, 2, 3)]


def with_key(service: Any) -> bytes:
    return json.dumps({**EVENT, "properties": {**EVENT["properties"], "token": service.key}}).encode()  # type: ignore[dict-item]


def as_base64(text: bytes) -> str:
    return base64.b64encode(text).decode()


PACKINGS: dict[str, Any] = {
    "plain": lambda text: ("", "application/json", text),
    "beacon": lambda text: ("?beacon=1", "text/plain;charset=UTF-8", text),
    "gzip-js": lambda text: ("?compression=gzip-js&ver=1.2", "text/plain", gzip.compress(text)),
    "gzip without a word": lambda text: ("", "application/octet-stream", gzip.compress(text)),
    "wrong compression": lambda text: ("?compression=lz64", "text/plain", text),
    "form": lambda text: ("", "application/x-www-form-urlencoded", b"data=" + quote(as_base64(text)).encode()),
    "form, plus not quoted": lambda text: ("", "text/plain", b"ip=1&data=" + as_base64(text).encode()),
    "form of JSON": lambda text: ("", "application/x-www-form-urlencoded", urlencode({"data": text}).encode()),
    "form, gzip": lambda text: (
        "",
        "application/x-www-form-urlencoded",
        urlencode({"compression": "gzip-js", "data": as_base64(gzip.compress(text))}).encode(),
    ),
    "base64": lambda text: ("?compression=base64", "text/plain", as_base64(text).encode()),
    "base64 for URLs": lambda text: ("", "text/plain", base64.urlsafe_b64encode(text).rstrip(b"=")),
    "base64 twice": lambda text: ("", "text/plain", as_base64(as_base64(text).encode()).encode()),
    "query": lambda text: ("?" + urlencode({"data": as_base64(text)}), "", b""),
    "query, plus not quoted": lambda text: ("?data=" + as_base64(text), "", b""),
    "query of JSON": lambda text: ("?" + urlencode({"data": text}), "", b""),
}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/capture", *PATHS])
async def test_every_path_takes_events(service: Any, path: str, slash: str) -> None:
    answer = await service.client.post(f"{path}{slash}", content=with_key(service))

    assert (answer.status_code, answer.json()) == (200, OK_1)
    assert [(record.event, record.distinct_id) for record in service.log.events] == [("signup", "ann")]


@pytest.mark.parametrize("packing", PACKINGS)
async def test_every_packing_is_unpacked(service: Any, packing: str) -> None:
    query, content_type, body = PACKINGS[packing](with_key(service))
    answer = await service.client.post(f"/e/{query}", content=body, headers={"content-type": content_type})

    assert (answer.status_code, answer.json()) == (200, OK_1)
    assert json.loads(bytes(service.log.events[0].properties)) == EVENT["properties"]


async def test_a_pixel_may_get(service: Any) -> None:
    answer = await service.client.get("/e/", params={"data": as_base64(with_key(service)), "_": NOW_MS})

    assert (answer.status_code, answer.json()) == (200, OK_1)


@pytest.mark.parametrize("wrap", [str, lambda packed: "data=" + quote(packed)])
@pytest.mark.parametrize("query", ["?compression=lz64", "?compression=lz-string"])
async def test_lz64_is_unpacked(service: Any, wrap: Any, query: str) -> None:
    answer = await service.client.post(f"/e/{query}", content=wrap(LZ64_OF_EVENT), headers={"x-api-key": service.key})

    assert (answer.status_code, answer.json()) == (200, OK_1)
    [record] = service.log.events
    assert record.distinct_id == "ann ö 😀 日本"
    assert json.loads(bytes(record.properties)) == {"a": "x" * 40, "b": [1, 2, 3]}


@pytest.mark.parametrize(("letters", "status"), [("!!!!", 400), ("N4Ig", 400), ("A" * 70_000, 413)])
async def test_what_is_not_lz64_is_refused(service: Any, letters: str, status: int) -> None:
    answer = await service.client.post("/e/?compression=lz64", content=letters, headers={"x-api-key": service.key})

    assert answer.status_code == status
    assert "lz64" in answer.json()["detail"]


async def test_large_packed_bodies_come_through(service: Any) -> None:
    events = [{**EVENT, "distinct_id": str(n), "properties": {"text": "x" * 1_000}} for n in range(300)]
    body = as_base64(gzip.compress(json.dumps(events).encode()))
    answer = await service.client.post("/e/", content=f"data={quote(body)}", headers={"x-api-key": service.key})

    assert answer.json()["accepted"] == 300


async def test_the_clock_of_a_browser_corrects_times(service: Any) -> None:
    """An hour late, its clock says; the body's own `sent_at` would count before it."""
    event = {**EVENT, "timestamp": NOW_MS - 3_600_000 - 5_000}
    headers = {"x-api-key": service.key}
    for body, ago in (([event], 5_000), ({"batch": [event], "sent_at": NOW_MS}, 3_605_000)):
        await service.client.post("/e/", params={"_": NOW_MS - 3_600_000}, json=body, headers=headers)
        assert service.log.events[-1].timestamp == NOW_MS - ago
    for nonsense in ("1793527200", "soon", ""):
        await service.client.post("/e/", params={"_": nonsense}, json=[event], headers=headers)
        assert service.log.events[-1].timestamp == NOW_MS - 3_605_000


async def test_engage_is_about_persons(service: Any) -> None:
    body = {"token": service.key, "$distinct_id": "ann", "$set": {"plan": "pro"}}
    answer = await service.client.post("/engage/", json=body)

    assert answer.status_code == 200
    [record] = service.log.events
    assert (record.event, record.distinct_id) == ("$identify", "ann")
    assert json.loads(bytes(record.properties)) == {"$set": {"plan": "pro"}}


async def test_good_events_are_kept_beside_bad_ones(service: Any) -> None:
    answer = await service.client.post("/batch/", json={"api_key": service.key, "batch": [{}, EVENT]})

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert [each["index"] for each in answer.json()["rejected"]] == [0]


ANALYTICS = "/i/v1/analytics/events"


def analytics_headers(service: Any, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {service.key}", "posthog-sdk-info": "posthog-python/7.91.1", **more}


@pytest.mark.parametrize("slash", ["", "/"])
async def test_version_1_answers_for_each_event(service: Any, slash: str) -> None:
    good = {
        "event": "signup",
        "uuid": UUIDS[0],
        "distinct_id": "ann",
        "timestamp": "2026-11-01T08:59:55Z",
        "session_id": "s1",
        "window_id": "w1",
        "options": {"process_person_profile": False, "cookieless_mode": True, "unknown": 1},
        "properties": {"plan": "pro", "$set": {"a": 1}},
    }
    bad = {"event": "", "uuid": UUIDS[1], "distinct_id": "ann"}
    odd = {"event": "signup", "uuid": UUIDS[2], "distinct_id": "a" * 201, "timestamp": "last Tuesday"}
    answer = await service.client.post(
        f"{ANALYTICS}{slash}",
        json={"created_at": "2026-11-01T08:59:58Z", "batch": [good, bad, 7, odd]},
        headers=analytics_headers(service, **{"posthog-request-timestamp": "2026-11-01T09:00:00Z"}),
    )

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "results": {
                UUIDS[0]: {"result": "ok"},
                UUIDS[1]: {"result": "drop", "details": "missing_event_name: `event` is empty."},
                UUIDS[2]: {
                    "result": "warning",
                    "details": "distinct_id_cut: `distinct_id` was longer than 200 characters and was cut. "
                    "timestamp_unreadable: `timestamp` could not be read; the time of arrival was used.",
                },
            }
        },
    )
    record, mended = service.log.events
    assert mended.uuid == UUIDS[2]
    assert (record.uuid, record.session_id, record.timestamp) == (UUIDS[0], "s1", NOW_MS - 5_000)
    assert json.loads(bytes(record.properties)) == {
        "plan": "pro",
        "$set": {"a": 1},
        "$lib": "posthog-python",
        "$lib_version": "7.91.1",
        "$session_id": "s1",
        "$window_id": "w1",
        "$process_person_profile": False,
        "$cookieless_mode": True,
    }
    assert [record.reason for record in service.log.rejected] == ["missing_event_name", "invalid_event"]


async def test_version_1_leaves_clocks_alone_when_told_so(service: Any) -> None:
    event = {**EVENT, "uuid": UUIDS[0], "timestamp": "2026-11-01T08:00:00Z"}
    await service.client.post(
        ANALYTICS,
        json={"batch": [{**event, "options": {"disable_skew_correction": True}}]},
        headers=analytics_headers(service, **{"posthog-request-timestamp": "2026-11-01T09:00:00Z"}),
    )

    assert service.log.events[0].timestamp == NOW_MS - 7_200_000


async def test_version_1_drops_a_batch_without_one_good_event(service: Any) -> None:
    answer = await service.client.post(
        ANALYTICS, json={"batch": [{"uuid": UUIDS[0], "properties": 7}]}, headers=analytics_headers(service)
    )

    assert answer.status_code == 200
    assert answer.json()["results"][UUIDS[0]]["result"] == "drop"


async def test_what_may_succeed_later_is_a_503_in_version_1_too(service: Any) -> None:
    service.log.failure = LogUnavailable("disk full", retry_after=2)
    answer = await service.client.post(ANALYTICS, json={"batch": [EVENT]}, headers=analytics_headers(service))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize("path", ["/e/", "/i/v0/e/", "/batch/", "/engage", ANALYTICS])
async def test_a_limit_is_a_503_where_a_429_would_lose_events(new_service: Callable[..., Any], path: str) -> None:
    service = new_service(capture_key_rate=1)
    for _ in range(10):
        assert (await service.send(EVENT)).status_code == 200
    refused = await service.client.post(
        path, json=[EVENT], headers={**analytics_headers(service), "origin": "https://x"}
    )

    assert refused.status_code == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    assert service.metric("footfall_capture_requests_total", status="503") == 1
    assert (await service.send(EVENT)).status_code == 429
    assert (await service.client.post("/v1/track", json=EVENT, headers=analytics_headers(service))).status_code == 429


@pytest.mark.parametrize(("path", "status"), [("/capture", 408), ("/v1/batch", 408), ("/e/", 503), (ANALYTICS, 503)])
async def test_a_body_that_stops_arriving_may_be_sent_again(
    new_service: Callable[..., Any], path: str, status: int
) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.sleep(0.2)
        yield b"]"

    service = new_service(capture_body_idle_seconds=0.05)
    answer = await service.client.post(path, content=stalling(), headers=analytics_headers(service))

    assert (answer.status_code, answer.headers["connection"]) == (status, "close")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/flags", "/decide"])
async def test_nobody_has_feature_flags(service: Any, path: str, slash: str) -> None:
    answer = await service.client.post(
        f"{path}{slash}?v=2", content=b"anything", headers={"origin": "https://shop.example"}
    )

    said = answer.json()
    assert answer.status_code == 200
    assert (said["flags"], said["featureFlags"], said["errorsWhileComputingFlags"]) == ({}, {}, False)
    assert (said["sessionRecording"], said["siteApps"]) == (False, [])
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_flags_may_be_asked_for_by_a_page(service: Any) -> None:
    answer = await service.client.options(
        "/flags/", headers={"origin": "https://shop.example", "access-control-request-headers": "x-custom"}
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-headers"] == "x-custom"
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.parametrize("path", ["/flags/definitions", "/api/feature_flag/local_evaluation/"])
async def test_there_are_no_flags_to_evaluate(service: Any, path: str) -> None:
    answer = await service.client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"flags": [], "group_type_mapping": {}, "cohorts": {}})


async def test_the_configuration_turns_off_what_is_not_there(service: Any) -> None:
    config = (await service.client.get("/array/ffw_x/config")).json()
    script = await service.client.get("/array/ffw_x/config.js")

    assert (config["token"], config["hasFeatureFlags"]) == ("ffw_x", False)
    assert config["supportedCompression"] == ["gzip", "gzip-js"]
    assert script.headers["content-type"].startswith("application/javascript")
    assert json.dumps(config) in script.text


async def test_a_token_cannot_leave_the_script(service: Any) -> None:
    script = await service.client.get('/array/x"]<!--<script>/config.js')

    assert '["x\\"]\\u003c!--\\u003cscript>"]' in script.text
