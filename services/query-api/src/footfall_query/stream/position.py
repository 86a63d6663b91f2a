"""How far a listener has come in what was inserted. Pure.

An insert can be seen a while after the time that its rows name, and several go on at once. So a position is a time,
and for each partition of the log the last offset that was seen: within a partition events come one after the other.
Newer than the time is new; so is what is not much older, but lies behind its partition's offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from footfall_query.events import EVENT_COLUMNS, Event, read_event
from footfall_query.filters import bind_time, where
from footfall_query.freshness import INSERTED
from footfall_query.properties import EVENTS
from footfall_query.scope import LATEST, UTC_ZONE, Scope, Span
from footfall_query.sql import Fragment, Params, Sql

OVERLAP_MS: Final = 30_000
"""How late an insert may be seen behind a later one."""
MAX_PARTITIONS: Final = 1_000

_TEXT: Final = re.compile(r"(\d{1,14})((?:\.\d{1,5}-\d{1,20})*)")

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Position:
    """`instant`: Unix milliseconds of the last insert that was seen; `offsets`: by partition."""

    instant: int
    offsets: dict[int, int]

    def __str__(self) -> str:
        """As the id of a server-sent event: `1795000000000.0-41.3-7`."""
        return f"{self.instant}" + "".join(f".{partition}-{at}" for partition, at in sorted(self.offsets.items()))

    def after(self, arrivals: Iterable[Arrival]) -> Position:
        """The position behind these as well."""
        instant, offsets = self.instant, dict(self.offsets)
        for arrival in arrivals:
            instant = max(instant, arrival.inserted_at)
            offsets[arrival.partition] = max(offsets.get(arrival.partition, -1), arrival.offset)
        return Position(instant, offsets)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, when it was inserted, and where it stands in the log."""

    event: Event
    inserted_at: int
    partition: int
    offset: int

    @property
    def identity(self) -> Identity:
        """What two deliveries of one event have in common."""
        return self.event.event, self.event.distinct_id, str(self.event.uuid)


def read_position(text: str) -> Position:
    """Raises `ValueError` for what is no position."""
    found = _TEXT.fullmatch(text)
    pairs = [pair.split("-") for pair in found[2].split(".")[1:]] if found else []
    if found is None or len(pairs) > MAX_PARTITIONS or int(found[1]) > LATEST:
        raise ValueError("must be the id of an event of this stream")
    offsets = {int(partition): int(offset) for partition, offset in pairs}
    if any(partition >= 2**16 or offset >= 2**63 for partition, offset in offsets.items()):
        raise ValueError("must be the id of an event of this stream")
    return Position(int(found[1]), offsets)


def build_start(project_id: int, now: datetime) -> Sql:
    """Rows of (ClickHouse's time in Unix milliseconds, partition, last offset): where a stream begins now."""
    p = Params()
    # From the beginning of time, so that the machines' clocks need not agree: the engine's own says what is recent.
    scope = Scope(project_id, Span(0, LATEST), UTC_ZONE, "sunday", now)
    recent = Fragment(f"inserted_at >= now64(3) - toIntervalMillisecond({OVERLAP_MS})")
    return Sql(
        f"""SELECT toUnixTimestamp64Milli(now64(3)), log_partition, max(log_offset)
FROM {EVENTS}
{where(scope, [], p, recent, time=INSERTED)}
GROUP BY GROUPING SETS ((log_partition), ())
ORDER BY grouping(log_partition) DESC""",
        p.values,
    )


def read_start(rows: Iterable[Any]) -> Position:
    (now, _, _), *partitions = rows
    return Position(int(now), {int(partition): int(offset) for _, partition, offset in partitions})


def build_arrivals(project_id: int, position: Position, floor: int, limit: int, now: datetime) -> Sql:
    """Rows of events behind the position, the newest first, each with the number of all that there are. What was
    inserted up to the Unix millisecond `floor` is left out."""
    p = Params()
    start = max(position.instant - OVERLAP_MS, floor + 1)
    scope = Scope(project_id, Span(start, LATEST), UTC_ZONE, "sunday", now)
    known = [(partition, offset, 0) for partition, offset in sorted(position.offsets.items())]
    seen = Fragment(
        "arrayExists(known -> known.1 = log_partition AND known.2 >= log_offset, "
        f"{p(known, 'Array(Tuple(Int64, Int64, Int64))')})"
    )
    new = Fragment(f"(inserted_at > {bind_time(position.instant, p)} OR NOT {seen})")
    return Sql(
        f"""SELECT {EVENT_COLUMNS}, toUnixTimestamp64Milli(inserted_at), log_partition, log_offset, count() OVER ()
FROM {EVENTS}
{where(scope, [], p, new, time=INSERTED)}
ORDER BY inserted_at DESC, log_partition DESC, log_offset DESC
LIMIT {p(limit, "UInt16")}""",
        p.values,
    )


def read_arrivals(rows: Iterable[Any]) -> tuple[list[Arrival], int]:
    """The events, oldest first, and how many there are besides them."""
    found, total = [], 0
    for *columns, inserted_at, partition, offset, count in rows:
        found.append(Arrival(read_event(columns), int(inserted_at), int(partition), int(offset)))
        total = int(count)
    found.reverse()
    return found, total - len(found)
