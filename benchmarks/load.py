"""A load generator that costs little itself: raw HTTP/1.1 over kept-alive connections.

    python benchmarks/load.py URL WRITE_KEY --seconds 10 --batch 100 --connections 8

prints one JSON line: requests and events answered 200, seconds, latencies, other answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

EVENT = (
    '{"event":"%s","distinct_id":"user-%d","uuid":"%%s","timestamp":"%s","properties":{"$current_url":'
    '"https://shop.example/products/%d","$browser":"%s","$os":"%s","plan":"%s","amount":%.2f,"country":"%s",'
    '"$session_id":"0192f3a8-%04x-7000-8000-00000000%04x","items":%d,"returning":%s}}'
)


@dataclass
class Report:
    """What the load generator saw. Latencies in seconds, one for each answered request."""

    batch: int
    requests: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)

    @property
    def events(self) -> int:
        return self.requests * self.batch

    def summary(self) -> dict[str, object]:
        ordered = sorted(self.latencies) or [0.0]

        def percentile(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)

        return {
            "requests": self.requests,
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "requests_per_second": round(self.requests / self.seconds),
            "events_per_second": round(self.events / self.seconds),
            "p50_ms": percentile(0.5),
            "p99_ms": percentile(0.99),
            "others": dict(self.others),
        }


def make_templates(batch: int, count: int = 50, people: int = 100_000) -> list[bytes]:
    """Bodies with `%s` where each event's uuid goes, about 330 bytes an event."""
    choose = random.Random(7)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())

    def event() -> str:
        return EVENT % (
            choose.choice(("$pageview", "signup", "add_to_cart", "purchase")),
            choose.randrange(people),
            now,
            choose.randrange(500),
            choose.choice(("Chrome", "Safari", "Firefox", "Edge")),
            choose.choice(("Windows", "macOS", "Linux", "iOS", "Android")),
            choose.choice(("free", "pro", "team")),
            choose.random() * 200,
            choose.choice(("DE", "US", "FR", "GB", "IN", "BR")),
            choose.randrange(65_536),
            choose.randrange(65_536),
            choose.randrange(9),
            choose.choice(("true", "false")),
        )

    def body() -> str:
        events = ",".join(event() for _ in range(batch))
        return events if batch == 1 else f"[{events}]"

    return [body().encode() for _ in range(count)]


def uuids(count: int) -> tuple[bytes, ...]:
    """Random version-4 uuids, cheaply."""
    digits = os.urandom(16 * count).hex().encode()
    return tuple(
        b"%s-%s-4%s-a%s-%s" % (d[:8], d[8:12], d[13:16], d[17:20], d[20:32])
        for d in (digits[i : i + 32] for i in range(0, 32 * count, 32))
    )


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the one before is answered."""

    def __init__(self, head: bytes, templates: list[bytes], report: Report, deadline: float, pause: float) -> None:
        self.head, self.templates, self.report, self.deadline = head, templates, report, deadline
        self.pause = pause
        self.ended = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        if time.perf_counter() >= self.deadline:
            self.transport.close()
            return
        body = random.choice(self.templates) % uuids(self.report.batch)
        self.sent_at = time.perf_counter()
        self.transport.write(self.head + b"content-length: %d\r\n\r\n" % len(body) + body)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 : (head + b"\r\n").index(b"\r\n", at)]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        self.buffer = b""
        status = int(head[9:12])
        if status == 200:
            self.report.requests += 1
            self.report.latencies.append(time.perf_counter() - self.sent_at)
        else:
            self.report.others[status] += 1
        asyncio.get_running_loop().call_later(self.pause, self.send) if self.pause else self.send()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  the protocol's signature
        if not self.ended.done():
            self.ended.set_result(None)


async def load(url: str, key: str, *, seconds: float, batch: int, connections: int, pause: float = 0.0) -> Report:
    """Send for `seconds` over `connections`, each with one request under way."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path or '/capture'} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
        f"authorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    ).encode()
    report, templates = Report(batch), make_templates(batch)
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: Connection(head, templates, report, began + seconds, pause), parts.hostname, parts.port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.ended for _, protocol in opened))
    report.seconds = time.perf_counter() - began
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between a connection's requests")
    given = parser.parse_args()
    report = asyncio.run(
        load(
            given.url,
            given.key,
            seconds=min(given.seconds, 600.0),
            batch=given.batch,
            connections=given.connections,
            pause=given.pause,
        )
    )
    print(json.dumps(report.summary()))


if __name__ == "__main__":
    main()
