"""Names and values of properties, found in the newest events of a range. Pure, as the insights are.

To look at every event for a list to choose from would cost more than most questions. So each looks at a sample: the
newest events, of which only the times are read to find out where it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from footfall_query import properties
from footfall_query.buckets import format_time
from footfall_query.documents import Answer, EventName, Meta
from footfall_query.events import Listing
from footfall_query.filters import where
from footfall_query.properties import EVENTS, MILLISECONDS, PropertyName
from footfall_query.scope import UTC_ZONE, DateText, Scope
from footfall_query.sql import Fragment, Params, Sql

NAMES_SAMPLE: Final = 20_000
VALUES_SAMPLE: Final = 1_000_000
MAX_VALUE_BYTES: Final = 1_000
"""Longer values are nothing to choose from."""

JsonType = Literal["string", "number", "boolean", "array", "object"]
Row = tuple[bool, Any, int, list[str], int]


class PropertyNamesQuery(Listing):
    """Which properties to list."""

    date_from: DateText = "-30d"
    event: EventName | None = Field(default=None, description="Only properties of events of this name.")
    search: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Only names that contain this."
    )


class PropertyValuesQuery(Listing):
    """Whose values to list."""

    date_from: DateText = "-30d"
    property: PropertyName
    event: EventName | None = Field(default=None, description="Only values in events of this name.")
    search: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Only values that contain this."
    )


class Sample(BaseModel):
    """Which events were looked at: the newest, back to `date_from`. `is_complete`: these are all of the range."""

    events: int
    date_from: str | None
    is_complete: bool


class PropertyNameCount(BaseModel):
    """A name, how many events of the sample have it, and as what."""

    property: str
    count: int
    types: list[JsonType]


class PropertyValueCount(BaseModel):
    """A value as text, and how many events of the sample have it."""

    value: str
    count: int


class PropertyNamesAnswer(Answer):
    sample: Sample
    results: list[PropertyNameCount]
    next_cursor: None = None


class PropertyValuesAnswer(Answer):
    sample: Sample
    results: list[PropertyValueCount]
    next_cursor: None = None


def build_property_names(query: PropertyNamesQuery, scope: Scope, size: int = NAMES_SAMPLE) -> Sql:
    """Rows of (is_sample, name, events, types, first Unix millisecond); the first row is about the sample."""
    p = Params()
    search = f" AND positionCaseInsensitiveUTF8(name, {p(query.search, 'String')}) > 0" if query.search else ""
    return Sql(
        f"""SELECT is_sample, name, count() AS events, arraySort(groupUniqArray(type)), min(at)
FROM (
    SELECT at, arrayJoin(arrayPushFront(found, (true, '', ''))) AS item,
        item.1 AS is_sample, item.2 AS name, item.3 AS type
    FROM (
        SELECT {MILLISECONDS} AS at,
            arrayDistinct(arrayMap(
                (path, type) -> (
                    false,
                    replaceAll(splitByChar('.', path)[1], '%2E', '.'),
                    multiIf(position(path, '.') > 0, 'object', type = 'Bool', 'boolean',
                        type IN ('Int64', 'UInt64', 'Float64'), 'number', startsWith(type, 'Array'), 'array', 'string')
                ),
                mapKeys(JSONAllPathsWithTypes(properties) AS paths), mapValues(paths)
            )) AS found
        {_sample(scope, query.event, size, p)}
    )
)
WHERE is_sample OR (name != ''{search})
GROUP BY is_sample, name
ORDER BY is_sample DESC, events DESC, name
LIMIT {p(query.limit + 1, "UInt16")}""",
        p.values,
    )


def shape_property_names(_: PropertyNamesQuery, __: Scope, rows: Sequence[Row], meta: Meta) -> PropertyNamesAnswer:
    """The names, the most frequent first."""
    return PropertyNamesAnswer(
        sample=_read_sample(rows, NAMES_SAMPLE),
        results=[
            PropertyNameCount.model_validate({"property": name, "count": count, "types": found})
            for is_sample, name, count, found, _ in rows
            if not is_sample
        ],
        meta=meta,
    )


def build_property_values(query: PropertyValuesQuery, scope: Scope, size: int = VALUES_SAMPLE) -> Sql:
    """Rows of (is_sample, value, events, [], first Unix millisecond); the first row is about the sample."""
    p = Params()
    value, item = properties.scalar(query.property), properties.value(query.property)
    search = f" AND positionCaseInsensitiveUTF8(value, {p(query.search, 'String')}) > 0" if query.search else ""
    return Sql(
        f"""SELECT grouping(value) AS is_sample, value, count() AS events, [], min(at)
FROM (
    SELECT {MILLISECONDS} AS at, if(startsWith(dynamicType({item}), 'Array'), NULL, {value}) AS value
    {_sample(scope, query.event, size, p)}
)
GROUP BY GROUPING SETS ((value), ())
HAVING is_sample OR (value IS NOT NULL AND length(value) <= {MAX_VALUE_BYTES}{search})
ORDER BY is_sample DESC, events DESC, value
LIMIT {p(query.limit + 1, "UInt16")}""",
        p.values,
    )


def shape_property_values(_: PropertyValuesQuery, __: Scope, rows: Sequence[Row], meta: Meta) -> PropertyValuesAnswer:
    """The values, the most frequent first."""
    return PropertyValuesAnswer(
        sample=_read_sample(rows, VALUES_SAMPLE),
        results=[PropertyValueCount(value=value, count=count) for is_sample, value, count, *_ in rows if not is_sample],
        meta=meta,
    )


def _sample(scope: Scope, event: str | None, size: int, p: Params) -> Fragment:
    """The newest events: FROM and WHERE. Those at the very time where the sample begins all belong to it."""
    named = [] if event is None else [Fragment(f"event = {p(event, 'String')}")]
    times = f"SELECT timestamp FROM {EVENTS}\n{where(scope, [], p, *named)}\nORDER BY timestamp DESC LIMIT {size}"
    newest = Fragment(f"timestamp >= (SELECT min(timestamp) FROM ({times}))")
    return Fragment(f"FROM {EVENTS}\n{where(scope, [], p, *named, newest)}")


def _read_sample(rows: Sequence[Row], size: int) -> Sample:
    for is_sample, _, events, _, first in rows:
        if is_sample and events:
            date_from = format_time(first, UTC_ZONE, "milliseconds")
            return Sample(events=events, date_from=date_from, is_complete=events < size)
    return Sample(events=0, date_from=None, is_complete=True)
