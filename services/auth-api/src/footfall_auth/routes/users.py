"""Users, as admins of the platform see them."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from footfall_auth.deps import MAX_ID, AdminDep, Parts, PartsDep, PositionDep, SessionDep
from footfall_auth.documents import (
    PROBLEM,
    NewUser,
    NewUserAnswer,
    Page,
    SigningKeyAnswer,
    UserAnswer,
    UserChange,
)
from footfall_auth.models import VERSION_TABLE, Member, Project, SignIn, User
from footfall_auth.passwords import make_password
from footfall_core.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized, problem_responses

router = APIRouter(tags=["users"], responses={**problem_responses(BadRequest, Unauthorized, Forbidden), **PROBLEM})


@router.get("/users", summary="Every user, oldest first. For admins.")
def list_users(_: AdminDep, session: SessionDep, position: PositionDep) -> Page[UserAnswer]:
    users = list(
        session.scalars(select(User).where(User.id > position.after).order_by(User.id).limit(position.limit + 1))
    )
    page = users[: position.limit]
    return Page(
        results=[answer_user(user) for user in page],
        next_cursor=str(page[-1].id) if len(users) > position.limit else None,
    )


@router.post("/users", status_code=201, summary="A new user. For admins.", responses=problem_responses(Conflict))
def create_user(
    wanted: NewUser, _: AdminDep, session: SessionDep, parts: PartsDep, response: Response
) -> NewUserAnswer:
    response.headers["cache-control"] = "no-store"
    made = make_password() if wanted.password is None else None
    lock_users(session)
    is_admin = wanted.is_admin or not there_are_users(session)
    user = add_user(session, parts, wanted.email, wanted.password or made or "", wanted.name, is_admin=is_admin)
    session.commit()
    return NewUserAnswer(**answer_user(user).model_dump(), password=made)


@router.get("/users/{user_id}", summary="One user. For admins.", responses=problem_responses(NotFound))
def get_user(user_id: int, _: AdminDep, session: SessionDep) -> UserAnswer:
    return answer_user(_find_user(session, user_id))


@router.patch(
    "/users/{user_id}",
    summary="Change, disable or enable a user, or set a new password. For admins.",
    responses=problem_responses(NotFound, Conflict),
)
def change_user(user_id: int, change: UserChange, _: AdminDep, session: SessionDep, parts: PartsDep) -> UserAnswer:
    lock_users(session)
    user, now = _find_user(session, user_id), parts.clock()
    if change.name is not None:
        user.name = change.name
    if change.is_admin is not None:
        user.is_admin = change.is_admin
    if change.disabled is not None:
        user.disabled_at = (user.disabled_at or now) if change.disabled else None
    if change.password is not None:
        user.password_hash = parts.passwords.hash(change.password)
    if change.password is not None or user.disabled_at is not None:
        end_sessions(session, user.id, now)
    session.flush()
    if session.scalar(select(func.count()).where(User.is_admin, User.disabled_at.is_(None))) == 0:
        raise Conflict("This is the last admin. Make somebody else admin first")
    session.commit()
    return answer_user(user)


@router.post(
    "/signing-keys",
    status_code=201,
    summary="Sign access tokens with a new key from now on. For admins.",
)
def rotate_signing_keys(_: AdminDep, parts: PartsDep, withdraw: bool = False) -> SigningKeyAnswer:
    """With `withdraw`, tokens signed with the old keys are refused within 30 seconds; without, until they expire."""
    key = parts.signer.rotate(withdraw=withdraw)
    return SigningKeyAnswer(kid=key.key_id, created_at=key.created_at)


def answer_user(user: User) -> UserAnswer:
    return UserAnswer(
        id=user.id,
        email=user.email,
        name=user.name,
        is_admin=user.is_admin,
        disabled=user.disabled_at is not None,
        created_at=user.created_at,
        signed_in_at=user.signed_in_at,
    )


def lock_users(session: Session) -> None:
    """Until this transaction ends, no other one gets beyond here: who is first, and who the last admin, must not
    change meanwhile. A write that changes nothing, because that makes both databases wait."""
    session.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = version_num"))


def there_are_users(session: Session) -> bool:
    return session.scalar(select(User.id).limit(1)) is not None


def add_user(session: Session, parts: Parts, email: str, password: str, name: str | None, *, is_admin: bool) -> User:
    """A new user in the session. The first one becomes owner of the projects that have no members.

    Raises `Conflict` when the address is taken, after the same work.
    """
    password_hash = parts.passwords.hash(password)
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        raise Conflict("There is a user with this address")
    now = parts.clock()
    user = User(
        email=email,
        name=name or email.partition("@")[0][:200],
        password_hash=password_hash,
        is_admin=is_admin,
        created_at=now,
    )
    is_first = not there_are_users(session)
    session.add(user)
    session.flush()
    if is_first:
        for project_id in session.scalars(select(Project.id).where(Project.deleted_at.is_(None))).all():
            session.add(Member(project_id=project_id, user_id=user.id, role="owner", created_at=now))
    return user


def end_sessions(session: Session, user_id: int, now: datetime, *, but: int = 0) -> None:
    """Revoke the sessions of a user, except one."""
    session.execute(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None), SignIn.id != but)
        .values(revoked_at=now)
    )


def _find_user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id) if 0 < user_id <= MAX_ID else None
    if user is None:
        raise NotFound(f"There is no user {user_id}")
    return user
