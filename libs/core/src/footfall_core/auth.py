"""What services and operators know of each other: derived tokens, and keys resolved by the Auth API.

A key is a prefix that says what it is (`ffw_` write, `ffr_` read), 32 random characters, and a checksum of
6 characters, all base62: people and scanners recognise it, and a mistyped key is refused without a question.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import httpx
import jwt
import msgspec

from footfall_core.errors import Unavailable
from footfall_core.tokens import (
    ROLES,
    Access,
    BadToken,
    Membership,
    ProjectInfo,
    Role,
    read_key_id,
    read_key_set,
    verify,
)

__all__ = [
    "PREFIXES",
    "ROLES",
    "Access",
    "KeyType",
    "Membership",
    "ProjectDirectory",
    "ProjectInfo",
    "ResolvedKey",
    "Role",
    "derive_token",
    "hash_key",
    "is_key",
    "make_key",
]

KeyType = Literal["write", "read"]

PREFIXES: Final[dict[KeyType, str]] = {"write": "ffw_", "read": "ffr_"}
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH: Final = 32
_CHECKSUM_LENGTH: Final = 6


def make_key(type: KeyType) -> str:
    """A new random key."""
    body = PREFIXES[type] + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return body + _checksum(body)


def is_key(text: str, type: KeyType | None = None) -> bool:
    """Whether `text` has the form of a key (of `type`), checksum included."""
    prefixes = tuple(PREFIXES.values()) if type is None else (PREFIXES[type],)
    length = 4 + _RANDOM_LENGTH + _CHECKSUM_LENGTH
    if len(text) != length or not text.startswith(prefixes) or not text.isascii():
        return False
    return hmac.compare_digest(text[-_CHECKSUM_LENGTH:], _checksum(text[:-_CHECKSUM_LENGTH]))


def hash_key(key: str) -> str:
    """What is stored of a read key. A plain hash is enough: the key has 190 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, 62)
        digits += _ALPHABET[digit]
    return digits


def derive_token(secret_key: str, purpose: Literal["internal", "operator", "clickhouse", "signing-keys"]) -> str:
    """A secret of 64 hexadecimal digits that follows from the secret key.

    `internal` lets a service resolve keys, `operator` lets who runs the machine do everything, `clickhouse` is
    the password of the embedded ClickHouse, and `signing-keys` encrypts what the Auth API signs with.
    """
    return hmac.new(secret_key.encode(), f"footfall-{purpose}".encode(), hashlib.sha256).hexdigest()


class ResolvedKey(ProjectInfo, frozen=True):
    """A live key's project and what the key is for."""

    type: KeyType


K = TypeVar("K", bound=Hashable)
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[P]):
    at: float
    value: P | None


_Known: TypeAlias = OrderedDict[K, _Entry[P]]


class DeletedProjects(msgspec.Struct, frozen=True):
    """What the Auth API tells services that keep something of projects."""

    project_ids: list[int]


