"""The HTTP endpoints about people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from footfall_query import behind, runner
from footfall_query.behind import PersonsOfPoint
from footfall_query.deps import AskingDep
from footfall_query.formats import CSV_RESPONSE
from footfall_query.persons import DistinctId, PersonAnswer, PersonQuery, PersonsAnswer, PersonsQuery, Timeline
from footfall_query.routes import PROBLEMS, Debug

router = APIRouter(prefix="/api/persons", responses={**PROBLEMS, **CSV_RESPONSE}, tags=["persons"])


@router.get("", response_model=PersonsAnswer)
async def list_persons(query: Annotated[PersonsQuery, Query()], asking: AskingDep) -> Response:
    """People with an event in the range, the latest first."""
    return await asking.answer(runner.PERSONS, query, debug=query.debug)


@router.post("", response_model=PersonsAnswer)
async def list_persons_of_point(asked: PersonsOfPoint, asking: AskingDep, debug: Debug = False) -> Response:
    """Everybody whom a point of an insight counts, the latest first, also people without a profile. `events`,
    `first_seen` and `last_seen` are about the events that the point is about."""
    insight, question = behind.read(asked)
    return await asking.answer(insight, question, debug=debug)


@router.get("/{distinct_id:path}", response_model=PersonAnswer)
async def show_person(
    distinct_id: Annotated[DistinctId, Path()], timeline: Annotated[Timeline, Query()], asking: AskingDep
) -> Response:
    """Who goes by this distinct_id: all ids, properties, links, and what they did, newest first."""
    query = PersonQuery(distinct_id=distinct_id, **timeline.model_dump())
    return await asking.answer(runner.PERSON, query, debug=query.debug)
