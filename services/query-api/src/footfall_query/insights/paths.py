"""Paths: which ways persons take from page to page, screen to screen, event to event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationInfo, field_validator

from footfall_query import properties
from footfall_query.documents import Answer, Meta, Question
from footfall_query.filters import Document, where
from footfall_query.points import is_among
from footfall_query.properties import EVENTS, MILLISECONDS, PERSON
from footfall_query.scope import Scope
from footfall_query.sql import Fragment, Params, Sql, all_of, any_of

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


PlacedNode = Annotated[
    str, Field(pattern="^[0-9]{1,2}_", description="With its position before it.", examples=["1_/home"])
]


class PathsLinkPoint(Document):
    """The persons whose paths take a link."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"source": "1_/home", "target": "2_/pricing"}]})

    source: PlacedNode
    target: PlacedNode

    @field_validator("target")
    @classmethod
    def _follows(cls, given: str, info: ValidationInfo) -> str:
        if "source" in info.data and _split(given)[0] != _split(info.data["source"])[0] + 1:
            raise ValueError("must be one position after source")
        return given


class PathsNodePoint(Document):
    """The persons whose paths take a link to the node or from it, also one that the answer leaves out."""

    node: PlacedNode


PathsPoint = Annotated[
    Annotated[PathsLinkPoint, Tag("link")] | Annotated[PathsNodePoint, Tag("node")],
    Discriminator(lambda given: "node" if "node" in given else "link"),
]
POINT: Final = TypeAdapter[PathsLinkPoint | PathsNodePoint](PathsPoint)


def build(query: PathsQuery, scope: Scope) -> Sql:
    """Rows of (position, source, target, count, average milliseconds), positions from 1 on."""
    p = Params()
    weight = f"\nHAVING count >= {p(query.min_weight, 'UInt64')}" if query.min_weight is not None else ""
    return Sql(
        f"""SELECT position, source, target, count() AS count, avg(took) AS milliseconds
{_links(query, _included(query, scope, p), p)}
GROUP BY position, source, target{weight}
ORDER BY count DESC, position, source, target
LIMIT {p(query.max_links, "UInt16")}""",
        p.values,
    )


def persons(query: PathsQuery, scope: Scope, point: PathsLinkPoint | PathsNodePoint, p: Params) -> Fragment:
    """The WHERE of the events of these persons' paths, also of other ones."""
    included = _included(query, scope, p)
    source, target = (point.source, point.target) if isinstance(point, PathsLinkPoint) else (point.node, point.node)
    ends = [_is_at("position", "source", source, p), _is_at("position + 1", "target", target, p)]
    taken = all_of(ends) if isinstance(point, PathsLinkPoint) else any_of(ends)
    people = f"SELECT {PERSON}\n{_links(query, included, p)}\nWHERE {taken}"
    return Fragment(f"{included}\n  AND {is_among(people)}")


def _split(node: str) -> tuple[int, str]:
    position, _, name = node.partition("_")
    return int(position), name


def _is_at(position: str, name: str, node: str, p: Params) -> Fragment:
    """Whether one end of a link is this node."""
    number, text = _split(node)
    return Fragment(f"({position} = {p(number, 'UInt8')} AND {name} = {p(text, 'String')})")


def _included(query: PathsQuery, scope: Scope, p: Params) -> Fragment:
    """The WHERE of the events that paths are made of."""
    kinds = {
        "$pageview": Fragment("event = '$pageview'"),
        "$screen": Fragment("event = '$screen'"),
        "custom_event": Fragment("NOT startsWith(event, '$')"),
    }
    return where(scope, query.filters, p, any_of(kinds[kind] for kind in dict.fromkeys(query.include)))


