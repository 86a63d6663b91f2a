"""Who may call what: every route is walked, so that a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from footfall_core.auth import derive_token

PUBLIC = {
    "/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/.well-known/jwks.json",
    "/auth/registration",
    "/auth/register", "/auth/login", "/auth/refresh", "/auth/logout",
}  # fmt: skip
SECRET = "a secret of at least thirty-two characters"
OPERATOR, INTERNAL = derive_token(SECRET, "operator"), derive_token(SECRET, "internal")


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(app.routes):
        if route.path not in PUBLIC:
            assert route.path is not None
            for method in sorted(route.methods or {}):
                yield method, route.path


async def test_every_route_asks_for_its_own_credential(app: FastAPI, anyone: httpx.AsyncClient) -> None:
    walked = list(routes_of(app))
    assert len(walked) >= 10
    for method, path in walked:
        wrong = OPERATOR if path.startswith("/internal") else INTERNAL
        for header in (
            None,
            "",
            "Bearer",
            "Bearer wrong",
            "Bearer ümläut",
            f"Basic {OPERATOR}",
            f"Bearer {wrong}",
            f"Bearer {OPERATOR[:-1]}",
            OPERATOR,
            INTERNAL,
        ):
            headers = {} if header is None else {"authorization": header.encode()}
            url = path.format(project_id=1, key_id=1, user_id=1, session_id=1)
            answer = await anyone.request(method, url, headers=headers)
            assert answer.status_code == 401, (method, path, header)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/openapi.json"])
async def test_operations_need_no_credential(anyone: httpx.AsyncClient, path: str) -> None:
    assert (await anyone.get(path)).status_code == 200


async def test_the_public_document_is_silent_about_internal_calls(anyone: httpx.AsyncClient) -> None:
    document = (await anyone.get("/openapi.json")).json()

    assert not [path for path in document["paths"] if path.startswith("/internal")]
    assert "internal" not in document["components"]["securitySchemes"]
    for path, calls in document["paths"].items():
        for call in calls.values():
            assert "422" not in call["responses"], path
            assert ("401" in call["responses"]) or path in PUBLIC
            assert ("security" in call) != (path in PUBLIC)
