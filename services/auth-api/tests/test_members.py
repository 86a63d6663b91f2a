"""Users, members and roles: who sees what, and who may change it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from footfall_auth.permissions import PERMISSIONS, permissions_table
from footfall_core.auth import ROLES, ProjectDirectory, derive_token, is_key

SECRET = "a secret of at least thirty-two characters"
PASSWORD = "correct horse battery"


async def make_project(owner: httpx.AsyncClient, name: str = "Shop") -> int:
    answer = await owner.post("/projects", json={"name": name})
    assert answer.status_code == 201
    id: int = answer.json()["id"]
    return id


async def add(owner: httpx.AsyncClient, project: int, member: Any, role: str) -> None:
    wanted = {"email": member.person.email, "role": role}
    answer = await owner.post(f"/projects/{project}/members", json=wanted)
    assert answer.status_code == 201, answer.text


async def test_who_makes_a_project_owns_it_and_nobody_else_sees_it(people: Any, root: Any) -> None:
    ann, bob = await people("ann"), await people("bob")
    project = await make_project(ann)

    assert [each["role"] for each in (await ann.get("/projects")).json()["results"]] == ["owner"]
    assert (await ann.get(f"/projects/{project}/members")).json()["results"] == [
        {
            "user_id": ann.person.id,
            "email": "ann@example.com",
            "name": "ann",
            "role": "owner",
            "created_at": "2026-11-01T10:00:00Z",
        }
    ]
    for stranger in (bob, root):  # an admin of the platform is no member either
        assert (await stranger.get("/projects")).json()["results"] == []
        assert (await stranger.get("/auth/me")).json()["projects"] == []


async def test_a_foreign_project_is_as_one_that_is_not_there(people: Any, root: Any) -> None:
    ann, bob = await people("ann"), await people("bob")
    project = await make_project(ann)
    for id in (project, 999, 0, 2**31):
        for answer in (
            await bob.get(f"/projects/{id}"),
            await bob.patch(f"/projects/{id}", json={"name": "Mine"}),
            await bob.delete(f"/projects/{id}", params={"name": "Shop"}),
            await bob.get(f"/projects/{id}/keys"),
            await bob.post(f"/projects/{id}/keys", json={"name": "a", "type": "read"}),
            await bob.delete(f"/projects/{id}/keys/1"),
            await bob.get(f"/projects/{id}/members"),
            await bob.post(f"/projects/{id}/members", json={"email": "bob@example.com", "role": "owner"}),
            await bob.patch(f"/projects/{id}/members/{bob.person.id}", json={"role": "owner"}),
            await bob.delete(f"/projects/{id}/members/{ann.person.id}"),
        ):
            assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no project {id}")
    assert (await ann.get(f"/projects/{project}")).json()["name"] == "Shop"


ALLOWED: dict[str, set[str]] = {
    "read": {"viewer", "editor", "admin", "owner"},
    "list members": {"viewer", "editor", "admin", "owner"},
    "list keys": {"viewer", "editor", "admin", "owner"},
    "change": {"admin", "owner"},
    "make key": {"admin", "owner"},
    "revoke key": {"admin", "owner"},
    "add viewer": {"admin", "owner"},
    "add owner": {"owner"},
    "make viewer admin": {"admin", "owner"},
    "make viewer owner": {"owner"},
    "demote owner": {"owner"},
    "remove owner": {"owner"},
    "remove viewer": {"admin", "owner"},
    "delete": {"owner"},
}


@pytest.mark.parametrize("role", ROLES)
async def test_what_each_role_may_do(people: Any, root: Any, role: str) -> None:
    ann, bob, eve, new = [await people(name) for name in ("ann", "bob", "eve", "new")]
    viewer, owner = await people("viewer"), await people("owner")
    done = set()
    for action in ALLOWED:
        project = await make_project(ann)
        for member, its in ((bob, role), (viewer, "viewer"), (owner, "owner")):
            await add(ann, project, member, its)
        key = (await ann.post(f"/projects/{project}/keys", json={"name": "k", "type": "read"})).json()["id"]
        here, members = f"/projects/{project}", f"/projects/{project}/members"
        request: tuple[str, str, Any] = {
            "read": ("GET", here, None),
            "list members": ("GET", members, None),
            "list keys": ("GET", f"{here}/keys", None),
            "change": ("PATCH", here, {"name": "New"}),
            "make key": ("POST", f"{here}/keys", {"name": "a", "type": "write"}),
            "revoke key": ("DELETE", f"{here}/keys/{key}", None),
            "add viewer": ("POST", members, {"email": new.person.email, "role": "viewer"}),
            "add owner": ("POST", members, {"email": new.person.email, "role": "owner"}),
            "make viewer admin": ("PATCH", f"{members}/{viewer.person.id}", {"role": "admin"}),
            "make viewer owner": ("PATCH", f"{members}/{viewer.person.id}", {"role": "owner"}),
            "demote owner": ("PATCH", f"{members}/{owner.person.id}", {"role": "viewer"}),
            "remove owner": ("DELETE", f"{members}/{owner.person.id}", None),
            "remove viewer": ("DELETE", f"{members}/{viewer.person.id}", None),
            "delete": ("DELETE", here, {"name": "Shop"}),
        }[action]
        answer = await bob.request(request[0], request[1], json=request[2])
        assert answer.status_code in (200, 201, 204, 403), (action, answer.text)
        if answer.status_code != 403:
            done.add(action)
    assert done == {action for action, roles in ALLOWED.items() if role in roles}
    assert eve is not None


def test_the_table_is_whole() -> None:
    lines = list(permissions_table())

    assert lines[0] == "| A member may | viewer | editor | admin | owner |"
    assert len(lines) == 2 + len(PERMISSIONS)
    assert lines[-1] == "| delete the project |  |  |  | yes |"
    assert "\n".join(lines) in (Path(__file__).parents[3] / "docs" / "auth.md").read_text("utf-8")


async def test_anybody_may_leave_but_not_the_last_owner(people: Any, root: Any) -> None:
    ann, bob = await people("ann"), await people("bob")
    project = await make_project(ann)
    await add(ann, project, bob, "viewer")

    assert (await bob.delete(f"/projects/{project}/members/{bob.person.id}")).status_code == 204
    assert (await bob.get(f"/projects/{project}")).status_code == 404
    for answer in (
        await ann.delete(f"/projects/{project}/members/{ann.person.id}"),
        await ann.patch(f"/projects/{project}/members/{ann.person.id}", json={"role": "admin"}),
    ):
        assert (answer.status_code, "owner" in answer.json()["detail"]) == (409, True)
    assert (await ann.get(f"/projects/{project}")).json()["role"] == "owner"


async def test_two_owners_cannot_leave_at_once(people: Any, root: Any) -> None:
    ann, bob = await people("ann"), await people("bob")
    project = await make_project(ann)
    await add(ann, project, bob, "owner")

    answers = await asyncio.gather(
        *(each.delete(f"/projects/{project}/members/{each.person.id}") for each in (ann, bob))
    )

    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_bad_members_are_named(people: Any, root: Any) -> None:
    ann = await people("ann")
    project = await make_project(ann)
    for body, field in (
        ({"email": "nobody@example.com", "role": "viewer"}, "email"),
        ({"email": "' OR 1=1 --", "role": "viewer"}, "email"),
        ({"email": "a\x00b", "role": "viewer"}, "email"),
        ({"email": "ann@example.com", "role": "boss"}, "role"),
        ({"email": "ann@example.com"}, "role"),
    ):
        answer = await ann.post(f"/projects/{project}/members", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["body", field])
    again = await ann.post(f"/projects/{project}/members", json={"email": "ann@example.com", "role": "viewer"})
    assert again.status_code == 409
    for id in (0, 999, 2**31):
        assert (await ann.delete(f"/projects/{project}/members/{id}")).status_code == 404


async def test_the_operators_projects_belong_to_the_admins(people: Any, root: Any, operator: httpx.AsyncClient) -> None:
    ann = await people("ann")
    project = await make_project(operator)

    assert (await root.get(f"/projects/{project}")).json()["role"] == "owner"
    assert (await ann.get(f"/projects/{project}")).status_code == 404
    assert (await operator.get(f"/projects/{project}")).json()["role"] is None


async def test_admins_administer_users(people: Any, root: Any) -> None:
    ann = await people("ann")
    made = await root.post("/users", json={"email": "Bob@example.com", "name": "Bob"})
    assert made.status_code == 201
    bob = made.json()
    assert (bob["email"], bob["is_admin"], len(bob["password"]) >= 20) == ("bob@example.com", False, True)
    login = {"email": "bob@example.com", "password": bob["password"]}
    tokens = (await ann.post("/auth/login", json=login)).json()
    assert (await root.post("/users", json={"email": "bob@example.com"})).status_code == 409
    listed = (await root.get("/users")).json()["results"]
    assert [(user["email"], user["is_admin"]) for user in listed] == [
        ("root@example.com", True),
        ("ann@example.com", False),
        ("bob@example.com", False),
    ]
    assert "password" not in listed[0]
    assert (await root.get(f"/users/{bob['id']}")).json()["name"] == "Bob"

    changed = await root.patch(f"/users/{bob['id']}", json={"disabled": True, "name": "Robert"})
    assert (changed.json()["disabled"], changed.json()["name"]) == (True, "Robert")
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await ann.get("/auth/me", headers=headers)).status_code == 401
    assert (await ann.post("/auth/login", json=login)).status_code == 401
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await ann.post("/auth/refresh", json=refresh)).status_code == 401

    await root.patch(f"/users/{bob['id']}", json={"disabled": False, "password": "a new one for Bob"})
    assert (await ann.post("/auth/refresh", json=refresh)).status_code == 401
    assert (await ann.post("/auth/login", json={**login, "password": "a new one for Bob"})).status_code == 200


async def test_nobody_else_does(people: Any, root: Any) -> None:
    ann = await people("ann")
    for answer in (
        await ann.get("/users"),
        await ann.get("/users/1"),
        await ann.post("/users", json={"email": "x@y"}),
        await ann.patch(f"/users/{ann.person.id}", json={"is_admin": True}),
        await ann.post("/signing-keys"),
    ):
        assert answer.status_code == 403


async def test_the_last_admin_stays(root: Any, people: Any) -> None:
    for change in ({"disabled": True}, {"is_admin": False}):
        assert (await root.patch("/users/1", json=change)).status_code == 409
    assert (await root.get("/users/1")).json()["is_admin"] is True
    second = await people("second", is_admin=True)
    answers = await asyncio.gather(
        root.patch("/users/2", json={"is_admin": False}), second.patch("/users/1", json={"is_admin": False})
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 403], [200, 409])
    assert (await root.get("/users/999")).status_code in (403, 404)


async def test_services_learn_what_somebody_is_in_a_project(app: FastAPI, people: Any, root: Any, clock: Any) -> None:
    ann, bob = await people("ann"), await people("bob")
    project, other = await make_project(ann), await make_project(ann, "Other")
    await add(ann, project, bob, "viewer")

    def directory() -> ProjectDirectory:
        return ProjectDirectory(
            "http://auth",
            derive_token(SECRET, "internal"),
            transport=httpx.ASGITransport(app),
            now=lambda: clock().timestamp(),
        )

    services = directory()
    access = await services.verify(bob.person.tokens["access_token"])
    assert access is not None
    found = await services.membership(project, access)
    assert found is not None
    assert (found.project_id, found.role, found.timezone) == (project, "viewer", "UTC")
    assert await services.membership(other, access) is None
    assert await services.membership(2**40, access) is None
    await services.close()
    await ann.patch(f"/projects/{project}/members/{bob.person.id}", json={"role": "editor"})
    later = directory()
    changed = await later.membership(project, access)
    assert changed is not None
    assert changed.role == "editor"
    await later.close()
    await bob.post("/auth/logout", json={"refresh_token": bob.person.tokens["refresh_token"]})
    last = directory()
    assert await last.membership(project, access) is None
    await last.close()


async def test_the_consumer_learns_what_was_deleted(operator: httpx.AsyncClient, internal: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await make_project(operator, name)
    await operator.delete("/projects/2", params={"name": "b"})

    assert (await internal.get("/internal/projects/deleted")).json() == {"project_ids": [2]}


async def test_members_come_in_pages(people: Any, root: Any) -> None:
    ann = await people("ann")
    project = await make_project(ann)
    for name in ("b", "c"):
        await add(ann, project, await people(name), "viewer")

    first = (await ann.get(f"/projects/{project}/members", params={"limit": 2})).json()
    rest = (await ann.get(f"/projects/{project}/members", params={"cursor": first["next_cursor"]})).json()

    names = [each["name"] for page in (first, rest) for each in page["results"]]
    assert (names, rest["next_cursor"]) == (["ann", "b", "c"], None)


async def test_a_key_of_one_project_is_none_of_another(people: Any, root: Any) -> None:
    ann = await people("ann")
    first, second = await make_project(ann), await make_project(ann, "Other")
    key = (await ann.post(f"/projects/{first}/keys", json={"name": "k", "type": "read"})).json()

    assert is_key(key["key"], "read")
    assert (await ann.delete(f"/projects/{second}/keys/{key['id']}")).status_code == 404
