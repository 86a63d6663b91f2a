"""Answers as tables, and tables as CSV. Pure.

What an answer's table looks like follows from its model, so that it has its columns also when it has no rows:

- A list of records is the table, one row for each; texts, numbers and times are columns, anything else is JSON.
- A list of texts in a record, such as a person's ids, is one cell, with commas between them.
- A list of numbers in a record takes one row for each number, next to what it belongs to: the element of the answer's
  first list (`buckets` → `bucket`), or else its `position`.
- Records in a record take one row each; what they belong to goes before them as `<list>_<field>`.
- An answer of lists only has one row for each place in them.
"""

from __future__ import annotations

import csv
import io
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

JsonObject: TypeAlias = Mapping[str, Any]
Row: TypeAlias = dict[str, Any]
Format = Literal["json", "csv"]
"""In which form an answer is sent."""

NO_COLUMNS: Final = frozenset({"meta", "next_cursor"})
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns. Cells are what JSON knows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_csv(table: Table) -> str:
    """RFC 4180 with a header. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return text.getvalue()


def derive_table(model: Any, answer: JsonObject) -> Table:
    """The table of an answer, a JSON object, whose model (or union of models) is given."""
    fitting = _fitting(model, answer)
    columns = _answer_columns(fitting)
    return Table(columns, [[row.get(column) for column in columns] for row in _answer_rows(fitting, answer)])


def stack(labels: Sequence[str], tables: Sequence[tuple[Sequence[Any], Table]]) -> Table:
    """Tables below each other, under the columns of all of them, each row after its table's values for `labels`.

    What a table lacks is empty, and one without rows has one with its labels only.
    """
    columns = list(dict.fromkeys(column for _, table in tables for column in table.columns))
    rows = []
    for values, table in tables:
        for row in table.rows or [[]]:
            cells = dict(zip(table.columns, row, strict=False))
            rows.append([*values, *(cells.get(column) for column in columns)])
    return Table([*labels, *columns], rows)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(DANGEROUS) else text


@dataclass(frozen=True, slots=True)
class _Fields:
    """A model's fields by what they hold."""

    cells: list[str]
    texts: frozenset[str]
    """Cells of a record that are lists of texts."""
    lists: list[str]
    records: dict[str, type[BaseModel]]


def _answer_columns(model: type[BaseModel]) -> list[str]:
    fields = _read_fields(model, is_record=False)
    if fields.records:
        axis = fields.lists[0] if fields.lists else None
        found = [column for name, record in fields.records.items() for column in _record_columns(name, record, axis)]
        return list(dict.fromkeys(found))
    return [_one(name) if index == 0 else name for index, name in enumerate(fields.lists)] or fields.cells


def _answer_rows(model: type[BaseModel], answer: JsonObject) -> Iterator[Row]:
    fields = _read_fields(model, is_record=False)
    if fields.records:
        axis = fields.lists[0] if fields.lists else None
        for name, record in fields.records.items():
            for each in answer.get(name) or ():
                yield from _record_rows(name, record, each, axis, answer)
    elif fields.lists:
        names = [_one(name) if index == 0 else name for index, name in enumerate(fields.lists)]
        for values in zip(*(answer.get(name) or () for name in fields.lists), strict=False):
            yield dict(zip(names, values, strict=True))
    else:
        yield {name: answer.get(name) for name in fields.cells}


def _record_columns(name: str, model: type[BaseModel], axis: str | None) -> Iterator[str]:
    fields = _read_fields(model, is_record=True)
    if fields.records:
        yield from (f"{_one(name)}_{cell}" for cell in fields.cells)
        for inner, record in fields.records.items():
            yield from _record_columns(inner, record, axis)
        return
    yield from fields.cells
    if fields.lists:
        yield _one(axis) if axis else "position"
        yield from map(_one, fields.lists)


def _record_rows(
    name: str, model: type[BaseModel], record: JsonObject, axis: str | None, answer: JsonObject
) -> Iterator[Row]:
    fields = _read_fields(model, is_record=True)
    cells = {cell: ", ".join(record[cell]) if cell in fields.texts else record.get(cell) for cell in fields.cells}
    if fields.records:
        outer = {f"{_one(name)}_{cell}": value for cell, value in cells.items()}
        for inner, kind in fields.records.items():
            for each in record.get(inner) or ():
                yield from (outer | row for row in _record_rows(inner, kind, each, axis, answer))
        return
    if not fields.lists:
        yield cells
        return
    lists = [record.get(each) or [] for each in fields.lists]
    for index in range(max(map(len, lists))):
        row = dict(cells)
        if axis is None:
            row["position"] = index
        else:
            row[_one(axis)] = _at(answer.get(axis) or [], index)
        yield row | {_one(each): _at(values, index) for each, values in zip(fields.lists, lists, strict=True)}


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _one(name: str) -> str:
    """What one element of a list is called."""
    return "value" if name == "data" else name.removesuffix("s")


def _read_fields(model: type[BaseModel], *, is_record: bool) -> _Fields:
    cells: list[str] = []
    texts: set[str] = set()
    lists: list[str] = []
    records: dict[str, type[BaseModel]] = {}
    for name, field in model.model_fields.items():
        if name in NO_COLUMNS:
            continue
        kind = _plain(field.annotation)
        element = _plain(get_args(kind)[0]) if get_origin(kind) is list else None
        if isinstance(element, type) and issubclass(element, BaseModel):
            records[name] = element
        elif is_record and (element is str or get_origin(element) is Literal):
            cells.append(name)
            texts.add(name)
        elif element is not None:
            lists.append(name)
        else:
            cells.append(name)
    return _Fields(cells, frozenset(texts), lists, records)


def _plain(kind: Any) -> Any:
    """A type without `Annotated` and without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        others = [each for each in get_args(kind) if each is not type(None)]
        return _plain(others[0]) if len(others) == 1 else kind
    return kind


def _fitting(model: Any, answer: JsonObject) -> type[BaseModel]:
    """Of a union, the model with the most fields that the answer has, and none that it lacks."""
    models: list[type[BaseModel]] = list(get_args(model)) if get_origin(model) in (Union, types.UnionType) else [model]

    def fit(each: type[BaseModel]) -> tuple[int, int]:
        fields = each.model_fields.keys()
        return -len(fields - answer.keys()), len(fields & answer.keys())

    return max(models, key=fit)
