"""Projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from footfall_auth.deps import CallerDep, PartsDep, Place, PlaceDep, PositionDep, SessionDep
from footfall_auth.documents import (
    PROBLEM,
    NewProject,
    Page,
    ProjectAnswer,
    ProjectChange,
    ProjectConfirmation,
)
from footfall_auth.models import Key, Member, Project, User
from footfall_auth.routes.keys import add_key
from footfall_core.auth import Role
from footfall_core.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized, problem_responses

router = APIRouter(
    prefix="/projects",
    tags=["projects"],
    responses={**problem_responses(BadRequest, Unauthorized), **PROBLEM},
)


@router.get("", summary="Your projects, oldest first; for the operator, every one.")
def list_projects(caller: CallerDep, session: SessionDep, position: PositionDep) -> Page[ProjectAnswer]:
    wanted = select(Project).where(Project.deleted_at.is_(None), Project.id > position.after)
    if caller.user is not None:
        wanted = wanted.join(Member, Member.project_id == Project.id).where(Member.user_id == caller.user.id)
    projects = list(session.scalars(wanted.order_by(Project.id).limit(position.limit + 1)))
    page = projects[: position.limit]
    ids = [project.id for project in page]
    keys, roles = _write_keys(session, ids), _roles(session, ids, caller.user)
    more = len(projects) > position.limit
    return Page(
        results=[_answer(project, keys.get(project.id), roles.get(project.id)) for project in page],
        next_cursor=str(page[-1].id) if more else None,
    )


@router.post("", status_code=201, summary="A new project of your own, with its first write key.")
def create_project(wanted: NewProject, caller: CallerDep, session: SessionDep, parts: PartsDep) -> ProjectAnswer:
    """One that the operator makes belongs to the admins of the platform, so that they find it when they sign in."""
    now = parts.clock()
    project = Project(name=wanted.name, timezone=wanted.timezone, week_start=wanted.week_start, created_at=now)
    session.add(project)
    session.flush()
    _, write_key = add_key(session, project, "write", "first write key", now)
    admins = session.scalars(select(User.id).where(User.is_admin, User.disabled_at.is_(None)))
    for user_id in [caller.user.id] if caller.user else admins.all():
        session.add(Member(project_id=project.id, user_id=user_id, role="owner", created_at=now))
    session.commit()
    return _answer(project, write_key, "owner" if caller.user else None)


@router.get("/{project_id}", summary="One project.", responses=problem_responses(NotFound))
def get_project(place: PlaceDep, session: SessionDep) -> ProjectAnswer:
    project = place.require("see the project, its members and its keys")
    return _answer_place(session, project, place)


@router.patch("/{project_id}", summary="Change some fields.", responses=problem_responses(NotFound, Forbidden))
def change_project(change: ProjectChange, place: PlaceDep, session: SessionDep) -> ProjectAnswer:
    project = place.require("change the project's name, time zone and week")
    for field, value in change.model_dump(exclude_none=True).items():
        setattr(project, field, value)
    session.commit()
    return _answer_place(session, project, place)


@router.delete(
    "/{project_id}",
    status_code=204,
    summary="Delete a project; its name says that you mean it.",
    responses=problem_responses(NotFound, Forbidden, Conflict),
)
def delete_project(
    place: PlaceDep,
    session: SessionDep,
    parts: PartsDep,
    name: Annotated[str | None, Query(description="The project's name, unless the body has it.")] = None,
    confirmation: ProjectConfirmation | None = None,
) -> None:
    """Its keys stop working, nobody can ask for its events any more, and the Consumer removes them."""
    project = place.require("delete the project")
    given = confirmation.name if confirmation else name
    if given is None or given.strip() != project.name:
        raise Conflict('Repeat the project\'s name exactly, as ?name=… or {"name": …}, to delete it')
    now = parts.clock()
    project.deleted_at = now
    session.execute(update(Key).where(Key.project_id == project.id, Key.revoked_at.is_(None)).values(revoked_at=now))
    session.commit()


def _roles(session: Session, project_ids: list[int], user: User | None) -> dict[int, Role]:
    """The roles of a user in projects; none for the operator."""
    if user is None:
        return {}
    members = session.scalars(select(Member).where(Member.project_id.in_(project_ids), Member.user_id == user.id))
    return {member.project_id: member.role for member in members}


def _write_keys(session: Session, project_ids: list[int]) -> dict[int, str]:
    """The oldest live write key of each project that has one."""
    oldest = (
        select(func.min(Key.id))
        .where(Key.project_id.in_(project_ids), Key.type == "write", Key.revoked_at.is_(None))
        .group_by(Key.project_id)
    )
    return {key.project_id: key.hint for key in session.scalars(select(Key).where(Key.id.in_(oldest)))}


def _answer_place(session: Session, project: Project, place: Place) -> ProjectAnswer:
    write_key = _write_keys(session, [project.id]).get(project.id)
    return _answer(project, write_key, place.role if place.user_id is not None else None)


def _answer(project: Project, write_key: str | None, role: Role | None) -> ProjectAnswer:
    return ProjectAnswer(
        id=project.id,
        name=project.name,
        timezone=project.timezone,
        week_start=project.week_start,
        write_key=write_key,
        role=role,
        created_at=project.created_at,
    )
