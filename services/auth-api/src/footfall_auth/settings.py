"""What only the Auth API can be told."""

from __future__ import annotations

from pydantic import Field

from footfall_core.settings import Settings


class AuthSettings(Settings):
    """The settings of the Auth API."""

    allow_registration: bool = Field(
        default=False,
        description="Whether anybody may register. Otherwise only the first user can, and becomes admin.",
    )
