"""The endpoint's answers besides those about bodies and keys, and what surrounds it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from footfall_capture.__main__ import main
from footfall_capture.app import openapi_document
from footfall_capture.routes import INLINE_BYTES
from footfall_capture.settings import CaptureSettings
from footfall_core.eventlog import LogUnavailable, open_event_log, open_log_reader
from footfall_core.events import decode_raw_record

EVENT = {"event": "a", "distinct_id": "d"}


async def test_a_log_that_refuses_is_a_503_for_good_and_bad_events_alike(service: Any) -> None:
    service.log.failure = LogUnavailable("/secret/path: disk full", retry_after=2.5)
    for body in ([EVENT], [{}]):
        answer = await service.send(body)

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "3"
        assert answer.json()["detail"] == "The events cannot be stored right now. Send them again."
    assert service.metric("footfall_capture_events_accepted_total") == 0
    service.log.failure = None
    assert (await service.send([EVENT])).status_code == 200


async def test_the_answer_waits_for_the_log(new_service: Callable[..., Any]) -> None:
    durable = asyncio.Event()

    class SlowLog:
        async def append(self, records: object) -> None:
            await durable.wait()

        async def check(self) -> None: ...
        async def close(self) -> None: ...

    service = new_service(SlowLog())
    sending = asyncio.create_task(service.send([EVENT]))
    done, _ = await asyncio.wait([sending], timeout=0.2)
    assert not done
    durable.set()
    assert (await sending).status_code == 200


async def test_large_bodies_come_through_as_small_ones_do(service: Any) -> None:
    events = [{**EVENT, "distinct_id": str(n), "properties": {"text": "x" * 1_000}} for n in range(300)]
    events[250] = {"event": "no id"}
    assert len(json.dumps(events)) > INLINE_BYTES

    answer = await service.send(events)

    assert answer.json()["accepted"] == 299
    assert [each["index"] for each in answer.json()["rejected"]] == [250]
    assert [record.distinct_id for record in service.log.events] == [str(n) for n in range(300) if n != 250]


async def test_browsers_may_send_from_anywhere(service: Any) -> None:
    preflight = await service.client.options(
        "/capture",
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-custom",
        },
    )

    assert preflight.status_code == 200
    assert preflight.json() == {"status": "ok"}
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert preflight.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
    assert preflight.headers["access-control-allow-headers"] == "content-type,x-custom"
    assert preflight.headers["access-control-max-age"] == "86400"
    assert preflight.headers["vary"] == "Origin"


@pytest.mark.parametrize(("body", "status"), [([EVENT], 200), ([{}], 400), (b"x", 400)])
async def test_every_answer_may_be_read_by_the_page(service: Any, body: object, status: int) -> None:
    answer = await service.send(body, origin="null")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "null")

    answer = await service.send(body)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_other_endpoints_are_not_for_browsers(service: Any) -> None:
    answer = await service.client.get("/livez", headers={"origin": "https://shop.example"})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_other_methods_are_not_allowed(service: Any, method: str) -> None:
    answer = await service.client.request(method, "/capture")

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"POST", "OPTIONS"}


async def test_the_client_behind_a_trusted_proxy_is_found(new_service: Callable[..., Any]) -> None:
    service = new_service(trusted_proxies="203.0.113.0/24, 10.0.0.0/8")
    await service.send([EVENT], x_forwarded_for="6.6.6.6, 198.51.100.4, 10.1.2.3")
    assert service.log.events[-1].ip == "198.51.100.4"

    service = new_service()
    await service.send([EVENT], x_forwarded_for="6.6.6.6")
    assert service.log.events[-1].ip == "203.0.113.7"


async def test_it_is_ready_when_the_log_is_and_the_auth_api_was_once(service: Any) -> None:
    service.auth.is_away = True
    service.log.failure = LogUnavailable("disk full")
    answer = await service.client.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["missing"]) == {"event log", "auth"}

    service.log.failure = None
    service.auth.is_away = False
    assert (await service.client.get("/readyz")).status_code == 200

    service.auth.is_away = True
    assert (await service.client.get("/readyz")).status_code == 200

    service.readiness.draining = True
    assert (await service.client.get("/readyz")).status_code == 503
    assert (await service.send([EVENT])).status_code == 503  # the key was never resolved
    assert (await service.client.get("/livez")).status_code == 200


async def test_metrics_count_what_happened(service: Any) -> None:
    await service.send([EVENT, EVENT, {}])
    await service.send(b"x")
    await service.send_bare([EVENT])
    text = (await service.client.get("/metrics")).text

    assert "footfall_capture_events_accepted_total 2.0" in text
    assert 'footfall_capture_events_rejected_total{reason="missing_event_name"} 1.0' in text
    assert 'footfall_capture_requests_total{status="200"} 1.0' in text
    assert 'footfall_capture_requests_total{status="400"} 1.0' in text
    assert 'footfall_capture_requests_total{status="401"} 1.0' in text
    assert "footfall_capture_request_seconds_count 3.0" in text
    assert "footfall_capture_append_seconds_count 1.0" in text
    assert service.metric("footfall_capture_body_bytes_total") > 10


async def test_it_closes_the_log_when_it_stops(service: Any) -> None:
    async with service.app.router.lifespan_context(service.app):
        assert not service.log.is_closed
    assert service.log.is_closed


async def test_the_document_describes_the_endpoint(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    served = (await service.client.get("/openapi.json")).json()
    assert main(["openapi"]) == 0

    assert served == json.loads(capsys.readouterr().out) == openapi_document()
    capture = served["paths"]["/capture"]["post"]
    assert set(capture["responses"]) == {"200", "400", "401", "408", "413", "429", "503"}
    assert set(capture["requestBody"]["content"]["application/json"]["examples"]) == {"event", "batch"}


async def test_the_examples_of_the_document_work(service: Any) -> None:
    content = openapi_document()["paths"]["/capture"]["post"]["requestBody"]["content"]  # type: ignore[index]
    for example in content["application/json"]["examples"].values():
        answer = await service.send_bare({**example["value"], "api_key": service.key})
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTFALL_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32")
    monkeypatch.setenv("FOOTFALL_CAPTURE_BODY_IDLE_SECONDS", "5")
    settings = CaptureSettings()

    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::/32"]
    assert settings.capture_body_idle_seconds == 5
    monkeypatch.setenv("FOOTFALL_TRUSTED_PROXIES", "")
    assert CaptureSettings().trusted_proxies == ()


def test_it_does_not_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTFALL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("FOOTFALL_SECRET_KEY", raising=False)

    assert main([]) == 1
    assert "FOOTFALL_SECRET_KEY" in capsys.readouterr().err


async def test_what_is_accepted_can_be_read_from_the_real_log(new_service: Callable[..., Any], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/events.log.db"
    log = open_event_log(url)
    service = new_service(log)
    async with service.app.router.lifespan_context(service.app):
        answers = await asyncio.gather(*(service.send([{**EVENT, "event": str(n)}, {}]) for n in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await service.send([EVENT])).status_code == 503  # it is closed

    reader = open_log_reader(url, "test")
    try:
        records = [decode_raw_record(record.value) for record in reader.poll(100, 10**6, 5.0).records]
    finally:
        reader.close()
    assert sorted(int(getattr(record, "event", -1)) for record in records) == [-1] * 20 + list(range(20))
