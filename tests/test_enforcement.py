"""No route of any service can be called by who may not: every route of the OpenAPI documents that a running platform
serves is walked with no, wrong, expired, foreign and too weak credentials. A route that is added later is walked too,
and one with a security scheme that is not known here fails."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import jwt
import pytest
from conftest import Platform
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, text

from footfall_core.auth import derive_token, make_key
from footfall_core.tokens import TOKEN_TYPE

PUBLIC: Final = {
    ("capture", "get", "/livez"),
    ("capture", "get", "/readyz"),
    ("capture", "get", "/metrics"),
    ("capture", "get", "/footfall.js"),
    ("query", "get", "/livez"),
    ("query", "get", "/readyz"),
    ("query", "get", "/metrics"),
    ("auth", "get", "/livez"),
    ("auth", "get", "/readyz"),
    ("auth", "get", "/metrics"),
    ("consumer", "get", "/livez"),
    ("consumer", "get", "/readyz"),
    ("consumer", "get", "/metrics"),
    ("auth", "post", "/auth/register"),
    ("auth", "post", "/auth/login"),
    ("auth", "post", "/auth/refresh"),
    ("auth", "post", "/auth/logout"),
    ("auth", "get", "/auth/registration"),
    ("auth", "get", "/.well-known/jwks.json"),
    # What PostHog's SDKs ask for besides sending: it says the same to everybody.
    ("capture", "post", "/flags"),
    ("capture", "post", "/decide"),
    ("capture", "get", "/flags/definitions"),
    ("capture", "get", "/api/feature_flag/local_evaluation"),
    ("capture", "get", "/array/{token}/config"),
    ("capture", "get", "/array/{token}/config.js"),
}
"""What anybody may call. Whoever adds to it says that no credential is needed."""

SCHEMES: Final = {
    "capture": {"bearer": {"write key"}, "api_key": {"write key"}, "basic": {"write key"}},
    "query": {"reader": {"read key", "access token", "operator"}},
    "auth": {"caller": {"access token", "operator"}, "user": {"access token"}},
    "consumer": {},
}
"""The security schemes of each service, and the kinds of credentials that they take."""


@dataclass
class Who:
    """A user of the platform."""

    id: int
    token: str


@dataclass
class World:
    """A platform with a project whose owner is Ann and whose viewer is Vic; Eve has only a project of her own."""

    platform: Platform
    client: httpx.Client
    urls: dict[str, str]
    project: int
    write_key: str
    read_key: str
    foreign_read_key: str
    foreign_write_key: str
    ann: Who
    vic: Who
    eve: Who
    expired: str
    forged: str


@dataclass(frozen=True)
class Route:
    """One operation of a service's document."""

    service: str
    method: str
    path: str
    operation: dict[str, Any] = field(hash=False)
    schemas: dict[str, Any] = field(hash=False)

    @property
    def schemes(self) -> list[str]:
        """The names of the security schemes; empty for a route without any."""
        return [name for each in self.operation.get("security", []) for name in each]

    @property
    def is_about_a_project(self) -> bool:
        return "{project_id}" in self.path or self.service == "query"


def sign_in(platform: Platform, name: str) -> Who:
    headers = {"authorization": f"Bearer {platform.operator_token}"}
    email = f"{name}-{time.time_ns()}@example.com"
    with httpx.Client(base_url=platform.auth_url) as auth:
        user = auth.post("/users", json={"email": email}, headers=headers).raise_for_status().json()
        body = {"email": email, "password": user["password"]}
        tokens = auth.post("/auth/login", json=body).raise_for_status().json()
    return Who(user["id"], tokens["access_token"])


def forge(platform: Platform, token: str) -> tuple[str, str]:
    """The same token signed by ourselves but expired, and with a key that is not the platform's."""
    secret = (platform.data_dir / "secret_key").read_text()
    engine = create_engine(f"sqlite:///{platform.data_dir}/auth.db")
    with engine.connect() as connection:
        kid, sealed = connection.execute(
            text("SELECT key_id, private_key FROM auth_signing_keys WHERE retired_at IS NULL ORDER BY id DESC")
        ).first()  # type: ignore[misc]
    engine.dispose()
    box = Fernet(base64.urlsafe_b64encode(bytes.fromhex(derive_token(secret, "signing-keys"))))
    real = Ed25519PrivateKey.from_private_bytes(box.decrypt(sealed))
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {"kid": kid, "typ": TOKEN_TYPE}
    old = {**claims, "iat": claims["iat"] - 700, "nbf": claims["nbf"] - 700, "exp": claims["exp"] - 700}
    assert httpx.get(  # what is refused below is refused for its time alone
        f"{platform.auth_url}/auth/me",
        headers={"authorization": f"Bearer {jwt.encode(claims, real, algorithm='EdDSA', headers=headers)}"},
    ).is_success
    return (
        jwt.encode(old, real, algorithm="EdDSA", headers=headers),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=headers),
    )


