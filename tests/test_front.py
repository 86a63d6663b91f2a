"""What a browser and an SDK reach through nginx: the front's configuration and the dashboard's, in a real nginx."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from conftest import wait_until

from footfall_capture.paths import PATHS
from footfall_dashboard.app import AUTH_PATHS, SECURITY_HEADERS
from footfall_dashboard.files import ASK, FOREVER
from footfall_embedded.testing import free_ports

ROOT = Path(__file__).resolve().parent.parent
FRONT = (ROOT / "infrastructure" / "front" / "nginx.conf").read_text()
PAGES = (ROOT / "services" / "dashboard" / "nginx.conf").read_text()
DOCKERFILE = (ROOT / "services" / "dashboard" / "Dockerfile").read_text()
PORTS = {"capture": 8000, "query": 8001, "auth": 8002, "dashboard": 3000}


def test_the_image_is_made_of_what_is_there() -> None:
    copied = re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE)

    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert re.findall(r"^FROM (\w+):\d+\.\d+\.\d+", DOCKERFILE, re.MULTILINE) == ["node", "nginx"]
    assert "USER 10001" in DOCKERFILE
    assert "EXPOSE 3000\n" in DOCKERFILE
    assert "127.0.0.1:3000/livez" in DOCKERFILE
    assert "listen 3000;" in PAGES


def test_the_front_knows_where_everybody_is() -> None:
    assert {f"http://{name}:{port}" for name, port in PORTS.items()} == set(re.findall(r"http://\w+:\d+", FRONT))


@contextmanager
def nginx(configuration: str, folder: Path, port: int) -> Iterator[httpx.Client]:
    """A real nginx with this configuration, whose temporary files go into `folder`."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None and os.environ.get("CI") == "true":
        pytest.fail("nginx is needed: its configurations are tested in it")
    if program is None:
        pytest.skip("NOT TESTED: nginx's configurations, because there is no nginx")
    folder.mkdir()
    folder.chmod(0o777)
    file = folder / "nginx.conf"
    inside = re.sub(r" /tmp/(\w+|nginx\.pid);", rf" {folder}/\1;", configuration)
    file.write_text(inside.replace("/dev/stderr", "stderr"))
    command = [program, "-e", "stderr", "-c", str(file), "-g", "daemon off;"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    running = subprocess.Popen(command)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            wait_until(lambda: _answers(client), 10, "nginx answers")
            yield client
    finally:
        running.terminate()
        running.wait(10)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/front/livez").status_code in (200, 404)
    except httpx.TransportError:
        return False


@contextmanager
def service(name: str) -> Iterator[int]:
    """A server that says who it is and what it was asked."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = {"service": name, "path": self.path, "body": self.rfile.read(length).decode()}
            data = json.dumps({**body, "for": self.headers.get("x-forwarded-for")}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    [port] = free_ports(1)
    configuration = FRONT.replace("listen 8080", f"listen 127.0.0.1:{port}")
    with (
        service("capture") as capture,
        service("query") as query,
        service("auth") as auth,
        service("dashboard") as dashboard,
    ):
        found = {"capture": capture, "query": query, "auth": auth, "dashboard": dashboard}
        for name, at in found.items():
            configuration = configuration.replace(f"http://{name}:{PORTS[name]}", f"http://127.0.0.1:{at}")
        with nginx(configuration, tmp_path_factory.mktemp("front") / "nginx", port) as client:
            yield client


def asked(client: httpx.Client, path: str, method: str = "GET") -> str:
    answer = client.request(method, path, content=b"{}" if method == "POST" else None)
    assert answer.status_code == 200, (path, answer.status_code)
    said = answer.json()
    assert said["path"] == path
    assert said["for"] == "127.0.0.1"
    return str(said["service"])


def test_whatever_clients_send_to_reaches_the_capture_api(front: httpx.Client) -> None:
    for path, _, methods in PATHS:
        for method in methods:
            for slash in ("", "/"):
                assert asked(front, f"{path}{slash}", method) == "capture"
    for path in (
        "/flags/?v=2",
        "/decide/?v=3",
        "/batch/",
        "/e/?ip=1",
        "/i/v0/e/",
        "/i/v1/analytics/events",
        "/v1/track",
    ):
        assert asked(front, path, "POST") == "capture"
    for path in ("/footfall.js", "/array/ffw_1/config", "/array/ffw_1/config.js", "/static/array.js"):
        assert asked(front, path) == "capture"
    assert asked(front, "/api/feature_flag/local_evaluation?token=ffw_1") == "capture"


def test_questions_and_accounts_go_to_their_services(front: httpx.Client) -> None:
    assert asked(front, "/api/trends", "POST") == "query"
    assert asked(front, "/api/stream?event=a") == "query"
    for name in AUTH_PATHS:
        assert asked(front, f"/{name}") == asked(front, f"/{name}/1/keys", "POST") == "auth"
    assert asked(front, "/.well-known/jwks.json") == "auth"


def test_the_pages_come_from_the_dashboard(front: httpx.Client) -> None:
    for path in ("/", "/p/1", "/p/1/trends?date_from=-7d", "/sign-in?next=%2Fp%2F1", "/new-project", "/config.json"):
        assert asked(front, path) == "dashboard"
    for path in ("/theme.js", "/icon.svg", "/assets/index-1a2b.js"):
        assert asked(front, path) == "dashboard"


def test_every_page_and_file_of_the_application_is_one_that_the_front_knows(front: httpx.Client) -> None:
    web = ROOT / "services" / "dashboard" / "web"
    routes = re.findall(r'^  path: "(/[^"$]*)', (web / "src" / "router.tsx").read_text(), re.MULTILINE)
    assert {"/", "/sign-in", "/p/"} <= set(routes)
    for path in [*routes, *(f"/{file.name}" for file in (web / "public").iterdir())]:
        assert asked(front, path) == "dashboard"


def test_what_is_for_inside_stays_inside(front: httpx.Client) -> None:
    for path in ("/internal/keys", "/internal", "/metrics", "/livez", "/readyz"):
        assert front.get(path).status_code == 404
    assert front.get("/front/livez").text == "ok\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Footfall</title>" + " " * 2_000)
    (folder / "theme.js").write_text("1;")
    (folder / "assets" / "app-1a2b.js").write_text("export const answer = 42;" * 100)
    for each in (folder.parent, folder):
        each.chmod(0o755)
    [port] = free_ports(1)
    configuration = PAGES.replace("listen 3000", f"listen 127.0.0.1:{port}").replace("root /pages", f"root {folder}")
    if os.geteuid() == 0:
        configuration = f"user root;\n{configuration}"
    with nginx(configuration, folder / "nginx", port) as client:
        yield client


def test_the_image_answers_as_the_server_does(pages: httpx.Client) -> None:
    index = (pages.get("/").text, "text/html; charset=utf-8", ASK)
    assert "<title>Footfall" in index[0]
    for path in ("/", "/p/1/trends?series=%5B%5D", "/sign-in", "/p/1/people/ann"):
        answer = pages.get(path)
        assert (answer.text, answer.headers["content-type"], answer.headers["cache-control"]) == index
        assert answer.headers["content-encoding"] == "gzip"
    script = pages.get("/assets/app-1a2b.js")
    assert (script.headers["content-type"], script.headers["cache-control"]) == (
        "text/javascript; charset=utf-8",
        FOREVER,
    )
    assert [pages.get(path).status_code for path in ("/assets/app-0000.js", "/missing.js", "/theme.js")] == [
        404,
        404,
        200,
    ]
    assert pages.get("/config.json").json() == {"capture_url": None, "capture_port": None}
    etag = pages.get("/theme.js").headers["etag"]
    assert pages.get("/theme.js", headers={"if-none-match": etag}).status_code == 304


def test_every_answer_has_the_same_security_headers(pages: httpx.Client) -> None:
    for path in ("/", "/theme.js", "/assets/app-1a2b.js", "/assets/app-0000.js", "/config.json"):
        headers = pages.get(path).headers
        assert {name: headers[name.decode()].encode() for name, _ in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
