"""What each role of a project may do, in one table. docs/auth.md shows it; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from footfall_core.auth import ROLES, Role
from footfall_core.tokens import reaches

Action = Literal[
    "ask questions",
    "see the project, its members and its keys",
    "leave the project",
    "make and change dashboards",
    "change the project's name, time zone and week",
    "make and revoke keys",
    "add, change and remove members up to admin",
    "see the SQL of an answer",
    "make and change owners",
    "delete the project",
]

PERMISSIONS: Final[Mapping[Action, Role]] = {
    "ask questions": "viewer",
    "see the project, its members and its keys": "viewer",
    "leave the project": "viewer",
    "make and change dashboards": "editor",
    "change the project's name, time zone and week": "admin",
    "make and revoke keys": "admin",
    "add, change and remove members up to admin": "admin",
    "see the SQL of an answer": "admin",
    "make and change owners": "owner",
    "delete the project": "owner",
}
"""The least role that may do each thing."""


def allowed(role: Role, action: Action) -> bool:
    """Whether a member with this role may do it."""
    return reaches(role, PERMISSIONS[action])


def permissions_table() -> Iterator[str]:
    """The table in Markdown, line by line."""
    yield "| A member may | " + " | ".join(ROLES) + " |"
    yield "|---|" + "---|" * len(ROLES)
    for action, least in PERMISSIONS.items():
        marks = ("yes" if reaches(role, least) else "" for role in ROLES)
        yield f"| {action} | " + " | ".join(marks) + " |"
