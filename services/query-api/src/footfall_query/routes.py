"""The HTTP endpoints: what is asked, by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from footfall_core.errors import (
    BadRequest,
    NotFound,
    TooExpensive,
    TooLarge,
    Unauthorized,
    Unavailable,
    problem_responses,
)
from footfall_query import runner
from footfall_query.deps import AskingDep
from footfall_query.documents import EventName, ProjectId, Question
from footfall_query.events import (
    EventNamesAnswer,
    EventNamesQuery,
    EventsAnswer,
    EventsQuery,
    RejectedEventsAnswer,
    RejectedEventsQuery,
)
from footfall_query.filters import Document
from footfall_query.formats import CSV_RESPONSE
from footfall_query.ingestion import IngestionAnswer, IngestionQuery
from footfall_query.insights.funnels import FunnelAnswer, FunnelQuery
from footfall_query.insights.lifecycle import LifecycleAnswer, LifecycleQuery
from footfall_query.insights.paths import PathsAnswer, PathsQuery
from footfall_query.insights.retention import RetentionAnswer, RetentionQuery
from footfall_query.insights.stickiness import StickinessAnswer, StickinessQuery
from footfall_query.insights.trends import TrendsAnswer, TrendsQuery
from footfall_query.properties import Math, PropertyName
from footfall_query.scope import DateText, Interval, MomentText, TimezoneName
from footfall_query.tables import Format

K = TypeVar("K", bound=Question)

PROBLEMS = problem_responses(BadRequest, Unauthorized, NotFound, TooLarge, TooExpensive, Unavailable)
router = APIRouter(prefix="/api", responses={**PROBLEMS, **CSV_RESPONSE})

Debug = Annotated[bool, Query(description="Admins of the project get the SQL with the answer.")]


class SimpleQuestion(Document):
    """What the simple form of every insight takes as URL parameters."""

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    event: list[EventName] = Field(default=[], description="Repeat it for several.")
    date_from: DateText = "-7d"
    date_to: MomentText | None = None
    timezone: TimezoneName | None = None
    debug: bool = Field(default=False, description="Admins of the project get the SQL with the answer.")
    format: Format | None = None

    def document(self, **more: Any) -> dict[str, Any]:
        """The fields that a query document has too, and `more`."""
        return {**self.model_dump(include=set(Question.model_fields)), **more}


class SimpleTrends(SimpleQuestion):
    """One series for each event, or one of all events."""

    interval: Interval = "day"
    math: Math = "total"
    math_property: PropertyName | None = None
    breakdown: PropertyName | None = Field(default=None, description="A property to break down by.")


class SimpleFunnel(SimpleQuestion):
    """One step for each event."""

    window_days: int = Field(default=14, ge=1, le=10_000)


@router.post("/trends", response_model=TrendsAnswer, tags=["insights"])
async def ask_trends(query: TrendsQuery, asking: AskingDep, debug: Debug = False) -> Response:
    """How often something happened, bucket by bucket."""
    return await asking.answer(runner.TRENDS, query, debug=debug)


@router.get("/trends", response_model=TrendsAnswer, tags=["insights"])
async def ask_simple_trends(simple: Annotated[SimpleTrends, Query()], asking: AskingDep) -> Response:
    """Trends without filters."""
    math = {"math": simple.math, "math_property": simple.math_property}
    events: Sequence[str | None] = simple.event or [None]
    document = simple.document(
        series=[{"event": event, **math} for event in events],
        interval=simple.interval,
        breakdown=None if simple.breakdown is None else {"property": simple.breakdown},
    )
    return await asking.answer(runner.TRENDS, _read(TrendsQuery, document), debug=simple.debug)


@router.post("/funnels", response_model=FunnelAnswer, tags=["insights"])
async def ask_funnel(query: FunnelQuery, asking: AskingDep, debug: Debug = False) -> Response:
    """How many persons go from step to step, and how long it takes them."""
    return await asking.answer(runner.FUNNEL, query, debug=debug)


@router.get("/funnels", response_model=FunnelAnswer, tags=["insights"])
async def ask_simple_funnel(simple: Annotated[SimpleFunnel, Query()], asking: AskingDep) -> Response:
    """A funnel without filters."""
    document = simple.document(
        steps=[{"event": event} for event in simple.event],
        window={"value": simple.window_days, "unit": "day"},
    )
    return await asking.answer(runner.FUNNEL, _read(FunnelQuery, document), debug=simple.debug)


@router.post("/retention", response_model=RetentionAnswer, tags=["insights"])
async def ask_retention(query: RetentionQuery, asking: AskingDep, debug: Debug = False) -> Response:
    """How many of the persons who began in a period return in later ones."""
    return await asking.answer(runner.RETENTION, query, debug=debug)


@router.post("/lifecycle", response_model=LifecycleAnswer, tags=["insights"])
async def ask_lifecycle(query: LifecycleQuery, asking: AskingDep, debug: Debug = False) -> Response:
    """Who is new, who came back, and who stayed away, interval by interval."""
    return await asking.answer(runner.LIFECYCLE, query, debug=debug)


@router.post("/stickiness", response_model=StickinessAnswer, tags=["insights"])
async def ask_stickiness(query: StickinessQuery, asking: AskingDep, debug: Debug = False) -> Response:
    """In how many intervals persons are active."""
    return await asking.answer(runner.STICKINESS, query, debug=debug)


@router.post("/paths", response_model=PathsAnswer, tags=["insights"])
async def ask_paths(query: PathsQuery, asking: AskingDep, debug: Debug = False) -> Response:
    """Which ways persons take from page to page, screen to screen, event to event."""
    return await asking.answer(runner.PATHS, query, debug=debug)


@router.get("/events", response_model=EventsAnswer, tags=["events"])
async def list_events(query: Annotated[EventsQuery, Query()], asking: AskingDep) -> Response:
    """Events, newest first."""
    return await asking.answer(runner.EVENTS, query, debug=query.debug)


@router.get("/event-names", response_model=EventNamesAnswer, tags=["events"])
async def list_event_names(query: Annotated[EventNamesQuery, Query()], asking: AskingDep) -> Response:
    """The names that events have, the most frequent first."""
    return await asking.answer(runner.EVENT_NAMES, query, debug=query.debug)


@router.get("/rejected-events", response_model=RejectedEventsAnswer, tags=["events"])
async def list_rejected_events(query: Annotated[RejectedEventsQuery, Query()], asking: AskingDep) -> Response:
    """What was sent with a valid key and could not be stored, newest first."""
    return await asking.answer(runner.REJECTED_EVENTS, query, debug=query.debug)


@router.get("/ingestion", response_model=IngestionAnswer, tags=["events"])
async def show_ingestion(query: Annotated[IngestionQuery, Query()], asking: AskingDep) -> Response:
    """Why an event that was accepted cannot be found yet: what waits to be stored, and for how long."""
    return await asking.answer(runner.INGESTION, query, debug=query.debug)


def _read(kind: type[K], document: dict[str, Any]) -> K:
    """URL parameters as a query document; what is wrong with it is wrong with the URL."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("query", *e["loc"])} for e in error.errors()]) from error
