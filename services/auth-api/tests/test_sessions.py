"""Registering, signing in, going on, signing out, and everything that must be refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from footfall_auth.app import make_auth_app
from footfall_auth.attempts import Attempts, Limits
from footfall_auth.passwords import Passwords
from footfall_auth.signing import Signer
from footfall_core.auth import Access, Membership, ProjectDirectory, derive_token
from footfall_core.tokens import read_key_set, sign, verify

SECRET = "a secret of at least thirty-two characters"
PASSWORD = "correct horse battery"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
ANN = {"email": "ann@example.com", "password": PASSWORD}


def client_of(app: FastAPI, address: str = "203.0.113.7", **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://auth", **options)


async def register(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.post("/auth/register", json={**ANN, **changes})


async def login(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    answer = await client.post("/auth/login", json={**ANN, **changes})
    client.cookies.clear()  # these tests send tokens themselves, unless they are about cookies
    return answer


async def ask_me(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/auth/me", headers={"authorization": f"Bearer {token}"})


async def test_the_first_to_register_becomes_admin_and_the_door_closes(anyone: httpx.AsyncClient) -> None:
    answer = await register(anyone, email=" Ann@Example.COM ", name="Ann")

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "id": 1,
        "email": "ann@example.com",
        "name": "Ann",
        "is_admin": True,
        "disabled": False,
        "created_at": "2026-11-01T10:00:00Z",
        "signed_in_at": None,
    }
    for email in ("ann@example.com", "bob@example.com"):
        assert (await register(anyone, email=email)).status_code == 403


async def test_a_visitor_can_learn_whether_the_door_is_open(anyone: httpx.AsyncClient) -> None:
    assert (await anyone.get("/auth/registration")).json() == {"is_open": True, "is_first": True}

    await register(anyone)

    assert (await anyone.get("/auth/registration")).json() == {"is_open": False, "is_first": False}


async def test_an_open_door_lets_people_in_who_are_no_admins(engine: Engine, clock: Any) -> None:
    app = make_auth_app(
        engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=CHEAP, allow_registration=True
    )
    async with client_of(app) as anyone:
        await register(anyone)
        second = await register(anyone, email="bob@example.com")
        assert (second.status_code, second.json()["is_admin"], second.json()["name"]) == (201, False, "bob")
        assert (await register(anyone, email="BOB@example.com")).status_code == 409


async def test_two_who_register_at_once_do_not_both_become_admin(anyone: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(register(anyone, email=f"{n}@example.com") for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [201] + [403] * 5


async def test_the_first_user_owns_the_projects_that_are_there(
    anyone: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await operator.post("/projects", json={"name": "Shop"})
    await register(anyone)
    token = (await login(anyone)).json()["access_token"]

    assert (await ask_me(anyone, token)).json()["projects"] == [
        {"id": 1, "name": "Shop", "timezone": "UTC", "week_start": "sunday", "role": "owner"}
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": "ann", "password": PASSWORD}, "email"),
        ({"email": "a b@c", "password": PASSWORD}, "email"),
        ({"email": "a\x00@c", "password": PASSWORD}, "email"),
        ({"email": "x" * 250 + "@c.de", "password": PASSWORD}, "email"),
        ({"email": "a@c"}, "password"),
        ({"email": "a@c", "password": "short"}, "password"),
        ({"email": "a@c", "password": "x" * 201}, "password"),
        ({"email": "a@c", "password": PASSWORD, "is_admin": True}, "is_admin"),
    ],
)
async def test_bad_input_names_the_field(anyone: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await anyone.post("/auth/register", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["body", field])
    assert body.get("password", "none") not in answer.text


async def test_signing_in_gives_tokens(anyone: httpx.AsyncClient, operator: httpx.AsyncClient, clock: Any) -> None:
    await register(anyone)
    project = {"name": "Shop", "timezone": "Europe/Berlin", "week_start": "monday"}
    await operator.post("/projects", json=project)

    answer = await login(anyone, email="ANN@example.com")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    tokens = answer.json()
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 600)
    keys = read_key_set((await anyone.get("/.well-known/jwks.json")).content)
    membership = Membership(project_id=1, timezone="Europe/Berlin", week_start="monday", role="owner")
    assert verify(tokens["access_token"], keys, now=clock().timestamp()) == Access(1, 1, (membership,))
    me = (await ask_me(anyone, tokens["access_token"])).json()
    assert (me["email"], me["signed_in_at"]) == ("ann@example.com", "2026-11-01T10:00:00Z")


async def test_neither_password_nor_tokens_are_in_the_database(anyone: httpx.AsyncClient, engine: Engine) -> None:
    await register(anyone)
    tokens = (await login(anyone)).json()

    with engine.connect() as connection:
        tables = ("users", "sessions", "refresh_tokens", "signing_keys")
        stored = repr([connection.execute(text(f"SELECT * FROM auth_{table}")).all() for table in tables])
    assert "$argon2id$" in stored
    for secret in (PASSWORD, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in stored


async def test_unknown_users_and_wrong_passwords_are_one_answer_and_one_work(
    engine: Engine, clock: Any, operator: httpx.AsyncClient
) -> None:
    class Counting(Passwords):
        verified = 0

        def verify(self, password: str, stored: str | None) -> bool:
            Counting.verified += 1
            began = time.perf_counter()
            right = super().verify(password, stored)
            took.append(time.perf_counter() - began)
            return right

    took: list[float] = []
    passwords = Counting(PasswordHasher(time_cost=2, memory_cost=4096, parallelism=1))
    app = make_auth_app(engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=passwords)
    async with client_of(app) as anyone:
        await register(anyone)
        await operator.post("/users", json={"email": "gone@example.com", "password": PASSWORD})
        await operator.patch("/users/2", json={"disabled": True})
        answers = [
            await login(anyone, password="wrong password"),
            await login(anyone, email="nobody@example.com"),
            await login(anyone, email="gone@example.com"),
            await login(anyone, email="not an address\x00"),
            await login(anyone, email="' OR 1=1 --"),
        ]
    assert {(answer.status_code, answer.text, answer.headers["www-authenticate"]) for answer in answers} == {
        (401, answers[0].text, "Bearer")
    }
    assert Counting.verified == 5
    assert min(took) > max(took) / 20  # none of them is skipped, however loaded the machine is


async def test_a_password_is_hashed_anew_when_hashing_has_changed(engine: Engine, clock: Any) -> None:
    def app(memory: int) -> FastAPI:
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=memory, parallelism=1))
        return make_auth_app(engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=passwords)

    def stored() -> str:
        with engine.connect() as connection:
            return str(connection.execute(text("SELECT password_hash FROM auth_users")).scalar_one())

    async with client_of(app(8)) as anyone:
        await register(anyone)
        assert "m=8," in stored()
        await login(anyone)
        assert "m=8," in stored()
    async with client_of(app(16)) as anyone:
        assert (await login(anyone)).status_code == 200
        assert "m=16," in stored()
        assert (await login(anyone)).status_code == 200


def test_passwords_cost_what_is_recommended_by_default() -> None:
    parameters = Passwords().hash("x").split("$")[3]

    assert parameters == "m=65536,t=3,p=4"


async def test_guessing_is_stopped_for_that_address_only(app: FastAPI) -> None:
    async with client_of(app, "198.51.100.1") as thief, client_of(app, "203.0.113.7") as ann:
        await register(ann)
        guesses = [await login(thief, password=f"guess number {n}") for n in range(8)]
        assert [guess.status_code for guess in guesses] == [401] * 5 + [429] * 3
        assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60
        assert (await login(thief)).status_code == 429  # also with the right one
        assert (await login(thief, email="nobody@example.com")).status_code == 401
        assert (await login(ann)).status_code == 200


async def test_guesses_in_parallel_are_counted_too(app: FastAPI) -> None:
    async with client_of(app) as anyone:
        guesses = await asyncio.gather(*(login(anyone, password=f"guess number {n}") for n in range(30)))

    assert sorted(guess.status_code for guess in guesses) == [401] * 5 + [429] * 25


async def test_one_customer_of_ipv6_has_one_place(app: FastAPI) -> None:
    statuses = []
    for n in range(7):
        async with client_of(app, f"2001:db8::{n + 1}") as anyone:
            statuses.append((await login(anyone)).status_code)

    assert statuses == [401] * 5 + [429] * 2


async def test_the_right_password_forgets_the_wrong_ones(app: FastAPI) -> None:
    async with client_of(app) as ann:
        await register(ann)
        for _ in range(3):
            for n in range(4):
                assert (await login(ann, password=f"guess number {n}")).status_code == 401
            assert (await login(ann)).status_code == 200


async def test_pauses_grow(engine: Engine, clock: Any) -> None:
    attempts = Attempts(limits=Limits(password="2/second;4/hour"))
    app = make_auth_app(engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=CHEAP, attempts=attempts)
    async with client_of(app) as anyone:
        statuses = []
        for _ in range(3):
            for _ in range(3):
                last = await login(anyone)
                statuses.append(last.status_code)
            await asyncio.sleep(1.05)

    assert statuses[:6] == [401, 401, 429] * 2
    assert statuses[6:] == [429] * 3
    assert 1_000 < int(last.headers["retry-after"]) <= 3_600


async def test_one_address_may_not_try_every_account(engine: Engine, clock: Any) -> None:
    attempts = Attempts(limits=Limits(sign_in="10/minute"))
    app = make_auth_app(engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=CHEAP, attempts=attempts)
    async with client_of(app) as anyone:
        answers = [await login(anyone, email=f"{n}@example.com") for n in range(12)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2


async def test_registering_is_limited(app: FastAPI) -> None:
    async with client_of(app) as anyone:
        answers = [await register(anyone, email=f"{n}@example.com") for n in range(12)]

    assert [answer.status_code for answer in answers] == [201] + [403] * 9 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 60


async def test_several_processes_count_together_in_redis(engine: Engine, clock: Any, redis_url: str) -> None:
    apps = [
        make_auth_app(
            engine,
            SECRET,
            registry=CollectorRegistry(),
            clock=clock,
            passwords=CHEAP,
            attempts=Attempts(redis_url),
        )
        for _ in range(2)
    ]
    email = f"{engine.dialect.name}@example.com"
    statuses = []
    for n in range(8):
        async with client_of(apps[n % 2]) as anyone:
            statuses.append((await login(anyone, email=email)).status_code)

    assert statuses == [401] * 5 + [429] * 3


async def test_without_redis_memory_counts(engine: Engine, clock: Any) -> None:
    attempts = Attempts("redis://127.0.0.1:1")
    app = make_auth_app(engine, SECRET, registry=CollectorRegistry(), clock=clock, passwords=CHEAP, attempts=attempts)
    async with client_of(app) as anyone:
        await register(anyone)
        assert [(await login(anyone, password="wrong one")).status_code for _ in range(6)] == [401] * 5 + [429]


async def test_a_session_goes_on_with_new_tokens(anyone: httpx.AsyncClient, clock: Any) -> None:
    await register(anyone)
    first = (await login(anyone)).json()
    clock.advance(minutes=11)
    assert (await ask_me(anyone, first["access_token"])).status_code == 401

    answer = await anyone.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})

    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != first["refresh_token"]
    assert (await ask_me(anyone, answer.json()["access_token"])).status_code == 200


async def test_a_refresh_token_that_is_used_twice_ends_its_session_and_no_other(anyone: httpx.AsyncClient) -> None:
    await register(anyone)
    other = (await login(anyone)).json()
    stolen = (await login(anyone)).json()["refresh_token"]
    await anyone.post("/auth/refresh", json={"refresh_token": other["refresh_token"]})
    anyone.cookies.clear()
    newer = (await anyone.post("/auth/refresh", json={"refresh_token": stolen})).json()
    anyone.cookies.clear()
    assert (await ask_me(anyone, newer["access_token"])).status_code == 200

    assert (await anyone.post("/auth/refresh", json={"refresh_token": stolen})).status_code == 401

    assert (await anyone.post("/auth/refresh", json={"refresh_token": newer["refresh_token"]})).status_code == 401
    assert (await ask_me(anyone, newer["access_token"])).status_code == 401
    assert (await ask_me(anyone, other["access_token"])).status_code == 200


async def test_of_many_exchanges_at_once_at_most_one_works(anyone: httpx.AsyncClient) -> None:
    await register(anyone)
    token = (await login(anyone)).json()["refresh_token"]

    answers = await asyncio.gather(*(anyone.post("/auth/refresh", json={"refresh_token": token}) for _ in range(8)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [401] * 7
    [winner] = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await ask_me(anyone, winner["access_token"])).status_code == 401  # reuse ended the session


async def test_a_session_that_nobody_uses_ends(anyone: httpx.AsyncClient, clock: Any) -> None:
    await register(anyone)
    token = (await login(anyone)).json()["refresh_token"]
    clock.advance(days=30)

    assert (await anyone.post("/auth/refresh", json={"refresh_token": token})).status_code == 401


async def test_signing_out_ends_the_session(anyone: httpx.AsyncClient) -> None:
    await register(anyone)
    tokens = (await login(anyone)).json()

    assert (await anyone.post("/auth/logout", json={"refresh_token": tokens["refresh_token"]})).status_code == 204

    assert (await ask_me(anyone, tokens["access_token"])).status_code == 401
    assert (await anyone.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})).status_code == 401
    assert (await anyone.post("/auth/logout", json={"refresh_token": "fft_nonsense"})).status_code == 401
    assert (await anyone.post("/auth/logout")).status_code == 400


async def test_a_browser_may_leave_the_refresh_token_to_its_cookie(app: FastAPI) -> None:
    async with client_of(app) as browser:
        await register(browser)
        answer = await browser.post("/auth/login", json=ANN)
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/auth" in cookie
        assert "Secure" not in cookie
        first = answer.json()["refresh_token"]
        again = await browser.post("/auth/refresh", json={})
        assert (again.status_code, again.json()["refresh_token"] != first) == (200, True)
        assert (await browser.post("/auth/logout", json={})).status_code == 204
        assert (await browser.post("/auth/refresh", json={})).status_code == 400  # the cookie is gone

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://auth") as browser:
        assert "Secure" in (await browser.post("/auth/login", json=ANN)).headers["set-cookie"]
    async with client_of(app, headers={"x-forwarded-proto": "https"}) as browser:
        assert "Secure" in (await browser.post("/auth/login", json=ANN)).headers["set-cookie"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_of_another_page_cannot_use_the_cookie(app: FastAPI, content_type: str) -> None:
    async with client_of(app) as browser:
        await register(browser)
        tokens = (await browser.post("/auth/login", json=ANN)).json()
        for path in ("/auth/refresh", "/auth/logout"):
            headers = {"content-type": content_type} if content_type else {}
            assert (await browser.post(path, headers=headers)).status_code == 400
        assert (await browser.get("/auth/me")).status_code == 401  # the cookie alone opens nothing
        assert (await ask_me(browser, tokens["access_token"])).status_code == 200


async def test_changing_the_password_ends_the_other_sessions(anyone: httpx.AsyncClient) -> None:
    await register(anyone)
    other, mine = (await login(anyone)).json(), (await login(anyone)).json()
    headers = {"authorization": f"Bearer {mine['access_token']}"}
    change = {"current_password": PASSWORD, "new_password": "another horse battery"}

    wrong = await anyone.post("/auth/password", json={**change, "current_password": "wrong"}, headers=headers)
    assert wrong.status_code == 403
    assert (await anyone.post("/auth/password", json=change, headers=headers)).status_code == 204

    assert (await ask_me(anyone, mine["access_token"])).status_code == 200
    assert (await ask_me(anyone, other["access_token"])).status_code == 401
    assert (await login(anyone)).status_code == 401
    assert (await login(anyone, password="another horse battery")).status_code == 200


async def test_guessing_the_current_password_is_limited(anyone: httpx.AsyncClient) -> None:
    await register(anyone)
    headers = {"authorization": f"Bearer {(await login(anyone)).json()['access_token']}"}
    change = {"current_password": "wrong", "new_password": "another horse battery"}
    answers = [await anyone.post("/auth/password", json=change, headers=headers) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 2


def segment(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


async def test_forged_tokens_are_refused_everywhere(
    app: FastAPI, anyone: httpx.AsyncClient, engine: Engine, clock: Any
) -> None:
    """By the Auth API, and by the services that verify offline with its public keys."""
    await register(anyone)
    good = (await login(anyone)).json()["access_token"]
    header, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    public = (await anyone.get("/.well-known/jwks.json")).json()["keys"][0]
    signer = Signer(engine, SECRET, clock)
    _, private = signer._current()
    mine = Ed25519PrivateKey.generate()
    raw = base64.urlsafe_b64decode(public["x"] + "==")
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def hs256(secret: bytes) -> str:
        signed = f"{segment({'alg': 'HS256', 'kid': kid, 'typ': 'at+jwt'})}.{body}"
        digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def with_claims(**changes: Any) -> str:
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(changed, private, algorithm="EdDSA", headers={"kid": kid, "typ": "at+jwt"})

    def with_header(key: Any, **changes: Any) -> str:
        return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid, "typ": "at+jwt", **changes})

    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(mine.public_key().public_bytes_raw()).decode()}
    now = int(clock().timestamp())
    forged = {
        "no algorithm": f"{segment({'alg': 'none', 'kid': kid, 'typ': 'at+jwt'})}.{body}.",
        "a misspelt algorithm": f"{segment({'alg': 'nOnE', 'kid': kid, 'typ': 'at+jwt'})}.{body}.{signature}",
        "a public key as an HMAC secret": hs256(raw),
        "a public PEM as an HMAC secret": hs256(pem),
        "the JWK as an HMAC secret": hs256(json.dumps(public).encode()),
        "another key": with_header(mine),
        "an unknown kid": with_header(mine, kid="nobody"),
        "a kid that is a path": with_header(mine, kid="../../../../dev/null"),
        "a kid that is SQL": with_header(mine, kid="' UNION SELECT 'x' --"),
        "a kid with NUL": with_header(mine, kid="\x00"),
        "its own key in the header": with_header(mine, jwk=jwk),
        "its own key at an address": with_header(mine, jku="http://evil/jwks.json"),
        "another type": with_header(private, typ="JWT"),
        "a critical extension": with_header(private, crit=["exp"]),
        "another body": f"{header}.{segment({**claims, 'sub': '2'})}.{signature}",
        "no signature": f"{header}.{body}.",
        "expired": with_claims(iat=now - 700, nbf=now - 700, exp=now - 100),
        "expired now": with_claims(iat=now - 600, nbf=now - 600, exp=now),
        "from the future": with_claims(iat=now + 60, nbf=now + 60, exp=now + 660),
        "not valid before later": with_claims(nbf=now + 60),
        "another issuer": with_claims(iss="somebody"),
        "another audience": with_claims(aud="somebody"),
        "several audiences without ours": with_claims(aud=["a", "b"]),
        "no issuer": with_claims(iss=None),
        "no audience": with_claims(aud=None),
        "no end": with_claims(exp=None),
        "no beginning": with_claims(nbf=None, iat=None),
        "no session": with_claims(sid=None),
        "no user": with_claims(sub="me"),
        "times as text": with_claims(exp=str(now + 600)),
        "half a second": with_claims(exp=now + 600.5),
        "an endless end": with_claims(exp=True),
        "a huge one": good + "A" * 100_000,
        "nothing": "..",
        "not ASCII": "ü.ü.ü",
    }
    directory = ProjectDirectory(
        "http://auth",
        derive_token(SECRET, "internal"),
        transport=httpx.ASGITransport(app),
        now=lambda: clock().timestamp(),
    )
    assert (await ask_me(anyone, good)).status_code == 200
    assert (await ask_me(anyone, with_claims())).status_code == 200
    assert await directory.verify(good) is not None
    for how, token in forged.items():
        answer = await anyone.get("/auth/me", headers={"authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401, how
        assert await directory.verify(token) is None, how
    foreign = with_claims(sub="2")  # one that we signed, for a session of somebody else
    assert (await ask_me(anyone, foreign)).status_code == 401
    for changes in ({"sub": str(10**30)}, {"sid": 10**15}, {"sid": -1}):
        assert (await ask_me(anyone, with_claims(**changes))).status_code == 401
    await directory.close()


async def test_signing_keys_rotate_without_ending_sessions(
    app: FastAPI, anyone: httpx.AsyncClient, operator: httpx.AsyncClient, clock: Any
) -> None:
    await register(anyone)
    old = (await login(anyone)).json()["access_token"]

    made = await operator.post("/signing-keys")

    assert made.status_code == 201
    new = (await login(anyone)).json()["access_token"]
    assert jwt.get_unverified_header(new)["kid"] == made.json()["kid"] != jwt.get_unverified_header(old)["kid"]
    for token in (old, new):
        assert (await ask_me(anyone, token)).status_code == 200
    assert len((await anyone.get("/.well-known/jwks.json")).json()["keys"]) == 2
    clock.advance(seconds=620)
    keys = (await anyone.get("/.well-known/jwks.json")).json()["keys"]
    assert [key["kid"] for key in keys] == [made.json()["kid"]]
    assert set(keys[0]) == {"kty", "crv", "alg", "use", "kid", "x"}


async def test_stolen_signing_keys_are_withdrawn_at_once(
    anyone: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await register(anyone)
    tokens = (await login(anyone)).json()

    await operator.post("/signing-keys", params={"withdraw": True})

    assert (await ask_me(anyone, tokens["access_token"])).status_code == 401
    again = await anyone.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (await ask_me(anyone, again.json()["access_token"])).status_code == 200


async def test_another_secret_key_makes_another_signing_key(engine: Engine, clock: Any) -> None:
    for secret in (SECRET, "another secret of at least thirty-two characters"):
        signer = Signer(engine, secret, clock)
        token = signer.sign(Access(1, 1))
        keys = read_key_set(json.dumps(signer.published()).encode())
        assert verify(token, keys, now=clock().timestamp()) == Access(1, 1)
    assert len(keys) == 2


def test_a_token_that_is_no_access_token_of_ours_is_not_signed_by_accident() -> None:
    private = Ed25519PrivateKey.generate()
    token = sign(Access(1, 2), private, "k", now=1_000.0, seconds=60)

    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": "k", "typ": "at+jwt"}
