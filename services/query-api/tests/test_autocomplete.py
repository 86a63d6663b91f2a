"""Names and values of properties to choose from."""

from __future__ import annotations

from typing import Any

import pytest
from query_platform import NOW, Platform, Project, event

from footfall_query.autocomplete.lists import (
    NAMES_SAMPLE,
    PropertyNamesQuery,
    PropertyValuesQuery,
    build_property_names,
    build_property_values,
)
from footfall_query.scope import LATEST, UTC_ZONE, Scope, Span
from footfall_query.sql import Sql


@pytest.fixture
def shop(project: Project) -> Project:
    properties: dict[str, Any] = {
        "a.b": 1, "Name": "ann", "o": {"x": 1, "y": {"z": "deep"}}, "list": [1, 2], "none": None, "flag": True, "": "e",
    }  # fmt: skip
    project.store(
        event("buy", "ann", "2026-11-17T10:00", properties=properties),
        event("buy", "bob", "2026-11-17T11:00", properties={"a.b": "x", "name": "bob"}),
        event("open", "bob", "2026-11-16T11:00", properties={"a.b": 2.5, "page": "/"}),
        event("open", "bob", "2026-10-01T11:00", properties={"old": 1}),
    )
    return project


def results(project: Project, path: str, **parameters: Any) -> Any:
    answer = project.get(path, **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def test_names_with_their_types(shop: Project) -> None:
    answer = shop.get("property-names").json()
    assert answer["results"] == [
        {"property": "a.b", "count": 3, "types": ["number", "string"]},
        {"property": "Name", "count": 1, "types": ["string"]},
        {"property": "flag", "count": 1, "types": ["boolean"]},
        {"property": "list", "count": 1, "types": ["array"]},
        {"property": "name", "count": 1, "types": ["string"]},
        {"property": "o", "count": 1, "types": ["object"]},
        {"property": "page", "count": 1, "types": ["string"]},
    ]
    assert answer["sample"] == {"events": 3, "date_from": "2026-11-16T11:00:00.000Z", "is_complete": True}
    assert answer["next_cursor"] is None


def test_names_of_some(shop: Project) -> None:
    assert [row["property"] for row in results(shop, "property-names", event="open")] == ["a.b", "page"]
    assert [row["property"] for row in results(shop, "property-names", search="NAM")] == ["Name", "name"]
    assert [row["property"] for row in results(shop, "property-names", date_from="all", search="old")] == ["old"]
    assert [row["property"] for row in results(shop, "property-names", limit=1)] == ["a.b"]
    assert results(shop, "property-names", search="nothing") == []


def test_values_of_every_scalar_type(shop: Project) -> None:
    shop.store(
        *(event("buy", "cy", "2026-11-17T12:00", properties={"a.b": value}) for value in ("x", True, [1], {"k": 1}))
    )
    assert results(shop, "property-values", property="a.b") == [
        {"value": "x", "count": 2},
        {"value": "1", "count": 1},
        {"value": "2.5", "count": 1},
        {"value": "true", "count": 1},
    ]
    assert results(shop, "property-values", property="a.b", event="open") == [{"value": "2.5", "count": 1}]
    assert results(shop, "property-values", property="a.b", search="RU") == [{"value": "true", "count": 1}]
    assert results(shop, "property-values", property="a.b", limit=1) == [{"value": "x", "count": 2}]
    assert results(shop, "property-values", property="unknown") == []


def test_long_values_are_nothing_to_choose(project: Project) -> None:
    project.store(event("a", "ann", "2026-11-17T10:00", p="x" * 1_001), event("a", "ann", "2026-11-17T10:00", p=""))
    answer = project.get("property-values", property="p").json()
    assert answer["results"] == [{"value": "", "count": 1}]
    assert answer["sample"]["events"] == 2


def test_nothing_to_look_at(project: Project) -> None:
    for answer in (project.get("property-names"), project.get("property-values", property="a")):
        assert answer.json()["results"] == []
        assert answer.json()["sample"] == {"events": 0, "date_from": None, "is_complete": True}


def test_the_newest_events_are_the_sample(platform: Platform, project: Project) -> None:
    project.store(*(event("a", "ann", f"2026-11-17T10:0{n}", properties={f"p{n}": n, "v": n}) for n in range(5)))
    scope = Scope(project.id, Span(0, LATEST), UTC_ZONE, "sunday", NOW)

    def ask(sql: Sql) -> list[list[Any]]:
        return [list(row[:3]) for row in platform.clickhouse.fetch(sql.text, sql.parameters).rows]

    names = ask(build_property_names(PropertyNamesQuery(), scope, 2))
    assert names == [[True, "", 2], [False, "v", 2], [False, "p3", 1], [False, "p4", 1]]
    values = ask(build_property_values(PropertyValuesQuery(property="v"), scope, 2))
    assert values == [[1, None, 2], [0, "3", 1], [0, "4", 1]]


def test_a_sample_says_that_it_is_one(project: Project) -> None:
    project.store(*(event("a", f"p{n}", "2026-11-17T10:00", n=1) for n in range(NAMES_SAMPLE)))
    project.store(event("a", "ann", "2026-11-16T10:00", old=1))
    answer = project.get("property-names").json()
    assert answer["results"] == [{"property": "n", "count": NAMES_SAMPLE, "types": ["number"]}]
    assert answer["sample"] == {"events": NAMES_SAMPLE, "date_from": "2026-11-17T10:00:00.000Z", "is_complete": False}


@pytest.mark.parametrize("parameters", [{}, {"property": ""}, {"property": "^`x"}, {"property": "a" * 401}])
def test_what_is_no_property(project: Project, parameters: dict[str, str]) -> None:
    answer = project.get("property-values", **parameters)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"][-1] == "property"
