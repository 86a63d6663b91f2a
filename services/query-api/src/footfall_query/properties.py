"""The vocabulary: from the names in a query document to expressions over `analytics.events`.

A property is a top-level key of an event's properties, a path of the JSON column. A path that holds an object
has no value of its own there, only paths below it, which `properties.^name` collects.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from footfall_query.sql import Fragment, Params

EVENTS: Final = Fragment("analytics.events")
FIRST_SEEN: Final = Fragment("analytics.first_seen")
TIMESTAMP: Final = Fragment("timestamp")
PERSON: Final = Fragment("person")
MILLISECONDS: Final = Fragment("toUnixTimestamp64Milli(timestamp)")

MAX_PROPERTY_NAME: Final = 400

CountMath = Literal[
    "total", "unique_users", "weekly_active_users", "monthly_active_users", "unique_sessions", "first_time_users"
]
NumberMath = Literal["sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99"]
Math = Literal[CountMath, NumberMath]

AGGREGATES: Final[dict[Math, tuple[str, str]]] = {
    "total": ("count", ""),
    "unique_users": ("uniqExact", ""),
    "weekly_active_users": ("uniqExact", ""),
    "monthly_active_users": ("uniqExact", ""),
    "unique_sessions": ("uniqExact", ""),
    "first_time_users": ("count", ""),
    "sum": ("sum", ""),
    "avg": ("avg", ""),
    "min": ("min", ""),
    "max": ("max", ""),
    "median": ("quantileExactInclusive", "(0.5)"),
    "p75": ("quantileExactInclusive", "(0.75)"),
    "p90": ("quantileExactInclusive", "(0.9)"),
    "p95": ("quantileExactInclusive", "(0.95)"),
    "p99": ("quantileExactInclusive", "(0.99)"),
}
"""Each math's aggregate function, its name and its level apart, so that a combinator fits between them."""


def check_name(name: str) -> str:
    """A property name that ClickHouse can address. Raises `ValueError`."""
    if name[:2] in (":`", "^`", "@`"):
        raise ValueError(f"a property whose name begins with {name[:2]} cannot be asked about")
    return name


PropertyName = Annotated[
    str,
    Field(min_length=1, max_length=MAX_PROPERTY_NAME, examples=["plan"]),
    AfterValidator(check_name),
]


def quote_name(name: str) -> Fragment:
    """A property's name as an identifier: the one place where text from outside enters a statement.

    All but ASCII letters and digits is written as `\\xNN`, so that nothing in a name can end the quotation, and
    neither the engine nor a driver finds anything to interpret. A dot is stored as `%2E`.
    """
    stored = name.replace(".", "%2E").encode()
    text = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\x{byte:02X}" for byte in stored)
    return Fragment(f"`{text}`")


def value(name: str) -> Fragment:
    """The property as it is stored, of whatever type; NULL when missing or an object."""
    return Fragment(f"properties.{quote_name(name)}")


def object_value(name: str) -> Fragment:
    """The property as a JSON object, `{}` when it is anything else."""
    return Fragment(f"properties.^{quote_name(name)}")


def string(name: str) -> Fragment:
    """The property if it is a string, else NULL. The fastest of the four readings."""
    return Fragment(f"{value(name)}.:String")


def scalar(name: str) -> Fragment:
    """A string, number or boolean as text. Of an array only that it begins with `[`; NULL for an object."""
    return Fragment(f"{value(name)}::Nullable(String)")


def text(name: str) -> Fragment:
    """Any value as text: strings as they are, numbers and booleans as in JSON, arrays and objects as JSON.

    NULL when the property is missing.
    """
    plain, item, members = scalar(name), value(name), object_value(name)
    array = f"startsWith({plain}, '[') AND startsWith(dynamicType({item}), 'Array')"
    return Fragment(
        f"if({item} IS NULL, if(empty({members}), NULL, toJSONString({members})), "
        f"if({array}, toJSONString({item}), {plain}))"
    )


def number(name: str) -> Fragment:
    """The property as a finite number, also when a string holds it; NULL for anything else.

    Typed subcolumns and not a cast, which would read booleans as numbers and drop integers beyond 2^53.
    """
    item = value(name)
    written = f"toFloat64OrNull({item}.:String)"
    return Fragment(
        f"ifNull({item}.:Float64, ifNull(toFloat64({item}.:Int64), "
        f"ifNull(if(isFinite({written}), {written}, NULL), toFloat64({item}.:UInt64))))"
    )


def is_set(name: str) -> Fragment:
    """Whether the event has the property. null is the same as missing."""
    return Fragment(f"({value(name)} IS NOT NULL OR notEmpty({object_value(name)}))")


_ISO_TIME: Final = (
    r"^\\d{4}-\\d{2}-\\d{2}([T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?(Z|[+-]\\d{2}:?\\d{2})?)?$"
)


def moment(name: str, zone: str, p: Params) -> Fragment:
    """The property as a time in Unix milliseconds: ISO dates and times, Unix seconds (from 1973 on) or
    milliseconds. NULL for anything else. Texts without an offset are read in `zone`."""
    written, amount = string(name), number(name)
    parsed = f"parseDateTime64BestEffortOrNull({written}, 3, {p(zone, 'String')})"
    return Fragment(
        f"multiIf(match({written}, '{_ISO_TIME}'), toUnixTimestamp64Milli({parsed}), "
        f"{amount} >= 1e8 AND {amount} < 1e11, toInt64(round({amount} * 1000)), "
        f"{amount} >= 1e11 AND {amount} < 1e14, toInt64(round({amount})), NULL)"
    )


def argument(math: Math, property: str | None) -> Fragment:
    """What a math is computed over; NULLs do not count. (Of `first_time_users` only the first times are left.)"""
    if math in ("total", "first_time_users"):
        return Fragment("")
    if math in ("unique_users", "weekly_active_users", "monthly_active_users"):
        return PERSON
    if math == "unique_sessions":
        return Fragment("nullIf(session_id, '')")
    assert property is not None
    return number(property)


def aggregate(math: Math, over: Fragment, combinator: Literal["", "State", "Merge"] = "") -> Fragment:
    """A math's aggregate over an argument; with `State` and `Merge` in two steps."""
    name, level = AGGREGATES[math]
    return Fragment(f"{name}{combinator}{level}({over})")
