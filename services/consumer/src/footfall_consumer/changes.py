"""What events say about their person: `$set`, `$set_once` and `$unset`. Pure.

For each id and name only what a person's value can depend on is kept: the last set, the first and the last
set_once, the last unset. Each is the maximum or minimum of pairs of a time and a value, so that the order and the
number of deliveries do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from footfall_consumer.links import has_profile, read_property
from footfall_core.events import EventRecord

BEFORE_ALL: Final = -(2**63)
AFTER_ALL: Final = 2**63 - 1
NO_EFFECT: Final = frozenset({"$exception", "$$heatmap"})
"""Events that say nothing about a person, whatever they carry."""

Told = tuple[int, str]
"""When something was said, in Unix milliseconds, and the value as JSON."""


class Change(msgspec.Struct, gc=False):
    """What is known of one property of one id."""

    last_set: Told = (BEFORE_ALL, "")
    first_once: Told = (AFTER_ALL, "")
    last_once: Told = (BEFORE_ALL, "")
    unset_at: int = BEFORE_ALL


Key = tuple[int, str, str]
"""project_id, name of the property, distinct_id."""


def gather_changes(events: Iterable[EventRecord]) -> dict[Key, Change]:
    """What all these events say."""
    changes: dict[Key, Change] = {}

    def change(event: EventRecord, name: str) -> Change:
        return changes.setdefault((event.project_id, name, event.distinct_id), Change())

    for event in events:
        properties = event.properties
        if not _may_change(properties) or event.event in NO_EFFECT or not has_profile(event):
            continue
        for name, value in _items(read_property(properties, "$set_once")):
            one, told = change(event, name), (event.timestamp, value)
            one.first_once, one.last_once = min(one.first_once, told), max(one.last_once, told)
        for name, value in _items(read_property(properties, "$set")):
            one = change(event, name)
            one.last_set = max(one.last_set, (event.timestamp, value))
        for name in _names(read_property(properties, "$unset")):
            one = change(event, name)
            one.unset_at = max(one.unset_at, event.timestamp)
    return changes


def _may_change(properties: Any) -> bool:
    if type(properties) is dict:
        return "$set" in properties or "$set_once" in properties or "$unset" in properties
    return b"$set" in bytes(properties) or b"$unset" in bytes(properties)


def _items(given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, dict):
        for name, value in given.items():
            if name:
                yield name, _write(value)


def _names(given: Any) -> Iterator[str]:
    """`$unset` is a list of names, or an object whose keys they are."""
    if isinstance(given, (dict, list)):
        yield from (name for name in given if isinstance(name, str) and name)


def _write(value: Any) -> str:
    """JSON in which a whole number is written as one, as ClickHouse does for events."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return msgspec.json.encode(value).decode()
