"""People in every answer: who counts as one, what is known of them, and how they are listed."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from query_platform import NOW, Platform, Project, event

from footfall_query import persons
from footfall_query.insights import trends
from footfall_query.scope import UTC_ZONE, Scope, Span

DAY = "2026-11-17"


@pytest.fixture
def shop(project: Project) -> Project:
    """Ann, who came without a name, signed in and bought on her phone; and Bob, who did nothing of the kind."""
    project.store(
        event("view", "laptop", f"{DAY}T10:00"),
        event("signup", "ann", f"{DAY}T10:05"),
        event("buy", "phone", f"{DAY}T20:00", plan="free"),
        event("view", "bob", f"{DAY}T11:00"),
    )
    project.join("ann", "laptop", "phone", at=f"{DAY}T10:05")
    project.tell("ann", at=DAY, set={"plan": "pro", "email": "Ann@example.org"})
    project.tell("bob", at=DAY, set={"plan": "free"})
    return project


def counts(answer: dict[str, Any]) -> list[int]:
    return [step["count"] for step in answer["steps"]]


def totals(answer: dict[str, Any]) -> dict[Any, Any]:
    return {series["breakdown_value"]: series["total"] for series in answer["series"]}


def plan_is(value: str, **more: Any) -> dict[str, Any]:
    return {"property": "plan", "value": value, "scope": "person", **more}


def test_a_funnel_crosses_the_ids_of_a_person(shop: Project) -> None:
    steps = [{"event": "view"}, {"event": "signup"}, {"event": "buy"}]
    assert counts(shop.ask("funnels", {"steps": steps})) == [2, 1, 1]


@pytest.mark.parametrize("attribution", ["first_touch", "last_touch", "all_events", "step"])
def test_a_funnel_by_what_is_known_of_people(shop: Project, attribution: str) -> None:
    """The event says `free` where the person is `pro`, and most events say nothing."""
    breakdown = {"property": "plan", "scope": "person", "attribution": attribution}
    answer = shop.ask("funnels", {"steps": [{"event": "view"}, {"event": "buy"}], "breakdown": breakdown})
    assert {each["value"]: counts(each) for each in answer["breakdown"]} == {"pro": [1, 1], "free": [1, 0]}


def test_a_person_counts_once(shop: Project) -> None:
    assert totals(shop.ask("trends", {"series": [{"math": "unique_users"}]})) == {None: 2}
    assert totals(shop.ask("trends", {"series": [{"math": "total"}]})) == {None: 4}


def test_a_link_holds_in_its_project_only(shop: Project, platform: Platform) -> None:
    other = platform.project()
    other.store(event("view", "laptop", f"{DAY}T10:00"), event("view", "ann", f"{DAY}T10:00"))
    assert totals(other.ask("trends", {"series": [{"math": "unique_users"}]})) == {None: 2}


def test_filters_look_at_what_is_known_of_the_person(shop: Project) -> None:
    assert totals(shop.ask("trends", {"series": [{}], "filters": [plan_is("pro")]})) == {None: 3}
    assert totals(shop.ask("trends", {"series": [{"filters": [plan_is("pro", operator="is_not")]}]})) == {None: 1}
    both = [plan_is("pro"), {"property": "plan", "value": "free"}]
    assert totals(shop.ask("trends", {"series": [{}], "filters": both})) == {None: 1}
    steps = [{"event": "view", "filters": [plan_is("pro")]}, {"event": "buy", "filters": [plan_is("pro")]}]
    assert counts(shop.ask("funnels", {"steps": steps})) == [1, 1]


def test_steps_that_differ_in_whose_property_they_ask_about_do_not_exclude_each_other(project: Project) -> None:
    project.store(event("a", "ann", f"{DAY}T10:00", plan="x"))
    project.tell("ann", set={"plan": "y"})
    steps = [{"event": "a", "filters": [{"property": "plan", "value": "x"}]}, {"event": "a", "filters": [plan_is("y")]}]
    assert counts(project.ask("funnels", {"steps": steps})) == [1, 0]


def test_breakdowns_by_what_is_known_of_the_person(shop: Project) -> None:
    shop.store(event("view", "cid", f"{DAY}T11:00", plan="pro"))
    shop.tell("cid", set={"plan": 5, "list": ["a"]})
    document = {"series": [{"math": "total"}], "breakdown": {"property": "plan", "scope": "person"}}
    assert totals(shop.ask("trends", document)) == {"pro": 3, "5": 1, "free": 1}
    document["breakdown"] = {"property": "list", "scope": "person"}
    assert totals(shop.ask("trends", document)) == {'["a"]': 1, None: 4}
    document["breakdown"] = {"property": "never told", "scope": "person"}
    assert totals(shop.ask("trends", document)) == {None: 5}


def test_every_table_is_read_for_one_project_only() -> None:
    scope = Scope(7, Span(1_790_000_000_000, 1_790_600_000_000), UTC_ZONE, "sunday", NOW)
    condition = plan_is("pro")
    document = {
        "series": [{"filters": [condition, {**condition, "operator": "is_not"}]}],
        "breakdown": {"property": "plan", "scope": "person"},
    }
    filters = json.dumps([condition])
    statements = [
        trends.build(trends.TrendsQuery.model_validate(document), scope),
        persons.build_persons(persons.PersonsQuery(search="x", filters=filters, cursor="WzEsMl0"), scope),
        persons.build_person(persons.PersonQuery(distinct_id="ann", event=["a"]), scope),
    ]
    for sql in statements:
        tables = re.findall(r"FROM analytics\.", sql.text)
        bound = re.findall(r"FROM analytics\.\w+(?: FINAL)?\s+WHERE project_id = {(p\d+):UInt32}", sql.text)
        assert len(tables) == len(bound) >= 2
        assert {sql.parameters[name] for name in bound} == {7}


HOSTILE = ["a.b", "a%2Eb", "`", "'", "\\", "{p0:String}", "%s", "$data$", "😀", "\n"]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_may_be_asked_about(project: Project, name: str) -> None:
    project.store(event("a", "ann", f"{DAY}T10:00"), event("a", "bob", f"{DAY}T10:00"))
    project.tell("ann", set={name: name})
    condition = {"property": name, "value": name, "scope": "person"}
    assert totals(project.ask("trends", {"series": [{"filters": [condition]}]})) == {None: 1}
    document = {"series": [{}], "breakdown": {"property": name, "scope": "person"}}
    assert totals(project.ask("trends", document)) == {name: 1, None: 1}


def known(project: Project, id: str = "ann") -> dict[str, Any]:
    properties: dict[str, Any] = project.get(f"persons/{id}").json()["properties"]
    return properties


def test_the_last_set_counts_whenever_it_arrives(project: Project) -> None:
    project.tell("ann", at="2026-11-02", set={"a": 2})
    project.tell("ann", at="2026-11-01", set={"a": 1})
    assert known(project) == {"a": 2}


def test_set_once_fills_in_what_is_not_there(project: Project) -> None:
    project.tell("ann", at="2026-11-02", once={"a": 2, "b": 2})
    project.tell("ann", at="2026-11-01", once={"a": 1})
    project.tell("ann", at="2026-11-03", set={"b": 3})
    assert known(project) == {"a": 1, "b": 3}


def test_in_one_event_set_is_stronger_than_set_once_and_unset_than_both(project: Project) -> None:
    project.tell("ann", set={"a": "set", "b": 1}, once={"a": "once", "c": 1}, unset=["b", "c"])
    assert known(project) == {"a": "set"}


def test_unset_forgets_what_was_said_before(project: Project) -> None:
    project.tell("ann", at="2026-11-02", unset=["a", "b", "c"])
    project.tell("ann", at="2026-11-01", set={"a": 1}, once={"b": 1})
    project.tell("ann", at="2026-11-03", once={"b": 3}, set={"c": 3})
    assert known(project) == {"b": 3, "c": 3}


def test_null_is_as_good_as_nothing(project: Project) -> None:
    project.tell("ann", at="2026-11-01", set={"a": 1, "b": 1})
    project.tell("ann", at="2026-11-02", set={"a": None})
    assert known(project) == {"b": 1}


def test_what_the_target_knew_is_stronger_than_what_joins_it(project: Project) -> None:
    project.tell("anon", at="2026-11-05", set={"a": "anon", "b": "anon"}, once={"c": "anon"})
    project.tell("ann", at="2026-11-01", set={"a": "ann"})
    project.tell("ann", at="2026-11-09", once={"b": "late", "c": "late"})
    project.join("ann", "anon", at="2026-11-06")
    assert known(project) == known(project, "anon") == {"a": "ann", "b": "anon", "c": "anon"}


def test_after_joining_an_id_speaks_for_its_person(project: Project) -> None:
    project.tell("ann", at="2026-11-01", set={"a": "ann", "b": "ann"})
    project.tell("anon", at="2026-11-07", set={"a": "anon"}, unset=["b"])
    project.join("ann", "anon", at="2026-11-06")
    assert known(project) == {"a": "anon"}


def test_of_two_that_join_the_first_fills_in(project: Project) -> None:
    project.tell("x", at="2026-11-01", set={"a": "x"})
    project.tell("y", at="2026-11-02", set={"a": "y"})
    project.join("ann", "x", at="2026-11-08")
    project.join("ann", "y", at="2026-11-06")
    assert known(project) == {"a": "y"}


def test_a_person_is_told_of_by_any_of_their_ids(shop: Project) -> None:
    shop.platform.write(
        "person_links",
        [
            {"project_id": shop.id, "distinct_id": one, "other_id": other, "is_source": is_source, "is_forced": False,
             "at": at}
            for source, target, at in (("laptop", "ann", 1), ("phone", "ann", 2), ("phone", "bob", 3))
            for one, other, is_source in ((source, target, True), (target, source, False))
        ],
    )  # fmt: skip
    one, other = (shop.get(f"persons/{id}").json() for id in ("ann", "phone"))
    del one["meta"], other["meta"]
    assert one == other
    timeline = one.pop("timeline")
    person_id = one.pop("person_id")
    assert {(row["event"], row["distinct_id"], row["person_id"]) for row in timeline} == {
        ("buy", "phone", person_id),
        ("signup", "ann", person_id),
        ("view", "laptop", person_id),
    }
    assert [row["event"] for row in timeline] == ["buy", "signup", "view"]
    assert one == {
        "distinct_ids": ["ann", "laptop", "phone"],
        "properties": {"email": "Ann@example.org", "plan": "pro"},
        "events": 3,
        "first_seen": f"{DAY}T10:00:00.000Z",
        "last_seen": f"{DAY}T20:00:00.000Z",
        "links": [
            {"source": "laptop", "target": "ann", "at": "1970-01-01T00:00:00.001Z", "is_forced": False,
             "is_refused": False},
            {"source": "phone", "target": "ann", "at": "1970-01-01T00:00:00.002Z", "is_forced": False,
             "is_refused": False},
            {"source": "phone", "target": "bob", "at": "1970-01-01T00:00:00.003Z", "is_forced": False,
             "is_refused": True},
        ],
        "next_cursor": None,
    }  # fmt: skip


def test_a_timeline_has_pages_a_range_and_names(shop: Project) -> None:
    first = shop.get("persons/ann", limit=2).json()
    second = shop.get("persons/ann", limit=2, cursor=first["next_cursor"]).json()
    assert [[row["event"] for row in page["timeline"]] for page in (first, second)] == [["buy", "signup"], ["view"]]
    assert second["next_cursor"] is None
    assert (
        (second["events"], second["last_seen"])
        == (first["events"], first["last_seen"])
        == (
            3,
            f"{DAY}T20:00:00.000Z",
        )
    )
    late = shop.get("persons/ann", date_from=f"{DAY}T12:00:00").json()
    assert [row["event"] for row in late["timeline"]] == ["buy"]
    assert [row["event"] for row in shop.get("persons/ann", event="view").json()["timeline"]] == ["view"]


@pytest.mark.parametrize("id", ["a/b", "a b", "ü?", "%2F", "..x"])
def test_an_id_may_be_any_text(project: Project, id: str) -> None:
    project.store(event("a", id, f"{DAY}T10:00"))
    quoted = "".join(f"%{byte:02X}" for byte in id.encode())
    assert project.get(f"persons/{quoted}").json()["distinct_ids"] == [id]


def test_nobody_goes_by_an_unknown_id(shop: Project) -> None:
    answer = shop.get("persons/nobody")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Nobody goes by the distinct_id 'nobody'")


def listed(project: Project, **parameters: Any) -> list[list[str]]:
    answer = project.get("persons", **parameters)
    assert answer.status_code == 200, answer.text
    return [person["distinct_ids"] for person in answer.json()["results"]]


def test_people_are_listed_the_latest_first(shop: Project) -> None:
    answer = shop.get("persons").json()
    assert answer["next_cursor"] is None
    ann, bob = answer["results"]
    assert uuid.UUID(ann.pop("person_id")) != uuid.UUID(bob.pop("person_id"))
    assert ann == {
        "distinct_ids": ["ann", "laptop", "phone"],
        "properties": {"email": "Ann@example.org", "plan": "pro"},
        "events": 3,
        "first_seen": f"{DAY}T10:00:00.000Z",
        "last_seen": f"{DAY}T20:00:00.000Z",
    }
    assert bob["distinct_ids"] == ["bob"]
    assert bob["properties"] == {"plan": "free"}


def test_people_are_searched_by_id_and_by_what_is_known(shop: Project) -> None:
    assert listed(shop, search="PHON") == [["ann", "laptop", "phone"]]
    assert listed(shop, search="example.ORG") == [["ann", "laptop", "phone"]]
    assert listed(shop, search="bo") == [["bob"]]
    assert listed(shop, search="nobody") == []


def test_people_are_filtered_and_ranged(shop: Project) -> None:
    assert listed(shop, filters='[{"property": "plan", "value": "free", "scope": "person"}]') == [["bob"]]
    assert listed(shop, filters='[{"property": "plan", "value": "free"}]') == [["phone"]]
    assert listed(shop, date_from="2026-11-18") == []
    assert listed(shop, event="buy") == [["phone"]]
    assert listed(shop, event=["signup", "view"], date_to=f"{DAY}T10:30") == [["ann", "laptop"]]
    assert listed(shop, event="buy", filters='[{"property": "plan", "value": "pro"}]') == []


def test_people_have_pages(shop: Project) -> None:
    first = shop.get("persons", limit=1).json()
    second = shop.get("persons", limit=1, cursor=first["next_cursor"]).json()
    assert [person["distinct_ids"] for page in (first, second) for person in page["results"]] == [
        ["ann", "laptop", "phone"],
        ["bob"],
    ]
    assert second["next_cursor"] is None


def test_who_wants_no_profile_is_not_listed(project: Project) -> None:
    without = {"$process_person_profile": False}
    project.store(
        event("a", "passing", f"{DAY}T10:00", properties=without),
        event("a", "ann", f"{DAY}T10:00", properties=without),
        event("b", "ann", f"{DAY}T09:00"),
    )
    assert listed(project) == [["ann"]]
    assert totals(project.ask("trends", {"series": [{"math": "unique_users"}]})) == {None: 2}


@pytest.mark.parametrize(
    ("path", "parameters", "place"),
    [
        ("persons", {"cursor": "x"}, "cursor"),
        ("persons", {"filters": "[{}]"}, "filters"),
        ("persons", {"limit": 0}, "limit"),
        ("persons", {"sort": "x"}, "sort"),
        ("persons/ann", {"cursor": "x"}, "cursor"),
        ("persons/ann", {"date_from": "x"}, "date_from"),
    ],
)
def test_what_cannot_be_asked_is_named(shop: Project, path: str, parameters: dict[str, Any], place: str) -> None:
    answer = shop.get(path, **parameters)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["query", place])
