"""What tests ask questions of: the real application over a real engine, with a stand-in for the Auth API."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import time
import uuid
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from footfall_core.auth import Access, KeyType, Membership, ProjectDirectory, Role, derive_token, make_key
from footfall_core.clickhouse import AsyncClickHouse, ClickHouse
from footfall_core.database import open_database
from footfall_core.tokens import sign
from footfall_query.app import make_query_app

T = TypeVar("T")
SECRET = "a secret of more than 32 characters"
COLUMNS = "project_id uuid event distinct_id timestamp properties session_id received_at log_partition log_offset"
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
"""When questions are asked, unless a test says otherwise: a Wednesday."""


NEVER = -(2**63)
"""When a person's own id joined it."""


def instant(at: str) -> int:
    """Unix milliseconds of a time in UTC."""
    return int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000)


def event(
    name: str,
    person: str,
    at: str | datetime,
    /,
    *,
    session: str = "",
    id: str | None = None,
    properties: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A row for `Project.store`. `at` is UTC; properties come as keywords, or as a dict if they must."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return {
        "event": name,
        "distinct_id": person,
        "timestamp": moment.replace(tzinfo=None).isoformat(" ", "milliseconds"),
        "properties": {**(properties or {}), **more},
        "session_id": session,
        "uuid": id or str(uuid.uuid4()),
    }


