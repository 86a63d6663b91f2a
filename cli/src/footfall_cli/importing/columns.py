"""What the text in a CSV column is: found out from every value of the column, or declared.

Only what could not be anything else becomes a number. `00123` is a name for something, so its whole column stays
text; so does a column with an integer of more than 15 digits, which many programs could not hold exactly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, get_args

import msgspec

ColumnType = Literal["string", "integer", "number", "boolean", "json"]
COLUMN_TYPES: Final[tuple[str, ...]] = get_args(ColumnType)

_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})", re.ASCII)
# An exponent only with its sign, as programs print it: 12E4 is more often the number of a part.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][+-]\d{1,2})?", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}

_DECLARED_INTEGER: Final = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_DECLARED_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DECLARED_BOOLEANS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


def infer_type(text: str) -> ColumnType:
    """What one value could be at most."""
    if _NUMBER.fullmatch(text):
        return "integer" if _INTEGER.fullmatch(text) else "number"
    return "boolean" if text.lower() in _BOOLEANS else "string"


def merge_types(one: ColumnType, other: ColumnType) -> ColumnType:
    """What a column is that has values of both types."""
    if one == other:
        return one
    return "number" if {one, other} == {"integer", "number"} else "string"


class Inference:
    """Finds the types of columns while it is shown row after row."""

    def __init__(self, columns: Mapping[str, ColumnType | None]) -> None:
        """`columns` names those to find, with the type of those that were declared."""
        self._declared = {column: type for column, type in columns.items() if type is not None}
        self._found: dict[str, ColumnType] = {}
        self._open = [column for column, type in columns.items() if type is None]

    def observe(self, values: Mapping[str, Any]) -> None:
        """Take a row into account. Empty cells say nothing."""
        settled = False
        for column in self._open:
            text = values.get(column)
            if text is None:
                continue
            found, before = infer_type(text), self._found.get(column)
            merged = found if before is None else merge_types(before, found)
            self._found[column] = merged
            settled = settled or merged == "string"
        if settled:
            self._open = [column for column in self._open if self._found.get(column) != "string"]

    def types(self) -> dict[str, ColumnType]:
        """The type of each column that has values or a declaration."""
        return {**self._found, **self._declared}


def converter(type: ColumnType, *, declared: bool) -> Callable[[str], Any]:
    """What turns a cell into a value of `type`. It raises `ValueError` for text that is none, which can only
    happen when the type was declared."""
    match type:
        case "integer":
            return _to_integer if declared else int
        case "number":
            return _to_number if declared else float
        case "boolean":
            return _to_boolean
        case "json":
            return _to_json
        case "string":
            return str


def _to_integer(text: str) -> int:
    number = int(text) if _DECLARED_INTEGER.fullmatch(text.strip()) else 2**63
    if not -(2**63) <= number < 2**63:
        raise ValueError("is no integer of 64 bits")
    return number


def _to_number(text: str) -> float:
    number = float(text) if _DECLARED_NUMBER.fullmatch(text.strip()) else math.inf
    if not math.isfinite(number):
        raise ValueError("is no number")
    return number


def _to_boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _DECLARED_BOOLEANS:
        raise ValueError("is neither true nor false")
    return _DECLARED_BOOLEANS[word]


def _to_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from None
