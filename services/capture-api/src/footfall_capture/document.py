"""The endpoints' part of the OpenAPI document, which FastAPI cannot derive from raw ASGI endpoints."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from footfall_capture.body import RequestTimeout
from footfall_capture.decode import MAX_EVENTS
from footfall_capture.dialects import posthog
from footfall_capture.dialects.segment import TYPES
from footfall_capture.paths import SEGMENT_PATHS
from footfall_core.errors import (
    BadRequest,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    problem_responses,
)
from footfall_core.events import MAX_EVENT_NAME, MAX_PROPERTIES, REJECTION_REASONS

_DESCRIPTION: Final = f"""\
Takes one event, an array of events, or an envelope with a `batch` of them. The answer comes when every
accepted event is durable. Good events are kept when others of the same body are bad.

`Content-Type` does not matter. Bodies may be compressed with gzip, zstd, deflate or brotli; gzip, zstd and
zlib are recognised without a header. At most 20 MiB after decompression, 1 MiB an event, {MAX_EVENTS} events.

The write key counts at the first of these places that has one: `api_key`, `token` or `writeKey` of the
outermost object; `api_key`, `token`, `$token` or `properties.token` of the events, which must agree; the
header `Authorization`, as `Bearer` or as the user of `Basic`; the header `X-API-Key`.
"""

_EXAMPLE_EVENT: Final = {
    "event": "signup",
    "distinct_id": "u1",
    "timestamp": "2026-11-01T10:00:00Z",
    "uuid": "0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01",
    "properties": {"plan": "pro"},
}

_TIME: Final = {
    "type": ["string", "number", "null"],
    "description": "ISO 8601 (without an offset it is UTC), RFC 2822, or Unix seconds or milliseconds.",
}
_PROPERTIES: Final = {
    "type": ["object", "null"],
    "maxProperties": MAX_PROPERTIES,
    "additionalProperties": True,
}
_KEY: Final = {"type": ["string", "null"], "description": "The write key."}
_UUID: Final = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}"

SCHEMAS: Final[dict[str, Any]] = {
    "Event": {
        "type": "object",
        "required": ["event", "distinct_id"],
        "properties": {
            "event": {"type": "string", "maxLength": MAX_EVENT_NAME, "pattern": "[^\\s\\x1c-\\x1f\\x85]"},
            "distinct_id": {
                "type": ["string", "number", "boolean"],
                "pattern": "^[^\\x00]*[^\\s\\x00\\x1c-\\x1f\\x85][^\\x00]*$",
                "description": "Who did it. Numbers and booleans become their text. May also be `$distinct_id`, "
                "or stand in `properties` under either name.",
            },
            "uuid": {
                "type": ["string", "null"],
                "pattern": f"^({_UUID})?$",
                "description": "Names the event, so that sending it again does not count it twice.",
            },
            "timestamp": _TIME,
            "offset": {
                "type": ["number", "string", "null"],
                "description": "Milliseconds between the event and its sending; wins over `timestamp`.",
            },
            "properties": _PROPERTIES,
            "$set": {"description": "Merged into `properties`, as are `$set_once`, `$unset` and `$group…`."},
            "$set_once": {},
            "$unset": {},
            "api_key": _KEY,
            "token": _KEY,
        },
        "additionalProperties": True,
    },
    "Batch": {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Event"}},
            "sent_at": {
                **_TIME,
                "description": "The client's clock when it sent the body; corrects `timestamp`.",
            },
            "api_key": _KEY,
            "token": _KEY,
            "writeKey": _KEY,
            "historical_migration": {
                "type": ["boolean", "null"],
                "description": "The address and user agent of this request are not those of the events.",
            },
        },
        "additionalProperties": True,
    },
    "Captured": {
        "type": "object",
        "required": ["status", "accepted", "rejected"],
        "properties": {
            "status": {"const": "ok"},
            "accepted": {"type": "integer", "minimum": 1, "description": "Events that are durable now."},
            "rejected": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["index", "reason", "detail"],
                    "properties": {
                        "index": {"type": "integer", "minimum": 0, "description": "In the body, from 0."},
                        "reason": {"enum": sorted(REJECTION_REASONS)},
                        "detail": {"type": "string"},
                    },
                },
            },
        },
    },
}

_CALL_FIELDS: Final[dict[str, Any]] = {
    "userId": {"type": ["string", "number", "null"], "description": "Becomes the distinct_id."},
    "anonymousId": {"type": ["string", "number", "null"], "description": "The distinct_id without a `userId`."},
    "messageId": {"type": ["string", "null"], "description": "Names the event, as `uuid` does elsewhere."},
    "timestamp": _TIME,
    "originalTimestamp": _TIME,
    "context": {"type": ["object", "null"]},
}

SCHEMAS["AnalyticsResults"] = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "object",
            "description": "By the events' uuids, as they were sent.",
            "additionalProperties": {
                "type": "object",
                "required": ["result"],
                "properties": {
                    "result": {
                        "enum": ["ok", "warning", "drop"],
                        "description": "`warning` is stored too, with something mended.",
                    },
                    "details": {"type": "string"},
                },
            },
        }
    },
}
SCHEMAS["AnalyticsBatch"] = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "created_at": _TIME,
        "historical_migration": {"type": ["boolean", "null"]},
        "batch": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/AnalyticsEvent"}},
    },
}
SCHEMAS["AnalyticsEvent"] = {
    "type": "object",
    "required": ["event", "uuid", "distinct_id"],
    "properties": {
        **{name: SCHEMAS["Event"]["properties"][name] for name in ("event", "uuid", "distinct_id", "timestamp")},
        "session_id": {"type": ["string", "null"]},
        "window_id": {"type": ["string", "null"]},
        "options": {
            "type": ["object", "null"],
            "properties": {
                "cookieless_mode": {"type": ["boolean", "null"]},
                "disable_skew_correction": {"type": ["boolean", "null"]},
                "process_person_profile": {"type": ["boolean", "null"]},
                "product_tour_id": {"type": ["string", "null"]},
            },
        },
        "properties": _PROPERTIES,
    },
}
SCHEMAS["SegmentCall"] = {
    "type": "object",
    "properties": {
        **_CALL_FIELDS,
        "type": {"enum": list(TYPES), "description": "In a batch; a path of its own says it already."},
        "event": {"type": ["string", "null"]},
        "properties": _PROPERTIES,
        "traits": {"type": ["object", "null"]},
        "name": {"type": ["string", "null"]},
        "category": {"type": ["string", "null"]},
        "groupId": {"type": ["string", "number", "null"]},
        "previousId": {"type": ["string", "number", "null"]},
        "sentAt": _TIME,
        "writeKey": _KEY,
    },
}
SCHEMAS["SegmentBatch"] = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/SegmentCall"}},
        "context": {"type": ["object", "null"], "description": "Shared by all calls; their own wins."},
        "sentAt": _TIME,
        "writeKey": _KEY,
    },
}
SCHEMAS["SegmentAnswer"] = {
    "type": "object",
    "required": ["success", "accepted", "rejected"],
    "properties": {
        "success": {"const": True},
        "accepted": {"type": "integer", "minimum": 0},
        "rejected": SCHEMAS["Captured"]["properties"]["rejected"],
    },
}

_RETRY_AFTER: Final = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}}


def describe(app: FastAPI) -> None:
    """Add what takes events, and the stubs, to the document of `app`, which must have all of its routes by now."""
    document = app.openapi()
    document["paths"] = {**_paths(), **document["paths"]}
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **SCHEMAS}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The write key."},
        "basic": {"type": "http", "scheme": "basic", "description": "The write key as the user, without a password."},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The write key."},
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {"/capture": {"post": _operation()}}
    for path in posthog.PATHS:
        paths[path] = {
            method: {
                **_later_is_503(
                    _like_capture("posthog", path, f"As POST /capture, for PostHog's SDKs ({method.upper()}).")
                ),
                "operationId": f"{_identifier(path)}_{method}",
                "parameters": _POSTHOG_PARAMETERS,
            }
            for method in ("post", "get")
        }
        del paths[path]["get"]["requestBody"]
        paths[path]["post"]["requestBody"] = {**_operation()["requestBody"], "required": False}
    paths[posthog.ANALYTICS_PATH] = {
        "post": {
            **_later_is_503(
                {
                    **_like_capture("posthog", posthog.ANALYTICS_PATH, "Send events; each gets its own result."),
                    **_exchange("AnalyticsBatch", "AnalyticsResults", "Every event that is not dropped is durable."),
                }
            ),
            "parameters": [
                {"name": name, "in": "header", "schema": {"type": "string"}, "description": description}
                for name, description in (
                    ("PostHog-Request-Timestamp", "The client's clock when it sent the body."),
                    ("PostHog-Sdk-Info", "`name/version`; become `$lib` and `$lib_version`."),
                )
            ],
        }
    }
    for path in SEGMENT_PATHS:
        schema = "SegmentBatch" if path == "/v1/batch" else "SegmentCall"
        paths[path] = {
            "post": {
                **_like_capture("segment", path, "Calls of Segment's SDKs."),
                **_exchange(schema, "SegmentAnswer", "Every event that is not in `rejected` is durable."),
                "security": [{"basic": []}, {"bearer": []}, {"api_key": []}, {}],
            }
        }
    return {**paths, **_SCRIPT, **_STUBS}


def _identifier(path: str) -> str:
    return path.strip("/").replace("/", "_")


def _like_capture(tag: str, path: str, summary: str) -> dict[str, Any]:
    operation = {**_operation(), "tags": [tag], "operationId": _identifier(path), "summary": summary}
    del operation["description"]
    return operation


def _later_is_503(operation: dict[str, Any]) -> dict[str, Any]:
    """For SDKs that send again after `5xx` alone."""
    responses = {status: said for status, said in operation["responses"].items() if status not in ("408", "429")}
    description = f"{responses['503']['description']} Too many requests, and bodies that stop arriving, are 503 here."
    return {**operation, "responses": {**responses, "503": {**responses["503"], "description": description}}}


def _exchange(asked: str, answered: str, description: str) -> dict[str, Any]:
    """A request body and a 200 by their schemas' names, beside the other answers of `/capture`."""
    taken = {"schema": {"$ref": f"#/components/schemas/{asked}"}}
    given = {"schema": {"$ref": f"#/components/schemas/{answered}"}}
    responses = {
        **_operation()["responses"],
        "200": {"description": description, "content": {"application/json": given}},
    }
    return {"requestBody": {"required": True, "content": {"application/json": taken}}, "responses": responses}


