"""Registering, signing in and out, and the tokens of a session."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Cookie, Header, Request, Response
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from footfall_auth.deps import ClientDep, Parts, PartsDep, SessionDep, SignedInDep
from footfall_auth.documents import (
    PROBLEM,
    Credentials,
    KeySet,
    Me,
    OwnProject,
    PasswordChange,
    RefreshRequest,
    Registration,
    RegistrationState,
    Tokens,
    UserAnswer,
)
from footfall_auth.models import Member, Project, RefreshToken, SignIn, User
from footfall_auth.routes.users import add_user, answer_user, end_sessions, lock_users, there_are_users
from footfall_auth.signing import ACCESS_SECONDS
from footfall_core.auth import Access, Membership, hash_key
from footfall_core.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    TooManyRequests,
    Unauthorized,
    problem_responses,
)

logger = structlog.get_logger(__name__)

REFRESH_LIFE: Final = timedelta(days=30)
"""How long a session lasts without being used."""
MOST_MEMBERSHIPS: Final = 100
"""Memberships that an access token names, for services that cannot ask."""
REFRESH_PREFIX: Final = "fft_"
COOKIE: Final = "footfall_refresh"
COOKIE_PATH: Final = "/auth"

router = APIRouter(tags=["sessions"], responses={**problem_responses(BadRequest), **PROBLEM})


@router.post(
    "/auth/register",
    status_code=201,
    summary="A new user. The first one becomes admin; others only where registration is open.",
    responses=problem_responses(Forbidden, Conflict, TooManyRequests),
)
def register(
    wanted: Registration, session: SessionDep, parts: PartsDep, client: ClientDep, response: Response
) -> UserAnswer:
    response.headers["cache-control"] = "no-store"
    parts.attempts.register(client)
    lock_users(session)
    is_first = not there_are_users(session)
    if not is_first and not parts.allow_registration:
        raise Forbidden("Registration is closed. Ask an admin for an account")
    user = add_user(session, parts, wanted.email, wanted.password, wanted.name, is_admin=is_first)
    session.commit()
    return answer_user(user)


@router.get("/auth/registration", summary="Whether somebody can register now, and whether they would be the first.")
def registration(session: SessionDep, parts: PartsDep, response: Response) -> RegistrationState:
    response.headers["cache-control"] = "no-store"
    is_first = not there_are_users(session)
    return RegistrationState(is_open=is_first or parts.allow_registration, is_first=is_first)


@router.post(
    "/auth/login",
    summary="Sign in: an access token for ten minutes, and a refresh token for the next one.",
    responses=problem_responses(Unauthorized, TooManyRequests),
)
def login(
    given: Credentials, session: SessionDep, parts: PartsDep, client: ClientDep, request: Request, response: Response
) -> Tokens:
    parts.attempts.sign_in(given.email, client)
    user = session.scalars(
        select(User).where(User.email == given.email.replace("\x00", ""), User.disabled_at.is_(None))
    ).one_or_none()
    if not parts.passwords.verify(given.password, user.password_hash if user else None) or user is None:
        parts.signed_in.labels("refused").inc()
        raise Unauthorized("The address or the password is wrong")
    parts.attempts.right(given.email, client)
    parts.signed_in.labels("signed_in").inc()
    now = parts.clock()
    user.signed_in_at = now
    if parts.passwords.is_outdated(user.password_hash):
        user.password_hash = parts.passwords.hash(given.password)
    session.execute(delete(RefreshToken).where(RefreshToken.expires_at < now))
    begun = SignIn(user_id=user.id, created_at=now)
    session.add(begun)
    session.flush()
    return _go_on(session, parts, begun, request, response)


@router.post(
    "/auth/refresh",
    summary="Exchange a refresh token for new tokens. One that was exchanged before ends the session.",
    responses=problem_responses(Unauthorized),
)
def refresh(
    session: SessionDep,
    parts: PartsDep,
    request: Request,
    response: Response,
    given: RefreshRequest | None = None,
    cookie: Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)] = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> Tokens:
    token, begun = _find_session(session, _given_token(given, cookie, content_type))
    now = parts.clock()
    user = session.get(User, begun.user_id)
    if begun.revoked_at is not None or token.expires_at <= now or user is None or user.disabled_at is not None:
        raise Unauthorized("This session has ended. Sign in again")
    # One of two exchanges at the same time finds the token used: whoever has it twice may have stolen it.
    used = session.execute(
        update(RefreshToken)
        .where(RefreshToken.id == token.id, RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(RefreshToken.id)
    ).one_or_none()
    if used is None:
        begun.revoked_at = now
        session.commit()
        logger.warning("a refresh token was used twice; its session has been ended", user_id=begun.user_id)
        raise Unauthorized("This session has ended. Sign in again")
    return _go_on(session, parts, begun, request, response)


@router.post(
    "/auth/logout",
    status_code=204,
    summary="End the session of a refresh token. Its access tokens are refused within 30 seconds.",
    responses=problem_responses(Unauthorized),
)
def logout(
    session: SessionDep,
    parts: PartsDep,
    response: Response,
    given: RefreshRequest | None = None,
    cookie: Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)] = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> None:
    _, begun = _find_session(session, _given_token(given, cookie, content_type))
    begun.revoked_at = begun.revoked_at or parts.clock()
    session.commit()
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")


@router.get("/auth/me", summary="Who is signed in, with their projects.", responses=problem_responses(Unauthorized))
def me(signed_in: SignedInDep, session: SessionDep) -> Me:
    projects = [
        OwnProject(
            id=project.id,
            name=project.name,
            timezone=project.timezone,
            week_start=project.week_start,
            role=member.role,
        )
        for project, member in session.execute(
            select(Project, Member)
            .join(Member, Member.project_id == Project.id)
            .where(Member.user_id == signed_in.user.id, Project.deleted_at.is_(None))
            .order_by(Project.id)
        )
    ]
    return Me(**answer_user(signed_in.user).model_dump(), projects=projects)


@router.post(
    "/auth/password",
    status_code=204,
    summary="Change one's own password. Ends all other sessions.",
    responses=problem_responses(Unauthorized, Forbidden, TooManyRequests),
)
def change_password(
    change: PasswordChange, signed_in: SignedInDep, session: SessionDep, parts: PartsDep, client: ClientDep
) -> None:
    user = signed_in.user
    parts.attempts.password(user.email, client)
    if not parts.passwords.verify(change.current_password, user.password_hash):
        raise Forbidden("The current password is wrong")
    parts.attempts.right(user.email, client)
    user.password_hash = parts.passwords.hash(change.new_password)
    end_sessions(session, user.id, parts.clock(), but=signed_in.session_id)
    session.commit()


@router.get(
    "/.well-known/jwks.json",
    summary="The public keys that access tokens are signed with.",
    response_model=KeySet,
)
def key_set(parts: PartsDep, response: Response) -> dict[str, object]:
    response.headers["cache-control"] = "max-age=30"
    return parts.signer.published()


def _given_token(given: RefreshRequest | None, cookie: str | None, content_type: str) -> str:
    """The refresh token of the body, else of the cookie.

    A browser sends the cookie by itself, so it counts only with a content type that no form of another page can
    have, and that a script of another origin would have to ask for first.
    """
    if given is not None and given.refresh_token:
        return given.refresh_token
    if cookie and content_type.partition(";")[0].strip().lower() == "application/json":
        return cookie
    message = "send the refresh token"
    raise BadRequest(f"body.refresh_token: {message}", errors=[{"loc": ["body", "refresh_token"], "msg": message}])


def _find_session(session: Session, token: str) -> tuple[RefreshToken, SignIn]:
    row = session.execute(
        select(RefreshToken, SignIn)
        .join(SignIn, SignIn.id == RefreshToken.session_id)
        .where(RefreshToken.token_hash == hash_key(token))
    ).one_or_none()
    if row is None:
        raise Unauthorized("This session has ended. Sign in again")
    return row[0], row[1]


def _go_on(session: Session, parts: Parts, begun: SignIn, request: Request, response: Response) -> Tokens:
    """New tokens of a session; commits."""
    refresh_token = REFRESH_PREFIX + secrets.token_urlsafe(32)
    expires_at = parts.clock() + REFRESH_LIFE
    session.add(RefreshToken(session_id=begun.id, token_hash=hash_key(refresh_token), expires_at=expires_at))
    access = Access(begun.user_id, begun.id, _memberships(session, begun.user_id))
    session.commit()
    # Believed of anybody: who lies about it only makes their own cookie stricter.
    is_secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").lower())
    _set_cookie(response, refresh_token, expires_at, secure=is_secure)
    response.headers["cache-control"] = "no-store"
    return Tokens(access_token=parts.signer.sign(access), refresh_token=refresh_token, expires_in=ACCESS_SECONDS)


def _memberships(session: Session, user_id: int) -> tuple[Membership, ...]:
    rows = session.execute(
        select(Project, Member)
        .join(Member, Member.project_id == Project.id)
        .where(Member.user_id == user_id, Project.deleted_at.is_(None))
        .order_by(Project.id)
        .limit(MOST_MEMBERSHIPS)
    )
    return tuple(
        Membership(project_id=project.id, timezone=project.timezone, week_start=project.week_start, role=member.role)
        for project, member in rows
    )


def _set_cookie(response: Response, refresh_token: str, expires_at: datetime, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE, refresh_token, expires=expires_at, path=COOKIE_PATH, secure=secure, httponly=True, samesite="strict"
    )
