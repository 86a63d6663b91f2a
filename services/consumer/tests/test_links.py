"""Who is who: the rules, one test each, and that nothing but the set of links decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_consumer.links import (
    IllegalId,
    Link,
    Member,
    find_components,
    find_link,
    find_people,
    find_version,
    is_illegal,
)
from footfall_core.events import EventRecord

MakeEvent = Callable[..., EventRecord]
NEVER = -(2**63)

ids = st.sampled_from("abcdefgh")
links = st.builds(Link, st.integers(0, 12), st.booleans(), ids, ids).filter(lambda link: link.source != link.target)
histories = st.lists(links, max_size=14)


def says(event: MakeEvent, name: str, id: str, properties: dict[str, Any], at: int = 1000) -> EventRecord:
    record = event(name, distinct_id=id, at=at)
    record.properties = properties
    return record


def people(*links: Link) -> list[set[str]]:
    groups: dict[str, set[str]] = {}
    for id, member in find_people(links).items():
        groups.setdefault(member.root_id, set()).add(id)
    return sorted(groups.values(), key=sorted)


def identify(at: int, anonymous: str, id: str) -> Link:
    return Link(at, False, anonymous, id)


alias = identify


def merge(at: int, alias: str, id: str) -> Link:
    return Link(at, True, alias, id)


@pytest.mark.parametrize(
    ("name", "property"),
    [("$identify", "$anon_distinct_id"), ("$create_alias", "alias"), ("$merge_dangerously", "alias")],
)
def test_each_event_that_links_has_its_property(event: MakeEvent, name: str, property: str) -> None:
    found = find_link(says(event, name, "ann", {property: "anon"}))
    assert found == Link(1000, name == "$merge_dangerously", "anon", "ann")
    assert find_link(says(event, name, "ann", {})) is None
    assert find_link(says(event, name, "ann", {property: None})) is None
    assert find_link(says(event, name, "ann", {property: ["anon"]})) is None
    assert find_link(says(event, name, "ann", {property: 7})) == found._replace(source="7")


def test_other_events_link_nothing(event: MakeEvent) -> None:
    assert find_link(says(event, "signup", "ann", {"$anon_distinct_id": "anon", "alias": "anon"})) is None


def test_an_id_is_not_linked_with_itself(event: MakeEvent) -> None:
    assert find_link(says(event, "$identify", "ann", {"$anon_distinct_id": "ann"})) is None


def test_without_a_profile_nothing_is_linked(event: MakeEvent) -> None:
    properties = {"$anon_distinct_id": "anon", "$process_person_profile": False}
    assert find_link(says(event, "$identify", "ann", properties)) is None


def test_a_link_is_found_in_properties_that_python_cannot_hold(event: MakeEvent) -> None:
    properties = msgspec.Raw(b'{"$anon_distinct_id":"anon","large":1e999}')
    assert find_link(says(event, "$identify", "ann", properties)) == Link(1000, False, "anon", "ann")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "id",
    ["anonymous", "Guest", "DISTINCT_ID", "distinctid", "id", "not_authenticated", "email", "Undefined", "TRUE",
     "false", "[object Object]", "NaN", "None", "none", "null", "0", "undefined", '"null"', "'None'", '"ANONYMOUS"',
     "", "  ", '""', "a\0b"],
)  # fmt: skip
def test_an_illegal_id_links_nothing_on_either_side(event: MakeEvent, id: str) -> None:
    assert is_illegal(id)
    with pytest.raises(IllegalId):
        find_link(says(event, "$identify", "ann", {"$anon_distinct_id": id}))
    with pytest.raises(IllegalId):
        find_link(says(event, "$merge_dangerously", id, {"alias": "ann"}))


@pytest.mark.parametrize("id", ["ann", "nan", "NULL", "NONE", "[object object]", "00", "anonymous-1", "1", "'"])
def test_other_ids_are_legal(id: str) -> None:
    assert not is_illegal(id)


def test_two_unknown_ids_become_one_person_named_after_the_target() -> None:
    assert find_people([identify(5, "anon", "ann")]) == {"anon": Member("ann", 5), "ann": Member("ann", NEVER)}


def test_a_new_id_joins_a_person_that_is_known() -> None:
    assert people(identify(1, "laptop", "ann"), identify(2, "phone", "ann")) == [{"ann", "laptop", "phone"}]


def test_a_known_person_may_be_the_target() -> None:
    assert people(identify(1, "laptop", "ann"), alias(2, "ann@mail", "laptop")) == [{"ann", "ann@mail", "laptop"}]


def test_an_identified_id_does_not_join_another_person() -> None:
    # One browser, two users, no reset between them.
    assert people(identify(1, "browser", "ann"), identify(2, "browser", "bob")) == [{"ann", "browser"}, {"bob"}]


def test_an_alias_of_an_identified_id_is_refused() -> None:
    assert people(identify(1, "anon", "ann"), alias(2, "ann", "bob")) == [{"ann", "anon"}, {"bob"}]


def test_a_dangerous_merge_is_never_refused() -> None:
    links = [identify(1, "a", "ann"), identify(2, "b", "bob"), merge(3, "ann", "bob")]
    assert find_people(links) == {
        "a": Member("bob", 3),
        "ann": Member("bob", 3),
        "b": Member("bob", 2),
        "bob": Member("bob", NEVER),
    }


def test_saying_the_same_again_changes_nothing() -> None:
    once = [identify(1, "anon", "ann")]
    assert find_people([*once, *once, identify(9, "anon", "ann")]) == find_people(once)


def test_the_earlier_of_two_claims_counts_also_when_it_arrives_later() -> None:
    claims = [identify(2, "browser", "bob"), identify(1, "browser", "ann")]
    assert people(*claims) == people(*reversed(claims)) == [{"ann", "browser"}, {"bob"}]


def test_a_refused_link_still_tells_that_its_target_is_somebody() -> None:
    # Where we differ from the leading product: it would let bob join cid, two users on one machine.
    links = [identify(1, "browser", "ann"), identify(2, "browser", "bob"), identify(3, "bob", "cid")]
    assert people(*links) == [{"ann", "browser"}, {"bob"}, {"cid"}]


def brute_force(links: list[Link]) -> set[frozenset[str]]:
    """Union-find over the links that are not refused, told from the definition: a link is refused when its source
    stands in an earlier one."""
    parents = {id: id for link in links for id in (link.source, link.target)}

    def find(id: str) -> str:
        return id if parents[id] == id else find(parents[id])

    for link in links:
        known = any(link.source in (other.source, other.target) and other < link for other in links)
        if link.is_forced or not known:
            parents[find(link.source)] = find(link.target)
    return {frozenset(id for id in parents if find(id) == root) for root in map(find, parents)}


@given(histories)
def test_people_are_the_connected_components_of_the_links_that_count(history: list[Link]) -> None:
    assert {frozenset(group) for group in people(*history)} == brute_force(history)


@given(st.data(), histories)
def test_the_order_and_number_of_deliveries_do_not_matter(data: Any, history: list[Link]) -> None:
    shuffled = data.draw(
        st.permutations(history + data.draw(st.lists(st.sampled_from(history or [()])) if history else st.just([])))
    )
    assert find_people(shuffled) == find_people(history)
    assert find_version(shuffled) == find_version(history)


@given(histories)
def test_components_can_be_looked_at_one_by_one(history: list[Link]) -> None:
    parts = find_components(history)
    assert sorted(link for part in parts for link in part) == sorted(history)
    whole: dict[str, Member] = {}
    for part in parts:
        found = find_people(part)
        assert not whole.keys() & found.keys()
        whole |= found
    assert whole == find_people(history)


@given(histories, links)
def test_a_version_grows_with_each_link_and_with_each_that_turns_out_to_be_earlier(
    history: list[Link], link: Link
) -> None:
    if link not in history:
        assert find_version([*history, link]) > find_version(history)
    assert find_version([*history, link._replace(at=-1)]) > find_version([*history, link._replace(at=13)])
