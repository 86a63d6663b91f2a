"""Keeps in ClickHouse who is who.

Everything written here can be written again, in any order and by several Consumers at once, and the last word is
the same: links and properties are maxima and minima, and whom an id belongs to is computed from all the links of
its people, with a version that grows with them. A Consumer adds its links *before* it reads the others; so of two
at once, the one that adds last sees all of them, and its version is the greatest.
"""

from __future__ import annotations

import base64
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from footfall_consumer.changes import gather_changes
from footfall_consumer.links import IllegalId, Link, find_components, find_link, find_people, find_version
from footfall_core.clickhouse import DATABASE, ClickHouse
from footfall_core.events import EventRecord

LINKS: Final = f"{DATABASE}.person_links"
IDS: Final = f"{DATABASE}.person_ids"
PROPERTIES: Final = f"{DATABASE}.person_properties"
DICTIONARY: Final = f"{DATABASE}.person_of"

REMEMBERED: Final = 200_000
"""Links that are known to be in effect, so that a client may say the same again and again."""
MOST_LINKS: Final = 10_000
"""Links that may hang together. With so many, what they say is no longer about one person's devices, and reading them
for each new one would hold up everybody's events: whoever these people are by then, they stay."""
SHARE_OF_TIME: Final = 0.2
"""How much of its time ClickHouse may spend on reloading the dictionary."""
_MAX_QUERY_BYTES: Final = 512 * 1024 * 1024

REFUSALS: Final = {
    "illegal_id": "an id is one that many strangers share",
    "too_many": "too many links hang together with it",
}
"""Why a link has no effect, as the label `reason`. Those whose source is known to be somebody are not counted."""

Links = dict[int, set[Link]]
"""By project."""


class People:
    """The tables of people, for one process."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        *,
        remembered: int = REMEMBERED,
        most_links: int = MOST_LINKS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives monotonic seconds."""
        self._clickhouse = clickhouse
        self._remembered = remembered
        self._most_links = most_links
        self._clock = clock
        self._known: OrderedDict[tuple[int, bool, str, str], int] = OrderedDict()
        self._stale = True  # another process may have ended between writing and reloading
        self._next_reload = clock()

    def store(self, events: Iterable[EventRecord]) -> Counter[str]:
        """Store what the events say about people. Returns how many links were refused, by `REFUSALS`.

        To be given every event of a batch, also those that are stored already: a crash can lie between the two.
        Raises `ClickHouseRefused` or `ClickHouseUnavailable`.
        """
        events = list(events)
        links: Links = defaultdict(set)
        refused = Counter[str]()
        for event in events:
            try:
                link = find_link(event)
            except IllegalId:
                refused["illegal_id"] += 1
                continue
            if link is not None and not self._is_known(event.project_id, link):
                links[event.project_id].add(link)
        if links:
            refused["too_many"] += self._link(links)
        self._change(events)
        return refused

    def show(self) -> None:
        """Let queries see whom ids belong to, if that has changed. To be called often; it does not take long."""
        if self._stale and self._clock() >= self._next_reload:
            began = self._clock()
            self._clickhouse.command(f"SYSTEM RELOAD DICTIONARY {DICTIONARY}")
            ended = self._clock()
            self._stale = False
            self._next_reload = ended + (ended - began) * (1 / SHARE_OF_TIME - 1)

    def _is_known(self, project_id: int, link: Link) -> bool:
        at = self._known.get((project_id, *link[1:]))
        return at is not None and at <= link.at

    def _link(self, links: Links) -> int:
        """Let the links take effect. Returns how many do not, because too many hang together with them."""
        self._insert(
            LINKS,
            ("project_id", "distinct_id", "other_id", "is_source", "is_forced", "at"),
            [
                row
                for project_id, added in links.items()
                for at, is_forced, source, target in added
                for row in (
                    (project_id, source, target, True, is_forced, at),
                    (project_id, target, source, False, is_forced, at),
                )
            ],
        )
        webs = self._webs(links)
        self._insert(
            IDS,
            ("project_id", "distinct_id", "root_id", "joined_at", "version"),
            [
                (project_id, id, member.root_id, member.joined_at, version)
                for project_id, web in webs
                for version in (find_version(web),)
                for id, member in find_people(web).items()
            ],
        )
        self._stale = True
        for project_id, added in links.items():
            for at, *pair in sorted(added, reverse=True):
                self._known[project_id, *pair] = at  # type: ignore[index]
        while len(self._known) > self._remembered:
            self._known.popitem(last=False)
        reached = {(project_id, link.source) for project_id, web in webs for link in web}
        return sum((project_id, link.source) not in reached for project_id, added in links.items() for link in added)

    def _webs(self, links: Links) -> list[tuple[int, list[Link]]]:
        """All links that hang together with these, web by web with the project; without the webs that are too large.
        The last statement reads all of them, so that they are what the table held at one moment."""
        ids = {(project_id, id) for project_id, added in links.items() for link in added for id in link[2:]}
        too_large: set[tuple[int, str]] = set()
        while True:
            webs = []
            wanted: set[tuple[int, str]] = set()
            for project_id, found in self._links_of(ids).items():
                for web in find_components(found):
                    ends = {(project_id, id) for link in web for id in link[2:]}
                    if len(web) > self._most_links or ends & too_large:
                        too_large |= ends
                    else:
                        webs.append((project_id, web))
                        wanted |= ends
            if wanted <= ids:
                return webs
            ids = wanted

    def _links_of(self, ids: Iterable[tuple[int, str]]) -> Links:
        """The links that have one of these ids at an end; of one id not many more than a web may have."""
        listed = base64.b64encode(_encode_lines(ids)).decode()
        rows = self._clickhouse.fetch(
            f"""
            SELECT project_id, distinct_id, other_id, is_source, is_forced, min(at) FROM {LINKS}
            WHERE (project_id, distinct_id) IN (
                SELECT project_id, distinct_id FROM format(
                    JSONCompactEachRow, 'project_id UInt32, distinct_id String', base64Decode($data${listed}$data$)))
            GROUP BY ALL
            LIMIT {self._most_links + 1} BY project_id, distinct_id
            """,
            settings={"max_query_size": _MAX_QUERY_BYTES},
        ).rows
        found: Links = defaultdict(set)
        for project_id, one, other, is_source, is_forced, at in rows:
            source, target = (one, other) if is_source else (other, one)
            found[project_id].add(Link(at, bool(is_forced), source, target))
        return found

    def _change(self, events: Iterable[EventRecord]) -> None:
        self._insert(
            PROPERTIES,
            ("project_id", "name", "distinct_id", "last_set", "first_once", "last_once", "unset_at"),
            [
                (*key, change.last_set, change.first_once, change.last_once, change.unset_at)
                for key, change in gather_changes(events).items()
            ],
        )

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        lines = _encode_lines([dict(zip(columns, row, strict=True)) for row in rows])
        self._clickhouse.insert(table, columns, lines)


_encode_lines = msgspec.json.Encoder().encode_lines
