"""Rows as a block of ClickHouse's Native format, with the properties as one typed column for each path. Pure.

ClickHouse spends most of an insert on parsing JSON. In this form, which it writes itself with
`output_format_native_use_flattened_dynamic_and_json_serialization`, there is none to parse, and an insert takes
a quarter of the CPU (docs/decisions/0004). Rows that it does not fit are left to the JSON form; what is stored
is the same either way.

A column of the type JSON is laid down as: the version; the paths; for each path the version and its types; then
for each path one byte a row, which names the type of its value or says that it has none, and the values of each
type in the order of the rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from footfall_consumer.rows import Row

PROPERTIES_TYPE: Final = "JSON(max_dynamic_paths=512)"
"""As the migration declares it."""
MAX_PATHS: Final = 256
"""Paths of one block. Each costs a byte for every row, so a row with others goes the other way."""
MAX_DEPTH: Final = 64
EARLIEST: Final = -2_208_988_800_000
LATEST: Final = 10_413_791_999_999
"""The years 1900 to 2299, which are what a DateTime64 can hold. What becomes of others is ClickHouse's to say."""

NATIVE_COLUMNS: Final = (
    "project_id",
    "uuid",
    "event",
    "distinct_id",
    "timestamp",
    "properties",
    "session_id",
    "received_at",
    "log_partition",
    "log_offset",
)

_FLATTENED: Final = (3).to_bytes(8, "little")

Path = tuple[list[int], list[Any]]
"""Numbers of the rows that have a value at a path, ascending, and the values."""


class _Unfit(Exception):
    """Values that the flattened form is not written for here."""


def encode_native(rows: Sequence[Row]) -> tuple[bytes, list[Row], list[Row]]:
    """A block with `NATIVE_COLUMNS`, the rows that are in it, and those that did not fit."""
    fitting, paths = _find_paths(rows)
    while True:
        try:
            properties = _encode_paths(paths, len(fitting))
            break
        except _Unfit:
            # Numbers beyond 64 bits; they are so rare that doing all of it again costs nothing.
            fitting, paths = _find_paths([row for row in fitting if not _has_large_number(row)])
    taken = {id(row) for row in fitting}
    others = [row for row in rows if id(row) not in taken] if len(fitting) < len(rows) else []
    return (_encode_block(fitting, properties) if fitting else b""), fitting, others


def _encode_block(rows: Sequence[Row], properties: bytes) -> bytes:
    events = [row.event for row in rows]
    records = [row.record for row in rows]
    columns = (
        ("UInt32", array("I", [event.project_id for event in events]).tobytes()),
        ("UUID", _encode_uuids([event.uuid for event in events])),
        ("String", _encode_strings([event.event for event in events])),
        ("String", _encode_strings([event.distinct_id for event in events])),
        ("DateTime64(3, 'UTC')", array("q", [event.timestamp for event in events]).tobytes()),
        (PROPERTIES_TYPE, properties),
        ("String", _encode_strings([event.session_id for event in events])),
        ("DateTime64(3, 'UTC')", array("q", [event.received_at for event in events]).tobytes()),
        ("UInt16", array("H", [record.partition for record in records]).tobytes()),
        ("UInt64", array("Q", [record.offset for record in records]).tobytes()),
    )
    parts = [_varint(len(columns)), _varint(len(rows))]
    for name, (type, data) in zip(NATIVE_COLUMNS, columns, strict=True):
        parts += (_text(name), _text(type), data)
    return b"".join(parts)


def _find_paths(rows: Iterable[Row]) -> tuple[list[Row], dict[str, Path]]:
    """The rows that fit, and their values by path.

    Rows with the same names of properties come after each other, so that their values are taken column by column:
    most events are of a few such shapes, and ClickHouse sorts the rows anyway.
    """
    shapes: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        event = row.event
        if EARLIEST <= event.timestamp <= LATEST and EARLIEST <= event.received_at <= LATEST:
            properties = event.properties
            if type(properties) is dict:
                shapes.setdefault(tuple(properties), []).append(row)
    fitting: list[Row] = []
    paths: dict[str, Path] = {}
    for names, alike in shapes.items():
        if _add_columns(names, alike, len(fitting), paths):
            fitting += alike
        else:
            fitting += _add_one_by_one(alike, len(fitting), paths)
    return fitting, paths


def _add_columns(names: tuple[str, ...], rows: Sequence[Row], first: int, paths: dict[str, Path]) -> bool:
    """Add the values of rows that all have these properties, and no objects in them. False, and nothing added, if one
    has, or if they do not fit."""
    escaped = [_escape(name) for name in names]
    if len(set(escaped)) < len(names) or len(paths.keys() | escaped) > MAX_PATHS:
        return False
    values = list(chain.from_iterable([row.event.properties.values() for row in rows]))
    columns = [values[place :: len(names)] for place in range(len(names))]
    kinds = [set(map(type, column)) for column in columns]
    for column, types in zip(columns, kinds, strict=True):
        if dict in types:
            return False
        if list in types and not _are_plain([value for value in column if type(value) is list]):
            return False
    for path, column, types in zip(escaped, columns, kinds, strict=True):
        numbers, known = paths.setdefault(path, ([], []))
        if type(None) in types:
            numbers += [first + number for number, value in enumerate(column) if value is not None]
            known += [value for value in column if value is not None]
        else:
            numbers += range(first, first + len(rows))
            known += column
    return True


