"""Who is who: the links that events make between distinct_ids, and the people that follow from them. Pure.

People are a function of the *set* of links and of nothing else: not of the order in which links arrive, nor of how
often, nor of who reads them. docs/identity.md has the rules, docs/decisions/0090 why they are so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from footfall_consumer.rows import LATEST
from footfall_core.events import MAX_DISTINCT_ID, EventRecord

NEVER: Final = -(2**63)
"""When a person's own id joined it: before everything."""

SOURCES: Final = {"$identify": "$anon_distinct_id", "$create_alias": "alias", "$merge_dangerously": "alias"}
"""The events that link, and the property with the id that joins the event's distinct_id."""

_ILLEGAL_LOWER: Final = frozenset({
    "anonymous", "guest", "distinctid", "distinct_id", "id", "not_authenticated", "email", "undefined", "true", "false",
})  # fmt: skip
_ILLEGAL: Final = frozenset({"[object Object]", "NaN", "None", "none", "null", "0", "undefined"})


class IllegalId(Exception):
    """An id that many strangers share, because a client never filled it in. It links nothing."""


class Link(NamedTuple):
    """`source` is to be of the same person as `target`. `is_forced`: whatever either was before. `at` is Unix
    milliseconds."""

    at: int
    is_forced: bool
    source: str
    target: str


class Member(NamedTuple):
    """Which person an id belongs to: the id that it is named after, and since when."""

    root_id: str
    joined_at: int


def find_link(event: EventRecord) -> Link | None:
    """The link that the event makes. Raises `IllegalId` when one of its ends links nothing."""
    name = SOURCES.get(event.event)
    if name is None or not has_profile(event):
        return None
    source = read_property(event.properties, name)
    if source is None or isinstance(source, (dict, list)):
        return None
    text = source if isinstance(source, str) else msgspec.json.encode(source).decode()
    text = text[:MAX_DISTINCT_ID]
    for id in (text, event.distinct_id):
        if is_illegal(id):
            raise IllegalId(id)
    if text == event.distinct_id:
        return None
    return Link(event.timestamp, event.event == "$merge_dangerously", text, event.distinct_id)


def has_profile(event: EventRecord) -> bool:
    """Whether the event may say something about its person."""
    return read_property(event.properties, "$process_person_profile") is not False


_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_property(properties: Any, name: str) -> Any:
    """A property's value; None when it is missing, or is more than Python can hold."""
    if isinstance(properties, msgspec.Raw):
        member = _read_members(properties).get(name)
        try:
            return None if member is None else msgspec.json.decode(member)
        except msgspec.MsgspecError:
            return None
    return properties.get(name)


def is_illegal(id: str) -> bool:
    """Whether an id is one that clients send when they know none, perhaps in quotes."""
    bare = id.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
        bare = bare[1:-1].strip()
    return not bare or "\0" in id or bare in _ILLEGAL or bare.lower() in _ILLEGAL_LOWER


def find_people(links: Iterable[Link]) -> dict[str, Member]:
    """Whom each id belongs to, by all the links of one project that touch any of them.

    In the order of their time, each link lets its source's person join its target's. A link is refused when its
    source had been in a link before, for then it is known who that is; `is_forced` ones never are.
    """
    roots: dict[str, str] = {}
    joined_at: dict[str, int] = {}
    members: dict[str, list[str]] = {}
    for link in sorted(set(links)):
        is_known = link.source in roots
        for id in (link.source, link.target):
            if id not in roots:
                roots[id], joined_at[id], members[id] = id, NEVER, [id]
        one, other = roots[link.source], roots[link.target]
        if one != other and (link.is_forced or not is_known):
            for id in members[one]:
                roots[id], joined_at[id] = other, link.at
            members[other] += members.pop(one)
    return {id: Member(root, joined_at[id]) for id, root in roots.items()}


def find_components(links: Iterable[Link]) -> list[list[Link]]:
    """The links in groups that share no id."""
    groups: dict[str, list[Link]] = {}
    for link in links:
        one = groups.setdefault(link.source, [])
        other = groups.setdefault(link.target, [])
        if one is not other:
            small, large = sorted((one, other), key=len)
            large += small
            for moved in small:
                groups[moved.source] = groups[moved.target] = large
            groups[link.source] = groups[link.target] = large
        large = groups[link.source]
        large.append(link)
    return list({id(group): group for group in groups.values()}.values())


def find_version(links: Iterable[Link]) -> int:
    """A number that grows with every link, and with every link that turns out to be earlier."""
    return sum(LATEST + 1 - link.at for link in set(links))
