"""Which events count: filters as they come in a query document, and the only way to a WHERE."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
    ValidationInfo,
    field_validator,
)

from footfall_query import properties
from footfall_query.people import Whose, property_of_people
from footfall_query.properties import PERSON, TIMESTAMP, PropertyName
from footfall_query.scope import EPOCH, Scope, check_moment
from footfall_query.sql import Fragment, Params, all_of, any_of

MAX_FILTERS: Final = 100
MAX_DEPTH: Final = 10
MAX_VALUES: Final = 1_000
MAX_PATTERNS: Final = 50
"""Values of an operator that tries them one after the other."""
MAX_TEXT: Final = 10_000

Operator = Literal[
    "exact",
    "is_not",
    "icontains",
    "not_icontains",
    "regex",
    "not_regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "not_between",
    "is_set",
    "is_not_set",
    "is_date_exact",
    "is_date_before",
    "is_date_after",
]
Scalar: TypeAlias = StrictStr | StrictBool | StrictInt | StrictFloat

TRUE_OF_NOTHING: Final = frozenset({"is_not", "not_icontains", "not_regex", "not_between", "is_not_set"})
"""The operators that also match what lacks the property."""
COMPARISONS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Document(BaseModel):
    """A part of a query document. A misspelt field is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Filter(Document):
    """A condition on one property."""

    property: PropertyName
    operator: Operator = "exact"
    value: Scalar | list[Scalar] | None = Field(
        default=None,
        validate_default=True,
        description="What to compare with. A list means any of its values, or none of them when negated. "
        "Two numbers for `between`, nothing for `is_set`.",
    )
    scope: Whose = "event"

    @field_validator("value")
    @classmethod
    def _check_value(cls, given: Any, info: ValidationInfo) -> Any:
        operator = info.data.get("operator")
        if operator is not None:
            check_values(operator, list_values(given))
        return given


def _kind(node: Any) -> str:
    """Which of the three forms a node has, so that errors speak of that one only."""
    if isinstance(node, dict):
        return next((word for word in ("any", "all") if word in node), "filter")
    return "any" if isinstance(node, AnyOf) else "all" if isinstance(node, AllOf) else "filter"


def _list_means_all(node: Any) -> Any:
    return {"all": node} if isinstance(node, list) else node


class AnyOf(Document):
    """At least one of these holds."""

    any: list[Node] = Field(min_length=1)


class AllOf(Document):
    """All of these hold."""

    all: list[Node] = Field(min_length=1)


Node: TypeAlias = Annotated[
    Annotated[AnyOf, Tag("any")] | Annotated[AllOf, Tag("all")] | Annotated[Filter, Tag("filter")],
    Discriminator(_kind),
    BeforeValidator(_list_means_all),
]
AnyOf.model_rebuild()
AllOf.model_rebuild()


def _check_size(nodes: list[Node]) -> list[Node]:
    leaves = list(walk(nodes))
    if len(leaves) > MAX_FILTERS:
        raise ValueError(f"at most {MAX_FILTERS} filters")
    if max((depth for _, depth in leaves), default=0) > MAX_DEPTH:
        raise ValueError(f"filters may nest {MAX_DEPTH} levels deep")
    return nodes


def _one_means_itself(given: Any) -> Any:
    return [given] if isinstance(given, dict) else given


Filters: TypeAlias = Annotated[
    list[Node],
    BeforeValidator(_one_means_itself),
    AfterValidator(_check_size),
    Field(description="All of these must hold; `any` and `all` nest."),
]


def walk(nodes: Sequence[Node], depth: int = 1) -> Iterator[tuple[Filter, int]]:
    """Every filter with its depth."""
    for node in nodes:
        if isinstance(node, Filter):
            yield node, depth
        else:
            yield from walk(node.any if isinstance(node, AnyOf) else node.all, depth + 1)


