"""Segment's SDKs: calls of six types, alone or in batches. docs/sdks.md has the table of what becomes what."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from footfall_capture.accept import Outcome
from footfall_capture.decode import Envelope, Unreadable
from footfall_capture.dialects import Dialect, change_events
from footfall_capture.dialects.footfall import list_rejected
from footfall_capture.request import Request
from footfall_core.events import MAX_REJECTED_PAYLOAD

TYPES: Final = ("track", "identify", "page", "screen", "group", "alias")
"""What a call may be. Each has a path of its own, and batches name it in `type`."""

GROUP_TYPE: Final = "group"
"""Segment has groups of one kind, and no word for it."""

_UUIDS: Final = uuid.UUID("5f0bf2a1-94a3-5b3c-8a53-8f2f0a8f6a1e")
_is_uuid: Final = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch

# These run on the customer's own servers, whose address says nothing of the person's place.
_SERVER_LIBRARY: Final = re.compile(
    r"(@segment/)?analytics[-._]?(node|python|ruby|go|java|php|net|rust|clojure|csharp)\b", re.IGNORECASE
)

_CONTEXT: Final = {
    ("app", "build"): "$app_build",
    ("app", "name"): "$app_name",
    ("app", "namespace"): "$app_namespace",
    ("app", "version"): "$app_version",
    ("campaign", "content"): "utm_content",
    ("campaign", "medium"): "utm_medium",
    ("campaign", "name"): "utm_campaign",
    ("campaign", "source"): "utm_source",
    ("campaign", "term"): "utm_term",
    ("device", "id"): "$device_id",
    ("device", "manufacturer"): "$device_manufacturer",
    ("device", "model"): "$device_model",
    ("device", "name"): "$device_name",
    ("device", "type"): "$device_type",
    ("ip",): "$ip",
    ("library", "name"): "$lib",
    ("library", "version"): "$lib_version",
    ("locale",): "$locale",
    ("network", "carrier"): "$network_carrier",
    ("network", "cellular"): "$network_cellular",
    ("network", "wifi"): "$network_wifi",
    ("os", "name"): "$os",
    ("os", "version"): "$os_version",
    ("page", "path"): "$pathname",
    ("page", "referrer"): "$referrer",
    ("page", "title"): "title",
    ("page", "url"): "$current_url",
    ("screen", "height"): "$screen_height",
    ("screen", "width"): "$screen_width",
    ("sessionId",): "$session_id",
    ("timezone",): "$timezone",
    ("userAgent",): "$raw_user_agent",
}
"""Where in the context something stands, and the property that it becomes."""

_PAGE: Final = {"url": "$current_url", "path": "$pathname", "referrer": "$referrer"}


def read(envelope: Envelope, request: Request) -> Envelope:
    """Segment's calls as events. What is no call becomes `Unreadable`, which says why."""
    fields = envelope.fields
    named = request.path.rstrip("/").rpartition("/")[2]
    # A call of its own path is its own envelope, so nothing is shared.
    shared = _object(fields.get("context")) if envelope.path else {}
    changed = change_events(envelope, partial(_read_call, named=named, shared=shared))
    return replace(changed, fields={**fields, "sent_at": fields.get("sentAt")})


def _read_call(call: dict[str, Any], *, named: str, shared: Mapping[str, Any]) -> dict[str, Any] | Unreadable:
    type = call.get("type") if named == "batch" else named
    if type not in TYPES:
        return _refuse(call, "invalid_event", f"`type` is not one of {', '.join(TYPES)}.")
    given = call.get("properties")
    if given is not None and not isinstance(given, dict):
        return _refuse(call, "invalid_properties", "`properties` is not an object.")
    context = {**shared, **_object(call.get("context"))}
    user_id, anonymous_id = _text(call.get("userId")), _text(call.get("anonymousId"))
    properties = _read_context(context, anonymous_id)
    name = _NAMES.get(type, call.get("event"))
    match type:
        case "page":
            properties |= _read_page({"name": call.get("name"), "category": call.get("category"), **(given or {})})
        case "screen":
            screen = {"$screen_name": call.get("name"), "name": call.get("name"), "category": call.get("category")}
            properties |= _known(screen)
        case "identify":
            properties["$set"] = _object(call.get("traits"))
            if not user_id:
                name = "$set"  # nobody is identified, only described
            elif anonymous_id:
                properties["$anon_distinct_id"] = anonymous_id
        case "group":
            properties |= {
                "$group_type": GROUP_TYPE,
                "$group_key": call.get("groupId"),
                "$group_set": _object(call.get("traits")),
                "$groups": {GROUP_TYPE: call.get("groupId")},
            }
        case "alias":
            properties["alias"] = call.get("previousId")
    return {
        "event": name,
        "distinct_id": user_id or anonymous_id,
        "uuid": _read_message_id(call.get("messageId")),
        "timestamp": call.get("timestamp") or call.get("originalTimestamp"),
        "properties": {**properties, **(given or {})},
    }


_NAMES: Final = {
    "alias": "$create_alias",
    "group": "$groupidentify",
    "identify": "$identify",
    "page": "$pageview",
    "screen": "$screen",
}


def _refuse(call: dict[str, Any], reason: str, detail: str) -> Unreadable:
    try:
        payload = msgspec.json.encode(call).decode()[:MAX_REJECTED_PAYLOAD]
    except RecursionError:
        payload = ""
    return Unreadable(reason, detail, payload)


def _read_context(context: Mapping[str, Any], anonymous_id: str | None) -> dict[str, Any]:
    properties = {name: value for place, name in _CONTEXT.items() if (value := _find(context, place)) is not None}
    if anonymous_id:
        properties.setdefault("$device_id", anonymous_id)
    if group_id := context.get("groupId"):
        properties["$groups"] = {GROUP_TYPE: group_id}
    if traits := _object(context.get("traits")):
        properties["$set"] = traits
    if _SERVER_LIBRARY.match(str(properties.get("$lib", ""))) and "$ip" not in properties:
        properties["$geoip_disable"] = True
    return {**_read_host(properties.get("$current_url")), **properties}


def _read_page(given: Mapping[str, Any]) -> dict[str, Any]:
    page = {name: given.get(field) for field, name in _PAGE.items()}
    return {**_known(given), **_known(page), **_read_host(page["$current_url"])}


def _read_host(url: object) -> dict[str, Any]:
    try:
        host = urlsplit(url).netloc if isinstance(url, str) else ""
    except ValueError:
        host = ""
    return {"$host": host} if host else {}


def _find(value: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: object) -> Any:
    """An id, whose type `accept` judges; None for an empty one."""
    return value if value != "" else None


def _read_message_id(value: object) -> str | None:
    """A uuid that is the same whenever the message's id is."""
    if not isinstance(value, str) or not value:
        return None
    return value.lower() if _is_uuid(value) else str(uuid.uuid5(_UUIDS, value))


def answer(outcome: Outcome, _: Envelope) -> bytes:
    """`{"success": true}`, also when no event was usable: these SDKs know no other answer, and `rejected` is there
    for who looks."""
    return msgspec.json.encode(
        {"success": True, "accepted": outcome.accepted, "rejected": list_rejected(outcome.rejections)}
    )


SEGMENT: Final = Dialect(read, answer)
