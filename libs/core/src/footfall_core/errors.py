"""Errors that become HTTP answers, in the form of RFC 9457 (`application/problem+json`).

AppError
├── BadRequest        400  the request cannot work as it is; `errors` name the fields
├── Unauthorized      401  no usable credential
├── Forbidden         403  a credential that may not do this
├── NotFound          404  no such thing, or not this caller's
├── Conflict          409  it exists already, or has changed
├── TooLarge          413
├── TooExpensive      422  a query that hit its time or memory limit
├── TooManyRequests   429  try again after `retry_after`
└── Unavailable       503  something this service needs is away; try again after `retry_after`
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import msgspec


class FieldError(TypedDict):
    """One thing wrong with the input: where (`["body", "steps", 0, "event"]`) and what."""

    loc: list[str | int]
    msg: str


def field_errors(found: Sequence[Any], *place: str | int) -> list[FieldError]:
    """Pydantic's findings in our own form, below `place`; sentences of ours without its words before them."""
    return [{"loc": [*place, *each["loc"]], "msg": str(each["msg"]).removeprefix("Value error, ")} for each in found]


class AppError(Exception):
    """An error with an HTTP status. `detail` is a sentence that a person can act on."""

    status = 500
    title = "Internal server error"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.retry_after = retry_after

    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer: `Retry-After` in whole seconds, at least 1."""
        headers = {"content-type": "application/problem+json"}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers

    def body(self) -> bytes:
        """The problem document as JSON."""
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            problem["errors"] = self.errors
        return msgspec.json.encode(problem)


class BadRequest(AppError):
    status, title = 400, "Bad request"


class Unauthorized(AppError):
    status, title = 401, "Unauthorized"


class Forbidden(AppError):
    status, title = 403, "Forbidden"


class NotFound(AppError):
    status, title = 404, "Not found"


class Conflict(AppError):
    status, title = 409, "Conflict"


class TooLarge(AppError):
    status, title = 413, "Content too large"


class TooExpensive(AppError):
    status, title = 422, "Query too expensive"


class TooManyRequests(AppError):
    status, title = 429, "Too many requests"


class Unavailable(AppError):
    status, title = 503, "Service unavailable"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), retry_after: float | None = 1.0) -> None:
        super().__init__(detail, errors=errors, retry_after=retry_after)


PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}


def problem_responses(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may answer with these errors, for its OpenAPI document."""
    return {
        error.status: {
            "description": error.title,
            "content": {"application/problem+json": {"schema": dict(PROBLEM_SCHEMA)}},
        }
        for error in errors
    }
