"""Between an SDK and a running Footfall: what was sent, answers that get lost, and what was stored in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from conftest import Platform, wait_until

KEPT_FROM_ANSWERS = ("content-type", "retry-after")
STUBS = ("/flags", "/decide", "/array", "/api", "/static")
"""Paths that take no events."""


@dataclass
class Seen:
    """A request that an SDK made, and how it was answered."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


@dataclass
class Proxy:
    """Passes requests on to the Capture API. The answers of the next `losing` ones that send events get lost: they
    are stored, and a 503 is said instead. `before` is called once, before the first of them is passed on."""

    url: str
    losing: int = 0
    before: Callable[[], None] | None = None
    seen: list[Seen] = field(default_factory=list)

    def statuses(self, *prefixes: str) -> list[int]:
        """How requests to paths that begin so were answered."""
        return [each.status for each in self.seen if each.path.startswith(prefixes)]


@contextmanager
def running_proxy(capture_url: str) -> Iterator[Proxy]:
    """A proxy on a free port until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            sends_events = self.command == "POST" and not self.path.startswith(STUBS)
            with lock:
                if sends_events and proxy.before:
                    proxy.before()
                    proxy.before = None
            answer = client.request(self.command, self.path, content=body, headers=asked)
            status = answer.status_code
            with lock:
                if sends_events and proxy.losing:
                    proxy.losing -= 1
                    status = 503
                proxy.seen.append(Seen(self.command, self.path, dict(self.headers), body, status, answer.content))
            self.send_response(status)
            for name, value in answer.headers.items():
                if name in KEPT_FROM_ANSWERS or name.startswith("access-control-"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_POST = do_OPTIONS = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None: ...  # a browser that left

    with (
        httpx.Client(base_url=capture_url, timeout=30) as client,
        Server(("127.0.0.1", 0), Handler) as server,
    ):
        proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Stored:
    """An event as the Query API lists it."""

    event: str
    distinct_id: str
    uuid: str
    timestamp: str
    properties: dict[str, Any]


@dataclass
class Project:
    """A project of a test's own."""

    platform: Platform
    id: int
    write_key: str
    read_key: str

    def stored(self, count: int) -> dict[str, Stored]:
        """The events by their names, once there are `count` of them; their names must differ."""
        wait_until(lambda: self.platform.stored(self.id)[0] >= count, 20, f"{count} events are stored")
        results = self.platform.get(self.read_key, "/api/events")["results"]
        events = [
            Stored(each["event"], each["distinct_id"], each["uuid"], each["timestamp"], each["properties"])
            for each in results
        ]
        names = sorted(event.event for event in events)
        assert len(set(names)) == len(names) == count, names
        return {event.event: event for event in events}
