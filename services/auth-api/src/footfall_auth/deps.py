"""What routes take as parameters. Authorisation is a parameter type: a route that names it has it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Counter
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from footfall_auth.attempts import Attempts
from footfall_auth.models import Member, Project, SignIn, User
from footfall_auth.passwords import Passwords
from footfall_auth.permissions import PERMISSIONS, Action, allowed
from footfall_auth.signing import Signer
from footfall_core.addresses import ClientAddress
from footfall_core.auth import Role
from footfall_core.errors import BadRequest, Forbidden, NotFound, Unauthorized
from footfall_core.tokens import BadToken

MAX_ID: Final = 2**31 - 1
"""The largest id that both databases and ClickHouse's column can hold."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of. `clock` tells the time in UTC."""

    engine: Engine
    operator_token: str
    internal_token: str
    clock: Callable[[], datetime]
    resolved: Counter
    signed_in: Counter
    passwords: Passwords
    signer: Signer
    attempts: Attempts
    client_address: ClientAddress
    allow_registration: bool


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


def _open_session(parts: PartsDep) -> Iterator[Session]:
    """A session for one request; what is not committed when the request ends is rolled back."""
    with Session(parts.engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[Session, Depends(_open_session)]


def _client(request: Request, parts: PartsDep) -> str:
    peer = request.client.host if request.client else ""
    return parts.client_address(peer, ",".join(request.headers.getlist("x-forwarded-for")))


ClientDep = Annotated[str, Depends(_client)]
"""The address of the client; empty when it has none."""

_caller_bearer = HTTPBearer(
    auto_error=False, scheme_name="caller", description="An access token, or the operator token."
)
_user_bearer = HTTPBearer(auto_error=False, scheme_name="user", description="An access token.")
_internal_bearer = HTTPBearer(auto_error=False, scheme_name="internal")

Given = HTTPAuthorizationCredentials | None


def _same(given: Given, token: str) -> bool:
    if given is None:
        return False
    return hmac.compare_digest(given.credentials.encode("utf-8", "replace"), token.encode())


def require_internal(parts: PartsDep, given: Annotated[Given, Depends(_internal_bearer)]) -> None:
    """Raises `Unauthorized` unless the caller is one of our services."""
    if not _same(given, parts.internal_token):
        raise Unauthorized("Only Footfall's own services may ask this")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a valid access token, and the session that it is from."""

    user: User
    session_id: int


def _signed_in(parts: PartsDep, session: SessionDep, given: Annotated[Given, Depends(_user_bearer)]) -> SignedIn:
    """Raises `Unauthorized` without a valid access token, or when its session has ended since."""
    if given is None:
        raise Unauthorized("Sign in, and send the access token as Authorization: Bearer …")
    try:
        access = parts.signer.verify(session, given.credentials)
    except BadToken:
        raise Unauthorized("This access token is not valid, or not any more") from None
    if not (0 < access.user_id <= MAX_ID and 0 < access.session_id <= MAX_ID):
        raise Unauthorized("This access token is not valid, or not any more")
    user = session.scalars(
        select(User)
        .join(SignIn, SignIn.user_id == User.id)
        .where(
            User.id == access.user_id,
            User.disabled_at.is_(None),
            SignIn.id == access.session_id,
            SignIn.revoked_at.is_(None),
        )
    ).one_or_none()
    if user is None:
        raise Unauthorized("This session has ended. Sign in again")
    return SignedIn(user, access.session_id)


SignedInDep = Annotated[SignedIn, Depends(_signed_in)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `user` is None for the operator, who may do everything."""

    user: User | None

    def role_in(self, session: Session, project_id: int) -> Role | None:
        """Their role in a project; None when they are no member."""
        if self.user is None:
            return "owner"
        member = session.get(Member, (project_id, self.user.id))
        return None if member is None else member.role


def _caller(parts: PartsDep, session: SessionDep, given: Annotated[Given, Depends(_caller_bearer)]) -> Caller:
    if _same(given, parts.operator_token):
        return Caller(None)
    if given is not None and given.credentials.count(".") != 2:
        raise Unauthorized("This is neither the operator token nor an access token")
    return Caller(_signed_in(parts, session, given).user)


CallerDep = Annotated[Caller, Depends(_caller)]
"""Somebody who is signed in, or the operator."""


def _admin(caller: CallerDep) -> Caller:
    if caller.user is not None and not caller.user.is_admin:
        raise Forbidden("Only admins of the platform may do this")
    return caller


AdminDep = Annotated[Caller, Depends(_admin)]
"""Somebody who may administer users."""


@dataclass(frozen=True, slots=True)
class Place:
    """A project of the path, and what the caller is there. `user_id` is None for the operator."""

    project: Project
    role: Role
    user_id: int | None

    def require(self, action: Action) -> Project:
        """The project, if the caller's role there allows it. Raises `Forbidden`."""
        if not allowed(self.role, action):
            raise Forbidden(f"Your role in this project is {self.role}; this takes {PERMISSIONS[action]}")
        return self.project


def _place(project_id: int, session: SessionDep, caller: CallerDep) -> Place:
    project = find_project(session, project_id)
    role = caller.role_in(session, project.id)
    if role is None:
        raise NotFound(f"There is no project {project_id}")
    return Place(project, role, caller.user.id if caller.user else None)


PlaceDep = Annotated[Place, Depends(_place)]
"""The project of the path. 404 when there is none that the caller may know of."""


def find_project(session: Session, project_id: int) -> Project:
    """The project with this id. Raises `NotFound`, also for a deleted one."""
    project = session.get(Project, project_id) if 0 < project_id <= MAX_ID else None
    if project is None or project.deleted_at is not None:
        raise NotFound(f"There is no project {project_id}")
    return project


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of a list begins: after the id `after`, at most `limit` items."""

    after: int
    limit: int


def _position(
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Position:
    if cursor is None:
        return Position(0, limit)
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 10 and int(cursor) <= MAX_ID):
        message = "must be the next_cursor of an earlier answer"
        raise BadRequest(f"query.cursor: {message}", errors=[{"loc": ["query", "cursor"], "msg": message}])
    return Position(int(cursor), limit)


PositionDep = Annotated[Position, Depends(_position)]
