"""Projects: made, read, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_core.auth import is_key

JSON = {"content-type": "application/json"}


async def test_a_new_project_has_a_write_key(operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/projects", json={"name": "  Web shop "})

    assert answer.status_code == 201
    project = answer.json()
    assert is_key(project["write_key"], "write")
    assert project == {
        "id": 1,
        "name": "Web shop",
        "timezone": "UTC",
        "week_start": "sunday",
        "write_key": project["write_key"],
        "role": None,
        "created_at": "2026-11-01T10:00:00Z",
    }
    assert (await operator.get("/projects/1")).json() == project
    assert (await operator.get("/projects")).json() == {"results": [project], "next_cursor": None}


async def test_a_project_may_have_its_own_time_zone_and_week(operator: httpx.AsyncClient) -> None:
    wanted = {"name": "Shop", "timezone": "Europe/Berlin", "week_start": "monday"}

    project = (await operator.post("/projects", json=wanted)).json()

    assert {field: project[field] for field in wanted} == wanted


async def test_only_given_fields_change(operator: httpx.AsyncClient) -> None:
    before = (await operator.post("/projects", json={"name": "Shop", "timezone": "Asia/Tokyo"})).json()

    answer = await operator.patch("/projects/1", json={"week_start": "monday", "name": None})

    assert (answer.status_code, answer.json()) == (200, {**before, "week_start": "monday"})
    assert (await operator.get("/projects/1")).json() == answer.json()


@pytest.mark.parametrize(
    ("body", "loc", "words"),
    [
        ({}, ["body", "name"], "required"),
        ({"name": "   "}, ["body", "name"], "at least 1"),
        ({"name": "x" * 201}, ["body", "name"], "at most 200"),
        ({"name": "a\x00b"}, ["body", "name"], "NUL"),
        ({"name": "a\ud800b"}, ["body", "name"], "unicode"),
        ({"name": 5}, ["body", "name"], "string"),
        ({"name": "a", "timezone": "europe/berlin"}, ["body", "timezone"], "did you mean Europe/Berlin?"),
        ({"name": "a", "timezone": "../etc/passwd"}, ["body", "timezone"], "IANA"),
        ({"name": "a", "timezone": "localtime"}, ["body", "timezone"], "IANA"),
        ({"name": "a", "week_start": "friday"}, ["body", "week_start"], "'sunday' or 'monday'"),
        ({"name": "a", "weekstart": "monday"}, ["body", "weekstart"], "not permitted"),
    ],
)
async def test_bad_input_names_the_field(
    operator: httpx.AsyncClient, body: dict[str, Any], loc: list[str], words: str
) -> None:
    answer = await operator.post("/projects", content=json.dumps(body), headers=JSON)

    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [error["loc"] for error in problem["errors"]] == [loc]
    assert words in problem["errors"][0]["msg"]
    assert (await operator.get("/projects")).json()["results"] == []


async def test_bad_changes_name_the_field_and_change_nothing(operator: httpx.AsyncClient) -> None:
    before = (await operator.post("/projects", json={"name": "Shop"})).json()

    answer = await operator.patch("/projects/1", json={"name": "New", "timezone": "Mars/Base"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"] == ["body", "timezone"]
    assert (await operator.get("/projects/1")).json() == before


@pytest.mark.parametrize("id", ["2", "0", "-1", "2147483648", "9" * 30])
async def test_what_is_not_there_is_404(operator: httpx.AsyncClient, id: str) -> None:
    await operator.post("/projects", json={"name": "Shop"})

    for answer in (
        await operator.get(f"/projects/{id}"),
        await operator.patch(f"/projects/{id}", json={}),
        await operator.delete(f"/projects/{id}", params={"name": "Shop"}),
        await operator.get(f"/projects/{id}/keys"),
        await operator.post(f"/projects/{id}/keys", json={"name": "a", "type": "read"}),
        await operator.delete(f"/projects/1/keys/{id}"),
    ):
        assert (answer.status_code, answer.json()["title"]) == (404, "Not found")


async def test_deleting_asks_for_the_name(operator: httpx.AsyncClient) -> None:
    await operator.post("/projects", json={"name": "Shop"})

    for answer in (
        await operator.delete("/projects/1"),
        await operator.delete("/projects/1", params={"name": "shop"}),
        await operator.request("DELETE", "/projects/1", json={"name": "Other"}),
    ):
        assert answer.status_code == 409
        assert "name" in answer.json()["detail"]
    assert (await operator.get("/projects/1")).status_code == 200


@pytest.mark.parametrize("how", [{"params": {"name": "Shop"}}, {"json": {"name": "Shop"}}])
async def test_a_deleted_project_is_gone_and_so_are_its_keys(
    operator: httpx.AsyncClient, internal: httpx.AsyncClient, how: dict[str, Any]
) -> None:
    project = (await operator.post("/projects", json={"name": "Shop"})).json()

    assert (await operator.request("DELETE", "/projects/1", **how)).status_code == 204

    assert (await operator.get("/projects/1")).status_code == 404
    assert (await operator.get("/projects")).json()["results"] == []
    assert (await internal.get("/internal/projects/1")).status_code == 404
    answer = await internal.post("/internal/keys/resolve", json={"key": project["write_key"]})
    assert answer.status_code == 404
    assert (await operator.delete("/projects/1", params={"name": "Shop"})).status_code == 404


async def test_ids_are_never_used_again(operator: httpx.AsyncClient) -> None:
    await operator.post("/projects", json={"name": "first"})
    await operator.delete("/projects/1", params={"name": "first"})

    assert (await operator.post("/projects", json={"name": "second"})).json()["id"] == 2


async def test_a_list_comes_in_pages(operator: httpx.AsyncClient) -> None:
    for number in range(5):
        await operator.post("/projects", json={"name": f"project {number}"})

    names, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await operator.get("/projects", params=parameters)).json()
        names += [project["name"] for project in page["results"]]
        cursor, pages = page["next_cursor"], pages + 1

    assert (names, pages) == ([f"project {number}" for number in range(5)], 3)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "next"}, "cursor"),
        ({"cursor": "-1"}, "cursor"),
        ({"cursor": "9999999999"}, "cursor"),
    ],
)
async def test_a_bad_page_names_the_field(operator: httpx.AsyncClient, parameters: dict[str, Any], field: str) -> None:
    answer = await operator.get("/projects", params=parameters)

    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["query", field])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=json_values | st.fixed_dictionaries({}, optional={"name": json_values, "timezone": json_values}))
async def test_no_body_makes_it_fail(operator: httpx.AsyncClient, body: Any) -> None:
    for answer in (
        await operator.post("/projects", json=body),
        await operator.patch("/projects/1", json=body),
        await operator.request("DELETE", "/projects/999", json=body),
        await operator.post("/projects/1/keys", json=body),
    ):
        assert answer.status_code < 500


async def test_a_huge_body_is_refused(operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/projects", content=b'{"name": "' + b"x" * 100_000)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_an_unknown_field_with_a_strange_name_is_refused(operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/projects", content=rb'{"name": "a", "\ud800": 1}', headers=JSON)

    assert answer.status_code == 400


async def test_what_is_not_json_is_refused(operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/projects", content=b"{", headers=JSON)

    assert (answer.status_code, answer.json()["title"]) == (400, "Bad request")
