"""Who may ask what, on every route there is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from query_platform import SECRET, Platform, Project, client_of, event

from footfall_core.auth import derive_token, make_key
from footfall_query.__main__ import openapi_document

OPERATOR = derive_token(SECRET, "operator")
QUESTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/api/trends"): {"json": {"series": [{}]}},
    ("get", "/api/trends"): {"params": {}},
    ("post", "/api/funnels"): {"json": {"steps": [{"event": "a"}, {"event": "b"}]}},
    ("get", "/api/funnels"): {"params": {"event": ["a", "b"]}},
    ("post", "/api/retention"): {"json": {"start": {"event": "a"}, "return": {"event": "b"}}},
    ("post", "/api/lifecycle"): {"json": {"event": "a"}},
    ("post", "/api/stickiness"): {"json": {"series": [{"event": "a"}]}},
    ("post", "/api/paths"): {"json": {}},
    ("get", "/api/events"): {"params": {}},
    ("get", "/api/event-names"): {"params": {}},
    ("get", "/api/rejected-events"): {"params": {}},
    ("get", "/api/ingestion"): {"params": {}},
    ("get", "/api/property-names"): {"params": {}},
    ("get", "/api/property-values"): {"params": {"property": "plan"}},
    ("get", "/api/persons"): {"params": {}},
    ("post", "/api/persons"): {"json": {"kind": "trends", "query": {"series": [{}]}, "point": {"index": 0}}},
    ("get", "/api/persons/{distinct_id}"): {"params": {}},
}
ELSEWHERE = ("/api/dashboards", "/api/query/async", "/api/stream")
"""Have tests of their own."""


@pytest.fixture
def project(project: Project) -> Project:
    """One in which somebody goes by the name that stands in the path."""
    project.store(event("open", "{distinct_id}", "2026-11-18T10:00"))
    return project


def call(platform: Platform, route: tuple[str, str], token: str | None, **more: object) -> httpx.Response:
    """Ask a route's question, with more fields."""
    ((place, fields),) = QUESTIONS[route].items()
    return platform.call(*route, token, **{place: {**fields, **more}})


def test_no_route_is_left_out(platform: Platform) -> None:
    routes = {
        (method, path)
        for path, operations in platform.app.openapi()["paths"].items()
        for method in operations
        if not path.startswith(ELSEWHERE)
    }
    assert routes == {*QUESTIONS, ("get", "/livez"), ("get", "/readyz"), ("get", "/metrics")}


@pytest.mark.parametrize("route", QUESTIONS)
def test_who_may_ask(platform: Platform, project: Project, route: tuple[str, str]) -> None:
    other = platform.project()
    assert call(platform, route, project.read_key).status_code == 200
    assert call(platform, route, project.read_key, project_id=project.id).status_code == 200
    assert call(platform, route, project.read_key, project_id=str(project.id)).status_code == 200
    assert call(platform, route, OPERATOR, project_id=project.id).status_code == 200

    foreign = call(platform, route, project.read_key, project_id=other.id)
    nowhere = call(platform, route, project.read_key, project_id=4_000_000_000)
    assert (foreign.status_code, nowhere.status_code) == (404, 404)
    assert foreign.json()["detail"].replace(str(other.id), "4000000000") == nowhere.json()["detail"]
    assert call(platform, route, OPERATOR, project_id=4_000_000_000).status_code == 404
    assert call(platform, route, OPERATOR).status_code == 400

    for token in (None, "", "x", make_key("read"), OPERATOR[:-1], derive_token(SECRET, "internal"), "ä" * 40):
        answer = call(platform, route, token, project_id=project.id)
        assert answer.status_code == 401, token
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    for token in (project.write_key, make_key("write")):
        answer = call(platform, route, token, project_id=project.id)
        assert (answer.status_code, "can only send" in answer.json()["detail"]) == (401, True)


@pytest.mark.parametrize("route", QUESTIONS)
@pytest.mark.parametrize("project_id", [0, -1, "x", 2**32, "1e3", 1.5, "²"])
def test_what_is_no_project_id(platform: Platform, project: Project, route: tuple[str, str], project_id: Any) -> None:
    answer = call(platform, route, project.read_key, project_id=project_id)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"][-1] == "project_id"


@pytest.mark.parametrize("route", QUESTIONS)
def test_a_known_key_works_while_the_auth_api_is_away_and_an_unknown_one_is_told_to_wait(
    platform: Platform, project: Project, route: tuple[str, str]
) -> None:
    assert call(platform, route, project.read_key).status_code == 200
    unknown = platform.project()
    platform.auth_is_away = True
    assert call(platform, route, project.read_key).status_code == 200
    answer = call(platform, route, unknown.read_key)
    assert (answer.status_code, int(answer.headers["retry-after"]) >= 1) == (503, True)


