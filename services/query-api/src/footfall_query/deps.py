"""What routes take as parameters. Authorisation is a parameter type: a route that names it has it."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from footfall_core.auth import Access, ProjectDirectory, ProjectInfo, Role, is_key
from footfall_core.errors import BadRequest, FieldError, Forbidden, NotFound, Unauthorized
from footfall_core.tokens import reaches
from footfall_query.answers import Answers
from footfall_query.dashboards.store import DashboardStore
from footfall_query.documents import Answer
from footfall_query.formats import FormatDep, respond
from footfall_query.jobs.store import JobStore
from footfall_query.jobs.worker import Worker
from footfall_query.runner import Asked, Insight, Runner
from footfall_query.stream.tail import Tails

T = TypeVar("T")
Q = TypeVar("Q", bound=Asked)
A = TypeVar("A", bound=Answer)

CLIENT_GONE: Final = 499
"""Goes nowhere but into logs."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of."""

    answers: Answers
    runner: Runner
    jobs: JobStore
    worker: Worker
    dashboards: DashboardStore
    tails: Tails
    draining: Callable[[], bool]
    clock: Callable[[], datetime]
    directory: ProjectDirectory
    operator_token: str


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]

_bearer = HTTPBearer(
    auto_error=False, scheme_name="reader", description="An access token, a read key, or the operator token."
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: a read key, which is a viewer of the project `own`; somebody with an access token, `access`; or,
    with neither, the operator, who owns all."""

    directory: ProjectDirectory
    own: ProjectInfo | None
    access: Access | None = None

    @property
    def user_id(self) -> int | None:
        """The user who signed in; None for read keys and the operator."""
        return None if self.access is None else self.access.user_id

    async def project(self, project_id: int | None, least: Role = "viewer") -> ProjectInfo:
        """The project to ask about. Raises `NotFound` for one that is not this reader's, and `Forbidden` when their
        role in it is below `least`."""
        project, role = await self._find(project_id)
        if not reaches(role, least):
            who = "A read key can only read" if self.own is not None else f"Your role in this project is {role}"
            raise Forbidden(f"{who}; this takes {least}s of the project")
        return project

    async def reaches(self, project_id: int | None, least: Role) -> bool:
        """Whether their role in the project is at least this. Raises `NotFound` for one that is not this reader's."""
        return reaches((await self._find(project_id))[1], least)

    async def _find(self, project_id: int | None) -> tuple[ProjectInfo, Role]:
        if self.own is not None and project_id in (None, self.own.project_id):
            return self.own, "viewer"
        if project_id is None:
            message = "say which project"
            raise BadRequest(f"project_id: {message}", errors=[FieldError(loc=["project_id"], msg=message)])
        if self.access is not None:
            membership = await self.directory.membership(project_id, self.access)
            if membership is not None:
                return membership, membership.role
        elif self.own is None and (found := await self.directory.project(project_id)) is not None:
            return found, "owner"
        raise NotFound(f"There is no project {project_id}")


async def _reader(parts: PartsDep, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Reader:
    """Raises `Unauthorized` without a usable credential, and `Unavailable` when nobody can tell."""
    if given is None:
        raise Unauthorized("Send an access token or a read key as Authorization: Bearer …")
    token = given.credentials
    if hmac.compare_digest(token.encode("utf-8", "replace"), parts.operator_token.encode()):
        return Reader(parts.directory, None)
    if is_key(token, "write"):
        raise Unauthorized("This is a write key, which can only send events. Use a read key")
    if is_key(token):
        resolved = await parts.directory.resolve(token)
        if resolved is None or resolved.type != "read":
            raise Unauthorized("No such read key")
        return Reader(parts.directory, resolved)
    access = await parts.directory.verify(token)
    if access is None:
        raise Unauthorized("This is neither a read key nor a valid access token")
    return Reader(parts.directory, None, access)


ReaderDep = Annotated[Reader, Depends(_reader)]
"""The caller, who may read at least one project."""


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


async def attend(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client leaves: raises `ClientGone` then.

    The body was read before, so that the client leaves is all there is to hear.
    """

    async def leave() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(leave())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return await working
    finally:
        working.cancel()
        leaving.cancel()


class Asking:
    """One request that asks something."""

    def __init__(self, request: Request, parts: PartsDep, reader: ReaderDep, format: FormatDep) -> None:
        self._request = request
        self._answers = parts.answers
        self._reader = reader
        self._format = format

    async def answer(self, insight: Insight[Q, A], query: Q, *, debug: bool) -> Response:
        """The answer in the form that is asked for. A client that leaves cancels its question, down to ClickHouse."""
        try:
            project = await self._reader.project(query.project_id)
            debug = debug and await self._reader.reaches(query.project_id, "admin")
            body = await attend(self._request, self._answers.get(insight, query, project, debug=debug))
        except BadRequest as error:
            place = "query" if self._request.method == "GET" else "body"
            error.errors = [{**found, "loc": [place, *found["loc"]]} for found in error.errors]
            raise
        except ClientGone:
            return Response(status_code=CLIENT_GONE)
        return respond(insight, body, self._format)


AskingDep = Annotated[Asking, Depends(Asking)]
