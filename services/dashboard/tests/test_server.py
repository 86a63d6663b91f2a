"""The dashboard's server: files, headers, and what passes through it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CollectorRegistry

from footfall_core.files import File
from footfall_core.web import Readiness
from footfall_dashboard.app import make_dashboard_app, make_readiness
from footfall_dashboard.files import find_file, make_file
from footfall_dashboard.settings import DashboardSettings

PAGE = b"<!doctype html><title>Footfall</title>" + b" " * 2_000
SCRIPT = b"export const answer = 42;" * 100
FILES: dict[str, File] = {
    name: make_file(name, body)
    for name, body in {"index.html": PAGE, "assets/app-1a2b.js": SCRIPT, "icon.svg": b"<svg/>"}.items()
}


def make_service() -> FastAPI:
    """Stands for the services behind: it tells what reached it."""
    service = FastAPI()
    service.state.left = asyncio.Event()

    @service.api_route("/api/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def echo(path: str, request: Request) -> JSONResponse:
        body = (await request.body()).decode()
        headers = {"set-cookie": "a=1; Path=/auth; HttpOnly", "x-next-cursor": "c"}
        seen = {"path": path, "query": request.url.query, "body": body, "headers": dict(request.headers)}
        return JSONResponse(seen, 201, headers)

    @service.get("/auth/stream")
    async def stream() -> StreamingResponse:
        async def messages() -> AsyncIterator[str]:
            try:
                yield "data: 1\n\n"
                await asyncio.sleep(60)
            finally:
                service.state.left.set()

        return StreamingResponse(messages(), media_type="text/event-stream")

    return service


@asynccontextmanager
async def dashboard(
    behind: httpx.AsyncBaseTransport, *, files: dict[str, File] = FILES, readiness: Readiness | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    settings = DashboardSettings(query_url="http://query", auth_url="http://auth", capture_port=8000)
    app = make_dashboard_app(
        settings, files, registry=CollectorRegistry(), readiness=readiness, client=httpx.AsyncClient(transport=behind)
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://here") as client,
    ):
        yield client


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dashboard(httpx.ASGITransport(make_service())) as client:
        yield client


async def test_addresses_inside_the_application_are_its_page(client: httpx.AsyncClient) -> None:
    for path in ("/", "/p/1/trends?series=%5B%5D", "/sign-in"):
        answer = await client.get(path)

        assert (answer.status_code, answer.content) == (200, PAGE)
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-encoding"] == "gzip"


async def test_files_whose_name_changes_with_their_content_are_kept_forever(client: httpx.AsyncClient) -> None:
    answer = await client.get("/assets/app-1a2b.js")

    assert answer.content == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await client.get("/assets/app-0000.js")).status_code == 404


async def test_a_file_that_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/")).headers["etag"]
    again = await client.get("/", headers={"if-none-match": etag})

    assert (again.status_code, again.content) == (304, b"")


async def test_nothing_but_own_files_may_run(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/trends", "/assets/app-0000.js"):
        headers = (await client.get(path)).headers

        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_request_reaches_the_service_as_it_was(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/a%2Fb?x=1&x=2%26",
        content=b'{"a": 1}',
        headers={
            "authorization": "Bearer t",
            "x-forwarded-for": "203.0.113.9",
            "x-request-id": "abc",
            "connection": "x",
        },
    )

    seen = answer.json()
    assert answer.status_code == 201
    assert (seen["path"], seen["query"], seen["body"]) == ("a/b", "x=1&x=2%26", '{"a": 1}')
    assert seen["headers"]["authorization"] == "Bearer t"
    assert seen["headers"]["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert seen["headers"]["host"] == "query"
    assert seen["headers"]["x-request-id"] == "abc"
    assert answer.headers["set-cookie"] == "a=1; Path=/auth; HttpOnly"
    assert answer.headers["x-next-cursor"] == "c"
    assert answer.headers.get_list("x-request-id") == ["abc"]


async def test_a_service_that_is_away_is_a_problem_to_try_again(client: httpx.AsyncClient) -> None:
    class Away(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

    async with dashboard(Away()) as client:
        answer = await client.get("/auth/me")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"


async def test_a_request_has_a_limit(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/trends", content=b"x" * (4 * 1024 * 1024 + 1))

    assert answer.status_code == 413


async def test_only_the_services_paths_pass(client: httpx.AsyncClient) -> None:
    assert (await client.get("/internal/keys")).content == PAGE
    assert (await client.post("/internal/keys/resolve")).status_code == 405


@pytest.mark.parametrize("ending", ["the browser leaves", "the server stops"])
async def test_a_stream_ends_with_whoever_wants_it_to(ending: str) -> None:
    service, readiness = make_service(), make_readiness(FILES)
    settings = DashboardSettings(query_url="http://query", auth_url="http://auth")
    app = make_dashboard_app(
        settings,
        FILES,
        registry=CollectorRegistry(),
        readiness=readiness,
        client=httpx.AsyncClient(transport=StreamingTransport(service)),
    )
    sent: list[dict[str, object]] = []
    first, gone = asyncio.Event(), asyncio.Event()
    asked = False

    async def receive() -> dict[str, object]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)
        if message.get("body"):
            first.set()

    scope = {
        "type": "http", "method": "GET", "path": "/auth/stream", "raw_path": b"/auth/stream", "query_string": b"",
        "headers": [], "client": ("127.0.0.1", 1), "server": ("here", 80), "scheme": "http", "http_version": "1.1",
        "asgi": {"version": "3.0"}, "root_path": "",
    }  # fmt: skip
    serving = asyncio.ensure_future(app(scope, receive, send))  # type: ignore[arg-type]
    await asyncio.wait_for(first.wait(), 5)
    if ending == "the browser leaves":
        gone.set()
    else:
        readiness.draining = True
    await asyncio.wait_for(serving, 5)

    assert sent[1]["body"] == b"data: 1\n\n"
    await asyncio.wait_for(service.state.left.wait(), 5)


class StreamingTransport(httpx.AsyncBaseTransport):
    """Hands chunks on as they come, which httpx's own transport for applications does not."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        started: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        path = request.url.path

        async def receive() -> dict[str, object]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                started.set_result(message)
            else:
                body = message["body"]
                assert isinstance(body, bytes)
                chunks.put_nowait(body)

        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
                 "headers": [], "http_version": "1.1", "scheme": "http", "root_path": ""}  # fmt: skip
        running = asyncio.ensure_future(self.app(scope, receive, send))  # type: ignore[arg-type]
        start = await started

        class Stream(httpx.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                while chunk := await chunks.get():
                    yield chunk

            async def aclose(self) -> None:
                running.cancel()
                await asyncio.wait({running})

        headers = start["headers"]
        assert isinstance(headers, list)
        return httpx.Response(200, headers=headers, stream=Stream())


async def test_it_is_unready_without_pages() -> None:
    async with dashboard(httpx.ASGITransport(make_service()), files={}) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert "make dashboard" in answer.json()["missing"]["pages"]


async def test_the_page_learns_where_events_go(client: httpx.AsyncClient) -> None:
    assert (await client.get("/config.json")).json() == {"capture_url": None, "capture_port": 8000}


def test_small_files_and_images_are_not_packed() -> None:
    assert make_file("a.svg", b"<svg/>").packed is None
    assert make_file("assets/a.woff2", bytes(range(256)) * 100).packed is None
    packed = make_file("assets/a.js", SCRIPT).packed
    assert packed is not None
    assert gzip.decompress(packed) == SCRIPT


@pytest.mark.parametrize("path", ["../settings.py", "..%2fsettings.py", "/assets/../../app.py", "missing.png"])
def test_what_is_not_a_built_file_is_not_served(path: str) -> None:
    assert find_file(FILES, path) is None
