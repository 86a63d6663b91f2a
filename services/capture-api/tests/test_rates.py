"""Limits on requests, by key and by address; and capture that is open for development."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_capture.rates import WINDOW_SECONDS, Rate, RedisSums, share, sharing
from footfall_core.auth import make_key

EVENT = {"event": "a", "distinct_id": "d"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_793_527_200.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 4)), max_size=60))
def test_no_window_has_more_than_its_limit(requests: list[tuple[str, float]]) -> None:
    clock = Clock()
    rate = Rate("key", 1, clock)
    taken: dict[tuple[str, int], int] = {}
    for whose, pause in requests:
        clock.now += pause
        window = (whose, int(clock.now // WINDOW_SECONDS))
        wait = rate.take(whose)
        if wait is None:
            taken[window] = taken.get(window, 0) + 1
        else:
            assert taken[window] == WINDOW_SECONDS
            assert 0 < wait <= WINDOW_SECONDS
    assert all(number <= WINDOW_SECONDS for number in taken.values())


def test_zero_is_no_limit() -> None:
    assert [Rate("key", 0, Clock()).take("a") for _ in range(1_000)] == [None] * 1_000


def test_a_check_costs_next_to_nothing() -> None:
    rate = Rate("key", 10**9)
    names = [make_key("write") for _ in range(1_000)]
    best = 1.0
    for _ in range(5):
        began = time.perf_counter()
        for name in names:
            rate.take(name)
        best = min(best, time.perf_counter() - began)
    assert best / len(names) < 20e-6


async def test_a_key_has_its_rate(new_service: Callable[..., Any]) -> None:
    service = new_service(capture_key_rate=1)
    other = service.auth.add(make_key("write"), project_id=8)
    answers = [await service.send(EVENT) for _ in range(12)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_SECONDS
    assert refused.headers["access-control-allow-origin"] == "*"
    assert (await service.send(EVENT, authorization=f"Bearer {other}")).status_code == 200
    assert len(service.log.events) == 11

    service.clock.now += int(refused.headers["retry-after"])
    assert (await service.send(EVENT)).status_code == 200


async def test_an_address_has_its_rate_whatever_it_sends(new_service: Callable[..., Any]) -> None:
    service = new_service(capture_address_rate=1, trusted_proxies="203.0.113.7/32")
    statuses = [(await service.send(b"nonsense", x_forwarded_for="198.51.100.1")).status_code for _ in range(11)]

    assert statuses == [400] * 10 + [429]
    assert (await service.send(EVENT, x_forwarded_for="198.51.100.1")).status_code == 429
    assert (await service.send(EVENT, x_forwarded_for="198.51.100.2")).status_code == 200


async def test_processes_count_together_through_redis(redis_url: str) -> None:
    clock = Clock()
    clock.now = time.time() // 1 + 10**9  # a window of this test's own
    sums = [RedisSums(redis_url) for _ in range(2)]
    rates = [Rate("key", 1, clock) for _ in range(2)]
    taken = [0, 0]
    for n in range(20):
        taken[n % 2] += rates[n % 2].take("a") is None
        await share(rates[n % 2 : n % 2 + 1], sums[n % 2])
    for each in sums:
        await each.close()

    # Each has yet to hear of the other's last one when it counts its own.
    assert WINDOW_SECONDS <= sum(taken) <= WINDOW_SECONDS + 1
    assert rates[0].take("b") is None


async def test_capture_goes_on_without_redis(new_service: Callable[..., Any]) -> None:
    service = new_service(capture_key_rate=1)
    rates = [Rate("key", 1)]
    async with sharing(rates, RedisSums("redis://127.0.0.1:1")):
        for _ in range(3):
            assert rates[0].take("a") is None
            await asyncio.sleep(0.05)
        assert (await service.send(EVENT)).status_code == 200


async def test_what_was_not_told_while_redis_was_away_is_told_later() -> None:
    class Flaky:
        is_away = True
        total = 0

        async def add(self, window: int, counted: dict[str, int]) -> list[int]:
            if self.is_away:
                raise OSError("away")
            self.total += sum(counted.values())
            return [self.total]

        async def close(self) -> None: ...

    sums, rate = Flaky(), Rate("key", 1, Clock())
    rate.take("a")
    with pytest.raises(OSError, match="away"):
        await share([rate], sums)
    rate.take("a")
    sums.is_away = False
    await share([rate], sums)
    await share([rate], sums)

    assert sums.total == 2


async def test_open_for_development_takes_what_has_no_key(new_service: Callable[..., Any]) -> None:
    service = new_service(capture_open_project_id=3)
    assert (await service.send_bare(EVENT)).status_code == 200
    assert (await service.send_bare({**EVENT, "api_key": "phc_something"})).status_code == 200
    assert (await service.send_bare({**EVENT, "api_key": make_key("write")})).status_code == 200
    assert (await service.send(EVENT)).status_code == 200
    read_key = service.auth.add(make_key("read"))
    assert (await service.send_bare({**EVENT, "api_key": read_key})).status_code == 401

    assert [record.project_id for record in service.log.events] == [3, 3, 3, 7]


async def test_being_open_is_said_loudly(new_service: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    service = new_service(capture_open_project_id=3)
    async with service.app.router.lifespan_context(service.app):
        pass
    said = capsys.readouterr()
    assert "ANYBODY MAY SEND EVENTS" in said.out + said.err
