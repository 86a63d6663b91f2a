"""What text becomes: nothing may change its meaning."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_cli.importing.columns import ColumnType, Inference, converter, infer_type


def find_type(*cells: str | None) -> ColumnType | None:
    inference = Inference({"column": None})
    for cell in cells:
        inference.observe({} if cell is None else {"column": cell})
    return inference.types().get("column")


@pytest.mark.parametrize(
    ("cells", "type"),
    [
        (("1", "-20", "0"), "integer"),
        (("1", "2.50"), "number"),
        (("11.77", "12.00"), "number"),
        (("1e-05", "2"), "number"),
        (("true", "False"), "boolean"),
        (("00001", "00002"), "string"),
        (("94110", "01234"), "string"),
        (("1", "true"), "string"),
        (("1", "one"), "string"),
        (("123456789012345",), "integer"),
        (("1234567890123456",), "string"),
        (("12E4",), "string"),
        (("1e999",), "string"),
        (("1,000",), "string"),
        (("1_000",), "string"),
        ((" 1",), "string"),
        (("+49301234567",), "string"),
        (("NaN", "Infinity"), "string"),
        (("0x10",), "string"),
        (("٣",), "string"),
        (("2026-11-01",), "string"),
        (("1", None, "2"), "integer"),
        ((None,), None),
    ],
)
def test_a_column_is_what_all_its_cells_are(cells: tuple[str | None, ...], type: ColumnType | None) -> None:
    assert find_type(*cells) == type


def test_a_declared_type_is_not_questioned() -> None:
    inference = Inference({"zip": "string", "price": None})
    inference.observe({"zip": "94110", "price": "5"})

    assert inference.types() == {"zip": "string", "price": "integer"}


@given(st.one_of(st.from_regex(r"-?[0-9.eE+-]{1,20}", fullmatch=True), st.text(max_size=8)))
def test_what_is_found_to_be_a_number_can_be_written_back(text: str) -> None:
    type = infer_type(text)
    value = converter(type, declared=False)(text)

    match type:
        case "integer":
            assert str(value) == text or (value == 0 and text == "-0")
        case "number":
            assert math.isfinite(value)
            assert json.loads(text) == value
        case "boolean":
            assert str(value).lower() == text.lower()
        case _:
            assert value == text


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("integer", "007", 7),
        ("integer", "-9223372036854775808", -(2**63)),
        ("number", "1e5", 100_000.0),
        ("number", ".5", 0.5),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("string", "1", "1"),
        ("json", '{"a": [1, null]}', {"a": [1, None]}),
    ],
)
def test_a_declared_type_reads_generously(type: ColumnType, text: str, value: Any) -> None:
    assert converter(type, declared=True)(text) == value


@pytest.mark.parametrize(
    ("type", "text", "words"),
    [
        ("integer", "1.5", "no integer"),
        ("integer", "9223372036854775808", "no integer of 64 bits"),
        ("number", "nan", "no number"),
        ("number", "1_0", "no number"),
        ("number", "1e999", "no number"),
        ("boolean", "maybe", "neither true nor false"),
        ("json", "{", "not JSON"),
    ],
)
def test_a_value_of_another_type_is_refused(type: ColumnType, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        converter(type, declared=True)(text)