def list_values(given: Scalar | list[Scalar] | None) -> list[Scalar]:
    """A filter's values, also when it has one or none."""
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def check_values(operator: Operator, values: Sequence[Scalar]) -> None:
    """Raises `ValueError` unless these are values that the operator can work with."""
    if operator in ("is_set", "is_not_set"):
        return
    if not values:
        raise ValueError(f"{operator} needs a value")
    limit = MAX_VALUES if operator in ("exact", "is_not") else MAX_PATTERNS
    if len(values) > limit:
        raise ValueError(f"at most {limit} values")
    if any(isinstance(value, str) and len(value) > MAX_TEXT for value in values):
        raise ValueError(f"a value may have at most {MAX_TEXT} characters")
    if operator in COMPARISONS or operator in ("between", "not_between"):
        if any(to_number(value) is None for value in values):
            raise ValueError(f"{operator} compares numbers")
        if operator not in COMPARISONS and len(values) != 2:
            raise ValueError(f"{operator} needs two numbers: from and to")
    elif operator in ("regex", "not_regex"):
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"{operator} needs a regular expression")
    elif operator.startswith("is_date_"):
        for value in values:
            if not isinstance(value, str):
                raise ValueError(f"{operator} needs a date such as 2026-11-01, 2026-11-01T10:00:00Z or -7d")
            check_moment(value)


def to_number(value: Scalar) -> float | None:
    """A number, or a text that is one; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def where(scope: Scope, filters: Sequence[Node], p: Params, *more: Fragment, time: Fragment = TIMESTAMP) -> Fragment:
    """The WHERE of every statement: project and time first, then the filters, then `more`."""
    conditions = [
        Fragment(f"project_id = {p(scope.project_id, 'UInt32')}"),
        Fragment(f"{time} >= {bind_time(scope.span.start, p)}"),
        Fragment(f"{time} < {bind_time(scope.span.end, p)}"),
        *(condition(node, scope, p) for node in filters),
        *more,
    ]
    return Fragment("WHERE " + "\n  AND ".join(conditions))


def bind_time(instant: int, p: Params) -> Fragment:
    """A Unix millisecond as a bound DateTime64."""
    moment = (EPOCH + timedelta(milliseconds=instant)).replace(tzinfo=None)
    return p(moment.isoformat(" ", "milliseconds"), "DateTime64(3, 'UTC')")


def condition(node: Node, scope: Scope, p: Params) -> Fragment:
    """One filter, or a nest of them. NULL is as good as false to whoever uses it."""
    if isinstance(node, AnyOf):
        return any_of(condition(inner, scope, p) for inner in node.any)
    if isinstance(node, AllOf):
        return all_of(condition(inner, scope, p) for inner in node.all)
    if node.scope == "person":
        return _on_person(node, scope, p)
    name, operator, values = node.property, node.operator, list_values(node.value)
    match operator:
        case "exact":
            return _equals(name, values, p)
        case "icontains":
            return _contains(name, values, p)
        case "regex":
            return _matches(name, values, p)
        case "is_not":
            return _unless(_equals(name, values, p))
        case "not_icontains":
            return _unless(_contains(name, values, p))
        case "not_regex":
            return _unless(_matches(name, values, p))
        case "gt" | "gte" | "lt" | "lte":
            number, sign = properties.number(name), COMPARISONS[operator]
            return any_of(Fragment(f"{number} {sign} {_bind_number(value, p)}") for value in values)
        case "between":
            return _between(name, values, p)
        case "not_between":
            outside = f"NOT {_between(name, values, p)}"
            return Fragment(f"ifNull({outside}, NOT {properties.is_set(name)})")
        case "is_set":
            return properties.is_set(name)
        case "is_not_set":
            return Fragment(f"NOT {properties.is_set(name)}")
        case _:
            return any_of(_on_date(name, operator, str(value), scope, p) for value in values)


def _on_person(node: Filter, scope: Scope, p: Params) -> Fragment:
    """The same condition, on what is known of the event's person now. Whoever lacks the property is in no row."""
    people = property_of_people(node.property, scope.project_id, p)
    holds = condition(node.model_copy(update={"scope": "event"}), scope, p)
    if node.operator in TRUE_OF_NOTHING:
        return Fragment(f"{PERSON} NOT IN (SELECT person FROM ({people}) WHERE NOT ifNull({holds}, 0))")
    return Fragment(f"{PERSON} IN (SELECT person FROM ({people}) WHERE {holds})")


