"""Keys of a project. A write key may be public; a read key is shown once and stored as its hash."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from footfall_auth.deps import MAX_ID, PartsDep, PlaceDep, PositionDep, SessionDep
from footfall_auth.documents import PROBLEM, KeyAnswer, NewKey, Page
from footfall_auth.models import Key, Project
from footfall_core.auth import PREFIXES, KeyType, hash_key, make_key
from footfall_core.errors import BadRequest, Forbidden, NotFound, Unauthorized, problem_responses

router = APIRouter(
    prefix="/projects/{project_id}/keys",
    tags=["keys"],
    responses={**problem_responses(BadRequest, Unauthorized, Forbidden, NotFound), **PROBLEM},
)


@router.get("", summary="The live keys of a project, oldest first.")
def list_keys(place: PlaceDep, session: SessionDep, position: PositionDep) -> Page[KeyAnswer]:
    project = place.require("see the project, its members and its keys")
    keys = list(
        session.scalars(
            select(Key)
            .where(Key.project_id == project.id, Key.revoked_at.is_(None), Key.id > position.after)
            .order_by(Key.id)
            .limit(position.limit + 1)
        )
    )
    page = keys[: position.limit]
    return Page(
        results=[_answer(key, key.hint) for key in page],
        next_cursor=str(page[-1].id) if len(keys) > position.limit else None,
    )


@router.post("", status_code=201, summary="A new key. Keep a read key: it is not shown again.")
def create_key(wanted: NewKey, place: PlaceDep, session: SessionDep, parts: PartsDep) -> KeyAnswer:
    project = place.require("make and revoke keys")
    key, secret = add_key(session, project, wanted.type, wanted.name, parts.clock())
    session.commit()
    return _answer(key, secret)


@router.delete("/{key_id}", status_code=204, summary="Revoke a key. Services forget it within 30 seconds.")
def revoke_key(key_id: int, place: PlaceDep, session: SessionDep, parts: PartsDep) -> None:
    project = place.require("make and revoke keys")
    key = session.get(Key, key_id) if 0 < key_id <= MAX_ID else None
    if key is None or key.project_id != project.id or key.revoked_at is not None:
        raise NotFound(f"Project {project.id} has no key {key_id}")
    key.revoked_at = parts.clock()
    session.commit()


def add_key(session: Session, project: Project, type: KeyType, name: str, now: datetime) -> tuple[Key, str]:
    """A new key in the session, and the key itself, which for a read key is nowhere else."""
    secret = make_key(type)
    key = Key(
        project_id=project.id,
        type=type,
        name=name,
        hint=secret if type == "write" else f"{PREFIXES[type]}…{secret[-4:]}",
        key_hash=hash_key(secret),
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key, secret


def _answer(key: Key, shown: str) -> KeyAnswer:
    return KeyAnswer(
        id=key.id,
        type=key.type,
        key=shown,
        name=key.name,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
    )
