"""Access tokens: JSON Web Tokens that the Auth API signs and every service verifies by itself.

The algorithm is fixed here and never read from a token, and keys come from the Auth API only: whatever else a
token's header names (`jwk`, `jku`, `x5c`) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast, get_args

import jwt
import msgspec

ALGORITHM: Final = "EdDSA"
CURVE: Final = "Ed25519"
ISSUER: Final = "footfall"
AUDIENCE: Final = "footfall"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  as RFC 9068 calls it
LEEWAY: Final = 10
"""Seconds that the clocks of two machines may be apart."""
MAX_TOKEN_LENGTH: Final = 32 * 1024

Role = Literal["viewer", "editor", "admin", "owner"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""What a member of a project may be, each with all that the ones before may do."""

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REQUIRED: Final = ["iss", "aud", "exp", "iat", "nbf", "sub", "sid"]


class BadToken(Exception):
    """Not a token of ours, or not valid now. Says why, for logs."""


class ProjectInfo(msgspec.Struct, frozen=True):
    """What a service knows of a project when a key or an id was resolved. `timezone` is an IANA name."""

    project_id: int
    timezone: str
    week_start: Literal["sunday", "monday"]


class Membership(ProjectInfo, frozen=True):
    """A project as one of its members has it."""

    role: Role


class Access(msgspec.Struct, frozen=True):
    """What an access token says: who signed in, in which session, and their memberships when it was signed.

    `memberships` may be incomplete, and out of date for as long as the token lives.
    """

    user_id: int
    session_id: int
    memberships: tuple[Membership, ...] = ()

    def membership(self, project_id: int) -> Membership | None:
        return next((each for each in self.memberships if each.project_id == project_id), None)


def reaches(role: Role, least: Role) -> bool:
    """Whether `role` may do all that `least` may."""
    return ROLES.index(role) >= ROLES.index(least)


def sign(access: Access, private_key: Any, key_id: str, *, now: float, seconds: int) -> str:
    """A token that is valid for `seconds`. `private_key` is an Ed25519 private key, `now` is Unix seconds."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(access.user_id),
        "sid": access.session_id,
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now) + seconds,
        "projects": msgspec.to_builtins(access.memberships),
    }
    return jwt.encode(claims, private_key, algorithm=ALGORITHM, headers={"kid": key_id, "typ": TOKEN_TYPE})


def read_key_id(token: str) -> str:
    """The `kid` that a token names. Raises `BadToken`; nothing about the token is verified."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise BadToken("not a token")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise BadToken(str(error)) from error
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise BadToken("no key of the Auth API has this id")
    if header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE:
        raise BadToken("not a token of the Auth API")
    return key_id


def verify(token: str, keys: Mapping[str, jwt.PyJWK], *, now: float) -> Access:
    """What a token says, when one of `keys` (by `kid`) signed it and it is valid at `now`, in Unix seconds.

    Raises `BadToken` otherwise.
    """
    key = keys.get(read_key_id(token))
    if key is None:
        raise BadToken("unknown key")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            # The times are compared below, with the clock that was given.
            options={"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise BadToken(str(error)) from error
    times = [claims[name] for name in ("iat", "nbf", "exp")]
    if not all(type(time) is int for time in times):
        raise BadToken("times must be whole seconds")
    begins, ends = max(times[:2]), times[2]
    if not begins - LEEWAY <= now < ends:
        raise BadToken("expired" if now >= ends else "not valid yet")
    if not (isinstance(claims["sub"], str) and claims["sub"].isascii() and claims["sub"].isdecimal()):
        raise BadToken("the subject is no user")
    document = {
        "user_id": int(claims["sub"]),
        "session_id": claims["sid"],
        "memberships": claims.get("projects", []),
    }
    try:
        return msgspec.convert(document, Access)
    except msgspec.ValidationError as error:
        raise BadToken(str(error)) from error


def read_key_set(document: bytes) -> dict[str, jwt.PyJWK]:
    """The keys of a JWKS document, by `kid`; those that are not for access tokens are left out.

    Raises `msgspec.MsgspecError` when it is no such document.
    """
    parsed = msgspec.json.decode(document, type=dict[str, list[dict[str, Any]]])
    ours = {"kty": "OKP", "crv": CURVE, "alg": ALGORITHM}
    return {
        cast(str, each["kid"]): jwt.PyJWK(each, ALGORITHM)
        for each in parsed.get("keys", [])
        if isinstance(each.get("kid"), str) and ours.items() <= each.items()
    }
