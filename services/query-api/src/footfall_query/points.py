"""What the points of all answers have in common. A point is one number of an answer, named as the answer names it.

Every insight reads its points with its query document as the validation's context, and has a pure `persons`: the WHERE
of the events that show whom a point counts.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationInfo

from footfall_query.buckets import Buckets
from footfall_query.properties import PERSON
from footfall_query.sql import Fragment

BucketLabel = Annotated[str, Field(max_length=64, examples=["2026-11-01T00:00:00Z"])]


class NoSuchPoint(ValueError):
    """The answer has no such point; `field` is what names nothing in it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def query_of(info: ValidationInfo) -> Any:
    """The query document that a point belongs to."""
    assert info.context is not None
    return info.context["query"]


def find_bucket(label: str, buckets: Buckets, field: str = "bucket") -> int:
    """The number of the bucket with that label. Raises `NoSuchPoint`."""
    try:
        return buckets.labels().index(label)
    except ValueError:
        raise NoSuchPoint(field, "the range has no such bucket, as it is now") from None


def is_among(people: str) -> Fragment:
    """Whether an event's person is one of a SELECT of `person`. GLOBAL: that SELECT is about the same events, which
    on a cluster lie on all servers."""
    return Fragment(f"{PERSON} GLOBAL IN ({people})")
