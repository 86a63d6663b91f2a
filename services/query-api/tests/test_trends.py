"""What trends mean, one rule a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from query_platform import Platform, Project, event


def line(answer: dict[str, Any], *, of: str | None = None) -> list[float]:
    (found,) = [series["data"] for series in answer["series"] if series["breakdown_value"] == of]
    return list(found)


def totals(answer: dict[str, Any]) -> dict[str | None, float]:
    return {series["breakdown_value"]: series["total"] for series in answer["series"]}


def test_a_whole_answer(project: Project) -> None:
    project.store(
        event("signup", "ann", "2026-11-16T23:59:59.999"),
        event("signup", "bob", "2026-11-17T00:00"),
        event("login", "ann", "2026-11-17T12:00"),
    )
    document = {"project_id": project.id, "series": [{"event": "signup"}], "date_from": "-2d"}
    assert project.ask("trends", document) == {
        "interval": "day",
        "timezone": "UTC",
        "buckets": ["2026-11-16T00:00:00Z", "2026-11-17T00:00:00Z", "2026-11-18T00:00:00Z"],
        "series": [
            {
                "index": 0,
                "name": "signup",
                "event": "signup",
                "breakdown_value": None,
                "compare": None,
                "data": [1, 1, 0],
                "total": 2,
            }
        ],
    }


def test_what_an_answer_costs_is_told(project: Project) -> None:
    # In a month of its own, so that no other project's rows lie in the same granule.
    project.store(event("signup", "ann", "2019-05-17"))
    document = {"series": [{"event": "signup"}], "date_from": "2019-05-17", "date_to": "2019-05-18"}
    meta = project.post("trends", document).json()["meta"]
    assert set(meta) == {"elapsed_ms", "rows_read", "bytes_read", "cached", "computed_at"}
    assert meta["rows_read"] == 1
    assert meta["bytes_read"] > 0
    assert meta["cached"] is False
    assert meta["computed_at"] == "2026-11-18T15:30:00Z"


def test_no_events_are_zeros(project: Project) -> None:
    for math in ("total", "unique_users", "sum", "avg", "min", "max", "median", "p99"):
        series = {"event": "x", "math": math} | ({} if math in ("total", "unique_users") else {"math_property": "n"})
        answer = project.ask("trends", {"series": [series], "date_from": "-1d"})
        assert (line(answer), totals(answer)) == ([0, 0], {None: 0})
    assert project.ask("trends", {"series": [{}], "breakdown": {"property": "plan"}})["series"] == []


def test_a_person_counts_once_in_the_total_but_in_every_bucket(project: Project) -> None:
    project.store(
        event("open", "ann", "2026-11-17T10:00"),
        event("open", "ann", "2026-11-17T11:00"),
        event("open", "ann", "2026-11-18T10:00"),
        event("open", "bob", "2026-11-18T10:00"),
    )
    answer = project.ask("trends", {"series": [{"event": "open", "math": "unique_users"}], "date_from": "-1d"})
    assert (line(answer), totals(answer)) == ([1, 2], {None: 2})


def test_sessions_are_counted_where_there_are_any(project: Project) -> None:
    project.store(
        event("open", "ann", "2026-11-18T10:00", session="s1"),
        event("open", "ann", "2026-11-18T11:00", session="s1"),
        event("open", "bob", "2026-11-18T11:00", session="s2"),
        event("open", "cy", "2026-11-18T12:00"),
    )
    answer = project.ask("trends", {"series": [{"math": "unique_sessions"}], "date_from": "-0d"})
    assert totals(answer) == {None: 2}


@pytest.mark.parametrize(
    ("math", "expected"),
    [("sum", 10), ("avg", 2.5), ("min", 1), ("max", 4), ("median", 2.5), ("p75", 3.25), ("p90", 3.7), ("p99", 3.97)],
)
def test_numbers_are_read_from_texts_too_and_nothing_else_counts(project: Project, math: str, expected: float) -> None:
    values = [1, "2", 3.0, "4e0", True, "abc", None, "", "NaN", "inf", "1e999", [5], {"x": 6}, "0x10", " 7"]
    project.store(*(event("pay", "ann", "2026-11-18T10:00", amount=value) for value in values))
    series = {"event": "pay", "math": math, "math_property": "amount"}
    answer = project.ask("trends", {"series": [series], "date_from": "-0d"})
    assert totals(answer)[None] == pytest.approx(expected)


def test_a_sum_beyond_every_float_is_still_json(project: Project) -> None:
    project.store(*(event("pay", "ann", "2026-11-18T10:00", amount=1e308) for _ in range(3)))
    answer = project.ask("trends", {"series": [{"math": "sum", "math_property": "amount"}], "date_from": "-0d"})
    assert totals(answer)[None] == pytest.approx(1.797e308, rel=1e-3)


def test_breakdown_values_beyond_the_limit_are_other_and_lacking_ones_null(project: Project) -> None:
    plans = ["pro", "pro", "pro", "free", "free", "team", "trial", None, "", True, True, 2, "2", 2.0, 2]
    project.store(
        *(event("open", "ann", "2026-11-18T10:00", plan=plan) for plan in plans), event("open", "bob", "2026-11-18")
    )
    document = {"series": [{"event": "open"}], "date_from": "-0d", "breakdown": {"property": "plan", "limit": 3}}
    answer = project.ask("trends", document)
    assert list(totals(answer).items()) == [("2", 4), ("pro", 3), ("free", 2), (None, 3), ("$other", 4)]


def test_values_rank_by_what_is_measured(project: Project) -> None:
    project.store(
        *(event("pay", "ann", "2026-11-18", plan="free", amount=1) for _ in range(5)),
        event("pay", "ann", "2026-11-18", plan="pro", amount=100),
    )
    document = {"series": [{"event": "pay"}], "breakdown": {"property": "plan", "limit": 1}}
    assert totals(project.ask("trends", document)) == {"free": 5, "$other": 1}
    document["series"] = [{"event": "pay", "math": "sum", "math_property": "amount"}]
    assert totals(project.ask("trends", document)) == {"pro": 100, "$other": 5}


def test_people_among_the_other_values_count_once(project: Project) -> None:
    project.store(*(event("open", "ann", "2026-11-18", page=page) for page in ("a", "b", "c")))
    document = {"series": [{"math": "unique_users"}], "breakdown": {"property": "page", "limit": 1}}
    assert totals(project.ask("trends", document)) == {"a": 1, "$other": 1}


def test_arrays_and_objects_are_broken_down_by_their_json(project: Project) -> None:
    values: list[Any] = [["a", 'b"'], [1, 2], {"k.x": 1, "a": {"z": "ü"}}, "[1,2]"]
    project.store(*(event("open", "ann", "2026-11-18", tags=value) for value in values))
    answer = project.ask("trends", {"series": [{}], "breakdown": {"property": "tags"}})
    assert totals(answer) == {"[1,2]": 2, '["a","b\\""]': 1, '{"a":{"z":"ü"},"k.x":1}': 1}


def test_several_series_each_with_filters_of_its_own(project: Project) -> None:
    project.store(
        event("pay", "ann", "2026-11-18", plan="pro", country="DE"),
        event("pay", "bob", "2026-11-18", plan="free", country="DE"),
        event("pay", "cy", "2026-11-18", plan="pro", country="FR"),
    )
    pro = [{"property": "plan", "value": "pro"}]
    document = {
        "series": [{"event": "pay"}, {"event": "pay", "filters": pro, "name": "Paid by pros"}, {"event": None}],
        "filters": [{"property": "country", "value": "DE"}],
        "date_from": "-0d",
    }
    found = [(s["index"], s["name"], s["total"]) for s in project.ask("trends", document)["series"]]
    assert found == [(0, "pay", 2), (1, "Paid by pros", 1), (2, "All events", 2)]


def test_the_first_week_counts_from_the_start_of_the_range_and_months_from_the_1st(project: Project) -> None:
    project.store(*(event("open", "ann", f"2026-11-{day:02}T12:00") for day in range(1, 19)))
    document = {"series": [{}], "date_from": "2026-11-11", "interval": "week"}
    answer = project.ask("trends", document)
    assert answer["buckets"] == ["2026-11-08T00:00:00Z", "2026-11-15T00:00:00Z"]
    assert line(answer) == [4, 4]
    assert line(project.ask("trends", {**document, "interval": "month"})) == [18]


def test_buckets_follow_the_zone_of_the_project_or_of_the_question(platform: Platform) -> None:
    project = platform.project("America/New_York")
    project.store(event("open", "ann", "2026-11-18T04:59"), event("open", "ann", "2026-11-18T05:00"))
    answer = project.ask("trends", {"series": [{}], "date_from": "-1d"})
    assert answer["buckets"] == ["2026-11-17T00:00:00-05:00", "2026-11-18T00:00:00-05:00"]
    assert line(answer) == [1, 1]
    answer = project.ask("trends", {"series": [{}], "date_from": "-1d", "timezone": "Asia/Kathmandu"})
    assert answer["timezone"] == "Asia/Kathmandu"
    assert answer["buckets"] == ["2026-11-17T00:00:00+05:45", "2026-11-18T00:00:00+05:45"]
    assert line(answer) == [0, 2]


def test_the_two_hours_that_have_one_name(platform: Platform) -> None:
    platform.now = datetime(2026, 10, 25, 12, tzinfo=UTC)
    project = platform.project("Europe/Berlin")
    project.store(event("open", "ann", "2026-10-25T00:30"), event("open", "ann", "2026-10-25T01:30"))
    document = {"series": [{}], "interval": "hour", "date_from": "2026-10-25T01:00", "date_to": "2026-10-25T02:00"}
    assert project.ask("trends", document)["buckets"] == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
    ]
    document["date_to"] = "2026-10-25T01:59:59Z"
    answer = project.ask("trends", document)
    assert answer["buckets"][1:] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert line(answer) == [0, 1, 1]


def test_later_events_of_today_count_unless_the_range_is_exact(project: Project) -> None:
    project.store(
        event("open", "ann", "2026-11-18T23:00"),
        event("open", "ann", "2026-11-17T15:29:59.999"),
        event("open", "ann", "2026-11-17T15:30:00"),
    )
    assert totals(project.ask("trends", {"series": [{}], "date_from": "-7d"})) == {None: 3}
    assert totals(project.ask("trends", {"series": [{}], "date_from": "-24h"})) == {None: 1}


def test_all_begins_with_the_first_event_of_the_series(project: Project) -> None:
    project.store(
        event("open", "ann", "1997-01-05"), event("open", "ann", "1997-03-01"), event("old", "ann", "1990-01-01")
    )
    document = {"series": [{"event": "open"}], "interval": "month", "date_from": "all", "date_to": "1997-03-31"}
    answer = project.ask("trends", document)
    assert answer["buckets"] == [f"1997-0{month}-01T00:00:00Z" for month in (1, 2, 3)]
    assert line(answer) == [1, 0, 1]
    empty = project.ask("trends", {"series": [{"event": "never"}], "date_from": "all"})
    assert (empty["buckets"], line(empty)) == (["2026-11-18T00:00:00Z"], [0])


def test_other_projects_do_not_count(platform: Platform, project: Project) -> None:
    platform.project().store(event("open", "ann", "2026-11-18"))
    assert totals(project.ask("trends", {"series": [{}]})) == {None: 0}


def test_the_order_of_arrival_does_not_matter(platform: Platform) -> None:
    rows = [event("open", f"p{n % 7}", f"2026-11-1{n % 9}T{n % 24:02}:00", plan=n % 4, n=n / 4) for n in range(60)]
    document = {
        "series": [{"math": "unique_users"}, {"math": "p90", "math_property": "n"}],
        "breakdown": {"property": "plan", "limit": 2},
        "date_from": "-9d",
    }
    forward, backward = platform.project(), platform.project()
    forward.store(*rows)
    for row in reversed(rows):
        row["project_id"] = backward.id
    for start in range(0, 60, 20):
        backward.store(*rows[start : start + 20][::-1])
    assert forward.ask("trends", document) == backward.ask("trends", document)


def test_the_simple_form_is_the_same_question(project: Project) -> None:
    project.store(
        event("pay", "ann", "2026-11-18T10:00", amount=2, plan="pro"), event("open", "ann", "2026-11-18T10:00")
    )
    simple = project.get(
        "trends", event=["pay", "open"], date_from="-1d", interval="hour", math="sum", math_property="amount",
        breakdown="plan", timezone="Europe/Berlin", project_id=project.id, date_to="-0d",
    )  # fmt: skip
    document = {
        "series": [{"event": name, "math": "sum", "math_property": "amount"} for name in ("pay", "open")],
        "date_from": "-1d",
        "date_to": "-0d",
        "interval": "hour",
        "timezone": "Europe/Berlin",
        "breakdown": {"property": "plan"},
    }
    assert simple.status_code == 200
    answer = simple.json()
    del answer["meta"]
    assert answer == project.ask("trends", document)
    assert len(project.get("trends").json()["series"]) == 1


def test_events_without_the_property_take_no_place_in_a_ranking(project: Project) -> None:
    project.store(event("open", "ann", "2026-11-18", plan=True), event("open", "ann", "2026-11-18"))
    breakdown = {"property": "plan", "limit": 1}
    for more in ({"formula": "A"}, {"cumulative": True}, {"compare": "-1d"}):
        document = {"series": [{"event": "open"}], "breakdown": breakdown, "date_from": "-0d", **more}
        values = [line["breakdown_value"] for line in project.ask("trends", document)["series"]]
        assert list(dict.fromkeys(values)) == ["true", None]


def test_a_ranking_reads_the_events_once_however_often_it_is_needed(project: Project) -> None:
    # In a month of its own, so that no other project's rows lie in the same granule.
    project.store(*(event("open", f"p{n}", "2019-06-18", plan="pro") for n in range(10)))
    document = {"series": [{"event": "open"}] * 3, "breakdown": {"property": "plan"}, "formula": "A + B + C"}
    answer = project.post("trends", {**document, "date_from": "2019-06-18", "date_to": "2019-06-18"}).json()
    assert answer["series"][0]["total"] == 30
    assert answer["meta"]["rows_read"] <= 2 * 3 * 10


def test_who_is_active_only_before_the_first_bucket_counts_in_the_total(project: Project) -> None:
    project.store(event("open", "ann", "2026-11-13"), event("open", "bob", "2026-11-18"))
    series = {"event": "open", "math": "weekly_active_users"}
    answer = project.ask("trends", {"series": [series], "interval": "week", "date_from": "-1d"})
    assert (line(answer), totals(answer)) == ([1], {None: 2})
