"""Which column is what: read from a file, inline text and options, and checked against the file's columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec

from footfall_cli.importing.columns import COLUMN_TYPES, ColumnType
from footfall_cli.output import Failed, Misused

FIELDS: Final = ("event", "distinct_id", "timestamp", "uuid", "session_id")
LISTS: Final = ("properties", "exclude")
TEXTS: Final = ("timestamp_format", "timezone")


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same value in every row."""

    constant: str


class RowMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where each part of an event comes from: a column's name, or a constant.

    `properties` are the columns that become properties, None means all that are not otherwise used, without
    those in `exclude`. `rename` maps a property's name to its column. `types` maps columns to their types.
    """

    event: str | Constant | None = None
    distinct_id: str | Constant | None = None
    timestamp: str | None = None
    uuid: str | None = None
    session_id: str | None = None
    timestamp_format: str | None = None
    timezone: str | None = None
    properties: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    rename: dict[str, str] = {}
    types: dict[str, ColumnType] = {}

    def used_columns(self) -> list[str]:
        """The columns that become fields of the event and therefore no properties by themselves."""
        fields = (getattr(self, field) for field in FIELDS)
        return [field for field in fields if isinstance(field, str)]

    def document(self) -> bytes:
        """The same text for the same mapping."""
        return msgspec.json.encode(self, order="sorted")


def read_mapping(
    mapping: str | None,
    pairs: Sequence[str] = (),
    *,
    event: str | None = None,
    properties: str | None = None,
    exclude: str | None = None,
    types: Sequence[str] = (),
    timestamp_format: str | None = None,
    timezone: str | None = None,
) -> RowMapping:
    """The mapping of a command line. Later arguments win over `mapping`, which is the name of a YAML or JSON
    file, or a JSON object, or `field=column,…`. Raises `Misused`."""
    document = _read_document(mapping) if mapping else {}
    _merge(document, [pair for text in pairs for pair in _split(text)])
    _merge(document, [f"type:{text}" for text in types])
    if event is not None:
        document["event"] = {"constant": event}
    if properties is not None:
        document["properties"] = _names(properties)
    if exclude is not None:
        document["exclude"] = [*document.get("exclude", ()), *_names(exclude)]
    given = {"timestamp_format": timestamp_format, "timezone": timezone}
    document.update({name: value for name, value in given.items() if value is not None})
    try:
        return msgspec.convert(document, RowMapping)
    except msgspec.ValidationError as error:
        raise Misused(f"The mapping is wrong: {error}") from None


def check_mapping(mapping: RowMapping, columns: Sequence[str], *, complete: bool) -> RowMapping:
    """The mapping with what goes without saying: a column named like a field is that field.

    `complete` says that the file has no other columns. Raises `Failed` for what is missing or does not exist.
    """
    named = {field: getattr(mapping, field) for field in FIELDS}
    found = {field: field for field in FIELDS if named[field] is None and field in columns}
    mapping = msgspec.structs.replace(mapping, **found)
    for field in ("event", "distinct_id", "timestamp"):
        if getattr(mapping, field) is None:
            hint = " or --event NAME for the same in every row" if field == "event" else ""
            raise Failed(f"Say which column is the {field}, with -m {field}=COLUMN{hint}. {_list_columns(columns)}")
    used = {
        **{field: getattr(mapping, field) for field in FIELDS},
        **{f"property {name}": column for name, column in mapping.rename.items()},
        **{f"properties ({name})": name for name in mapping.properties or ()},
        **{f"exclude ({name})": name for name in mapping.exclude},
        **{f"type of {name}": name for name in mapping.types},
    }
    for what, column in used.items():
        if isinstance(column, str) and complete and column not in columns:
            near = get_close_matches(column, columns, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            if what == "event":
                hint += f" For the same event in every row write event='{column}' or --event {column}."
            raise Failed(f"{what}: the file has no column {column!r}.{hint} {_list_columns(columns)}")
    return mapping


def _list_columns(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:40]) + (", …" if len(columns) > 40 else "")
    return f"Its columns are: {shown}."


def _read_document(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        return _decode(text.encode(), "the mapping")
    path = Path(text)
    if path.suffix.lower() in (".yaml", ".yml", ".json") or ("=" not in text and path.is_file()):
        try:
            return _decode(path.read_bytes(), text)
        except OSError as error:
            raise Misused(f"The mapping {text} cannot be read: {error.strerror}") from None
    document: dict[str, Any] = {}
    _merge(document, _split(text))
    return document


def _decode(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = msgspec.yaml.decode(data)
    except msgspec.DecodeError as error:
        raise Misused(f"{name} is neither YAML nor JSON: {error}") from None
    if not isinstance(document, dict):
        raise Misused(f"{name} must hold field: column pairs")
    return {name: _constant(value) if name in ("event", "distinct_id") else value for name, value in document.items()}


_PIECE: Final = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^,'\"]|['\"])+")


def _split(text: str) -> list[str]:
    """`a=b,c='d, e',f=g,h` → `a=b`, `c='d, e'`, `f=g,h`: what has no `=` belongs to what is before it."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        if "=" in piece or not pieces:
            pieces.append(piece.strip())
        else:
            pieces[-1] += f",{piece.strip()}"
    return pieces


def _merge(document: dict[str, Any], pairs: Sequence[str]) -> None:
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or not value:
            raise Misused(f"{pair!r} is not field=column")
        if name in LISTS:
            document[name] = [*document.get(name, ()), *_names(value)]
        elif name.startswith("type:"):
            if value not in COLUMN_TYPES:
                raise Misused(f"{value!r} is no type: use {', '.join(COLUMN_TYPES)}")
            document["types"] = {**document.get("types", {}), name.removeprefix("type:"): value}
        elif name in TEXTS:
            document[name] = _unquoted(value)
        elif name in FIELDS:
            document[name] = _constant(value)
        else:
            document["rename"] = {**document.get("rename", {}), name: value}


def _constant(value: Any) -> Any:
    """Quoted text is a constant."""
    unquoted = _unquoted(value) if isinstance(value, str) else value
    return value if unquoted == value else {"constant": unquoted}


def _unquoted(text: str) -> str:
    is_quoted = len(text) >= 2 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def find_value(values: Mapping[str, Any], column: str) -> Any:
    """A column's value; in JSON `user.id` reaches into objects, unless a field has that very name."""
    if column in values or "." not in column:
        return values.get(column)
    value: Any = values
    for part in column.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