@dataclass
class Project:
    """A project with its read key, empty until `store`."""

    platform: Platform
    id: int
    read_key: str
    write_key: str

    def store(self, *rows: dict[str, Any]) -> None:
        """Insert rows as the Consumer does."""
        self.platform.store([{"project_id": self.id, **row} for row in rows])

    def join(self, root: str, *ids: str, at: str = "2026-11-01") -> None:
        """Make these ids one person, as the Consumer does; `at` is when they joined the root."""
        rows = [
            {"distinct_id": id, "root_id": root, "joined_at": NEVER if id == root else instant(at), "version": 1}
            for id in (root, *ids)
        ]
        self.platform.write("person_ids", [{"project_id": self.id, **row} for row in rows])
        self.platform.clickhouse.command("SYSTEM RELOAD DICTIONARY analytics.person_of")

    def tell(self, id: str, *, at: str = "2026-11-01", **told: Any) -> None:
        """Say something about an id's person, as the Consumer does: `set`, `once` and `unset`."""
        time, rows = instant(at), []
        for name in {*told.get("set", {}), *told.get("once", {}), *told.get("unset", [])}:
            row = {"last_set": [NEVER, ""], "first_once": [-NEVER - 1, ""], "last_once": [NEVER, ""], "unset_at": NEVER}
            if name in told.get("set", {}):
                row["last_set"] = [time, json.dumps(told["set"][name])]
            if name in told.get("once", {}):
                row["first_once"] = row["last_once"] = [time, json.dumps(told["once"][name])]
            if name in told.get("unset", []):
                row["unset_at"] = time
            rows.append({"project_id": self.id, "name": name, "distinct_id": id, **row})
        self.platform.write("person_properties", rows)

    def ask(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """The answer to a query document, without what it cost."""
        answer = self.post(path, document)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        del body["meta"]
        return body

    def post(self, path: str, document: dict[str, Any], **more: Any) -> httpx.Response:
        return self.platform.call("POST", f"/api/{path}", self.read_key, json=document, **more)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.platform.call("GET", f"/api/{path}", self.read_key, params=parameters)


@dataclass
class Platform:
    """One application over one ClickHouse. `now` is what its clock shows."""

    clickhouse_url: str
    loop: asyncio.Runner
    clickhouse: ClickHouse
    database_url: str
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    projects: dict[int, dict[str, Any]] = field(default_factory=dict)
    now: datetime = NOW
    auth_is_away: bool = False
    deleted: list[int] = field(default_factory=list)
    roles: dict[tuple[int, int], Role] = field(default_factory=dict)
    signing_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    offsets: Iterator[int] = field(default_factory=itertools.count)
    app: FastAPI = field(init=False)
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.app = self.make_app(self.clickhouse_url)
        self.client = client_of(self.app)

    def make_app(self, clickhouse_url: str, **options: Any) -> FastAPI:
        """Another application that shares everything with this one but its options."""
        directory = ProjectDirectory(
            "http://auth", derive_token(SECRET, "internal"), transport=httpx.MockTransport(self.auth_api)
        )
        return make_query_app(
            AsyncClickHouse(clickhouse_url),
            directory,
            open_database(options.pop("database_url", self.database_url)),
            SECRET,
            registry=CollectorRegistry(),
            clock=lambda: self.now,
            **options,
        )

    def auth_api(self, request: httpx.Request) -> httpx.Response:
        """The Auth API's side of what services ask."""
        if self.auth_is_away:
            return httpx.Response(503)
        if request.headers["authorization"] != f"Bearer {derive_token(SECRET, 'internal')}":
            return httpx.Response(401)
        if request.url.path == "/internal/keys/resolve":
            found = self.keys.get(json.loads(request.content)["key"])
        elif request.url.path == "/livez":
            found = {}
        elif request.url.path == "/internal/projects/deleted":
            found = {"project_ids": self.deleted}
        elif request.url.path == "/.well-known/jwks.json":
            found = {"keys": [self.public_key]}
        elif "/sessions/" in request.url.path:
            project_id, session_id = map(int, re.findall(r"\d+", request.url.path))
            role = self.roles.get((project_id, session_id))
            found = {**self.projects[project_id], "role": role} if role else None
        else:
            found = self.projects.get(int(request.url.path.removeprefix("/internal/projects/")))
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    def project(self, timezone: str = "UTC", week_start: str = "sunday") -> Project:
        """A new project."""
        id = next(self.ids)
        self.projects[id] = {"project_id": id, "timezone": timezone, "week_start": week_start}
        return Project(self, id, self.key(id, "read"), self.key(id, "write"))

    @property
    def public_key(self) -> dict[str, str]:
        x = base64.urlsafe_b64encode(self.signing_key.public_key().public_bytes_raw()).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "tests", "x": x}

    def sign_in(self, *memberships: tuple[int, Role], user_id: int = 1, ago: float = 0, said: bool = False) -> str:
        """An access token of a new session, issued some seconds ago. `said`: it names the memberships itself."""
        session_id = next(self.ids)
        for project_id, role in memberships:
            self.roles[project_id, session_id] = role
        named = tuple(Membership(**self.projects[id], role=role) for id, role in memberships) if said else ()
        access = Access(user_id, session_id, named)
        return sign(access, self.signing_key, "tests", now=time.time() - ago, seconds=600)

    def key(self, project_id: int, type: KeyType) -> str:
        """A new key of a project."""
        key = make_key(type)
        self.keys[key] = {**self.projects[project_id], "type": type}
        return key

    def store(self, rows: Iterable[dict[str, Any]]) -> None:
        lines = [
            {"received_at": row["timestamp"], "log_partition": 0, "log_offset": next(self.offsets), **row}
            for row in rows
        ]
        body = "\n".join(json.dumps(line) for line in lines)
        self.clickhouse.insert("analytics.events", COLUMNS.split(), body.encode())
        names = {"project_id": "project_id", "distinct_id": "distinct_id", "timestamp": "at"}
        self.write("first_seen", [{name: line[of] for of, name in names.items()} for line in lines])

    def write(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Insert rows as they are."""
        body = "\n".join(json.dumps(row) for row in rows)
        self.clickhouse.insert(f"analytics.{table}", list(rows[0]), body.encode())

    def call(self, method: str, path: str, token: str | None, **more: Any) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
        return self.run(self.client.request(method, path, headers=headers, **more))

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.loop.run(wait())


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that talks to an application in this process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url="http://query", timeout=60
    )
