"""Turns."""

import asyncio

import pytest

from footfall_embedded.bridge.errors import EngineError
from footfall_embedded.bridge.lanes import Lane


async def test_places_are_given_in_turn() -> None:
    lane = Lane("read", 1, wait_seconds=10)
    order: list[int] = []

    async def pass_through(number: int) -> None:
        await lane.enter()
        order.append(number)
        await asyncio.sleep(0)
        lane.leave()

    await asyncio.gather(*(pass_through(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert lane.enter_now()
    lane.close()


async def test_a_full_lane_refuses_after_its_time() -> None:
    lane = Lane("read", 1, wait_seconds=0.01)
    assert lane.enter_now()
    with pytest.raises(EngineError) as caught:
        await lane.enter()
    assert caught.value.code == 202
    lane.leave()
    assert lane.enter_now()
    assert not lane.enter_now()
    lane.close()


async def test_a_waiter_that_goes_away_leaves_no_gap() -> None:
    lane = Lane("read", 1, wait_seconds=10)
    assert lane.enter_now()
    first, second = (asyncio.ensure_future(lane.enter()) for _ in range(2))
    await asyncio.sleep(0)
    lane.leave()  # first has the place now, though it does not know yet
    first.cancel()
    await second
    assert first.cancelled()
    assert not lane.enter_now()
    lane.leave()
    assert lane.enter_now()
    lane.close()