@pytest.mark.parametrize("route", QUESTIONS)
def test_members_ask_with_access_tokens(platform: Platform, project: Project, route: tuple[str, str]) -> None:
    other = platform.project()
    token = platform.sign_in((project.id, "viewer"))
    assert call(platform, route, token, project_id=project.id).status_code == 200
    assert call(platform, route, token, project_id=other.id).status_code == 404
    assert call(platform, route, token, project_id=4_000_000_000).status_code == 404
    assert call(platform, route, token).status_code == 400
    header, body, signature = token.split(".")
    for bad in (
        platform.sign_in((project.id, "viewer"), ago=601),
        platform.sign_in((project.id, "viewer"), ago=-60),
        f"{header}.{body}.{signature[:-4]}AAAA",
        f"{header}.{body}.",
    ):
        answer = call(platform, route, bad, project_id=project.id)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_valid_tokens_work_while_the_auth_api_is_away(platform: Platform, project: Project) -> None:
    route = ("post", "/api/trends")
    other = platform.project()
    known, new = platform.sign_in((project.id, "viewer")), platform.sign_in((project.id, "viewer"), said=True)
    assert call(platform, route, known, project_id=project.id).status_code == 200
    platform.auth_is_away = True
    assert call(platform, route, known, project_id=project.id).status_code == 200
    assert call(platform, route, new, project_id=project.id).status_code == 200
    # Whether it is a member of this one only the Auth API could say.
    assert call(platform, route, new, project_id=other.id).status_code == 503
    assert call(platform, route, platform.sign_in(ago=700), project_id=project.id).status_code == 401


@pytest.mark.parametrize("route", QUESTIONS)
def test_admins_see_sql_and_nobody_below(platform: Platform, project: Project, route: tuple[str, str]) -> None:
    ((place, fields),) = QUESTIONS[route].items()
    asked = {place: {**fields, "project_id": project.id}}
    asked["params"] = {**asked.get("params", {}), "debug": "true"}
    for role, sees in (("viewer", False), ("editor", False), ("admin", True), ("owner", True)):
        answer = platform.call(*route, platform.sign_in((project.id, role)), **asked)  # type: ignore[arg-type]
        assert ("sql" in answer.json()["meta"]) == sees


@pytest.mark.parametrize("route", QUESTIONS)
def test_operators_see_sql_and_read_keys_do_not(platform: Platform, project: Project, route: tuple[str, str]) -> None:
    ((place, fields),) = QUESTIONS[route].items()
    asked = {place: {**fields, "project_id": project.id}}
    asked["params"] = {**asked.get("params", {}), "debug": "true"}
    assert "sql" not in platform.call(*route, project.read_key, **asked).json()["meta"]
    sql = platform.call(*route, OPERATOR, **asked).json()["meta"]["sql"]
    assert "project_id = {p" in sql


@pytest.mark.parametrize("route", QUESTIONS)
def test_a_project_sees_only_its_own(platform: Platform, route: tuple[str, str]) -> None:
    project, other = platform.project(), platform.project()

    def ask() -> tuple[int, dict[str, Any]]:
        ((place, fields),) = QUESTIONS[route].items()
        asked = {place: {**fields, "project_id": project.id}}
        asked["params"] = {**asked.get("params", {}), "debug": "true"}  # such answers are never kept ones
        answer = platform.call(*route, OPERATOR, **asked)
        return answer.status_code, {name: value for name, value in answer.json().items() if name != "meta"}

    with_nothing = ask()
    other.store(*(event(name, "{distinct_id}", f"2026-11-18T10:0{n}", plan="pro") for n, name in enumerate("ab")))

    assert ask() == with_nothing


def test_health_needs_no_key(platform: Platform) -> None:
    assert platform.call("GET", "/livez", None).json() == {"status": "ok"}
    assert platform.call("GET", "/readyz", None).json() == {"status": "ok"}
    assert "footfall_query_seconds" in platform.call("GET", "/metrics", None).text
    platform.auth_is_away = True
    assert platform.call("GET", "/readyz", None).json()["missing"].keys() == {"auth"}


def test_readiness_names_clickhouse(platform: Platform) -> None:
    client = client_of(platform.make_app("http://127.0.0.1:1"))
    answer = platform.run(client.get("/readyz"))
    assert (answer.status_code, answer.json()["missing"].keys()) == (503, {"clickhouse"})


def test_the_document_says_what_a_route_may_answer() -> None:
    document = json.loads(openapi_document())
    for method, path in QUESTIONS:
        operation = document["paths"][path][method]
        assert operation["security"] == [{"reader": []}]
        assert set(operation["responses"]) == {"200", "400", "401", "404", "413", "422", "503"}
        for status in ("400", "401", "404", "413", "422", "503"):
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
