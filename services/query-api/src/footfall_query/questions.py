"""Query documents that say themselves what kind they are: those of jobs and widgets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError

from footfall_core.errors import BadRequest, FieldError, field_errors
from footfall_query.documents import Question
from footfall_query.filters import Document
from footfall_query.runner import INSIGHTS, Insight

MAX_NAME: Final = 200

StoredDocument = dict[str, Any]
Place = list[str | int]


def check_text(text: str) -> str:
    """Refuse what PostgreSQL cannot store."""
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must not contain NUL characters or halves of surrogate pairs")
    return text


def check_name(text: str) -> str:
    """A name without blanks around it. Raises `ValueError` when nothing is left."""
    name = check_text(text).strip()
    if not name:
        raise ValueError("must not be empty")
    return name


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(check_name)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(check_text)]


def find_insight(kind: str, place: Place) -> Insight[Any, Any]:
    """The kind of question of this name. Raises `BadRequest` that names `place`."""
    found = INSIGHTS.get(kind)
    if found is None:
        raise _wrong([FieldError(loc=place, msg=f"must be one of {', '.join(sorted(INSIGHTS))}")])
    return found


def read_question(insight: Insight[Any, Any], document: StoredDocument, place: Place) -> Question:
    """A document of this kind. Raises `BadRequest` that names every field in error, below `place`."""
    with _naming(place):
        question: Question = insight.document.model_validate(document)
    return question


def read_point(insight: Insight[Any, Any], document: StoredDocument, question: Question, place: Place) -> Document:
    """A point of the question's answer. Raises `BadRequest` that names every field in error, below `place`."""
    assert insight.point is not None
    with _naming(place):
        point: Document = insight.point.validate_python(document, context={"query": question})
    return point


@contextmanager
def _naming(place: Place) -> Iterator[None]:
    """What is wrong with a document is wrong below `place`."""
    try:
        yield
    except ValidationError as error:
        raise _wrong(field_errors(error.errors(), *place)) from error


def _wrong(errors: list[FieldError]) -> BadRequest:
    first = errors[0]
    return BadRequest(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", errors=errors)
