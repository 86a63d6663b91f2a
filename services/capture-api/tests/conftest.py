"""The service in this process: a log that remembers, an Auth API that can be away, and a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from footfall_capture.app import make_capture_app, make_readiness
from footfall_capture.settings import CaptureSettings
from footfall_core.auth import ProjectDirectory, make_key
from footfall_core.eventlog import EventLog, LogUnavailable, Record
from footfall_core.events import EventRecord, RejectedRecord, decode_raw_record
from footfall_core.web import Readiness

NOW = 1_793_527_200.0  # 2026-11-01T10:00:00Z


class RecordingLog:
    """An event log in a list. `failure` is what the next calls raise."""

    def __init__(self) -> None:
        self.appends: list[Sequence[Record]] = []
        self.failure: LogUnavailable | None = None
        self.is_closed = False

    async def append(self, records: Sequence[Record]) -> None:
        await self.check()
        self.appends.append(records)

    async def check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        self.is_closed = True

    @property
    def records(self) -> list[Record]:
        return [record for records in self.appends for record in records]

    @property
    def events(self) -> list[EventRecord]:
        found = (decode_raw_record(record.value) for record in self.records)
        return [record for record in found if isinstance(record, EventRecord)]

    @property
    def rejected(self) -> list[RejectedRecord]:
        found = (decode_raw_record(record.value) for record in self.records)
        return [record for record in found if isinstance(record, RejectedRecord)]


class AuthApi:
    """A double of the Auth API's internal call. `is_away` makes every connection fail."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, object]] = {}
        self.is_away = False
        self.asked = 0

    def add(self, key: str, project_id: int = 7, type: str = "write") -> str:
        self.keys[key] = {
            "project_id": project_id,
            "timezone": "UTC",
            "week_start": "sunday",
            "type": type,
        }
        return key

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.is_away:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path == "/livez":
            return httpx.Response(200, json={"status": "ok"})
        assert request.url.path == "/internal/keys/resolve"
        assert request.headers["authorization"] == "Bearer internal"
        found = self.keys.get(json.loads(request.content)["key"])
        return httpx.Response(200, json=found) if found else httpx.Response(404)


class Clock:
    """Unix seconds that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Service:
    """A running Capture API and what it stands on. `key` is a write key of project 7."""

    app: FastAPI
    readiness: Readiness
    log: Any
    auth: AuthApi
    clock: Clock
    directory_clock: Clock
    registry: CollectorRegistry
    key: str
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(self.app, client=("203.0.113.7", 5000))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://capture")

    async def send(self, body: object, **headers: str) -> httpx.Response:
        """Send a body (bytes as they are, anything else as JSON) with the write key in the header."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            "/capture", content=content, headers={"authorization": f"Bearer {self.key}", **named}
        )

    async def send_bare(self, body: object, **headers: str) -> httpx.Response:
        """Send without any key but what the body and `headers` have."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post("/capture", content=json.dumps(body).encode(), headers=named)

    async def take(self, event: dict[str, object], **envelope: object) -> tuple[EventRecord, dict[str, Any]]:
        """Send one event (in a batch, if there are fields beside it); the record it became, and its properties."""
        answer = await self.send({"batch": [event], **envelope} if envelope else event)
        assert answer.json() == {"status": "ok", "accepted": 1, "rejected": []}, answer.text
        record = self.log.events[-1]
        return record, json.loads(bytes(record.properties))

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


def make_service(log: EventLog | None = None, *, script: Path = Path("not built"), **settings: Any) -> Service:
    auth, clock, directory_clock = AuthApi(), Clock(NOW), Clock(0.0)
    directory = ProjectDirectory("http://auth", "internal", transport=httpx.MockTransport(auth), clock=directory_clock)
    log = log or RecordingLog()
    readiness = make_readiness(log, directory)
    registry = CollectorRegistry()
    app = make_capture_app(
        CaptureSettings(**settings),
        log=log,
        directory=directory,
        registry=registry,
        readiness=readiness,
        clock=clock,
        script=script,
    )
    key = auth.add(make_key("write"))
    return Service(app, readiness, log, auth, clock, directory_clock, registry, key)


@pytest.fixture
def new_service() -> Callable[..., Service]:
    """Makes a service from a log (by default one in memory) and settings."""
    return make_service


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = make_service()
    async with made.client:
        yield made