@pytest.fixture(scope="module")
def world(platform: Platform) -> Iterator[World]:
    with httpx.Client(timeout=30) as client:
        yield make_world(platform, client)


def make_world(platform: Platform, client: httpx.Client) -> World:
    ann, vic, eve = (sign_in(platform, name) for name in ("ann", "vic", "eve"))

    def as_user(who: Who) -> httpx.Client:
        return httpx.Client(base_url=platform.auth_url, headers={"authorization": f"Bearer {who.token}"})

    with as_user(ann) as auth:
        project = auth.post("/projects", json={"name": "Ann's"}).raise_for_status().json()
        here = f"/projects/{project['id']}"
        email = httpx.get(f"{platform.auth_url}/auth/me", headers={"authorization": f"Bearer {vic.token}"}).json()
        member = {"email": email["email"], "role": "viewer"}
        auth.post(f"{here}/members", json=member).raise_for_status()
        key = auth.post(f"{here}/keys", json={"name": "r", "type": "read"}).raise_for_status().json()
    with as_user(eve) as auth:
        other = auth.post("/projects", json={"name": "Eve's"}).raise_for_status().json()
        foreign = auth.post(f"/projects/{other['id']}/keys", json={"name": "r", "type": "read"}).json()
    consumer = f"http://127.0.0.1:{platform.environment['FOOTFALL_CONSUMER_PORT']}"
    expired, forged = forge(platform, ann.token)
    return World(
        platform=platform,
        client=client,
        urls={
            "capture": platform.capture_url,
            "query": platform.query_url,
            "auth": platform.auth_url,
            "consumer": consumer,
        },
        project=project["id"],
        write_key=project["write_key"],
        read_key=key["key"],
        foreign_read_key=foreign["key"],
        foreign_write_key=other["write_key"],
        ann=ann,
        vic=vic,
        eve=eve,
        expired=expired,
        forged=forged,
    )


def routes(world: World) -> Iterator[Route]:
    for service, url in world.urls.items():
        document = httpx.get(f"{url}/openapi.json").raise_for_status().json()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                yield Route(service, method, path, operation, document.get("components", {}).get("schemas", {}))


def guarded(world: World) -> list[Route]:
    return [route for route in routes(world) if (route.service, route.method, route.path) not in PUBLIC]


def call(world: World, route: Route, token: str | None) -> httpx.Response:
    """Call a route with a credential, about Ann's project."""
    names = {"project_id": world.project, "user_id": world.ann.id, "key_id": 1, "job_id": uuid.uuid4()}
    path = re.sub(r"\{(\w+)\}", lambda found: str(names.get(found[1], 1)), route.path)
    headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
    url = f"{world.urls[route.service]}{path}"
    parameters: dict[str, Any] = {
        each["name"]: example(each["schema"], route.schemas)
        for each in route.operation.get("parameters", [])
        if each.get("required") and each["in"] == "query"
    }
    parameters |= PARAMETERS.get((route.method, route.path), {}) | {"project_id": world.project}
    if (route.service, route.method) == ("capture", "get"):
        parameters["data"] = json.dumps(EVENT)
    content = route.operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return world.client.request(route.method, url, params=parameters, headers=headers)
    body = BODIES.get(route.path) or example(content["schema"], route.schemas)
    body = body | ({"project_id": world.project} if route.service == "query" else {})
    return world.client.request(route.method, url, params=parameters, json=body, headers=headers)


