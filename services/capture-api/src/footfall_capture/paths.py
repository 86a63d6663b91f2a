"""Where events may be sent, and what is spoken there. Each path may end in a slash."""

from __future__ import annotations

from typing import Final

from footfall_capture.dialects import Dialect, posthog
from footfall_capture.dialects.segment import SEGMENT, TYPES

SEGMENT_PATHS: Final = tuple(f"/v1/{name}" for name in ("batch", *TYPES))

PATHS: Final[tuple[tuple[str, Dialect, tuple[str, ...]], ...]] = (
    ("/capture", posthog.CAPTURE, ("POST",)),
    *((path, posthog.VERSION_0, ("POST", "GET")) for path in posthog.PATHS),
    (posthog.ANALYTICS_PATH, posthog.ANALYTICS, ("POST",)),
    *((path, SEGMENT, ("POST",)) for path in SEGMENT_PATHS),
)
"""Path, dialect, methods."""
