"""What is known of people: expressions over `analytics.person_properties`. Pure.

A person's ids each have what was said under them, and when they joined the person. What was said under an id
before it joined fills in only what the person lacked then, as a `$set_once` at that moment would.
"""

from __future__ import annotations

from typing import Final, Literal

from footfall_query import properties
from footfall_query.properties import PERSON
from footfall_query.scope import Scope
from footfall_query.sql import Fragment, Params

Whose = Literal["event", "person"]
"""Whose property is meant: the event's own, or what is known of its person now."""

PERSON_ID: Final = Fragment(
    "dictGetOrDefault('analytics.person_of', 'person_id', reinterpretAsUInt64(person_id), person_id)"
)
"""The UUID of the person whom an event or an id belongs to now. Questions count `PERSON`, which is half of it."""
_NEVER: Final = "-9223372036854775808"


def told(condition: Fragment) -> Fragment:
    """A SELECT of (person, name, value): what is known of people now, each value as JSON.

    `condition` is the WHERE over `analytics.person_properties`. Candidates stand with the time from which they hold;
    the last `$set` counts, else the first `$set_once`, of those after the last `$unset`.
    """
    return Fragment(
        f"""SELECT person, name, if(own.1 > unset, own.2, first.3) AS value
FROM (
    SELECT person, name,
        max(if(unset_at >= joined_at, unset_at, {_NEVER})) AS unset,
        max(if(last_set.1 >= joined_at, last_set, ({_NEVER}, ''))) AS own,
        arraySort(arrayFilter(each -> each.1 > unset, groupArrayArray([
            (if(last_set.1 > unset_at AND last_set.1 < joined_at, joined_at, {_NEVER}), 0, last_set.2),
            (if(first_once.1 > unset_at AND first_once.2 != '', greatest(first_once.1, joined_at), {_NEVER}),
                1, first_once.2),
            (if(last_once.1 > unset_at, greatest(last_once.1, joined_at), {_NEVER}), 1, last_once.2)
        ])))[1] AS first
    FROM (
        SELECT person, joined_at, name, max(last_set) AS last_set, min(first_once) AS first_once,
            max(last_once) AS last_once, max(unset_at) AS unset_at
        FROM analytics.person_properties
        WHERE {condition}
        GROUP BY person, joined_at, distinct_id, name
    )
    GROUP BY person, name
)
WHERE value NOT IN ('', 'null')"""
    )


def property_of_people(name: str, project_id: int, p: Params) -> Fragment:
    """A SELECT of (person, properties), of those who have the property, which is the only one in there: so what
    reads an event's property reads a person's."""
    known = told(_named(name, project_id, p))
    document = f"concat('{{', toJSONString({p(name, 'String')}), ':', value, '}}')"
    return Fragment(f"SELECT person, CAST({document} AS JSON) AS properties FROM ({known})")


def text_of(name: str, whose: Whose, scope: Scope, p: Params) -> Fragment:
    """An event's property, or its person's, as text; NULL when missing."""
    if whose == "event":
        return properties.text(name)
    known = told(_named(name, scope.project_id, p))
    # All who have it, with what they have: a constant to the statement around it, computed once.
    table = f"(SELECT (groupArray(person), groupArray({as_text(Fragment('value'))})) FROM ({known}))"
    return Fragment(f"nullIf(transform({PERSON}, tupleElement({table}, 1), tupleElement({table}, 2), ''), '')")


def as_text(value: Fragment) -> Fragment:
    """JSON as the text that filters compare: strings as they are."""
    return Fragment(f"if(startsWith({value}, '\"'), JSONExtractString({value}), {value})")


def _named(name: str, project_id: int, p: Params) -> Fragment:
    return Fragment(f"project_id = {p(project_id, 'UInt32')} AND name = {p(name, 'String')}")