_POSTHOG_PARAMETERS: Final[list[dict[str, Any]]] = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": description}
    for name, description in (
        ("data", "The body, in place of one: JSON or its base64 form."),
        ("compression", "`gzip-js`, `base64` or `lz64`. Only the last must be named."),
        ("_", "The client's clock in Unix milliseconds, where the body has no `sent_at`."),
    )
]


def _stub(summary: str, schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    return {
        "tags": ["stubs"],
        "summary": summary,
        "responses": {"200": {"description": "Always.", "content": {media_type: {"schema": schema}}}},
    }


_SCRIPT: Final[dict[str, Any]] = {
    "/footfall.js": {
        "get": {
            "tags": ["web SDK"],
            "summary": "The web SDK, as a script for any page.",
            "responses": {
                "200": {"description": "The script.", "content": {"text/javascript": {"schema": {"type": "string"}}}},
                "304": {"description": "It is still the one that `If-None-Match` names."},
                **{str(status): said for status, said in problem_responses(NotFound).items()},
            },
        }
    }
}

_OBJECT: Final = {"type": "object", "additionalProperties": True}
_TOKEN: Final = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
_STUBS: Final[dict[str, Any]] = {
    "/flags": {"post": _stub("Nobody has feature flags.", _OBJECT)},
    "/decide": {"post": _stub("The same, for older SDKs.", _OBJECT)},
    "/flags/definitions": {"get": _stub("There are no flags.", _OBJECT)},
    "/api/feature_flag/local_evaluation": {"get": _stub("The same, for older SDKs.", _OBJECT)},
    "/array/{token}/config": {
        "get": {**_stub("What PostHog's browser SDK may do here.", _OBJECT), "parameters": [_TOKEN]}
    },
    "/array/{token}/config.js": {
        "get": {
            **_stub("The same as a script.", {"type": "string"}, "application/javascript"),
            "parameters": [_TOKEN],
        }
    },
}


def _operation() -> dict[str, Any]:
    responses = {
        str(status): response
        for status, response in problem_responses(
            BadRequest, Unauthorized, RequestTimeout, TooLarge, TooManyRequests, Unavailable
        ).items()
    }
    responses["400"]["description"] = (
        "No event of the body is usable, or the body is not JSON. Sending it again does not help."
    )
    responses["401"]["description"] = "No write key, an unknown one, a read key, or several keys."
    responses["503"]["description"] = "The events cannot be stored right now. Send the same body again."
    responses["429"]["description"] = "Too many requests with this key or from this address. Send it again later."
    responses["429"]["headers"] = _RETRY_AFTER
    responses["503"]["headers"] = _RETRY_AFTER
    return {
        "operationId": "capture",
        "tags": ["capture"],
        "summary": "Send events.",
        "description": _DESCRIPTION,
        "security": [{"bearer": []}, {"api_key": []}, {}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Batch"},
                            {"$ref": "#/components/schemas/Event"},
                            {
                                "type": "array",
                                "minItems": 1,
                                "items": {"$ref": "#/components/schemas/Event"},
                            },
                        ]
                    },
                    "examples": {
                        "event": {"summary": "One event", "value": {"api_key": "ffw_…", **_EXAMPLE_EVENT}},
                        "batch": {
                            "summary": "A batch",
                            "value": {
                                "api_key": "ffw_…",
                                "sent_at": "2026-11-01T10:00:05Z",
                                "batch": [_EXAMPLE_EVENT],
                            },
                        },
                    },
                }
            },
        },
        "responses": {
            "200": {
                "description": "Every accepted event is durable. `rejected` lists the others.",
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/Captured"},
                        "example": {
                            "status": "ok",
                            "accepted": 1,
                            "rejected": [
                                {
                                    "index": 1,
                                    "reason": "missing_distinct_id",
                                    "detail": "`distinct_id` is missing.",
                                }
                            ],
                        },
                    }
                },
            },
            **responses,
        },
    }