class ProjectDirectory:
    """Asks the Auth API about keys, projects and members, and remembers.

    An answer is trusted for `ttl` seconds, so that is how long a revoked key may go on working. When the Auth
    API is away, what is known stays known, for up to `stale_ttl` seconds; what is not known is `Unavailable`,
    never refused. Unknown keys are remembered for `negative_ttl` seconds. `clock` gives monotonic seconds for
    that, `now` Unix seconds for the validity of access tokens.
    """

    def __init__(
        self,
        auth_url: str,
        internal_token: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        ttl: float = 30.0,
        negative_ttl: float = 5.0,
        stale_ttl: float = 7 * 86_400.0,
        max_entries: int = 10_000,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=auth_url,
            headers={"authorization": f"Bearer {internal_token}"},
            transport=transport,
            timeout=5.0,
        )
        self._clock = clock
        self._now = now
        self._ttl = ttl
        self._negative_ttl = negative_ttl
        self._stale_ttl = stale_ttl
        self._max_entries = max_entries
        self._keys: _Known[str, ResolvedKey] = OrderedDict()
        self._projects: _Known[int, ProjectInfo] = OrderedDict()
        self._memberships: _Known[tuple[int, int], Membership] = OrderedDict()
        self._signing_keys: _Known[str, dict[str, jwt.PyJWK]] = OrderedDict()
        self._asking: dict[tuple[int, Hashable], asyncio.Task[Any]] = {}

    def recall(self, key: str) -> ResolvedKey | None:
        """The key's project when it is freshly known, without waiting. For hot paths."""
        known = self._keys.get(key)
        if known is None or known.at + self._ttl < self._clock():
            return None
        return known.value

    async def resolve(self, key: str) -> ResolvedKey | None:
        """The key's project, or None when no such key is live. Raises `Unavailable`."""
        if not is_key(key):
            return None
        return await self._look_up(
            self._keys,
            key,
            lambda: self._client.post("/internal/keys/resolve", json={"key": key}),
            msgspec.json.Decoder(ResolvedKey).decode,
        )

    async def project(self, project_id: int) -> ProjectInfo | None:
        """The project with this id, or None. Raises `Unavailable`."""
        return await self._look_up(
            self._projects,
            project_id,
            lambda: self._client.get(f"/internal/projects/{project_id}"),
            msgspec.json.Decoder(ProjectInfo).decode,
        )

    async def verify(self, token: str) -> Access | None:
        """What an access token says, None when it is not valid. Asks nobody about the token itself, and the Auth
        API at most every few seconds for the keys it may be signed with. Raises `Unavailable` when a key that is
        not known cannot be asked for."""
        try:
            key_id = read_key_id(token)
            keys = await self.signing_keys()
            if key_id not in keys:  # one may have been added since
                keys = await self.signing_keys(newer_than=self._negative_ttl)
            return verify(token, keys, now=self._now())
        except BadToken:
            return None

    async def signing_keys(self, newer_than: float | None = None) -> dict[str, jwt.PyJWK]:
        """The keys that access tokens are signed with, by `kid`, asked for at most `newer_than` seconds ago; by
        default as all other answers. Raises `Unavailable`."""
        keys = await self._look_up(
            self._signing_keys,
            "jwks",
            lambda: self._client.get("/.well-known/jwks.json"),
            read_key_set,
            newer_than=newer_than,
        )
        return keys or {}

    async def membership(self, project_id: int, access: Access) -> Membership | None:
        """What a signed-in user is in a project: None when they are no member, or their session has ended.

        While the Auth API is away, what the token says is believed where nothing is known. Raises `Unavailable`
        when it says nothing either.
        """
        place = (project_id, access.session_id)
        known = self._memberships.get(place)
        try:
            return await self._look_up(
                self._memberships,
                place,
                lambda: self._client.get(f"/internal/projects/{project_id}/sessions/{access.session_id}"),
                msgspec.json.Decoder(Membership).decode,
            )
        except Unavailable:
            if known is not None and known.value is None:
                return None  # it was taken away, whatever the token says
            if (said := access.membership(project_id)) is None:
                raise
            return said

    async def deleted(self) -> list[int]:
        """The ids of all projects that were ever deleted. Raises `Unavailable`; never remembered."""
        try:
            answer = (await self._client.get("/internal/projects/deleted")).raise_for_status()
            return msgspec.json.decode(answer.content, type=DeletedProjects).project_ids
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise Unavailable(f"the Auth API does not say which projects are deleted: {error!r}") from error

    async def check(self) -> None:
        """Raise `Unavailable` unless the Auth API answers."""
        try:
            answer = await self._client.get("/livez")
        except httpx.HTTPError as error:
            raise Unavailable(f"the Auth API does not answer: {error!r}") from error
        if answer.status_code != 200:
            raise Unavailable(f"the Auth API answers {answer.status_code}")

    async def close(self) -> None:
        await self._client.aclose()

    async def _look_up(
        self,
        known: _Known[K, P],
        name: K,
        ask: Callable[[], Awaitable[httpx.Response]],
        decode: Callable[[bytes], P],
        newer_than: float | None = None,
    ) -> P | None:
        """With `newer_than` seconds, an older answer is never given, also when there is no newer one."""
        entry = known.get(name)
        now = self._clock()
        if entry is not None:
            age = now - entry.at
            trusted = newer_than if newer_than is not None else self._ttl
            if age <= (trusted if entry.value is not None else self._negative_ttl):
                return entry.value
            if age > self._stale_ttl or entry.value is None or newer_than is not None:
                entry = None
        try:
            value = await self._ask_once(known, name, ask, decode)
        except Unavailable:
            if entry is None:
                raise
            return entry.value
        return value

    async def _ask_once(
        self,
        known: _Known[K, P],
        name: K,
        ask: Callable[[], Awaitable[httpx.Response]],
        decode: Callable[[bytes], P],
    ) -> P | None:
        """Many requests with one key that just expired ask once."""
        task = self._asking.get((id(known), name))
        if task is None:
            task = asyncio.create_task(self._ask(known, name, ask, decode))
            self._asking[id(known), name] = task
            task.add_done_callback(lambda _: self._asking.pop((id(known), name), None))
        value: P | None = await asyncio.shield(task)
        return value

    async def _ask(
        self,
        known: _Known[K, P],
        name: K,
        ask: Callable[[], Awaitable[httpx.Response]],
        decode: Callable[[bytes], P],
    ) -> P | None:
        try:
            answer = await ask()
            if answer.status_code == 404:
                value = None
            elif answer.status_code == 200:
                value = decode(answer.content)
            else:
                raise Unavailable(f"the Auth API answers {answer.status_code}")
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise Unavailable(f"the Auth API does not answer: {error!r}") from error
        known[name] = _Entry(self._clock(), value)
        known.move_to_end(name)
        while len(known) > self._max_entries:
            known.popitem(last=False)
        return value
