"""How each family of SDKs speaks: its body into events as `accept` takes them, and what became of them into the
answer that it understands. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from footfall_capture.accept import Outcome
from footfall_capture.decode import Envelope, Mended
from footfall_capture.request import Request

ReadEnvelope = Callable[[Envelope, Request], Envelope]
"""The same events in our own words. Never raises for what a client sent."""

MakeAnswer = Callable[[Outcome, Envelope], bytes]
"""The JSON of a 200, once everything is durable. `Envelope` is the one that was accepted. May raise `AppError`."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a path speaks."""

    read: ReadEnvelope
    answer: MakeAnswer
    only_5xx: bool = False
    """Whether SDKs that speak it send again after `5xx` alone, so that they must not be told `408` or `429`."""


def change_events(envelope: Envelope, change: Callable[[dict[str, Any]], Any]) -> Envelope:
    """`envelope` with every event that is an object put through `change`."""

    def change_event(event: Any) -> Any:
        if isinstance(event, dict):
            return change(event)
        if isinstance(event, Mended) and isinstance(event.value, dict):
            changed = change(event.value)
            return replace(event, value=changed) if isinstance(changed, dict) else changed
        return event

    return replace(envelope, events=[change_event(event) for event in envelope.events])
