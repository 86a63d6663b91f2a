"""How statements are put together: text from our own fragments, values only as bound parameters.

A `Fragment` is text that this package wrote. It comes from a literal here, from `Params`, or from joining
fragments; a plain string does not pass the type checker where one is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NewType

Fragment = NewType("Fragment", str)

ParamType = Literal[
    "String",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Int64",
    "Float64",
    "UUID",
    "DateTime64(3, 'UTC')",
    "Array(String)",
    "Array(Tuple(Int64, Int64, Int64))",
]


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement, the values of its parameters, and settings that only it needs."""

    text: str
    parameters: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


class Params:
    """Collects the values of one statement. `p("pro", "String")` is the text `{p0:String}`."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, value: object, type: ParamType) -> Fragment:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return Fragment(f"{{{name}:{type}}}")


def all_of(conditions: Iterable[Fragment]) -> Fragment:
    """Every condition holds; true when there is none."""
    return _join(conditions, " AND ", "1")


def any_of(conditions: Iterable[Fragment]) -> Fragment:
    """At least one condition holds; false when there is none."""
    return _join(conditions, " OR ", "0")


def _join(conditions: Iterable[Fragment], word: str, empty: str) -> Fragment:
    parts = list(conditions)
    if len(parts) == 1:
        return parts[0]
    return Fragment(f"({word.join(parts)})" if parts else empty)