def _add_one_by_one(rows: Iterable[Row], first: int, paths: dict[str, Path]) -> list[Row]:
    """Add the values of rows whatever they are. The rows that fit, which are numbered from `first` on."""
    fitting: list[Row] = []
    for row in rows:
        found: dict[str, Any] = {}
        if _flatten(row.event.properties, "", found, MAX_DEPTH) and len(paths.keys() | found.keys()) <= MAX_PATHS:
            for path, value in found.items():
                numbers, values = paths.setdefault(path, ([], []))
                numbers.append(first + len(fitting))
                values.append(value)
            fitting.append(row)
    return fitting


def _flatten(properties: Mapping[str, Any], prefix: str, found: dict[str, Any], depth: int) -> bool:
    """Collect the values by path, as ClickHouse would. False if one is not to be written here."""
    if depth == 0:
        return False
    for name, value in properties.items():
        path = prefix + _escape(name)
        if isinstance(value, dict):
            if not _flatten(value, path + ".", found, depth - 1):
                return False
        elif isinstance(value, list):
            if _element_type(value) is None:
                return False
            found.setdefault(path, value)
        elif value is not None:
            found.setdefault(path, value)
    return True


def _escape(name: str) -> str:
    """As `json_type_escape_dots_in_keys` does."""
    return name.replace(".", "%2E") if "." in name else name


def _element_type(values: list[Any]) -> str | None:
    """The type that ClickHouse finds for the elements of an array; None if it is not a plain one."""
    types = set(map(type, values))
    types.discard(type(None))
    if not types:
        return None if values else "String"
    if types == {int, float}:
        return "Float64"
    return _TYPES[types.pop()][0] if len(types) == 1 and types <= _TYPES.keys() else None


def _are_plain(arrays: Sequence[list[Any]]) -> bool:
    """Whether ClickHouse finds one type for the elements of each of these arrays."""
    types = set(map(type, chain.from_iterable(arrays)))
    if len(types) <= 1 and types <= _TYPES.keys():
        return True
    return all(_element_type(values) is not None for values in arrays)


def _encode_paths(paths: Mapping[str, Path], rows: int) -> bytes:
    """The column of properties."""
    filled = sorted((path.encode(), numbers, values) for path, (numbers, values) in paths.items() if numbers)
    head = [_FLATTENED, _varint(len(filled)), *(_bytes(path) for path, _, _ in filled)]
    body: list[bytes] = []
    for _, numbers, values in filled:
        types, data = _encode_path(numbers, values, rows)
        head += (_FLATTENED, _varint(len(types)), *map(_text, types))
        body.append(data)
    return b"".join(head + body)


def _encode_path(numbers: list[int], values: list[Any], rows: int) -> tuple[list[str], bytes]:
    """The names of the types at one path, and its data."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and list not in kinds:
        name, encode = _TYPES[kinds.pop()]
        if len(numbers) == rows:
            return [name], bytes(rows) + encode(values)
        indexes = np.ones(rows, np.uint8)
        indexes[numbers] = 0
        return [name], indexes.tobytes() + encode(values)
    names = [_type_name(value) for value in values]
    types = sorted(set(names))
    place = {name: index for index, name in enumerate(types)}
    indexes = np.full(rows, len(types), np.uint8)
    indexes[numbers] = [place[name] for name in names]
    data = [indexes.tobytes()]
    for type_name in types:
        of_type = [value for value, name in zip(values, names, strict=True) if name == type_name]
        data.append(_encode_arrays(of_type) if type_name.startswith("Array") else _TYPES[type(of_type[0])][1](of_type))
    return types, b"".join(data)


def _type_name(value: Any) -> str:
    return f"Array(Nullable({_element_type(value)}))" if isinstance(value, list) else _TYPES[type(value)][0]


def _encode_arrays(arrays: Sequence[list[Any]]) -> bytes:
    """Arrays with elements of one type: where each ends, which elements are null, the elements."""
    elements = [element for each in arrays for element in each]
    ends = np.cumsum([len(each) for each in arrays], dtype=np.uint64)
    nulls = bytes(element is None for element in elements)
    kinds = set(map(type, elements)) - {type(None)}
    kind = float if kinds == {int, float} else kinds.pop() if kinds else str
    filled = [kind() if element is None else element for element in elements]
    return ends.tobytes() + nulls + _TYPES[kind][1](filled)


def _has_large_number(row: Row) -> bool:
    def is_large(value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(is_large, value.values()))
        if isinstance(value, list):
            return any(map(is_large, value))
        return type(value) is int and not -(2**63) <= value < 2**63

    return is_large(row.event.properties)


def _encode_integers(values: Sequence[int]) -> bytes:
    try:
        return array("q", values).tobytes()
    except OverflowError:
        raise _Unfit from None


def _encode_floats(values: Sequence[float]) -> bytes:
    try:
        return array("d", values).tobytes()
    except OverflowError:
        raise _Unfit from None


_LENGTHS: Final = tuple(bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(1 << 14))
"""The first varints."""


def _varint(number: int) -> bytes:
    if number < len(_LENGTHS):
        return _LENGTHS[number]
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _bytes(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _encode_strings(values: Sequence[str]) -> bytes:
    different = set(values)
    if len(different) * 4 < len(values):
        encoded = {value: _text(value) for value in different}
        return b"".join(map(encoded.__getitem__, values))
    return b"".join(map(_text, values))


def _encode_uuids(uuids: Sequence[str]) -> bytes:
    """UUIDs as ClickHouse lays them down: two little-endian halves each."""
    data = bytes.fromhex("".join(uuids).replace("-", ""))
    return np.frombuffer(data, ">u8").astype("<u8").tobytes()


_TYPES: Final[dict[type, tuple[str, Callable[[Sequence[Any]], bytes]]]] = {
    str: ("String", _encode_strings),
    int: ("Int64", _encode_integers),
    float: ("Float64", _encode_floats),
    bool: ("Bool", bytes),
}
