"""Keeps in ClickHouse when each distinct_id was seen first, from which follows who is new.

The table keeps the earliest of what it is told, so it can be told the same again, by several Consumers, in any order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from footfall_consumer.rows import Row, format_time
from footfall_core.clickhouse import DATABASE, ClickHouse

FIRST_SEEN: Final = f"{DATABASE}.first_seen"

REMEMBERED: Final = 200_000
"""Ids that are known to be there. Telling of one again costs a row until the next merge, nothing else."""


class _Line(msgspec.Struct, gc=False):
    project_id: int
    distinct_id: str
    at: str


_COLUMNS: Final = _Line.__struct_fields__
_encode_lines = msgspec.json.Encoder().encode_lines


class FirstSeen:
    """The table, for one process."""

    def __init__(self, clickhouse: ClickHouse, *, remembered: int = REMEMBERED) -> None:
        self._clickhouse = clickhouse
        self._remembered = remembered
        self._known: OrderedDict[tuple[int, str], int] = OrderedDict()

    def store(self, rows: Iterable[Row]) -> None:
        """Tell of events that are about to be stored. Raises `ClickHouseRefused` or `ClickHouseUnavailable`.

        Before they are, because a crash may lie between the two: then the same rows come again.
        """
        known = self._known
        earliest: dict[tuple[int, str], int] = {}
        for row in rows:
            event = row.event
            key = event.project_id, event.distinct_id
            at = earliest.get(key)
            if at is None:
                at = known.get(key)
            if at is None or event.timestamp < at:
                earliest[key] = event.timestamp
        if not earliest:
            return
        lines = [_Line(project_id, distinct_id, format_time(at)) for (project_id, distinct_id), at in earliest.items()]
        self._clickhouse.insert(FIRST_SEEN, _COLUMNS, _encode_lines(lines))
        known.update(earliest)
        while len(known) > self._remembered:
            known.popitem(last=False)
