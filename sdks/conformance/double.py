"""A double of the Capture API that fails on purpose: each case has a path of its own, and answers in a fixed order."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Arrived:
    """A request with events, and when it came, in seconds."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]
    is_packed: bool

    @property
    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.body["batch"]
        return events


@dataclass
class Double:
    """`answers` and `arrived` by the case's name in the path, `/<name>/capture`. `pages` are served to browsers."""

    url: str
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    arrived: dict[str, list[Arrived]] = field(default_factory=dict)
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def take(self, name: str, arrived: Arrived) -> dict[str, Any]:
        """Note a request; the answer to it."""
        self.arrived.setdefault(name, []).append(arrived)
        waiting = self.answers.get(name)
        if waiting:
            return waiting.pop(0)
        accepted = {"status": "ok", "accepted": len(arrived.events), "rejected": []}
        return {"status": 200, "body": accepted}


@contextmanager
def running_double() -> Iterator[Double]:
    """A double on a free port until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            is_packed = body.startswith(b"\x1f\x8b")
            text = json.loads(gzip.decompress(body) if is_packed else body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                answer = double.take(self.path.split("/")[1], Arrived(time.monotonic(), headers, text, is_packed))
            if not answer["status"]:
                self.close_connection = True  # without a word
                return
            retry_after = {"retry-after": answer["retry_after"]} if "retry_after" in answer else {}
            self.reply(answer["status"], json.dumps(answer.get("body", {})).encode(), **retry_after)

        def do_OPTIONS(self) -> None:
            self.reply(200, b"{}")

        def do_GET(self) -> None:
            kind, page = double.pages.get(self.path.split("?")[0], ("text/plain", b""))
            self.reply(200 if page else 404, page, **{"content-type": kind})

        def reply(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            allowed = {
                "access-control-allow-origin": self.headers.get("origin") or "*",
                "access-control-allow-headers": self.headers.get("access-control-request-headers") or "",
                "access-control-expose-headers": "retry-after",
            }
            for name, value in {"content-type": "application/json", **allowed, **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None: ...  # a client that left

    with Server(("127.0.0.1", 0), Handler) as server:
        double = Double(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield double
        server.shutdown()
        thread.join()
