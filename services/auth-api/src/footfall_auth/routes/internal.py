"""What the other services ask, through `footfall_core.auth.ProjectDirectory`. Not part of the public API."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog
from fastapi import APIRouter, Depends
from sqlalchemy import or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from footfall_auth.deps import MAX_ID, Parts, PartsDep, SessionDep, find_project, require_internal
from footfall_auth.documents import (
    DeletedProjects,
    KeyQuestion,
    ResolvedKeyAnswer,
    ResolvedMembership,
    ResolvedProject,
)
from footfall_auth.models import Key, Member, Project, SignIn, User
from footfall_core.auth import hash_key, is_key
from footfall_core.errors import NotFound

logger = structlog.get_logger(__name__)

USE_RECORDED_EVERY: Final = timedelta(minutes=1)
"""`last_used_at` is exact to this, so that asking about keys hardly ever writes."""

router = APIRouter(prefix="/internal", include_in_schema=False, dependencies=[Depends(require_internal)])


@router.post("/keys/resolve")
def resolve_key(question: KeyQuestion, session: SessionDep, parts: PartsDep) -> ResolvedKeyAnswer:
    """The project of a live key. 404 when there is no such key, or no longer."""
    found = _find(session, question.key) if is_key(question.key) else None
    parts.resolved.labels("found" if found else "unknown").inc()
    if found is None:
        raise NotFound("No such key")
    key, project = found
    answer = ResolvedKeyAnswer(
        project_id=project.id, timezone=project.timezone, week_start=project.week_start, type=key.type
    )
    _record_use(session, key, parts)
    return answer


@router.get("/projects/deleted")
def list_deleted_projects(session: SessionDep) -> DeletedProjects:
    """The projects whose events are to be removed, which the Consumer asks: it alone writes there."""
    deleted = select(Project.id).where(Project.deleted_at.is_not(None)).order_by(Project.id)
    return DeletedProjects(project_ids=list(session.scalars(deleted)))


@router.get("/projects/{project_id}/sessions/{session_id}")
def resolve_membership(project_id: int, session_id: int, session: SessionDep) -> ResolvedMembership:
    """What the user of a session is in a project. 404 when they are no member, or the session has ended."""
    project = find_project(session, project_id)
    role = session.scalar(
        select(Member.role)
        .join(SignIn, SignIn.user_id == Member.user_id)
        .join(User, User.id == Member.user_id)
        .where(
            Member.project_id == project.id,
            SignIn.id == (session_id if 0 < session_id <= MAX_ID else 0),
            SignIn.revoked_at.is_(None),
            User.disabled_at.is_(None),
        )
    )
    if role is None:
        raise NotFound("No such member")
    return ResolvedMembership(
        project_id=project.id, timezone=project.timezone, week_start=project.week_start, role=role
    )


@router.get("/projects/{project_id}")
def resolve_project(project_id: int, session: SessionDep) -> ResolvedProject:
    project = find_project(session, project_id)
    return ResolvedProject(project_id=project.id, timezone=project.timezone, week_start=project.week_start)


def _find(session: Session, key: str) -> tuple[Key, Project] | None:
    row = session.execute(
        select(Key, Project)
        .join(Project, Project.id == Key.project_id)
        .where(Key.key_hash == hash_key(key), Key.revoked_at.is_(None), Project.deleted_at.is_(None))
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _record_use(session: Session, key: Key, parts: Parts) -> None:
    """Note that the key is in use. Failing to is no reason to refuse it: events must come in meanwhile."""
    now = parts.clock()
    if key.last_used_at is not None and now - key.last_used_at < USE_RECORDED_EVERY:
        return
    try:
        session.execute(
            update(Key)
            .where(
                Key.id == key.id,
                or_(Key.last_used_at.is_(None), Key.last_used_at <= now - USE_RECORDED_EVERY),
            )
            .values(last_used_at=now)
        )
        session.commit()
    except DBAPIError as error:
        session.rollback()
        logger.warning("the use of a key was not recorded", key_id=key.id, error=str(error))
