"""What the query documents and the answers of all insights have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, Field

from footfall_query.filters import Document, Filters
from footfall_query.scope import DateText, MomentText, TimezoneName

MAX_PROJECT_ID: Final = 2**32 - 1
MAX_EVENT_NAME: Final = 200


def _read_id(given: object) -> object:
    """Ids come as numbers; clients that keep them as text may send that."""
    return int(given) if isinstance(given, str) and given.isascii() and given.isdecimal() else given


ProjectId = Annotated[int, BeforeValidator(_read_id), Field(ge=1, le=MAX_PROJECT_ID, strict=True)]
EventName = Annotated[str, Field(min_length=1, max_length=MAX_EVENT_NAME, examples=["signup"])]
Label = Annotated[str, Field(max_length=200)]


class Question(Document):
    """The fields that every query document has."""

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    date_from: DateText = "-7d"
    date_to: MomentText | None = Field(default=None, description="Default: the end of today, or now.")
    timezone: TimezoneName | None = Field(default=None, description="Default: the project's.")
    filters: Filters = Field(default=[])
    refresh: bool = Field(default=False, description="Compute the answer again even when a recent one is known.")


class Meta(BaseModel):
    """What an answer cost."""

    elapsed_ms: float
    rows_read: int
    bytes_read: int
    cached: bool
    computed_at: datetime
    sql: str | None = Field(
        default=None,
        exclude_if=lambda text: text is None,
        description="The statement, for admins of the project who ask with `debug=true`.",
    )


class Answer(BaseModel):
    """The fields that every answer has."""

    meta: Meta
