"""Which events are certainly new, without asking ClickHouse. Pure, but for what it remembers.

Most events are: they were sent just now, for the first time. To know it, `Recent` has a Bloom filter of what
was read lately. An event is certainly new when the filter has not seen it and it cannot have been sent before
the filter's memory begins. Any other *may* have been delivered before, and whoever asks must look in
ClickHouse. So an error of the filter costs a look and nothing else, and so does what it remembers of records
that were read and never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from footfall_consumer.rows import Row

Words = npt.NDArray[np.uint64]

MARGIN_MS: Final = 10_000
"""How far apart the clocks of those that set received_at, and of clients, may be without harm."""

_BITS: Final = 5
_PLACE = np.uint64(0x9E3779B97F4A7C15)  # odd numbers with no pattern, to spread what Python's hash leaves alike
_MASK = np.uint64(0xC2B2AE3D27D4EB4F)


class _Half:
    """A Bloom filter with 64-bit words as its blocks: one place in memory for each event."""

    def __init__(self, events: int) -> None:
        bits = max(10, (events - 1).bit_length())
        self.words: Words = np.zeros(1 << bits, np.uint64)  # one word an event and up to two
        self.shift = np.uint64(64 - bits)
        self.count = 0
        self.newest = 0  # received_at, milliseconds

    def has(self, hashes: Words) -> npt.NDArray[np.bool_]:
        masks = _masks(hashes)
        found: npt.NDArray[np.bool_] = (self.words[self._places(hashes)] & masks) == masks
        return found

    def add(self, hashes: Words) -> None:
        np.bitwise_or.at(self.words, self._places(hashes), _masks(hashes))
        self.count += len(hashes)

    def _places(self, hashes: Words) -> Words:
        places: Words = (hashes * _PLACE) >> self.shift
        return places


def _masks(hashes: Words) -> Words:
    mixed = hashes * _MASK
    mixed ^= mixed >> np.uint64(32)
    masks: Words = np.zeros(len(hashes), np.uint64)
    for bit in range(_BITS):
        masks |= np.uint64(1) << ((mixed >> np.uint64(6 * bit)) & np.uint64(63))
    return masks


class Recent:
    """What was read lately, in two halves: when the young one is full, the old one is forgotten for it.

    `floor` is where the memory begins: everything received after it, in the partitions that this process
    owns, is in the filter. It starts at the first record read. It rises to what is forgotten; and when a
    partition is assigned, to the first record read of it, as others have read what came before.
    """

    def __init__(self, events: int, margin_ms: int = MARGIN_MS) -> None:
        """`events`: how many each half remembers."""
        self._events = events
        self._margin = margin_ms
        self._young, self._old = _Half(events), _Half(events)
        self._unread: set[int] = set()
        self.floor = 0  # received_at, milliseconds

    def assign(self, partitions: Collection[int]) -> None:
        """These partitions are new to this process: what was read of them before is unknown."""
        self._unread.update(partitions)

    def read(self, partition: int, received_at: int) -> None:
        """Tell of the first record in a batch of each partition, before `may_be_known`."""
        if partition in self._unread:
            self._unread.remove(partition)
            self.floor = max(self.floor, received_at)

    def may_be_known(self, rows: Sequence[Row]) -> list[int]:
        """The indexes of the rows that may have been delivered before, also earlier in the same `rows`.

        All of them are remembered from now on.
        """
        count = len(rows)
        hashes = np.fromiter([hash(row.identity) for row in rows], np.int64, count).view(np.uint64)
        not_before = np.fromiter([row.not_before for row in rows], np.int64, count)
        seen = self._young.has(hashes)
        seen |= self._old.has(hashes)
        order = np.argsort(hashes)
        twice = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
        maybe = seen | (not_before <= self.floor + self._margin)
        maybe[order[twice]] = maybe[order[twice + 1]] = True
        if self._young.count and self._young.count + count > self._events:
            self.floor = max(self.floor, self._old.newest)
            self._old, self._young = self._young, _Half(self._events)
        self._young.add(hashes[~seen])
        self._young.newest = max(self._young.newest, max((row.event.received_at for row in rows), default=0))
        return [int(index) for index in np.flatnonzero(maybe)]
