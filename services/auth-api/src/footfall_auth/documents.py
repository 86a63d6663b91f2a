"""The JSON documents of requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from footfall_auth.models import WeekStart
from footfall_auth.passwords import MAX_LENGTH, MIN_LENGTH
from footfall_core.auth import KeyType, Role
from footfall_core.errors import PROBLEM_SCHEMA
from footfall_core.timezones import check_timezone

T = TypeVar("T")

PROBLEM: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "A problem document; `errors` name the fields.",
        "content": {"application/problem+json": {"schema": dict(PROBLEM_SCHEMA)}},
    }
}
"""Routes declare this so that FastAPI does not announce its own 422, which `make_app` never answers."""


def check_text(text: str) -> str:
    """Refuse NUL, which PostgreSQL cannot store."""
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(check_text),
]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    AfterValidator(check_text),
]
NewPassword = Annotated[str, StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
GivenPassword = Annotated[str, StringConstraints(max_length=1000)]
Timezone = Annotated[str, Field(max_length=64), AfterValidator(check_timezone)]


class _Request(BaseModel):
    """A misspelt field is an error, not a default."""

    model_config = ConfigDict(extra="forbid")


class Registration(_Request):
    email: Email = Field(examples=["ann@example.com"])
    password: NewPassword
    name: Name | None = Field(default=None, description="Default: what stands before the @ of the address.")


class RegistrationState(BaseModel):
    is_open: bool = Field(description="Whether `POST /auth/register` would make a user.")
    is_first: bool = Field(description="Whether that user would be the first, and so become admin.")


class Credentials(_Request):
    email: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=1000)]
    password: GivenPassword


class RefreshRequest(_Request):
    refresh_token: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="May be left out where the cookie `footfall_refresh` has it."
    )


class PasswordChange(_Request):
    current_password: GivenPassword
    new_password: NewPassword


class Tokens(BaseModel):
    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    refresh_token: str = Field(description="Good for one exchange at `/auth/refresh`.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds until the access token expires.")


class UserAnswer(BaseModel):
    id: int
    email: str
    name: str
    is_admin: bool = Field(description="Administers users. What somebody may do in a project is their role there.")
    disabled: bool
    created_at: datetime
    signed_in_at: datetime | None


class OwnProject(BaseModel):
    id: int
    name: str
    timezone: str
    week_start: WeekStart
    role: Role


class Me(UserAnswer):
    projects: list[OwnProject]


class NewUser(_Request):
    email: Email = Field(examples=["ann@example.com"])
    password: NewPassword | None = Field(default=None, description="Left out: one is made, and shown once.")
    name: Name | None = None
    is_admin: bool = False


class NewUserAnswer(UserAnswer):
    password: str | None = Field(description="The password that was made; null when one was given.")


class UserChange(_Request):
    """Fields that are left out or null stay as they are. A new password or `disabled` ends the user's sessions."""

    name: Name | None = None
    password: NewPassword | None = None
    is_admin: bool | None = None
    disabled: bool | None = None


class NewMember(_Request):
    email: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254)] = Field(
        description="Of a user that is there already."
    )
    role: Role


class RoleChange(_Request):
    role: Role


class MemberAnswer(BaseModel):
    user_id: int
    email: str
    name: str
    role: Role
    created_at: datetime = Field(description="When they became a member.")


class SigningKeyAnswer(BaseModel):
    kid: str
    created_at: datetime


class PublicKey(BaseModel):
    kty: str
    crv: str
    alg: str
    use: str
    kid: str
    x: str


class KeySet(BaseModel):
    """As RFC 7517 has it."""

    keys: list[PublicKey]


class NewProject(_Request):
    name: Name = Field(examples=["Web shop"])
    timezone: Timezone = Field(default="UTC", description="IANA name. Days and weeks of this project follow it.")
    week_start: WeekStart = "sunday"


class ProjectChange(_Request):
    """Fields that are left out or null stay as they are."""

    name: Name | None = None
    timezone: Timezone | None = None
    week_start: WeekStart | None = None


class ProjectConfirmation(_Request):
    name: str


class ProjectAnswer(BaseModel):
    id: int
    name: str
    timezone: str
    week_start: WeekStart
    write_key: str | None = Field(
        description="The oldest live write key, which may be public; null when all were revoked."
    )
    role: Role | None = Field(description="Yours; null for the operator, who may do everything.")
    created_at: datetime


class NewKey(_Request):
    name: Name = Field(examples=["Nightly report"])
    type: KeyType


class KeyAnswer(BaseModel):
    id: int
    type: KeyType
    key: str = Field(description="A read key is complete only in the answer that creates it, `ffr_…1a2B` afterwards.")
    name: str
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")


class Page(BaseModel, Generic[T]):
    results: list[T]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


class KeyQuestion(BaseModel):
    key: str


class ResolvedProject(BaseModel):
    project_id: int
    timezone: str
    week_start: WeekStart


class ResolvedMembership(ResolvedProject):
    role: Role


class DeletedProjects(BaseModel):
    project_ids: list[int]


class ResolvedKeyAnswer(ResolvedProject):
    type: KeyType
