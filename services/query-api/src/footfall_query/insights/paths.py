"""Paths: which ways persons take from page to page, screen to screen, event to event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from footfall_query import properties
from footfall_query.documents import Answer, Meta, Question
from footfall_query.filters import where
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON
from footfall_query.scope import Scope
from footfall_query.sql import Fragment, Params, Sql, any_of

GAP_MS: Final = 30 * 60 * 1000
"""A longer silence ends a path."""
MAX_NODE: Final = 2_000

Kind = Literal["$pageview", "$screen", "custom_event"]
Node = Annotated[str, Field(min_length=1, max_length=MAX_NODE, examples=["/pricing"])]


class PathsQuery(Question):
    """The query document of paths."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"start": "/", "steps": 4, "include": ["$pageview"], "date_from": "-30d"}]}
    )

    start: Node | None = Field(default=None, description="Paths begin at this node; what comes before is left out.")
    end: Node | None = Field(default=None, description="Paths end at this node; what comes after is left out.")
    steps: Annotated[int, Field(ge=2, le=20, description="Nodes of a path, at most.")] = 5
    max_links: Annotated[int, Field(ge=1, le=1000)] = 50
    min_weight: int | None = Field(default=None, ge=1, description="Leave out links that fewer paths take.")
    include: list[Kind] = Field(
        default=["$pageview", "$screen", "custom_event"],
        min_length=1,
        max_length=3,
        description="Kinds of events. A custom event is one whose name does not begin with `$`.",
    )
    exclude: list[Node] = Field(default=[], max_length=100, description="Nodes that are passed over.")


class Link(BaseModel):
    """How many paths go from one node to the next, and how long that takes them. Nodes have their position before
    them, from 1 on: `1_/home`."""

    source: str
    target: str
    count: int
    avg_seconds: float


class PathsAnswer(Answer):
    """The links that most paths take."""

    links: list[Link]


def build(query: PathsQuery, scope: Scope) -> Sql:
    """Rows of (position, source, target, count, average milliseconds), positions from 1 on.

    `visits` are a person's (time, node), ascending; each of `path` is one path's, without repetitions.
    """
    p = Params()
    kinds = {
        "$pageview": Fragment("event = '$pageview'"),
        "$screen": Fragment("event = '$screen'"),
        "custom_event": Fragment("NOT startsWith(event, '$')"),
    }
    included = any_of(kinds[kind] for kind in dict.fromkeys(query.include))
    excluded = f"\n        WHERE node NOT IN {p(query.exclude, 'Array(String)')}" if query.exclude else ""
    steps = p(query.steps, "UInt8")
    weight = f"\nHAVING count >= {p(query.min_weight, 'UInt64')}" if query.min_weight is not None else ""
    return Sql(
        f"""SELECT link.1 AS position, link.2 AS source, link.3 AS target, count() AS count, avg(link.4) AS milliseconds
FROM (
    SELECT arrayCompact(visit -> visit.2, arrayJoin(arraySplit((visit, gap) -> gap > {GAP_MS}, visits,
        arrayDifference(visits.1)))) AS whole,
        {_cut(query, steps, p)} AS path
    FROM (
        SELECT arraySort(groupArray((time, node))) AS visits
        FROM (
            SELECT {PERSON} AS person, {MILLISECONDS} AS time, {_node()} AS node
            FROM {EVENTS}
            {where(scope, query.filters, p, included)}
        ){excluded}
        GROUP BY person
    )
)
ARRAY JOIN arrayMap((position, visit, next) -> (position, visit.2, next.2, next.1 - visit.1),
    arrayEnumerate(arrayPopBack(path)), arrayPopBack(path), arrayPopFront(path)) AS link
GROUP BY position, source, target{weight}
ORDER BY count DESC, position, source, target
LIMIT {p(query.max_links, "UInt16")}""",
        p.values,
    )


def _node() -> Fragment:
    """A pageview's path, a screen's name, else the event's name; the event's name also where they are missing."""
    url, screen = (f"ifNull({properties.string(name)}, '')" for name in ("$current_url", "$screen_name"))
    return Fragment(
        f"multiIf(event = '$pageview' AND {url} != '', {_path(url)}, "
        f"event = '$screen' AND {screen} != '', {screen}, event)"
    )


def _path(url: str) -> str:
    """The path of a URL, or of what only begins like one, without a slash at its end; `/` where nothing is left.

    ClickHouse's own functions for whole URLs, because regular expressions took half the time of the whole question.
    """
    host = f"replaceRegexpOne({url}, '^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*', '')"
    path = (
        f"if(startsWith({url}, 'https://') OR startsWith({url}, 'http://'), path(cutQueryStringAndFragment({url})), "
        f"replaceRegexpOne({host}, '[?#](?s:.*)$', ''))"
    )
    return f"if({path} IN ('', '/'), '/', if(endsWith({path}, '/'), substring({path}, 1, length({path}) - 1), {path}))"


def _cut(query: PathsQuery, steps: Fragment, p: Params) -> Fragment:
    """The part of the whole path that is asked about: from the first `start` on, to the first `end` after it."""
    path = "whole"
    if query.start is not None:
        start = p(query.start, "String")
        path = f"arraySlice({path}, if(has({path}.2, {start}), indexOf({path}.2, {start}), length({path}) + 1))"
    if query.end is not None:
        end = p(query.end, "String")
        skipped = 1 if query.start is not None else 0
        found = f"arrayFirstIndex((node, n) -> node = {end} AND n > {skipped}, {path}.2, arrayEnumerate({path}))"
        path = f"arraySlice({path}, 1, {found})"
    first = f"-least({steps}, length({path}))" if query.end is not None and query.start is None else "1"
    return Fragment(f"arraySlice({path}, {first}, {steps})")


def shape(_: PathsQuery, __: Scope, rows: Sequence[tuple[int, str, str, int, float]], meta: Meta) -> PathsAnswer:
    """Rows as links."""
    links = [
        Link(
            source=f"{position}_{source}",
            target=f"{position + 1}_{target}",
            count=count,
            avg_seconds=milliseconds / 1000,
        )
        for position, source, target, count, milliseconds in rows
    ]
    return PathsAnswer(links=links, meta=meta)