PARAMETERS: Final[dict[tuple[str, str], dict[str, Any]]] = {("get", "/api/funnels"): {"event": ["a", "b"]}}
EVENT: Final = {"event": "a", "distinct_id": "d"}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "/capture": EVENT,
    "/batch": {"batch": [EVENT]},
    "/e": EVENT,
    "/engage": {"$distinct_id": "d", "$set": {"plan": "pro"}},
    "/i/v0/ai/batch": {"batch": [EVENT]},
    "/i/v0/e": EVENT,
    "/i/v1/analytics/events": {"batch": [EVENT]},
    "/track": EVENT,
    "/v1/alias": {"userId": "d", "previousId": "c"},
    "/v1/batch": {"batch": [{"type": "track", "userId": "d", "event": "a"}]},
    "/v1/group": {"userId": "d", "groupId": "g"},
    "/v1/identify": {"userId": "d"},
    "/v1/page": {"userId": "d"},
    "/v1/screen": {"userId": "d"},
    "/v1/track": {"userId": "d", "event": "a"},
    "/auth/password": {"current_password": "a wrong password", "new_password": "another password"},
    "/users": {"email": "new@example.com"},
}
"""What the documents do not say well enough to make an example of."""


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """The least that a JSON schema takes: required fields, first choices."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    for word in ("enum", "examples"):
        if word in schema:
            return schema[word][0]
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return example(schema[word][0], schemas)
    kind = schema.get("type")
    if kind == "object":
        return {name: example(schema["properties"][name], schemas) for name in schema.get("required", [])}
    if kind == "array":
        return [example(schema.get("items", {}), schemas)] * max(1, schema.get("minItems", 0))
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(str(kind), "a" * schema.get("minLength", 1))


def test_every_route_is_public_by_name_or_has_a_scheme_that_is_known(world: World) -> None:
    walked = list(routes(world))
    assert len(walked) > 35
    names = {(route.service, route.method, route.path) for route in walked}
    assert names >= PUBLIC
    for route in walked:
        if (route.service, route.method, route.path) in PUBLIC:
            assert route.schemes == [], f"{route} is in PUBLIC, and asks for a credential"
        else:
            assert route.schemes, f"{route} asks for no credential, and is not in PUBLIC"
            assert set(route.schemes) <= set(SCHEMES[route.service]), f"{route} has a scheme that is not known here"


def test_nothing_is_answered_without_a_good_credential(world: World) -> None:
    write, read = make_key("write"), make_key("read")
    bad = {
        "none": None,
        "words": "let me in",
        "half an operator token": world.platform.operator_token[:-1],
        "a write key that nobody has": write,
        "a read key that nobody has": read,
        "a mistyped write key": world.write_key[:-1] + ("a" if world.write_key[-1] != "a" else "b"),
        "an expired access token": world.expired,
        "a forged access token": world.forged,
        "half an access token": world.ann.token.rpartition(".")[0],
        "SQL": "' OR '1'='1' --",
        "no ASCII": "ümläut",
    }
    for route in guarded(world):
        for what, token in bad.items():
            answer = call(world, route, token)
            assert answer.status_code == 401, (route.method, route.path, what, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_every_route_takes_only_its_own_kinds_of_credentials(world: World) -> None:
    credentials = {
        "write key": world.write_key,
        "read key": world.read_key,
        "access token": world.ann.token,
        "operator": world.platform.operator_token,
    }
    for route in guarded(world):
        takes = {kind for scheme in route.schemes for kind in SCHEMES[route.service][scheme]}
        assert takes
        for kind in sorted(set(credentials) - takes):
            answer = call(world, route, credentials[kind])
            assert answer.status_code == 401, (route.method, route.path, kind, answer.text)


def test_a_foreign_project_is_not_there_for_anybody(world: World) -> None:
    about_projects = [route for route in guarded(world) if route.is_about_a_project]
    assert len(about_projects) > 12
    for route in about_projects:
        tokens = [world.eve.token] + ([world.foreign_read_key] if route.service == "query" else [])
        for token in tokens:
            answer = call(world, route, token)
            assert answer.status_code != 400, (
                f"give {route.path} parameters or a body above that it takes: {answer.text}"
            )
            assert answer.status_code == 404, (route.method, route.path, answer.text)
    keys = httpx.get(
        f"{world.urls['auth']}/projects/{world.project}/keys", headers={"authorization": f"Bearer {world.ann.token}"}
    )
    assert len(keys.json()["results"]) == 2


def test_a_viewer_changes_nothing_and_a_user_administers_nothing(world: World) -> None:
    for route in guarded(world):
        changes = route.service == "auth" and route.method in ("post", "patch", "delete")
        if changes and "{project_id}" in route.path:
            answer = call(world, route, world.vic.token)
            assert answer.status_code == 403, (route.method, route.path, answer.text)
        if route.path.startswith(("/users", "/signing-keys")):
            for who in (world.ann, world.vic, world.eve):
                assert call(world, route, who.token).status_code == 403, (route.method, route.path)


def test_members_and_read_keys_are_let_in(world: World) -> None:
    """Without this, refusing everybody would pass all the tests above."""
    for route in guarded(world):
        if route.method != "get" or (route.path not in BODIES and route.service == "auth" and "{" in route.path):
            continue
        tokens = [world.ann.token, world.vic.token] + ([world.read_key] if route.service == "query" else [])
        open_to_viewers = route.method == "get" and route.path in (
            "/projects", "/projects/{project_id}", "/projects/{project_id}/keys", "/projects/{project_id}/members",
            "/auth/me", "/api/trends", "/api/events", "/api/event-names",
        )  # fmt: skip
        if open_to_viewers or (route.method, route.path) == ("post", "/api/trends"):
            for token in tokens:
                assert call(world, route, token).status_code == 200, (route.path, token)
        if route.path == "/capture":
            assert call(world, route, world.write_key).status_code == 200


def test_services_keep_what_is_between_them_to_themselves(world: World) -> None:
    for path in ("/internal/projects/1", "/internal/projects/deleted", "/internal/projects/1/sessions/1"):
        for token in (None, world.platform.operator_token, world.ann.token, world.read_key):
            headers = {"authorization": f"Bearer {token}"} if token else {}
            assert httpx.get(f"{world.urls['auth']}{path}", headers=headers).status_code == 401
