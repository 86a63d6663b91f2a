"""PostHog's SDKs: the paths that take any body, and the newer one that answers for each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from footfall_capture.accept import WARNINGS, Outcome
from footfall_capture.decode import Envelope, Mended
from footfall_capture.dialects import Dialect, change_events
from footfall_capture.dialects import footfall as own
from footfall_capture.request import Request

# A `_` below it is no clock in milliseconds, but some number that keeps caches away.
_YEAR_2020: Final = 1_577_836_800_000


def read(envelope: Envelope, request: Request) -> Envelope:
    """`_` of the query is the browser's clock, and `/engage` is about persons."""
    if request.path.rstrip("/") == "/engage":
        envelope = change_events(envelope, _name_engage)
    sent_at = request.parameters.get("_", "")
    if sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 16 and int(sent_at) >= _YEAR_2020:
        envelope = replace(envelope, fields={"sent_at": int(sent_at), **envelope.fields})
    return envelope


def _name_engage(event: dict[str, Any]) -> dict[str, Any]:
    return event if event.get("event") else {**event, "event": "$identify"}


# What stands beside the properties there, and the property that it is elsewhere.
_FIELDS: Final = {"session_id": "$session_id", "window_id": "$window_id"}
_OPTIONS: Final = {
    "cookieless_mode": "$cookieless_mode",
    "disable_skew_correction": "$ignore_sent_at",
    "disable_skew_adjustment": "$ignore_sent_at",
    "product_tour_id": "$product_tour_id",
    "process_person_profile": "$process_person_profile",
}


def read_analytics(envelope: Envelope, request: Request) -> Envelope:
    """Headers say when the body was sent, and by which SDK."""
    library = request.header(b"posthog-sdk-info").split("/", 1)
    named = dict(zip(("$lib", "$lib_version"), library, strict=False)) if library[0] else {}

    def change(event: dict[str, Any]) -> dict[str, Any]:
        properties = event.get("properties")
        if properties is not None and not isinstance(properties, dict):
            return event
        options = event.get("options")
        beside = {
            **_renamed(event, _FIELDS),
            **(_renamed(options, _OPTIONS) if isinstance(options, dict) else {}),
        }
        return {**event, "properties": {**named, **(properties or {}), **beside}}

    changed = change_events(envelope, change)
    sent_at = request.header(b"posthog-request-timestamp")
    return replace(changed, fields={**changed.fields, "sent_at": sent_at or changed.fields.get("sent_at")})


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in fields.items() if name in names and value is not None}


def answer_analytics(outcome: Outcome, envelope: Envelope) -> bytes:
    """`{"results": {uuid: {"result": "ok", "warning" or "drop", "details"?}}}`. An event without a uuid has no result.

    Never "retry": the log takes all events of a body or none, and none is a 503."""
    results: dict[str, dict[str, str]] = {}
    reasons = {rejection.index: rejection for rejection in outcome.rejections}
    for index, item in enumerate(envelope.events):
        event = item.value if isinstance(item, Mended) else item
        uuid = event.get("uuid") if isinstance(event, dict) else None
        if not isinstance(uuid, str) or not uuid:
            continue
        rejection = reasons.get(index)
        if rejection is not None:
            results[uuid] = {"result": "drop", "details": f"{rejection.reason}: {rejection.detail}"}
        elif index in outcome.warnings:
            details = " ".join(f"{word}: {WARNINGS[word]}" for word in outcome.warnings[index])
            results[uuid] = {"result": "warning", "details": details}
        else:
            results.setdefault(uuid, {"result": "ok"})
    return msgspec.json.encode({"results": results})


CAPTURE: Final = Dialect(read, own.answer)
"""Our own `/capture`, where everything that PostHog calls version 0 is understood too."""
VERSION_0: Final = Dialect(read, own.answer, only_5xx=True)
"""PostHog's own paths. posthog-js throws events away after any `4xx`."""
ANALYTICS: Final = Dialect(read_analytics, answer_analytics, only_5xx=True)
"""Version 1, whose SDKs do so after `429`."""
ANALYTICS_PATH: Final = "/i/v1/analytics/events"
"""Where it is spoken."""

PATHS: Final = ("/batch", "/e", "/i/v0/e", "/i/v0/ai/batch", "/track", "/engage")
"""Where version 0 is spoken besides `/capture`."""
