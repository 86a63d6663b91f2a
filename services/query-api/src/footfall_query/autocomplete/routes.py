"""The lists to choose from over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from footfall_query.autocomplete import lists
from footfall_query.deps import AskingDep
from footfall_query.formats import CSV_RESPONSE
from footfall_query.routes import PROBLEMS
from footfall_query.runner import Insight

PROPERTY_NAMES: Final = Insight(
    "property_names",
    lists.PropertyNamesQuery,
    lists.build_property_names,
    lists.shape_property_names,
    open_end=True,
)
PROPERTY_VALUES: Final = Insight(
    "property_values",
    lists.PropertyValuesQuery,
    lists.build_property_values,
    lists.shape_property_values,
    open_end=True,
)

router = APIRouter(prefix="/api", tags=["events"], responses={**PROBLEMS, **CSV_RESPONSE})


@router.get("/property-names", response_model=lists.PropertyNamesAnswer)
async def list_property_names(query: Annotated[lists.PropertyNamesQuery, Query()], asking: AskingDep) -> Response:
    """The properties that recent events have, the most frequent first."""
    return await asking.answer(PROPERTY_NAMES, query, debug=query.debug)


@router.get("/property-values", response_model=lists.PropertyValuesAnswer)
async def list_property_values(query: Annotated[lists.PropertyValuesQuery, Query()], asking: AskingDep) -> Response:
    """The values that a property has in recent events, the most frequent first."""
    return await asking.answer(PROPERTY_VALUES, query, debug=query.debug)
