"""Every operator against every kind of value, in one table: which events it lets through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from query_platform import Platform, Project, event

VALUES: dict[str, Any] = {
    "two": 2,
    "two text": "2",
    "two float": 2.0,
    "ten": 10,
    "half text": "0.5",
    "pro": "pro",
    "Pro": "Pro",
    "empty": "",
    "yes": True,
    "yes text": "true",
    "list": ["pro"],
    "object": {"plan": "pro"},
    "day": "2026-11-10",
    "instant": "2026-11-10T23:30:00-02:00",
    "unix": 1_793_527_200,  # 2026-11-01T10:00:00Z
    "null": None,
}
MISSING = {"null", "missing"}
TWOS = {"two", "two text", "two float"}
NUMBERS = {*TWOS, "ten", "half text", "unix"}
EVERYTHING = {*VALUES, "missing"}


@pytest.fixture(scope="module")
def people(shared_platform: Platform) -> Project:
    project = shared_platform.project("Europe/Berlin")
    project.store(
        *(event("seen", name, "2026-11-18T10:00", value=value) for name, value in VALUES.items()),
        event("seen", "missing", "2026-11-18T10:00", other="pro"),
    )
    return project


@pytest.fixture(scope="module")
def known(shared_platform: Platform) -> Project:
    """The same values, known of people instead of told with events."""
    project = shared_platform.project("Europe/Berlin")
    project.store(*(event("seen", name, "2026-11-18T10:00", value="event") for name in EVERYTHING))
    for name, value in VALUES.items():
        project.tell(name, set={"value": value, "other": "pro"})
    return project


def found(people: Project, filters: Any) -> set[str]:
    answer = people.get("events", filters=json.dumps(filters))
    assert answer.status_code == 200, answer.text
    return {row["distinct_id"] for row in answer.json()["results"]}


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("exact", "pro", {"pro"}),
        ("exact", 2, TWOS),
        ("exact", "2", TWOS),
        ("exact", 2.0, TWOS),
        ("exact", "2.0", set()),
        ("exact", True, {"yes", "yes text"}),
        ("exact", "true", {"yes", "yes text"}),
        ("exact", "", {"empty"}),
        ("exact", ["pro", 10], {"pro", "ten"}),
        ("exact", '["pro"]', {"list"}),
        ("exact", '{"plan":"pro"}', {"object"}),
        ("is_not", "pro", EVERYTHING - {"pro"}),
        ("is_not", ["pro", 2], EVERYTHING - {"pro", *TWOS}),
        ("icontains", "PRO", {"pro", "Pro", "list", "object"}),
        ("icontains", ["RUE", 0.5], {"yes", "yes text", "half text"}),
        ("icontains", "", EVERYTHING - MISSING),
        ("not_icontains", "pro", EVERYTHING - {"pro", "Pro", "list", "object"}),
        ("regex", "^[pP]ro$", {"pro", "Pro"}),
        ("regex", ["^$", "^t"], {"empty", "yes", "yes text"}),
        ("not_regex", "r", EVERYTHING - {"pro", "Pro", "yes", "yes text", "list", "object"}),
        ("gt", 2, {"ten", "unix"}),
        ("gt", "1.5", {*TWOS, "ten", "unix"}),
        ("gte", 2, {*TWOS, "ten", "unix"}),
        ("lt", 2, {"half text"}),
        ("lte", 2, {*TWOS, "half text"}),
        ("lte", [0, 0.5], {"half text"}),
        ("between", [0.5, 2], {*TWOS, "half text"}),
        ("between", [2, 0.5], set()),
        ("not_between", [0.5, 2], {"ten", "unix", *MISSING}),
        ("is_set", None, EVERYTHING - MISSING),
        ("is_not_set", None, MISSING),
        ("is_date_exact", "2026-11-10", {"day"}),
        ("is_date_exact", "2026-11-11", {"instant"}),
        ("is_date_exact", "-8d", {"day"}),
        ("is_date_exact", "2026-11-01T11:00", {"unix"}),
        ("is_date_before", "2026-11-10", {"unix"}),
        ("is_date_before", "2026-11-10T00:00:00", {"unix"}),
        ("is_date_before", "2026-11-10T00:00:01", {"unix", "day"}),
        ("is_date_after", "2026-11-10", {"instant"}),
        ("is_date_after", "2026-11-10T00:00:00", {"instant"}),
        ("is_date_after", "2026-11-09T23:59:59", {"instant", "day"}),
        ("is_date_after", ["2026-11-11", "2026-11-01"], {"instant", "day"}),
    ],
)
def test_an_operator_lets_through(
    people: Project, known: Project, operator: str, value: Any, expected: set[str]
) -> None:
    condition = {"property": "value", "operator": operator, "value": value}
    assert found(people, condition) == expected
    assert found(known, {**condition, "scope": "person"}) == expected


def test_lists_are_all_and_nests_are_what_they_say(people: Project) -> None:
    small = {"property": "value", "operator": "lt", "value": 5}
    large = {"property": "value", "operator": "gt", "value": 5}
    text = {"property": "value", "operator": "regex", "value": "[.]"}
    assert found(people, []) == EVERYTHING
    assert found(people, [small, text]) == {"half text"}
    assert found(people, [small, large]) == set()
    assert found(people, {"any": [small, large]}) == NUMBERS
    assert found(people, {"any": [large, [small, text]]}) == {"ten", "unix", "half text"}
    assert found(people, [{"any": [small, {"all": [large, {"any": [text, large]}]}]}, small]) == NUMBERS - {
        "ten",
        "unix",
    }


def test_a_negated_filter_in_a_nest_still_matches_what_is_missing(people: Project) -> None:
    lacking = {"property": "value", "operator": "is_not_set"}
    not_pro = {"property": "value", "operator": "is_not", "value": "pro"}
    assert found(people, {"all": [lacking, not_pro]}) == MISSING


def test_properties_beyond_the_columns_own_paths_are_found(platform: Platform) -> None:
    project = platform.project()
    wide = {f"p{number}": number for number in range(900)}
    project.store(event("wide", "ann", "2026-11-18T10:00", properties={**wide, "o": {"k": [1]}}))
    project.store(event("wide", "bob", "2026-11-18T10:00", properties={f"q{n}": f"{n}" for n in range(900)}))
    for number in (0, 600, 899):
        assert found(project, {"property": f"p{number}", "value": number}) == {"ann"}
        assert found(project, {"property": f"p{number}", "operator": "gte", "value": number}) == {"ann"}
        assert found(project, {"property": f"q{number}", "operator": "regex", "value": "."}) == {"bob"}
        assert found(project, {"property": f"q{number}", "operator": "is_not_set"}) == {"ann"}
    assert found(project, {"property": "o", "value": '{"k":[1]}'}) == {"ann"}


@pytest.mark.parametrize(
    ("filter", "where"),
    [
        ({"property": "a"}, "value"),
        ({"property": "a", "value": []}, "value"),
        ({"property": "a", "value": None}, "value"),
        ({"property": "a", "value": {"b": 1}}, "value"),
        ({"property": "a", "value": list(range(1001))}, "value"),
        ({"property": "a", "operator": "gt", "value": "many"}, "value"),
        ({"property": "a", "operator": "gt", "value": True}, "value"),
        ({"property": "a", "operator": "gt", "value": "1e999"}, "value"),
        ({"property": "a", "operator": "between", "value": 3}, "value"),
        ({"property": "a", "operator": "between", "value": [1, 2, 3]}, "value"),
        ({"property": "a", "operator": "regex", "value": 3}, "value"),
        ({"property": "a", "operator": "is_date_exact", "value": "tomorrow"}, "value"),
        ({"property": "a", "operator": "is_date_exact", "value": "all"}, "value"),
        ({"property": "a", "operator": "is_date_exact", "value": 3}, "value"),
        ({"property": "a", "operator": "like", "value": "x"}, "operator"),
        ({"property": "", "value": "x"}, "property"),
        ({"property": "x" * 401, "value": "x"}, "property"),
        ({"property": ":`Int64`", "value": "x"}, "property"),
        ({"property": "a", "value": "x", "scope": "group"}, "scope"),
        ({"property": "a", "value": "x", "negate": True}, "negate"),
        ({"any": []}, "any"),
        ({"any": [{"property": "a", "value": "x"}], "all": []}, "all"),
        ({"any": {"property": "a"}}, "any"),
        ("plan", "filters"),
        (None, "filters"),
        (3, "filters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(project: Project, filter: Any, where: str) -> None:
    answer = project.post("trends", {"series": [{}], "filters": [filter] if isinstance(filter, dict) else filter})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert where in answer.json()["errors"][0]["loc"]


@pytest.mark.parametrize("pattern", ["(", "a**", "(?=x)", "[z-a]", r"\1", "a{2001}", "(?P<n>", "[[:foo:]]"])
def test_an_invalid_regex_is_a_400_that_names_it_even_without_events(project: Project, pattern: str) -> None:
    bad = {"property": "a", "operator": "regex", "value": ["fine", pattern]}
    fine = {"property": "a", "operator": "not_regex", "value": "fine"}
    answer = project.post("trends", {"series": [{"filters": [fine, {"any": [fine, bad]}]}]})
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["body", "series", 0, "filters", 1, "any", 1, "value"]
    assert error["msg"].startswith("invalid regular expression: ")


def test_filters_are_bounded(project: Project) -> None:
    one = {"property": "a", "value": "x"}
    nest: dict[str, Any] = one
    for _ in range(9):
        nest = {"any": [nest]}
    assert project.post("trends", {"series": [{}], "filters": [nest] + [one] * 99}).status_code == 200
    assert project.post("trends", {"series": [{}], "filters": [{"any": [nest]}]}).status_code == 400
    assert project.post("trends", {"series": [{}], "filters": [one] * 101}).status_code == 400
    deep = '{"series": [{}], "filters": ' + '{"any":[' * 5000 + "]}" * 5000 + "}"
    headers = {"authorization": f"Bearer {project.read_key}", "content-type": "application/json"}
    answer = project.platform.run(project.platform.client.post("/api/trends", content=deep, headers=headers))
    assert answer.status_code == 400