def _links(query: PathsQuery, included: Fragment, p: Params) -> Fragment:
    """A FROM with a row for each link that a person's path takes: (person, position, source, target, took).

    A person's `nodes` and their `times`, ascending, lose what repeats the node before within a path; then they are
    split where a path begins, and cut to what is asked about. Two lists take half the time of one of pairs.
    """
    excluded = f"\n            WHERE node NOT IN {p(query.exclude, 'Array(String)')}" if query.exclude else ""
    path_nodes, path_times = _cut(query, p)
    return Fragment(
        f"""FROM (
    SELECT {PERSON}, {path_nodes} AS nodes, {path_times} AS times
    FROM (
        SELECT {PERSON}, arrayFilter((gap, is_new) -> is_new, gaps, are_new) AS kept_gaps,
            arrayFilter((node, is_new) -> is_new, visited, are_new) AS kept_nodes,
            arrayFilter((time, is_new) -> is_new, visited_at, are_new) AS kept_times
        FROM (
            SELECT {PERSON}, arraySort((node, time) -> (time, node), groupArray(node), groupArray(time)) AS visited,
                arraySort(groupArray(time)) AS visited_at, arrayDifference(visited_at) AS gaps,
                arrayMap((gap, node, before) -> gap > {GAP_MS} OR node != before,
                    gaps, visited, arrayPushFront(arrayPopBack(visited), '')) AS are_new
            FROM (
                SELECT {PERSON}, {MILLISECONDS} AS time, {_node(dict.fromkeys(query.include))} AS node
                FROM {EVENTS}
                {included}
            ){excluded}
            GROUP BY {PERSON}
        )
    )
    ARRAY JOIN arraySplit((node, gap) -> gap > {GAP_MS}, kept_nodes, kept_gaps) AS whole_nodes,
        arraySplit((time, gap) -> gap > {GAP_MS}, kept_times, kept_gaps) AS whole_times
)
ARRAY JOIN arrayEnumerate(arrayPopBack(nodes)) AS position, arrayPopBack(nodes) AS source,
    arrayPopFront(nodes) AS target, arrayPopFront(arrayDifference(times)) AS took"""
    )


def _node(kinds: Collection[Kind]) -> Fragment:
    """A pageview's path, a screen's name, else the event's name; the event's name also where they are missing.

    What branches are taken on is computed for all rows; within a branch the engine would compute paths by row, which
    took three times as long. A property is only read if an event of its kind can be there.
    """
    branches = []
    if "$pageview" in kinds:
        url = _property_of("$pageview", "$current_url", kinds)
        path = _path(url)
        page = f"substring({path}, 1, length({path}) - endsWith({path}, '/'))"
        branches += [f"{page} != '', {page}", f"{url} != '', '/'"]
    if "$screen" in kinds:
        screen = _property_of("$screen", "$screen_name", kinds)
        branches.append(f"{screen} != '', {screen}")
    return Fragment(f"multiIf({', '.join(branches)}, event)" if branches else "event")


def _property_of(kind: Kind, name: str, kinds: Collection[Kind]) -> str:
    """A property of events of this kind as text, which is empty where it is missing, and for all other events."""
    text = f"ifNull({properties.string(name)}, '')"
    return text if len(kinds) == 1 else f"if(event = '{kind}', {text}, '')"


def _path(url: str) -> str:
    """The path of a URL, or of what only begins like one.

    ClickHouse's own functions for whole URLs, because regular expressions took half the time of the whole question.
    """
    rest = f"replaceRegexpOne({url}, '^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*', '')"
    return (
        f"if(startsWith({url}, 'https://') OR startsWith({url}, 'http://'), path(cutQueryStringAndFragment({url})), "
        f"replaceRegexpOne({rest}, '[?#](?s:.*)$', ''))"
    )


def _cut(query: PathsQuery, p: Params) -> tuple[str, str]:
    """The part of the whole path that is asked about, its nodes and its times: from the first `start` on, to the
    first `end` after it."""
    bounds: list[str] = []

    def cut(whole: str) -> str:
        for each in bounds:
            whole = f"arraySlice({whole}, {each})"
        return whole

    if query.start is not None:
        start = p(query.start, "String")
        bounds.append(f"if(has(whole_nodes, {start}), indexOf(whole_nodes, {start}), length(whole_nodes) + 1)")
    if query.end is not None:
        end = p(query.end, "String")
        skipped = 1 if query.start is not None else 0
        rest = cut("whole_nodes")
        bounds.append(
            f"1, arrayFirstIndex((node, n) -> node = {end} AND n > {skipped}, {rest}, arrayEnumerate({rest}))"
        )
    steps = p(query.steps, "UInt8")
    is_last = query.end is not None and query.start is None
    first = f"-least({steps}, length({cut('whole_nodes')}))" if is_last else "1"
    bounds.append(f"{first}, {steps}")
    return cut("whole_nodes"), cut("whole_times")


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
