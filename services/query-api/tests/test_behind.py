"""Whom each point of each insight counts. How many they are in general, test_against_brute_force.py compares."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from query_platform import Project, event

MONDAY, TUESDAY, WEDNESDAY = "2026-11-16", "2026-11-17", "2026-11-18"
DAYS = [f"2026-11-{day}T00:00:00Z" for day in (16, 17, 18)]
RANGE = {"date_from": MONDAY, "date_to": WEDNESDAY}


def behind(project: Project, kind: str, query: dict[str, Any], **point: Any) -> list[str]:
    """Who is behind a point, the latest first, each by the first of their ids."""
    answer = project.ask("persons", {"kind": kind, "query": RANGE | query, "point": point})
    assert answer["next_cursor"] is None
    return [person["distinct_ids"][0] for person in answer["results"]]


@pytest.fixture
def shop(project: Project) -> Project:
    """Ann visits, signs up and pays; Bob visits and signs up; Cid, who has no profile, visits on two days."""
    project.store(
        event("visit", "ann", f"{MONDAY}T10:00", plan="pro"),
        event("signup", "ann", f"{MONDAY}T10:05"),
        event("pay", "ann", f"{TUESDAY}T10:00"),
        event("visit", "bob", f"{MONDAY}T11:00", plan="free"),
        event("signup", "bob", f"{TUESDAY}T11:00"),
        event("visit", "cid", f"{MONDAY}T12:00", properties={"$process_person_profile": False}),
        event("visit", "cid", f"{WEDNESDAY}T12:00", properties={"$process_person_profile": False}),
    )
    return project


def test_a_row_is_that_of_every_list_of_people_and_about_the_events_that_the_point_counts(project: Project) -> None:
    project.store(
        event("visit", "laptop", f"{MONDAY}T10:00"),
        event("visit", "ann", f"{MONDAY}T11:00"),
        event("visit", "ann", f"{TUESDAY}T11:00"),
        event("pay", "ann", f"{MONDAY}T12:00"),
    )
    project.join("ann", "laptop")
    project.tell("ann", set={"plan": "pro"})
    query = {"series": [{"event": "visit"}], **RANGE}
    answer = project.ask("persons", {"kind": "trends", "query": query, "point": {"index": 0, "bucket": DAYS[0]}})
    (person,) = answer["results"]
    assert person.pop("person_id") == project.get("persons/ann").json()["person_id"]
    assert person == {
        "distinct_ids": ["ann", "laptop"],
        "properties": {"plan": "pro"},
        "events": 2,
        "first_seen": f"{MONDAY}T10:00:00.000Z",
        "last_seen": f"{MONDAY}T11:00:00.000Z",
    }


def test_who_did_it_in_a_bucket_and_in_all(shop: Project) -> None:
    visits = {"series": [{"event": "visit"}]}
    assert behind(shop, "trends", visits, index=0, bucket=DAYS[0]) == ["cid", "bob", "ann"]
    assert behind(shop, "trends", visits, index=0, bucket=DAYS[1]) == []
    assert behind(shop, "trends", visits, index=0) == ["cid", "bob", "ann"]


def test_who_is_on_a_line_of_a_breakdown(shop: Project) -> None:
    by_plan = {"series": [{"event": "visit"}], "breakdown": {"property": "plan", "limit": 1}}
    assert behind(shop, "trends", by_plan, index=0, breakdown_value="free") == ["bob"]
    assert behind(shop, "trends", by_plan, index=0, breakdown_value="$other") == ["ann"]
    assert behind(shop, "trends", by_plan, index=0, breakdown_value=None) == ["cid"]


def test_who_did_it_for_the_first_time_and_who_in_the_week_before(shop: Project) -> None:
    series = [{"event": "visit", "math": math} for math in ("first_time_users", "weekly_active_users")]
    assert behind(shop, "trends", {"series": series}, index=0, bucket=DAYS[2]) == []
    assert behind(shop, "trends", {"series": series}, index=1, bucket=DAYS[2]) == ["cid", "bob", "ann"]


def test_who_did_it_in_the_range_before_and_until_a_bucket(shop: Project) -> None:
    compared = {"series": [{"event": "visit"}], "compare": "-2d", "date_from": WEDNESDAY}
    point = {"index": 0, "bucket": DAYS[0], "compare": "-2d"}
    assert behind(shop, "trends", compared, **point) == ["cid", "bob", "ann"]
    signups = {"series": [{"event": "signup"}], "cumulative": True}
    assert behind(shop, "trends", signups, index=0, bucket=DAYS[2]) == ["bob", "ann"]


def test_who_reached_a_step_and_who_dropped_out_after_it(shop: Project) -> None:
    funnel = {"steps": [{"event": "visit"}, {"event": "signup"}, {"event": "pay"}]}
    assert behind(shop, "funnels", funnel, index=0) == ["cid", "bob", "ann"]
    assert behind(shop, "funnels", funnel, index=1) == ["bob", "ann"]
    assert behind(shop, "funnels", funnel, index=0, outcome="dropped") == ["cid"]
    assert behind(shop, "funnels", funnel, index=1, outcome="dropped") == ["bob"]
    assert behind(shop, "funnels", funnel, index=2) == ["ann"]


def test_who_is_in_the_funnel_of_a_value(shop: Project) -> None:
    funnel = {"steps": [{"event": "visit"}, {"event": "signup"}], "breakdown": {"property": "plan", "limit": 1}}
    assert behind(shop, "funnels", funnel, index=1) == ["bob", "ann"]
    assert behind(shop, "funnels", funnel, index=1, breakdown_value="free") == ["bob"]
    assert behind(shop, "funnels", funnel, index=1, breakdown_value="$other") == ["ann"]
    assert behind(shop, "funnels", funnel, index=0, breakdown_value=None) == ["cid"]


def test_who_took_how_long_and_who_began_when(shop: Project) -> None:
    steps = [{"event": "visit"}, {"event": "signup"}]
    times = {"steps": steps, "view": "time_to_convert", "bins": 2}
    assert [behind(shop, "funnels", times, bin=number) for number in range(3)] == [["ann"], ["bob"], []]
    trend = {"steps": steps, "view": "trend"}
    outcomes = ("entered", "converted", "dropped")
    began = [behind(shop, "funnels", trend, bucket=DAYS[0], outcome=outcome) for outcome in outcomes]
    assert began == [["cid", "bob", "ann"], ["bob", "ann"], ["cid"]]


def test_who_of_a_cohort_came_back_when(shop: Project) -> None:
    query = {"start": {"event": "visit"}, "periods": 3}
    assert [behind(shop, "retention", query, date=DAYS[0], period=period) for period in range(3)] == [
        ["cid", "bob", "ann"],
        ["bob", "ann"],
        ["cid"],
    ]
    assert sorted(behind(shop, "retention", {**query, "cumulative": True}, date=DAYS[0], period=1)) == [
        "ann",
        "bob",
        "cid",
    ]


def test_who_is_new_who_came_back_and_who_stayed_away(shop: Project) -> None:
    states = ("new", "returning", "resurrecting", "dormant")
    monday, tuesday, wednesday = (
        {state: behind(shop, "lifecycle", {}, bucket=day, state=state) for state in states} for day in DAYS
    )
    assert monday == {"new": ["cid", "bob", "ann"], "returning": [], "resurrecting": [], "dormant": []}
    assert tuesday == {"new": [], "returning": ["bob", "ann"], "resurrecting": [], "dormant": ["cid"]}
    assert wednesday == {"new": [], "returning": [], "resurrecting": ["cid"], "dormant": ["bob", "ann"]}


def test_who_is_active_on_how_many_days(shop: Project) -> None:
    query = {"series": [{"event": "visit"}, {}]}
    assert behind(shop, "stickiness", query, index=0, intervals=1) == ["bob", "ann"]
    assert behind(shop, "stickiness", query, index=0, intervals=2) == ["cid"]
    assert behind(shop, "stickiness", query, index=1, intervals=2) == ["cid", "bob", "ann"]
    assert behind(shop, "stickiness", {**query, "cumulative": True}, index=0, intervals=1) == ["cid", "bob", "ann"]


def test_who_takes_a_link_and_who_comes_through_a_node(shop: Project) -> None:
    assert behind(shop, "paths", {}, source="1_visit", target="2_signup") == ["ann"]
    assert behind(shop, "paths", {}, node="1_visit") == ["ann"]
    assert behind(shop, "paths", {}, node="2_signup") == ["ann"]
    assert behind(shop, "paths", {}, node="2_visit") == []


def test_all_that_there_ever_was_has_people_too(shop: Project) -> None:
    ever = {"date_from": "all"}
    assert behind(shop, "trends", {"series": [{"event": "pay"}], **ever}, index=0, bucket=DAYS[1]) == ["ann"]
    assert behind(shop, "funnels", {"steps": [{"event": "visit"}, {"event": "pay"}], **ever}, index=1) == ["ann"]


def test_a_person_with_several_ids_is_listed_once_and_by_what_is_known_of_them(shop: Project) -> None:
    shop.store(event("visit", "phone", f"{TUESDAY}T20:00"))
    shop.join("ann", "phone")
    shop.tell("ann", set={"team": "red"})
    red = {"filters": [{"property": "team", "value": "red", "scope": "person"}]}
    query = {"series": [{"event": "visit"}], **red, **RANGE}
    asked = {"kind": "trends", "query": query, "point": {"index": 0}}
    assert [person["distinct_ids"] for person in shop.ask("persons", asked)["results"]] == [["ann", "phone"]]
    (row,) = csv.DictReader(io.StringIO(shop.post("persons?format=csv", asked).text))
    assert row["distinct_ids"] == "ann, phone"


def test_pages_and_a_table(shop: Project) -> None:
    asked = {"kind": "trends", "query": {"series": [{"event": "visit"}], **RANGE}, "point": {"index": 0}, "limit": 2}
    first = shop.ask("persons", asked)
    second = shop.ask("persons", {**asked, "cursor": first["next_cursor"]})
    pages = [[person["distinct_ids"] for person in page["results"]] for page in (first, second)]
    assert pages == [[["cid"], ["bob"]], [["ann"]]]
    assert second["next_cursor"] is None
    table = shop.post("persons?format=csv", asked)
    assert table.headers["x-next-cursor"] == first["next_cursor"]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert list(rows[0]) == ["person_id", "distinct_ids", "properties", "events", "first_seen", "last_seen"]
    assert [row["distinct_ids"] for row in rows] == ["cid", "bob"]


SERIES = {"series": [{"event": "visit"}]}
STEPS = {"steps": [{"event": "visit"}, {"event": "pay"}]}
POINT = {"index": 0}


@pytest.mark.parametrize(
    ("kind", "query", "point", "where"),
    [
        ("pies", {}, {}, ["kind"]),
        ("trends", {}, POINT, ["query", "series"]),
        ("trends", {**SERIES, "date_from": "-1d", "date_to": "-2d"}, POINT, ["query", "date_to"]),
        ("trends", {**SERIES, "interval": "minute", "date_from": "-30d"}, POINT, ["query", "interval"]),
        ("trends", {**SERIES, "compare": "-9999y"}, POINT, ["query", "compare"]),
        (
            "trends",
            {**SERIES, "filters": [{"property": "a", "operator": "regex", "value": "("}]},
            POINT,
            ["query", "filters", 0, "value"],
        ),
        ("trends", SERIES, {}, ["point", "index"]),
        ("trends", SERIES, {"index": 1}, ["point", "index"]),
        ("trends", SERIES, {"index": -1}, ["point", "index"]),
        ("trends", {**SERIES, "formula": "A * 2"}, POINT, ["point", "index"]),
        ("trends", SERIES, {**POINT, "bucket": "2026-11-18"}, ["point", "bucket"]),
        ("trends", SERIES, {**POINT, "breakdown_value": "pro"}, ["point", "breakdown_value"]),
        ("trends", SERIES, {**POINT, "compare": "previous_period"}, ["point", "compare"]),
        ("trends", SERIES, {**POINT, "series": 0}, ["point", "series"]),
        ("funnels", STEPS, {}, ["point", "step", "index"]),
        ("funnels", STEPS, {"index": 2}, ["point", "step", "index"]),
        ("funnels", STEPS, {"index": 1, "outcome": "dropped"}, ["point", "step", "outcome"]),
        ("funnels", STEPS, {**POINT, "outcome": "entered"}, ["point", "step", "outcome"]),
        ("funnels", STEPS, {**POINT, "breakdown_value": None}, ["point", "step", "breakdown_value"]),
        ("funnels", STEPS, {"bin": 0}, ["point", "bin", "bin"]),
        ("funnels", STEPS, {"bucket": DAYS[0]}, ["point", "bucket", "bucket"]),
        ("funnels", {**STEPS, "view": "trend"}, {"bucket": "2020-01-01T00:00:00Z"}, ["point", "bucket"]),
        ("retention", {}, {"date": DAYS[0], "period": 8}, ["point", "period"]),
        ("retention", {}, {"date": "2020-01-01T00:00:00Z", "period": 0}, ["point", "date"]),
        ("lifecycle", {}, {"bucket": DAYS[0], "state": "asleep"}, ["point", "state"]),
        ("lifecycle", {}, {"bucket": "2020-01-01T00:00:00Z", "state": "new"}, ["point", "bucket"]),
        ("stickiness", SERIES, {"index": 1, "intervals": 1}, ["point", "index"]),
        ("stickiness", SERIES, {"index": 0, "intervals": 9}, ["point", "intervals"]),
        ("paths", {}, {"source": "/", "target": "2_/"}, ["point", "link", "source"]),
        ("paths", {}, {"source": "1_/", "target": "3_/"}, ["point", "link", "target"]),
        ("paths", {}, {"node": "/"}, ["point", "node", "node"]),
    ],
)
def test_a_field_that_makes_no_sense_is_named(
    project: Project, kind: str, query: dict[str, Any], point: dict[str, Any], where: list[str | int]
) -> None:
    answer = project.post("persons", {"kind": kind, "query": query, "point": point})
    assert answer.status_code == 400, answer.text
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", *where]]


def test_a_page_that_makes_no_sense_is_named(project: Project) -> None:
    asked = {"kind": "trends", "query": SERIES, "point": POINT}
    for wrong in ({"limit": 0}, {"limit": 1001}, {"cursor": "x"}):
        answer = project.post("persons", asked | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["body", *wrong])


def test_the_project_may_stand_in_the_query(shop: Project) -> None:
    asked = {"kind": "trends", "query": {**SERIES, **RANGE, "project_id": shop.id}, "point": POINT}
    assert len(shop.ask("persons", asked)["results"]) == 3
    asked["query"] = {**SERIES, "project_id": 4_000_000_000}
    assert shop.post("persons", asked).status_code == 404
