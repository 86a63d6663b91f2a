"""The people behind a point: those whom one number of an answer counts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, SerializeAsAny, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from footfall_query.documents import ProjectId, Question
from footfall_query.events import MAX_PAGE
from footfall_query.filters import Document
from footfall_query.insights import funnels, lifecycle, paths, retention, stickiness, trends
from footfall_query.persons import PersonCursor, PersonsAnswer, list_persons, shape_persons
from footfall_query.questions import StoredDocument, find_insight, read_point, read_question
from footfall_query.runner import Insight
from footfall_query.scope import Interval, Scope
from footfall_query.sql import Params, Sql


class _AnyPoint:
    """The OpenAPI document names the points of every kind; which of them fits, only the kind tells."""

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        kinds = TypeAdapter(
            trends.TrendsPoint
            | funnels.FunnelPoint
            | retention.RetentionPoint
            | lifecycle.LifecyclePoint
            | stickiness.StickinessPoint
            | paths.PathsLinkPoint
            | paths.PathsNodePoint
        )
        return handler(kinds.core_schema)


class PersonsOfPoint(Document):
    """A query document, and a point of its answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "funnels",
                    "query": {"steps": [{"event": "visit"}, {"event": "signup"}], "date_from": "-30d"},
                    "point": {"index": 0, "outcome": "dropped"},
                },
                {
                    "kind": "trends",
                    "query": {"series": [{"event": "signup"}], "date_from": "2026-11-01", "date_to": "2026-11-30"},
                    "point": {"index": 0, "bucket": "2026-11-01T00:00:00Z"},
                    "limit": 1000,
                },
                {
                    "kind": "retention",
                    "query": {"start": {"event": "signup"}, "date_from": "2026-11-01", "date_to": "2026-11-14"},
                    "point": {"date": "2026-11-01T00:00:00Z", "period": 3},
                },
                {
                    "kind": "paths",
                    "query": {"include": ["$pageview"]},
                    "point": {"source": "1_/home", "target": "2_/pricing"},
                },
            ]
        }
    )

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    kind: Annotated[str, Field(max_length=64, examples=["trends"])]
    query: StoredDocument = Field(
        description="A query document of this kind.", examples=[{"series": [{"event": "signup"}]}]
    )
    point: Annotated[StoredDocument, _AnyPoint()] = Field(
        description="One number of the answer to it, named as the answer names it.", examples=[{"index": 0}]
    )
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 100
    cursor: PersonCursor | None = Field(default=None, description="`next_cursor` of the page before.")


class Behind(Document):
    """The same when it is read."""

    query: SerializeAsAny[Question]
    point: SerializeAsAny[Document]
    limit: int
    cursor: str | None

    @property
    def project_id(self) -> int | None:
        return self.query.project_id

    @property
    def date_from(self) -> str:
        return self.query.date_from

    @property
    def date_to(self) -> str | None:
        return self.query.date_to

    @property
    def timezone(self) -> str | None:
        return self.query.timezone

    @property
    def interval(self) -> Interval | None:
        return getattr(self.query, "interval", None)


def read(asked: PersonsOfPoint) -> tuple[Insight[Behind, PersonsAnswer], Behind]:
    """What a body asks, and how it is answered. Raises `BadRequest` that names every field in error."""
    insight = find_insight(asked.kind, ["body", "kind"])
    query = read_question(insight, asked.query, ["body", "query"])
    if query.project_id is None:
        query = query.model_copy(update={"project_id": asked.project_id})
    point = read_point(insight, asked.point, query, ["body", "point"])
    return _list(insight), Behind(query=query, point=point, limit=asked.limit, cursor=asked.cursor)


def _list(insight: Insight[Any, Any]) -> Insight[Behind, PersonsAnswer]:
    """The people behind points of this kind of question, as a kind of question."""
    persons, begin = insight.persons, insight.build_start
    assert persons is not None

    def build(asked: Behind, scope: Scope) -> Sql:
        p = Params()
        return list_persons(persons(asked.query, scope, asked.point, p), [], asked, scope, p)

    def build_start(asked: Behind, scope: Scope) -> Sql:
        assert begin is not None
        return begin(asked.query, scope)

    return Insight("persons", Behind, build, shape_persons, build_start if begin else None, place=("query",))
