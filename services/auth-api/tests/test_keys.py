"""Keys: made, listed, revoked, resolved."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from footfall_core.auth import ProjectDirectory, ProjectInfo, ResolvedKey, derive_token, is_key, make_key
from footfall_core.errors import Unavailable


@pytest.fixture
async def project(operator: httpx.AsyncClient) -> dict[str, Any]:
    wanted = {"name": "Shop", "timezone": "Europe/Berlin", "week_start": "monday"}
    project: dict[str, Any] = (await operator.post("/projects", json=wanted)).json()
    return project


async def create(operator: httpx.AsyncClient, type: str, name: str = "a key") -> dict[str, Any]:
    answer = await operator.post("/projects/1/keys", json={"name": name, "type": type})
    assert answer.status_code == 201
    key: dict[str, Any] = answer.json()
    return key


async def test_a_read_key_is_shown_once(operator: httpx.AsyncClient, project: dict[str, Any]) -> None:
    key = await create(operator, "read", "Nightly report")

    assert is_key(key["key"], "read")
    assert key == {
        "id": 2,
        "type": "read",
        "key": key["key"],
        "name": "Nightly report",
        "created_at": "2026-11-01T10:00:00Z",
        "last_used_at": None,
    }
    listed = (await operator.get("/projects/1/keys")).json()["results"]
    assert [(each["type"], each["key"]) for each in listed] == [
        ("write", project["write_key"]),
        ("read", f"ffr_…{key['key'][-4:]}"),
    ]


async def test_a_read_key_is_nowhere_in_the_database(
    operator: httpx.AsyncClient, project: dict[str, Any], engine: Engine
) -> None:
    key = await create(operator, "read")

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM auth_keys")).all()
    assert len(rows) == 2
    assert key["key"] not in repr(rows)
    assert project["write_key"] in repr(rows)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a"}, "type"),
        ({"name": "a", "type": "admin"}, "type"),
        ({"type": "read"}, "name"),
        ({"name": "", "type": "read"}, "name"),
        ({"name": "\x00", "type": "read"}, "name"),
    ],
)
async def test_bad_input_names_the_field(
    operator: httpx.AsyncClient, project: dict[str, Any], body: dict[str, str], field: str
) -> None:
    answer = await operator.post("/projects/1/keys", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["body", field])


async def test_a_revoked_key_is_gone(
    operator: httpx.AsyncClient, internal: httpx.AsyncClient, project: dict[str, Any]
) -> None:
    key = await create(operator, "read")

    assert (await operator.delete(f"/projects/1/keys/{key['id']}")).status_code == 204

    answer = await internal.post("/internal/keys/resolve", json={"key": key["key"]})
    assert answer.status_code == 404
    listed = (await operator.get("/projects/1/keys")).json()["results"]
    assert [each["type"] for each in listed] == ["write"]
    assert (await operator.delete(f"/projects/1/keys/{key['id']}")).status_code == 404


async def test_a_project_shows_its_oldest_live_write_key(operator: httpx.AsyncClient, project: dict[str, Any]) -> None:
    second = await create(operator, "write")
    await operator.delete("/projects/1/keys/1")
    assert (await operator.get("/projects/1")).json()["write_key"] == second["key"]

    await operator.delete(f"/projects/1/keys/{second['id']}")
    assert (await operator.get("/projects/1")).json()["write_key"] is None


async def test_another_projects_key_is_not_found(operator: httpx.AsyncClient, project: dict[str, Any]) -> None:
    await operator.post("/projects", json={"name": "Other"})

    assert (await operator.delete("/projects/2/keys/1")).status_code == 404
    assert len((await operator.get("/projects/1/keys")).json()["results"]) == 1


async def test_keys_come_in_pages(operator: httpx.AsyncClient, project: dict[str, Any]) -> None:
    for number in range(2):
        await create(operator, "read", f"key {number}")

    first = (await operator.get("/projects/1/keys", params={"limit": 2})).json()
    rest = (await operator.get("/projects/1/keys", params={"cursor": first["next_cursor"]})).json()

    names = [key["name"] for page in (first, rest) for key in page["results"]]
    assert (names, rest["next_cursor"]) == (["first write key", "key 0", "key 1"], None)


async def test_services_resolve_keys_and_projects(app: FastAPI, project: dict[str, Any]) -> None:
    """With the client that they use."""
    directory = ProjectDirectory(
        "http://auth",
        derive_token("a secret of at least thirty-two characters", "internal"),
        transport=httpx.ASGITransport(app),
    )
    info = ProjectInfo(project_id=1, timezone="Europe/Berlin", week_start="monday")
    key = ResolvedKey(project_id=1, timezone="Europe/Berlin", week_start="monday", type="write")

    assert await directory.resolve(project["write_key"]) == key
    assert await directory.resolve(make_key("write")) is None
    assert await directory.project(1) == info
    assert await directory.project(2**40) is None
    await directory.check()
    await directory.close()

    wrong = ProjectDirectory("http://auth", "wrong", transport=httpx.ASGITransport(app))
    with pytest.raises(Unavailable, match="401"):
        await wrong.resolve(project["write_key"])
    await wrong.close()


@pytest.mark.parametrize("key", ["", "ffw_short", "\x00", "ffw_" + "ü" * 38, "x" * 5_000])
async def test_text_that_is_no_key_is_unknown(internal: httpx.AsyncClient, key: str) -> None:
    answer = await internal.post("/internal/keys/resolve", json={"key": key})

    assert (answer.status_code, answer.json()["detail"]) == (404, "No such key")


async def test_use_is_recorded_at_most_once_a_minute(
    operator: httpx.AsyncClient, internal: httpx.AsyncClient, project: dict[str, Any], clock: Any
) -> None:
    async def resolve() -> str:
        question = {"key": project["write_key"]}
        assert (await internal.post("/internal/keys/resolve", json=question)).status_code == 200
        keys = (await operator.get("/projects/1/keys")).json()["results"]
        last_used_at: str = keys[0]["last_used_at"]
        return last_used_at

    assert await resolve() == "2026-11-01T10:00:00Z"
    clock.advance(seconds=59)
    assert await resolve() == "2026-11-01T10:00:00Z"
    clock.advance(seconds=1)
    assert await resolve() == "2026-11-01T10:01:00Z"


async def test_a_key_resolves_while_its_use_cannot_be_recorded(
    internal: httpx.AsyncClient, project: dict[str, Any], engine: Engine
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("a read-only database is made with an SQLite pragma")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    answer = await internal.post("/internal/keys/resolve", json={"key": project["write_key"]})

    assert answer.status_code == 200
