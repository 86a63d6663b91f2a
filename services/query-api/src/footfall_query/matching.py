"""Which events an insight speaks of: the name and the filters that stand in many places of query documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from footfall_query.documents import EventName
from footfall_query.filters import Document, Filters, Node, condition, where
from footfall_query.properties import EVENTS, MILLISECONDS
from footfall_query.scope import Scope
from footfall_query.sql import Fragment, Params, Sql, all_of


class Matching(Document):
    """The events that have a name and pass all of the filters."""

    event: EventName | None = Field(default=None, description="null: any event.")
    filters: Filters = Field(default=[])


def matches(wanted: Matching, scope: Scope, p: Params, filters: Sequence[Node] = ()) -> Fragment:
    """Whether a row is one of these events and passes `filters` too; 0 or 1."""
    return all_of([*named(wanted, p), *(condition(node, scope, p) for node in [*wanted.filters, *filters])])


def named(wanted: Matching, p: Params) -> list[Fragment]:
    """The condition on the name, if there is one. A WHERE that has it reads only these rows."""
    return [] if wanted.event is None else [Fragment(f"event = {p(wanted.event, 'String')}")]


def build_start(wanted: Iterable[Matching], scope: Scope) -> Sql:
    """The Unix millisecond of the first event with one of the names, and how many there are: where a range that is
    open at its start begins."""
    p = Params()
    names = {each.event for each in wanted}
    known = [] if None in names else [Fragment(f"event IN {p(sorted(str(name) for name in names), 'Array(String)')}")]
    return Sql(f"SELECT min({MILLISECONDS}), count() FROM {EVENTS}\n{where(scope, [], p, *known)}", p.values)
