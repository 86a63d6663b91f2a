"""The HTTP endpoints about people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from footfall_query import runner
from footfall_query.deps import AskingDep
from footfall_query.persons import DistinctId, PersonAnswer, PersonQuery, PersonsAnswer, PersonsQuery, Timeline
from footfall_query.routes import PROBLEMS

router = APIRouter(prefix="/api/persons", responses=PROBLEMS, tags=["persons"])


@router.get("", response_model=PersonsAnswer)
async def list_persons(query: Annotated[PersonsQuery, Query()], asking: AskingDep) -> Response:
    """People with an event in the range, the latest first."""
    return await asking.answer(runner.PERSONS, query, debug=query.debug)


@router.get("/{distinct_id:path}", response_model=PersonAnswer)
async def show_person(
    distinct_id: Annotated[DistinctId, Path()], timeline: Annotated[Timeline, Query()], asking: AskingDep
) -> Response:
    """Who goes by this distinct_id: all ids, properties, links, and what they did, newest first."""
    query = PersonQuery(distinct_id=distinct_id, **timeline.model_dump())
    return await asking.answer(runner.PERSON, query, debug=query.debug)