def _unless(found: Fragment) -> Fragment:
    """The opposite, true also where the property is missing."""
    return Fragment(f"ifNull(NOT {found}, 1)")


def _equals(name: str, values: Sequence[Scalar], p: Params) -> Fragment:
    """Compares texts, of which ClickHouse writes those of floats itself."""
    texts = [_text(value) for value in values if not isinstance(value, float)]
    floats = [value for value in values if isinstance(value, float)]
    reading = _cheapest_reading(name, texts, has_floats=bool(floats))
    found = [Fragment(f"{reading} = toString({p(value, 'Float64')})") for value in floats]
    if texts:
        found.insert(0, Fragment(f"{reading} IN {p(texts, 'Array(String)')}"))
    return any_of(found)


def _cheapest_reading(name: str, texts: Sequence[str], *, has_floats: bool) -> Fragment:
    """Only a text that looks like a number or a structure can equal one, so most filters read strings alone."""
    if any(text.startswith(("[", "{")) for text in texts):
        return properties.text(name)
    if has_floats or any(text[:1] in "-0123456789" or text in ("true", "false") for text in texts if text):
        return properties.scalar(name)
    return properties.string(name)


def equal_texts(node: Filter) -> frozenset[str] | None:
    """The texts that the property must have one of; None when that is not what the filter says."""
    values = list_values(node.value)
    if node.operator != "exact" or any(isinstance(value, float) for value in values):
        return None
    return frozenset(_text(value) for value in values)


def same_property(one: Filter, other: Filter) -> bool:
    """Whether two filters look at one value of an event, be it the event's own or its person's."""
    return (one.property, one.scope) == (other.property, other.scope)


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _contains(name: str, values: Sequence[Scalar], p: Params) -> Fragment:
    text = properties.text(name)
    floats = {value: Fragment(f"toString({p(value, 'Float64')})") for value in values if isinstance(value, float)}
    parts = [floats[value] if isinstance(value, float) else p(_text(value), "String") for value in values]
    return any_of(Fragment(f"positionCaseInsensitiveUTF8({text}, {part}) > 0") for part in parts)


def _matches(name: str, values: Sequence[Scalar], p: Params) -> Fragment:
    """Tries each pattern on a constant too: ClickHouse then refuses a wrong one even when it reads no row."""
    text = properties.text(name)
    patterns = [p(value, "String") for value in values]
    return any_of(Fragment(f"(match('', {pattern}) < 2 AND match({text}, {pattern}))") for pattern in patterns)


def _between(name: str, values: Sequence[Scalar], p: Params) -> Fragment:
    low, high = (_bind_number(value, p) for value in values)
    return Fragment(f"({properties.number(name)} BETWEEN {low} AND {high})")


def _bind_number(value: Scalar, p: Params) -> Fragment:
    return p(to_number(value), "Float64")


def _on_date(name: str, operator: Operator, value: str, scope: Scope, p: Params) -> Fragment:
    moment = properties.moment(name, scope.zone.key, p)
    start, end = scope.parse(value)
    if operator == "is_date_before":
        return Fragment(f"{moment} < {p(start, 'Int64')}")
    if operator == "is_date_after":
        return Fragment(f"{moment} >= {p(end, 'Int64')}")
    return Fragment(f"({moment} BETWEEN {p(start, 'Int64')} AND {p(end - 1, 'Int64')})")
