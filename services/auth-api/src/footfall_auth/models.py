"""The tables. Every name begins with `auth_`, because services may share one PostgreSQL database.

Ids are never reused (`sqlite_autoincrement`): events in ClickHouse carry a project's id for longer than the
project lives. Users, projects, keys and sessions are not deleted here either; `disabled_at`, `deleted_at` and
`revoked_at` say until when they counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData, String, Text, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from footfall_core.auth import ROLES, KeyType, Role
from footfall_core.database import NAMING, Instant

VERSION_TABLE: Final = "auth_alembic_version"
"""Where Alembic notes the revision: one row, which is there from the first migration on."""

WeekStart = Literal["sunday", "monday"]


class Table(DeclarativeBase):
    """What all tables share: names for their constraints, so that a migration can find them again."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Instant, KeyType: String(8), WeekStart: String(8), Role: String(8)}  # noqa: RUF012


class Project(Table):
    """Whose events they are. `timezone` is an IANA name."""

    __tablename__ = "auth_projects"
    __table_args__ = (
        CheckConstraint("week_start IN ('sunday', 'monday')", "week_start"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(64))
    week_start: Mapped[WeekStart]
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Key(Table):
    """A key of a project. Both types are found by `key_hash`; only a write key is also stored in clear.

    `hint` is what a list shows of it: the whole of a write key, prefix and last characters of a read key.
    """

    __tablename__ = "auth_keys"
    __table_args__ = (
        CheckConstraint("type IN ('write', 'read')", "type"),
        Index(None, "project_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("auth_projects.id"))
    type: Mapped[KeyType]
    name: Mapped[str] = mapped_column(String(200))
    hint: Mapped[str] = mapped_column(String(64))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class User(Table):
    """Somebody who signs in. `email` is in lower case; an `is_admin` administers users, not projects."""

    __tablename__ = "auth_users"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_admin: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class Member(Table):
    """What a user may do in a project."""

    __tablename__ = "auth_members"
    __table_args__ = (
        CheckConstraint("role IN ({})".format(", ".join(f"'{role}'" for role in ROLES)), "role"),
        Index(None, "user_id"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("auth_projects.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth_users.id"), primary_key=True)
    role: Mapped[Role]
    created_at: Mapped[datetime]


class SignIn(Table):
    """One sign-in, which lasts as long as its refresh tokens are exchanged in time: a session of a user."""

    __tablename__ = "auth_sessions"
    __table_args__ = (Index(None, "user_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth_users.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RefreshToken(Table):
    """One of the tokens with which a session went on. Only the newest one has no `used_at`."""

    __tablename__ = "auth_refresh_tokens"
    __table_args__ = (Index(None, "session_id"), Index(None, "expires_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("auth_sessions.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SigningKey(Table):
    """A key pair that access tokens are signed with. `private_key` is encrypted with the secret key.

    Only the newest one without `retired_at` signs; a retired one is published until its last token has expired.
    """

    __tablename__ = "auth_signing_keys"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64), unique=True)
    public_key: Mapped[str] = mapped_column(String(64))
    private_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
