"""What every service answers alike: problems, request ids, health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import AfterValidator, BaseModel

from footfall_core.errors import BadRequest, Unavailable
from footfall_core.web import Readiness, make_app


def refuse_blanks(text: str) -> str:
    if " " in text:
        raise ValueError("must have no blanks")
    return text


class Step(BaseModel):
    event: Annotated[str, AfterValidator(refuse_blanks)]


class Missing:
    """A dependency that can be away."""

    away = False

    async def __call__(self) -> None:
        if self.away:
            raise Unavailable("it is being repaired")


@pytest.fixture
def engine() -> Missing:
    return Missing()


@pytest.fixture
def readiness(engine: Missing) -> Readiness:
    return Readiness({"engine": engine})


@pytest.fixture
def app(readiness: Readiness) -> FastAPI:
    app = make_app("Test", registry=CollectorRegistry(), readiness=readiness)

    @app.post("/steps")
    async def steps(step: Step) -> dict[str, str]:
        if step.event == "busy":
            raise Unavailable("too much to do", retry_after=2.5)
        if step.event == "bad":
            raise BadRequest("event: no", errors=[{"loc": ["body", "event"], "msg": "no"}])
        if step.event == "crash":
            raise RuntimeError("a secret detail")
        return {"event": step.event}

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_invalid_input_names_the_field(client: httpx.AsyncClient) -> None:
    answer = await client.post("/steps", json={"event": 5})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad request",
        "status": 400,
        "detail": "body.event: Input should be a valid string",
        "errors": [{"loc": ["body", "event"], "msg": "Input should be a valid string"}],
    }


async def test_a_sentence_of_ours_is_said_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.post("/steps", json={"event": "a b"})

    assert answer.json()["detail"] == "body.event: must have no blanks"
    assert answer.json()["errors"] == [{"loc": ["body", "event"], "msg": "must have no blanks"}]


async def test_unavailable_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.post("/steps", json={"event": "busy"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_a_crash_tells_the_log_and_not_the_caller(client: httpx.AsyncClient) -> None:
    answer = await client.post("/steps", json={"event": "crash"})

    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/steps", 405)])
async def test_http_errors_are_problems_too(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)

    assert answer.json()["status"] == answer.status_code == status


async def test_request_ids_are_kept_when_harmless(client: httpx.AsyncClient) -> None:
    kept = await client.get("/livez", headers={"x-request-id": "abc-1"})
    made = await client.get("/livez", headers={"x-request-id": "a b\x7f"})

    assert kept.headers["x-request-id"] == "abc-1"
    assert len(made.headers["x-request-id"]) == 32


async def test_readiness_names_what_is_missing(
    client: httpx.AsyncClient, readiness: Readiness, engine: Missing
) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ok"}

    engine.away = True
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, {"engine": "it is being repaired"})
    assert (await client.get("/livez")).status_code == 200

    engine.away = False
    readiness.draining = True
    assert (await client.get("/readyz")).json()["missing"] == {"draining": "the service is stopping"}


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
