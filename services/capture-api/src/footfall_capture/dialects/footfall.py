"""Our own answer: how many events are durable, and which are not and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from footfall_capture.accept import Outcome, Rejection
from footfall_capture.decode import Envelope
from footfall_core.errors import AppError, BadRequest, FieldError, TooLarge

MAX_ERRORS: Final = 100
"""Rejected events that a 400 lists; all of them are recorded."""


def answer(outcome: Outcome, envelope: Envelope) -> bytes:
    """`{"status": "ok", "accepted", "rejected"}`. Raises `BadRequest` or `TooLarge` if no event is usable."""
    if not outcome.accepted:
        raise _unusable_error(outcome.rejections, envelope.path)
    if not outcome.rejections:
        return b'{"status":"ok","accepted":%d,"rejected":[]}' % outcome.accepted
    return msgspec.json.encode(
        {"status": "ok", "accepted": outcome.accepted, "rejected": list_rejected(outcome.rejections)}
    )


def list_rejected(rejections: Sequence[Rejection]) -> list[dict[str, object]]:
    """Where in the body each rejected event stands, and why it was."""
    return [
        {"index": rejection.index, "reason": rejection.reason, "detail": rejection.detail} for rejection in rejections
    ]


def _unusable_error(rejections: Sequence[Rejection], path: tuple[str, ...] | None) -> AppError:
    errors: list[FieldError] = [
        {
            "loc": [*rejection.field] if path is None else [*path, rejection.index, *rejection.field],
            "msg": f"{rejection.reason}: {rejection.detail}",
        }
        for rejection in rejections[:MAX_ERRORS]
    ]
    detail = rejections[0].detail
    if path is not None:
        detail = f"None of the {len(rejections)} events is usable. The first one: {detail}"
    if all(rejection.reason == "event_too_large" for rejection in rejections):
        return TooLarge(detail, errors=errors)
    return BadRequest(detail, errors=errors)
