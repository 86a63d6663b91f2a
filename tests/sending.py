"""Clients for tests across services: events with known uuids, sent until they are answered 200."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from conftest import Platform, http

Batch = list[dict[str, Any]]


def make_batch(random_: random.Random, size: int, first: int = 0) -> Batch:
    """Events of several people, numbered from `first` on by their property `n`."""
    return [
        {
            "event": random_.choice(("pageview", "signup", "purchase")),
            "distinct_id": f"user-{random_.randrange(5_000)}",
            "uuid": str(uuid.UUID(int=random_.getrandbits(128), version=4)),
            "properties": {"n": number, "plan": random_.choice(("free", "pro"))},
        }
        for number in range(first, first + size)
    ]


def send(client: httpx.Client, write_key: str, batch: Batch, **envelope: Any) -> int:
    """Send a batch until it is answered 200. Returns the failed tries."""
    failures = 0
    while True:
        try:
            answer = client.post("/capture", json={"api_key": write_key, "batch": batch, **envelope})
            if answer.status_code == 200:
                assert answer.json() == {"status": "ok", "accepted": len(batch), "rejected": []}
                return failures
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
        except httpx.HTTPError:
            pass
        failures += 1
        time.sleep(0.1)


def send_all(
    platform: Platform, batches: Sequence[Batch], write_key: str, *, connections: int = 6, pause: float = 0.0
) -> int:
    """Send every batch, from several connections. Returns the failed tries."""
    todo, lock = iter(batches), threading.Lock()

    def take() -> Iterator[Batch]:
        while True:
            with lock:
                batch = next(todo, None)
            if batch is None:
                return
            yield batch

    def work() -> int:
        failures = 0
        with httpx.Client(base_url=platform.capture_url, timeout=20) as client:
            for batch in take():
                failures += send(client, write_key, batch)
                time.sleep(pause)
        return failures

    with ThreadPoolExecutor(connections) as pool:
        return sum(future.result() for future in [pool.submit(work) for _ in range(connections)])


def read_metric(url: str, name: str, **labels: str) -> float | None:
    """The sum of a metric's series that have these labels; None without any, or while the service does not answer."""
    try:
        lines = http.get(f"{url}/metrics", timeout=5).text.splitlines()
    except httpx.HTTPError:
        return None
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    found = [
        float(line.split()[-1])
        for line in lines
        if line.partition(" ")[0].partition("{")[0] == name and all(each in line for each in wanted)
    ]
    return sum(found) if found else None


def lag_of(platform: Platform) -> float:
    """Records that the consumer has not committed yet, by its own metric; infinite while it does not tell."""
    url = f"http://127.0.0.1:{platform.environment['FOOTFALL_CONSUMER_PORT']}"
    lag = read_metric(url, "footfall_consumer_lag_records")
    return float("inf") if lag is None else lag
