"""The examples in the OpenAPI document are questions that the service answers."""

from __future__ import annotations

from typing import Any

import pytest
from query_platform import Platform, Project, event

from footfall_query.runner import INSIGHTS


def examples(platform: Platform, path: str) -> list[dict[str, Any]]:
    document = platform.app.openapi()
    body = document["paths"][f"/api/{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = body["$ref"].rpartition("/")[2]
    found: list[dict[str, Any]] = document["components"]["schemas"][name]["examples"]
    return found


@pytest.mark.parametrize("kind", INSIGHTS)
def test_the_examples_are_answered(platform: Platform, project: Project, kind: str) -> None:
    page = {"$current_url": "https://shop.example/"}
    for name in ("visit", "signup", "order", "open", "pay"):
        project.store(event(name, "ann", "2026-11-17T10:00", plan="pro", country="DE"))
    project.store(
        event("$pageview", "ann", "2026-11-17T10:00", properties=page),
        event("$pageview", "ann", "2026-11-17T10:01", properties={"$current_url": "https://shop.example/a"}),
    )
    asked = examples(platform, kind)
    assert asked != []
    for document in asked:
        answer = project.ask(kind, document)
        (key,) = {"series", "steps", "cohorts", "buckets", "links"} & answer.keys() - (
            {"buckets"} if kind == "trends" else set()
        )
        assert answer[key] != []


def test_the_people_behind_the_examples_are_listed(platform: Platform, project: Project) -> None:
    project.store(event("visit", "ann", "2026-11-01T10:00"), event("signup", "bob", "2026-11-01T10:00"))
    found = [project.ask("persons", asked)["results"] for asked in examples(platform, "persons")]
    assert [[person["distinct_ids"] for person in each] for each in found] == [[["ann"]], [["bob"]], [], []]


def test_every_insight_has_a_path(platform: Platform) -> None:
    paths = platform.app.openapi()["paths"]
    assert {kind for kind in INSIGHTS if "post" in paths.get(f"/api/{kind}", {})} == set(INSIGHTS)
