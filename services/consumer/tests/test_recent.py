"""Which events `Recent` calls certainly new."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from footfall_consumer.recent import Recent
from footfall_consumer.rows import Row
from footfall_core.eventlog import LogRecord
from footfall_core.events import EventRecord

MakeEvent = Callable[..., EventRecord]
MINUTE = 60_000


@pytest.fixture
def row(event: MakeEvent) -> Callable[[int], Row]:
    def make(at: int, not_before: int | None = None) -> Row:
        return Row(LogRecord(0, 0, b""), event(at=at, received_at=at), at if not_before is None else not_before)

    return make


def test_the_second_delivery_may_be_known_and_the_first_is_new(row: Callable[..., Row]) -> None:
    recent = Recent(1_000)
    recent.assign([0])
    recent.read(0, 100 * MINUTE)
    rows = [row(101 * MINUTE) for _ in range(500)]
    assert recent.may_be_known(rows) == []
    assert recent.may_be_known(rows[:3]) == [0, 1, 2]


def test_twins_in_one_batch_may_be_known(row: Callable[..., Row]) -> None:
    recent = Recent(1_000)
    first, twin = row(MINUTE), row(MINUTE)
    assert recent.may_be_known([first, twin, first]) == [0, 2]


def test_what_may_have_been_sent_before_the_memory_begins_may_be_known(row: Callable[..., Row]) -> None:
    recent = Recent(1_000)
    recent.assign([0, 1])
    recent.read(0, 100 * MINUTE)
    recent.read(0, 900 * MINUTE)  # only the first record of a partition counts
    assert recent.floor == 100 * MINUTE
    assert recent.may_be_known([row(99 * MINUTE), row(101 * MINUTE), row(101 * MINUTE, not_before=0)]) == [0, 2]
    recent.read(1, 200 * MINUTE)
    assert recent.may_be_known([row(150 * MINUTE), row(201 * MINUTE)]) == [0]


def test_a_partition_that_comes_back_raises_the_floor(row: Callable[..., Row]) -> None:
    recent = Recent(1_000)
    recent.assign([0])
    recent.read(0, 100 * MINUTE)
    recent.assign([0])
    recent.read(0, 200 * MINUTE)
    assert recent.may_be_known([row(150 * MINUTE)]) == [0]


def test_the_floor_rises_to_what_is_forgotten(row: Callable[..., Row]) -> None:
    recent = Recent(1_000)
    for minute in range(1, 6):
        recent.may_be_known([row(minute * MINUTE) for _ in range(900)])
    # The halves hold minutes 4 and 5.
    assert recent.floor == 3 * MINUTE
    assert len(recent.may_be_known([row(3 * MINUTE) for _ in range(10)])) == 10


def test_few_new_events_are_taken_for_known_ones(row: Callable[..., Row]) -> None:
    recent = Recent(20_000)
    mistaken = sum(len(recent.may_be_known([row(MINUTE + 20_000) for _ in range(5_000)])) for _ in range(8))
    assert mistaken < 40
