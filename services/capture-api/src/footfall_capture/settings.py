"""What only the Capture API can be told."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from footfall_core.settings import Settings

_PATH: Final = r"^((/[A-Za-z0-9._~-]+)+)?$"
"""Empty, or a plain path."""


class CaptureSettings(Settings):
    """The settings of the Capture API."""

    capture_body_idle_seconds: float = Field(
        default=30.0, gt=0, description="Seconds that a request's body may stall before it is answered 408."
    )
    capture_body_total_seconds: float = Field(
        default=120.0, gt=0, description="Seconds that a request's body may take in all."
    )
    capture_buffer_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=32 * 1024 * 1024,
        description="Bytes of bodies held in memory at once, before further ones are answered 503.",
    )
    capture_key_rate: int = Field(
        default=10_000,
        ge=0,
        description="Requests a second with one write key, on average over ten seconds; 0: any number.",
    )
    capture_address_rate: int = Field(
        default=10_000,
        ge=0,
        description="Requests a second from one address, on average over ten seconds; 0: any number.",
    )
    capture_path: str = Field(
        default="",
        pattern=_PATH,
        description="Where events may be sent besides `/capture`, should blockers look for that: `/hello`.",
    )
    capture_script_path: str = Field(
        default="",
        pattern=_PATH,
        description="Where the web SDK is served besides `/footfall.js`: `/assets/visits.js`.",
    )
    capture_open_project_id: int | None = Field(
        default=None,
        ge=1,
        description="For development only: events without a key, or with an unknown one, go to this project.",
    )
