"""A data directory as `footfall up` leaves it, with a real Auth API and doubles of the services that are told to
fail on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from footfall_cli.app import run
from footfall_core.auth import derive_token
from footfall_core.clickhouse import ClickHouse
from footfall_core.migrate import migrate, set_ttl
from footfall_embedded.testing import free_ports, running_bridge

SECRET = "a secret of at least thirty-two characters"


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)


Footfall = Callable[..., Ran]


@pytest.fixture
def footfall(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Footfall:
    """Runs a command line in this process, without any setting of the developer's own."""
    for name in [name for name in os.environ if name.startswith(("FOOTFALL_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def footfall(*arguments: object, env: dict[str, str] | None = None) -> Ran:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return footfall


class Server:
    """An HTTP server on a free port whose answers a test decides."""

    def __init__(self) -> None:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_request(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                answer = double.answer(self.command, self.path, dict(self.headers.items()), body)
                if answer is None:  # cut the connection
                    self.close_connection = True
                    return
                status, document, headers = answer
                content = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self.handle_request()

            def do_POST(self) -> None:
                self.handle_request()

            def log_message(self, *arguments: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]] | None:
        raise NotImplementedError

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Capture(Server):
    """Takes events as the Capture API does. `faults` are used up first, one a request: a status, or "cut" before
    or "lost" after the events were stored. `reject` says why an event is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.write_keys: set[str] | None = None
        self.events: dict[str, dict[str, Any]] = {}
        self.received = 0
        self.requests = 0
        self.faults: list[int | str] = []
        self.retry_after: str | None = None
        self.max_events = 10**9
        self.delay = 0.0
        self.reject: Callable[[dict[str, Any]], str | None] = lambda event: None

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]] | None:
        if path == "/readyz":
            return 200, {"status": "ok"}, {}
        assert (method, path) == ("POST", "/capture")
        time.sleep(self.delay)
        document = json.loads(body)
        batch = document.get("batch", [document])
        with self.lock:
            self.requests += 1
            fault = self.faults.pop(0) if self.faults else None
            key = headers.get("Authorization", headers.get("authorization", "")).removeprefix("Bearer ")
            if fault == "cut":
                return None
            if isinstance(fault, int):
                again = {"retry-after": self.retry_after} if self.retry_after else {}
                return fault, {"title": "no", "status": fault, "detail": f"fault {fault}"}, again
            if self.write_keys is not None and key not in self.write_keys:
                return 401, {"title": "Unauthorized", "status": 401, "detail": "No such write key."}, {}
            if len(batch) > self.max_events:
                return 413, b"<html>too large</html>", {"content-type": "text/html"}
            return self._take(batch, fault)

    def _take(self, batch: list[dict[str, Any]], fault: str | None) -> tuple[int, Any, dict[str, str]] | None:
        rejected = []
        for index, event in enumerate(batch):
            reason = self.reject(event)
            if reason is not None:
                rejected.append({"index": index, "reason": reason, "detail": f"{reason}, it says."})
                continue
            self.received += 1
            known = self.events.setdefault(event["uuid"], event)
            assert known == event
        if fault == "lost":
            return None
        if len(rejected) == len(batch):
            errors = [
                {"loc": ["batch", each["index"], "event"], "msg": f"{each['reason']}: {each['detail']}"}
                for each in rejected[:100]
            ]
            return 400, {"status": 400, "detail": "None is usable.", "errors": errors}, {}
        return 200, {"status": "ok", "accepted": len(batch) - len(rejected), "rejected": rejected}, {}


@dataclass
class Asked:
    """A request that the Query API's double was sent."""

    method: str
    path: str
    parameters: dict[str, list[str]]
    key: str
    document: Any


class Query(Server):
    """Answers with `results` by path, and serves `events`, newest first, in pages."""

    def __init__(self) -> None:
        super().__init__()
        self.results: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.asked: list[Asked] = []
        self.refusal: tuple[int, Any, dict[str, str]] | None = None
        self.page = 3
        self.on_ask: Callable[[], None] = lambda: None

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]] | None:
        parts = urlsplit(path)
        key = headers.get("Authorization", headers.get("authorization", "")).removeprefix("Bearer ")
        parameters = parse_qs(parts.query)
        self.asked.append(Asked(method, parts.path, parameters, key, json.loads(body) if body else None))
        self.on_ask()
        if self.refusal is not None:
            return self.refusal
        if parts.path == "/readyz":
            return 200, {"status": "ok"}, {}
        if parts.path == "/api/events":
            begin = int(parameters.get("cursor", ["0"])[0])
            end = begin + self.page
            more = str(end) if end < len(self.events) else None
            return 200, {"results": self.events[begin:end], "next_cursor": more}, {}
        if parts.path in self.results:
            return 200, self.results[parts.path], {}
        return 404, {"status": 404, "title": "Not found", "detail": f"No {parts.path}"}, {}


@pytest.fixture
def capture() -> Iterator[Capture]:
    double = Capture()
    yield double
    double.close()


@pytest.fixture
def query_api() -> Iterator[Query]:
    double = Query()
    double.results["/api/event-names"] = {"results": []}
    yield double
    double.close()


@pytest.fixture(scope="session")
def auth_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real Auth API, as a process of its own."""
    [port] = free_ports(1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    environment |= {
        "FOOTFALL_DATA_DIR": str(tmp_path_factory.mktemp("auth")),
        "FOOTFALL_SECRET_KEY": SECRET,
        "FOOTFALL_AUTH_PORT": str(port),
    }
    command = [sys.executable, "-m", "footfall_auth"]
    subprocess.run([*command, "migrate"], env=environment, check=True)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{url}/readyz") or process.poll() is not None)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.02)


@dataclass
class Platform:
    """What `footfall up` left: a data directory with one project."""

    data_dir: Path
    project_id: int
    write_key: str
    read_key: str
    local: dict[str, Any] = field(default_factory=dict)

    def save(self, **changes: Any) -> None:
        """Write `local.json`, with some fields different."""
        self.local |= changes
        path = self.data_dir / "local.json"
        path.write_text(json.dumps(self.local))
        path.chmod(0o600)


@pytest.fixture(scope="session")
def clickhouse_url() -> Iterator[str]:
    """A real ClickHouse, migrated, that keeps events for 90 days."""
    with running_bridge() as url:
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=90)
        clickhouse.close()
        yield url


@pytest.fixture
def clickhouse_ttl(clickhouse_url: str) -> Iterator[Callable[[int], None]]:
    """Changes for how many days ClickHouse keeps events; 90 again afterwards."""
    clickhouse = ClickHouse(clickhouse_url)
    yield lambda days: set_ttl(clickhouse, days)
    set_ttl(clickhouse, 90)
    clickhouse.close()


@pytest.fixture
def platform(tmp_path: Path, auth_url: str, capture: Capture, query_api: Query) -> Platform:
    """Without ClickHouse, whose address is not known, so that the default of 90 days is what counts."""
    token = derive_token(SECRET, "operator")
    with httpx.Client(base_url=auth_url, headers={"authorization": f"Bearer {token}"}) as auth:
        wanted = {"name": "Shop", "timezone": "America/New_York"}
        project = auth.post("/projects", json=wanted).raise_for_status().json()
        wanted = {"name": "this machine", "type": "read"}
        key = auth.post(f"/projects/{project['id']}/keys", json=wanted).raise_for_status().json()
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "secret_key").write_text(SECRET)
    (data_dir / "secret_key").chmod(0o600)
    platform = Platform(data_dir, project["id"], project["write_key"], key["key"])
    platform.save(
        capture_url=capture.url,
        query_url=query_api.url,
        auth_url=auth_url,
        clickhouse_url="",
        dashboard_url="",
        operator_token=token,
        project_id=platform.project_id,
        write_key=platform.write_key,
        read_key=platform.read_key,
    )
    capture.write_keys = {platform.write_key}
    return platform
