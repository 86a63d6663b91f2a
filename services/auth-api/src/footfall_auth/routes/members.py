"""Members of a project and their roles."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from footfall_auth.deps import MAX_ID, PartsDep, Place, PlaceDep, PositionDep, SessionDep
from footfall_auth.documents import PROBLEM, MemberAnswer, NewMember, Page, RoleChange
from footfall_auth.models import Member, Project, User
from footfall_core.auth import Role
from footfall_core.errors import (
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    NotFound,
    Unauthorized,
    problem_responses,
)

router = APIRouter(
    prefix="/projects/{project_id}/members",
    tags=["members"],
    responses={**problem_responses(BadRequest, Unauthorized, Forbidden, NotFound), **PROBLEM},
)


@router.get("", summary="The members of a project, oldest users first.")
def list_members(place: PlaceDep, session: SessionDep, position: PositionDep) -> Page[MemberAnswer]:
    project = place.require("see the project, its members and its keys")
    rows = session.execute(
        select(Member, User)
        .join(User, User.id == Member.user_id)
        .where(Member.project_id == project.id, User.id > position.after)
        .order_by(User.id)
        .limit(position.limit + 1)
    ).all()
    page = rows[: position.limit]
    return Page(
        results=[_answer(member, user) for member, user in page],
        next_cursor=str(page[-1][1].id) if len(rows) > position.limit else None,
    )


@router.post("", status_code=201, summary="Make a user a member.", responses=problem_responses(Conflict))
def add_member(wanted: NewMember, place: PlaceDep, session: SessionDep, parts: PartsDep) -> MemberAnswer:
    _require_for(place, wanted.role)
    email = wanted.email.replace("\x00", "")
    user = session.scalars(select(User).where(User.email == email, User.disabled_at.is_(None))).one_or_none()
    if user is None:
        message = "no user has this address; an admin can make one"
        raise BadRequest(f"body.email: {message}", errors=[FieldError(loc=["body", "email"], msg=message)])
    _lock(session, place.project)
    if session.get(Member, (place.project.id, user.id)) is not None:
        raise Conflict(f"{user.email} is a member already")
    member = Member(project_id=place.project.id, user_id=user.id, role=wanted.role, created_at=parts.clock())
    session.add(member)
    session.commit()
    return _answer(member, user)


@router.patch("/{user_id}", summary="Give a member another role.", responses=problem_responses(Conflict))
def change_member(user_id: int, change: RoleChange, place: PlaceDep, session: SessionDep) -> MemberAnswer:
    _require_for(place, change.role)
    _lock(session, place.project)
    member, user = _find(session, place, user_id)
    _require_for(place, member.role)
    was_owner = member.role == "owner"
    member.role = change.role
    if was_owner:
        _keep_an_owner(session, place)
    session.commit()
    return _answer(member, user)


@router.delete(
    "/{user_id}",
    status_code=204,
    summary="Remove a member, or leave. Services forget it within 30 seconds.",
    responses=problem_responses(Conflict),
)
def remove_member(user_id: int, place: PlaceDep, session: SessionDep) -> None:
    place.require("leave the project")
    if user_id != place.user_id:
        place.require("add, change and remove members up to admin")
    _lock(session, place.project)
    member, _ = _find(session, place, user_id)
    if user_id != place.user_id:
        _require_for(place, member.role)
    session.delete(member)
    if member.role == "owner":
        _keep_an_owner(session, place)
    session.commit()


def _require_for(place: Place, role: Role) -> None:
    place.require("make and change owners" if role == "owner" else "add, change and remove members up to admin")


def _lock(session: Session, project: Project) -> None:
    """Until this transaction ends, no other one changes members of the project. A write that changes nothing,
    because that makes both databases wait."""
    session.execute(update(Project).where(Project.id == project.id).values(name=Project.name))


def _find(session: Session, place: Place, user_id: int) -> tuple[Member, User]:
    member = session.get(Member, (place.project.id, user_id)) if 0 < user_id <= MAX_ID else None
    user = session.get(User, user_id) if member is not None else None
    if member is None or user is None:
        raise NotFound(f"Project {place.project.id} has no member {user_id}")
    return member, user


def _keep_an_owner(session: Session, place: Place) -> None:
    session.flush()
    owners = select(func.count()).where(Member.project_id == place.project.id, Member.role == "owner")
    if session.scalar(owners) == 0:
        raise Conflict("A project keeps at least one owner. Make somebody else owner first")


def _answer(member: Member, user: User) -> MemberAnswer:
    return MemberAnswer(
        user_id=user.id, email=user.email, name=user.name, role=member.role, created_at=member.created_at
    )
