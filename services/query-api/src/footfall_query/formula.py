"""Formulas over series: `A / B * 100`. Series are called by letter; the rest is arithmetic."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_LENGTH: Final = 400
MAX_NESTING: Final = 50

_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<series>[A-Za-z])|(?P<sign>[-+*/()]))")


@dataclass(frozen=True, slots=True)
class Operation:
    """Two expressions with a sign between them."""

    sign: str
    left: Expression
    right: Expression


Expression: TypeAlias = "float | str | Operation"
"""A number, a series' letter, or an operation."""


def parse(text: str, series: int) -> Expression:
    """The formula as an expression over the first `series` letters. Raises `ValueError` that names the place."""
    return _Parser(text, series).read()


def letters(formula: Expression) -> set[str]:
    """The series that a formula speaks of."""
    if isinstance(formula, Operation):
        return letters(formula.left) | letters(formula.right)
    return {formula} if isinstance(formula, str) else set()


def evaluate(formula: Expression, values: Mapping[str, float]) -> float:
    """The formula's value. What is divided by zero is 0; what is beyond every float is the largest one."""
    if isinstance(formula, str):
        return values[formula]
    if not isinstance(formula, Operation):
        return formula
    left, right = evaluate(formula.left, values), evaluate(formula.right, values)
    match formula.sign:
        case "+":
            found = left + right
        case "-":
            found = left - right
        case "*":
            found = left * right
        case _:
            found = left / right if right else 0.0
    return min(max(found, -sys.float_info.max), sys.float_info.max)


def evaluate_all(formula: Expression, values: Mapping[str, Sequence[float]], count: int) -> list[float]:
    """The formula for each of `count` places of the series."""
    return [evaluate(formula, {letter: numbers[n] for letter, numbers in values.items()}) for n in range(count)]


class _Parser:
    """Reads from left to right, products before sums."""

    def __init__(self, text: str, series: int) -> None:
        self._text = text
        self._series = series
        self._at = 0
        self._nesting = 0

    def read(self) -> Expression:
        found = self._sum()
        rest = self._text[self._at :].lstrip()
        if rest:
            raise self._wrong("an operator or the end")
        return found

    def _sum(self) -> Expression:
        found = self._product()
        while sign := self._take("+-"):
            found = Operation(sign, found, self._product())
        return found

    def _product(self) -> Expression:
        found = self._operand()
        while sign := self._take("*/"):
            found = Operation(sign, found, self._operand())
        return found

    def _operand(self) -> Expression:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ValueError(f"a formula may nest {MAX_NESTING} levels deep")
        try:
            if self._take("-"):
                return Operation("-", 0.0, self._operand())
            if self._take("+"):
                return self._operand()
            if self._take("("):
                found = self._sum()
                if not self._take(")"):
                    raise self._wrong("`)`")
                return found
            return self._name_or_number()
        finally:
            self._nesting -= 1

    def _name_or_number(self) -> Expression:
        token = _TOKEN.match(self._text, self._at)
        if token is None or token["sign"]:
            raise self._wrong("a series, a number or `(`")
        if token["number"]:
            self._at = token.end()
            return float(token["number"])
        letter = token["series"].upper()
        if LETTERS.index(letter) >= self._series:
            raise ValueError(f"at character {token.start('series') + 1}: there is no series {letter}")
        self._at = token.end()
        return letter

    def _take(self, signs: str) -> str:
        """The next token if it is one of these signs, else an empty text."""
        token = _TOKEN.match(self._text, self._at)
        if token is None or not token["sign"] or token["sign"] not in signs:
            return ""
        self._at = token.end()
        return token["sign"]

    def _wrong(self, expected: str) -> ValueError:
        rest = self._text[self._at :]
        place = self._at + len(rest) - len(rest.lstrip()) + 1
        found = f"`{self._text[place - 1]}`" if place <= len(self._text) else "the end"
        return ValueError(f"at character {place}: expected {expected}, found {found}")
