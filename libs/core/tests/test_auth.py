"""Keys, derived tokens, and what the project directory remembers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from footfall_core.auth import (
    Access,
    Membership,
    ProjectDirectory,
    ProjectInfo,
    ResolvedKey,
    derive_token,
    is_key,
    make_key,
)
from footfall_core.errors import Unavailable
from footfall_core.tokens import ROLES, reaches, sign


def test_a_key_says_what_it_is() -> None:
    assert is_key(make_key("write"), "write")
    assert is_key(make_key("read"), "read")
    assert not is_key(make_key("read"), "write")


@given(position=st.integers(4, 41), letter=st.sampled_from("0aZ"))
def test_a_mistyped_key_is_no_key(position: int, letter: str) -> None:
    key = make_key("write")
    mistyped = key[:position] + letter + key[position + 1 :]

    assert is_key(mistyped) == (mistyped == key)


@given(st.text())
def test_any_text_may_be_asked(text: str) -> None:
    assert not is_key(text)


def test_tokens_differ_by_purpose_and_secret() -> None:
    tokens = {derive_token(s, p) for s in ("one", "two") for p in ("internal", "operator", "clickhouse")}
    assert len(tokens) == 6


class AuthApi:
    """A double of the Auth API's internal calls that can be away. `signers` are its signing keys, by `kid`."""

    def __init__(self) -> None:
        self.signers: dict[str, Ed25519PrivateKey] = {}
        self.roles: dict[str, str] = {}
        self.keys: dict[str, ResolvedKey] = {}
        self.away = False
        self.asked = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path == "/.well-known/jwks.json":
            keys = [
                {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": encode(key.public_key())}
                for kid, key in self.signers.items()
            ]
            return httpx.Response(200, json={"keys": [*keys, {"kty": "RSA", "kid": "other", "n": "x", "e": "AQAB"}]})
        assert request.headers["authorization"] == "Bearer internal"
        if "/sessions/" in request.url.path:
            role = self.roles.get(request.url.path.removeprefix("/internal/projects/"))
            info = {"project_id": 1, "timezone": "UTC", "week_start": "sunday", "role": role}
            return httpx.Response(200, json=info) if role else httpx.Response(404, json={})
        if request.url.path.startswith("/internal/projects/"):
            known = request.url.path.endswith("/1")
            body = {"project_id": 1, "timezone": "UTC", "week_start": "sunday"}
            return httpx.Response(200 if known else 404, json=body if known else {})
        key = self.keys.get(json.loads(request.content)["key"])
        if key is None:
            return httpx.Response(404, json={})
        return httpx.Response(
            200,
            json={
                "project_id": key.project_id,
                "timezone": key.timezone,
                "week_start": key.week_start,
                "type": key.type,
            },
        )


def encode(key: Ed25519PublicKey) -> str:
    return base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api() -> AuthApi:
    return AuthApi()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(api: AuthApi, clock: Callable[[], float]) -> ProjectDirectory:
    return ProjectDirectory(
        "http://auth", "internal", transport=httpx.MockTransport(api), clock=clock, now=clock, max_entries=3
    )


def live_key(api: AuthApi) -> str:
    key = make_key("write")
    api.keys[key] = ResolvedKey(project_id=7, timezone="Europe/Berlin", week_start="monday", type="write")
    return key


async def test_a_live_key_resolves_and_is_remembered(api: AuthApi, directory: ProjectDirectory) -> None:
    key = live_key(api)
    assert directory.recall(key) is None

    assert await directory.resolve(key) == api.keys[key]
    assert directory.recall(key) == api.keys[key]
    assert await directory.resolve(key) == api.keys[key]
    assert api.asked == 1


async def test_a_text_that_is_no_key_is_not_asked_about(api: AuthApi, directory: ProjectDirectory) -> None:
    assert await directory.resolve("phc_something") is None
    assert api.asked == 0


async def test_a_revoked_key_stops_after_the_ttl(api: AuthApi, directory: ProjectDirectory, clock: Clock) -> None:
    key = live_key(api)
    await directory.resolve(key)
    api.keys.clear()

    assert await directory.resolve(key) is not None
    clock.now += 31
    assert directory.recall(key) is None
    assert await directory.resolve(key) is None


async def test_known_keys_outlive_the_auth_api(api: AuthApi, directory: ProjectDirectory, clock: Clock) -> None:
    key = live_key(api)
    await directory.resolve(key)
    api.away = True
    clock.now += 3_600

    assert await directory.resolve(key) == api.keys[key]
    with pytest.raises(Unavailable):
        await directory.resolve(make_key("write"))


async def test_an_unknown_key_is_asked_again_after_a_while(
    api: AuthApi, directory: ProjectDirectory, clock: Clock
) -> None:
    key = make_key("write")
    assert await directory.resolve(key) is None
    assert await directory.resolve(key) is None
    assert api.asked == 1

    api.keys[key] = ResolvedKey(project_id=7, timezone="UTC", week_start="sunday", type="write")
    clock.now += 6
    assert await directory.resolve(key) == api.keys[key]


async def test_a_key_not_known_as_live_is_not_refused_while_the_auth_api_is_away(
    api: AuthApi, directory: ProjectDirectory, clock: Clock
) -> None:
    key = make_key("write")
    await directory.resolve(key)
    api.away = True
    clock.now += 6

    with pytest.raises(Unavailable):
        await directory.resolve(key)


async def test_many_requests_with_one_key_ask_once(api: AuthApi, directory: ProjectDirectory) -> None:
    key = live_key(api)

    answers = await asyncio.gather(*(directory.resolve(key) for _ in range(50)))

    assert answers == [api.keys[key]] * 50
    assert api.asked == 1


async def test_what_is_remembered_is_bounded(api: AuthApi, directory: ProjectDirectory) -> None:
    keys = [live_key(api) for _ in range(4)]
    for key in keys:
        await directory.resolve(key)

    assert directory.recall(keys[0]) is None
    assert directory.recall(keys[3]) is not None


async def test_projects_resolve_by_id(api: AuthApi, directory: ProjectDirectory) -> None:
    assert await directory.project(1) == ProjectInfo(project_id=1, timezone="UTC", week_start="sunday")
    assert await directory.project(2) is None


def signed(api: AuthApi, kid: str, access: Access, now: float) -> str:
    signer = api.signers.setdefault(kid, Ed25519PrivateKey.generate())
    return sign(access, signer, kid, now=now, seconds=600)


async def test_tokens_are_verified_without_asking_about_each(
    api: AuthApi, directory: ProjectDirectory, clock: Clock
) -> None:
    tokens = [signed(api, "one", Access(user, 5), clock.now) for user in (1, 2, 3)]

    assert [await directory.verify(token) for token in tokens] == [Access(1, 5), Access(2, 5), Access(3, 5)]
    assert api.asked == 1


async def test_a_token_is_valid_for_its_time(api: AuthApi, directory: ProjectDirectory, clock: Clock) -> None:
    token = signed(api, "one", Access(1, 5), clock.now)
    for seconds, valid in ((-11, False), (-10, True), (599, True), (600, False)):
        clock.now = 1_000.0 + seconds
        assert (await directory.verify(token) is not None) == valid


async def test_a_new_signing_key_is_asked_for_but_not_for_every_unknown_one(
    api: AuthApi, directory: ProjectDirectory, clock: Clock
) -> None:
    await directory.verify(signed(api, "one", Access(1, 5), clock.now))
    token = signed(api, "two", Access(1, 5), clock.now)
    clock.now += 6
    assert await directory.verify(token) is not None
    assert api.asked == 2

    forged = sign(Access(1, 5), Ed25519PrivateKey.generate(), "three", now=clock.now, seconds=600)
    assert [await directory.verify(forged) for _ in range(10)] == [None] * 10
    assert api.asked == 2


async def test_a_withdrawn_signing_key_is_forgotten(api: AuthApi, directory: ProjectDirectory, clock: Clock) -> None:
    token = signed(api, "one", Access(1, 5), clock.now)
    assert await directory.verify(token) is not None
    api.signers.clear()
    clock.now += 31

    assert await directory.verify(token) is None


async def test_tokens_are_valid_while_the_auth_api_is_away(
    api: AuthApi, directory: ProjectDirectory, clock: Clock
) -> None:
    membership = Membership(project_id=1, timezone="UTC", week_start="sunday", role="viewer")
    token = signed(api, "one", Access(1, 5, (membership,)), clock.now)
    await directory.verify(token)
    unknown = signed(api, "two", Access(1, 5), clock.now)
    api.away = True
    clock.now += 300

    access = await directory.verify(token)
    assert access is not None
    assert await directory.membership(1, access) == membership
    with pytest.raises(Unavailable):
        await directory.membership(2, access)
    with pytest.raises(Unavailable):
        await directory.verify(unknown)  # it may be a good one


async def test_a_membership_is_what_the_auth_api_says(api: AuthApi, directory: ProjectDirectory, clock: Clock) -> None:
    said = Membership(project_id=1, timezone="UTC", week_start="sunday", role="owner")
    access = Access(1, 5, (said,))
    api.roles["1/sessions/5"] = "viewer"

    found = await directory.membership(1, access)
    assert found is not None
    assert found.role == "viewer"
    assert await directory.membership(2, access) is None
    api.roles.clear()
    clock.now += 31
    assert await directory.membership(1, access) is None
    api.away = True
    for seconds in (3, 60, 3_600):
        clock.now += seconds
        assert await directory.membership(1, access) is None  # known to be none, whatever the token says


def test_roles_are_in_order() -> None:
    assert [[reaches(role, least) for least in ROLES] for role in ROLES] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
