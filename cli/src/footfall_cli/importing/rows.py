"""The rows of a CSV or JSON-lines file, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple, Protocol

import msgspec

from footfall_cli.output import Failed

Format = Literal["csv", "jsonl"]

DELIMITERS: Final = ",;\t|"
PEEK_ROWS: Final = 1_000
"""Rows of a JSON-lines file whose fields count as its columns."""
MAX_CELL: Final = 16 * 1024 * 1024
"""Characters of one CSV cell. A quote that nobody closes swallows the rest of a file."""
_GZIP_MAGIC: Final = b"\x1f\x8b"


class Row(NamedTuple):
    """A row and where it stands: `number` counts rows from 1 without the header, `line` lines of the file.

    `values` has no entry for an empty CSV cell. A row with a `problem` cannot be used.
    """

    number: int
    line: int
    values: dict[str, Any]
    problem: tuple[str, str] | None = None


class Digest(Protocol):
    """What is fed the bytes of the file while it is read, such as a `hashlib` object."""

    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file whose rows can be read again and again. Make one with `inspect_file`."""

    path: Path
    format: Format
    columns: tuple[str, ...]
    delimiter: str = ","
    encoding: str = "utf-8"

    def rows(self, *, digest: Digest | None = None, read: Callable[[int], None] | None = None) -> Iterator[Row]:
        """Every row in order. `digest` is fed the uncompressed bytes, `read` told how many bytes of the file
        itself have been read. Raises `Failed` where the file cannot be read on."""
        number = 0
        with _open(self.path, digest, read) as stream:
            make = _csv_rows if self.format == "csv" else _json_rows
            try:
                for row in make(stream, self):
                    number = row.number
                    yield row
            except (EOFError, OSError, zlib.error) as error:
                raise Failed(f"{self.path} is damaged after row {number}: {error}") from error
            except csv.Error as error:
                raise Failed(f"{self.path} is no CSV after row {number}: {error}") from error


def inspect_file(
    path: Path, *, format: Format | None = None, delimiter: str | None = None, encoding: str = "utf-8"
) -> RowFile:
    """Find out what `path` holds. Raises `Failed` when it is neither CSV with a header nor JSON lines."""
    if not path.is_file():
        raise Failed(f"There is no file {path}.")
    try:
        "".encode(encoding)
    except LookupError:
        raise Failed(f"There is no encoding {encoding!r}.") from None
    try:
        with _open(path) as stream:
            start = stream.read(64 * 1024)
    except (OSError, EOFError, zlib.error) as error:
        raise Failed(f"{path} cannot be read: {error}") from error
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not first:
        raise Failed(f"{path} is empty.")
    if format is None:
        if first[:1] == b"[":
            raise Failed(f"{path} is one JSON array. Turn it into JSON lines first: jq -c '.[]' {path}")
        format = "jsonl" if first[:1] == b"{" else "csv"
    if format == "jsonl":
        found = RowFile(path, "jsonl", (), encoding=encoding)
        names: dict[str, None] = {}
        for row in found.rows():
            names.update(dict.fromkeys(row.values))
            if row.number >= PEEK_ROWS:
                break
        return RowFile(path, "jsonl", tuple(names), encoding=encoding)
    if b"\0" in start[:4096]:
        raise Failed(f"{path} is neither CSV nor JSON lines, plain or gzipped.")
    delimiter = delimiter or _find_delimiter(first.decode(encoding, "replace").splitlines()[0])
    if len(delimiter) != 1:
        raise Failed("A delimiter is one character.")
    return RowFile(path, "csv", _header(path, delimiter, encoding), delimiter, encoding)


def _find_delimiter(header: str) -> str:
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter))))


def _header(path: Path, delimiter: str, encoding: str) -> tuple[str, ...]:
    with _open(path) as stream:
        cells: list[str] = next((cells for cells in _reader(stream, delimiter, encoding) if cells), [])
    names = tuple(name.strip() or f"column_{number}" for number, name in enumerate(cells, 1))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Failed(f"{path} has more than one column called {twice[0]!r}. Rename them in its first line.")
    return names


def _reader(stream: BinaryIO, delimiter: str, encoding: str) -> Any:
    # Cells that are not in the encoding are noticed row by row, when they are to be sent.
    plain = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    text = io.TextIOWrapper(
        stream, "utf-8-sig" if plain else encoding, errors="surrogateescape" if plain else "strict", newline=""
    )
    csv.field_size_limit(MAX_CELL)
    return csv.reader(text, delimiter=delimiter)


def _csv_rows(stream: BinaryIO, file: RowFile) -> Iterator[Row]:
    columns, width, number = file.columns, len(file.columns), 0
    reader = _reader(stream, file.delimiter, file.encoding)
    header = False
    try:
        for cells in reader:
            if not cells:
                continue
            if not header:
                header = True
                continue
            number += 1
            values = dict(zip(columns, cells, strict=False))
            if "" in cells:
                values = {column: cell for column, cell in values.items() if cell}
            problem = None
            if len(cells) != width:
                problem = ("wrong_column_count", f"The row has {len(cells)} columns, the header {width}.")
            yield Row(number, reader.line_num, values, problem)
    except UnicodeDecodeError as error:
        raise Failed(f"{file.path} is not in {file.encoding} after row {number}: {error}") from error


_decode = msgspec.json.Decoder().decode


def _json_rows(stream: BinaryIO, file: RowFile) -> Iterator[Row]:
    number = 0
    plain = file.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    for line, raw in enumerate(stream, 1):
        text = raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw
        if text.isspace():
            continue
        number += 1
        try:
            value = _decode(text if plain else text.decode(file.encoding))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            shown = {"line": text[:1_000].decode("utf-8", "replace").rstrip()}
            yield Row(number, line, shown, ("invalid_json", f"The line is not JSON: {error}"))
            continue
        if isinstance(value, dict):
            yield Row(number, line, value)
        else:
            yield Row(number, line, {"line": value}, ("invalid_json", "The line is not a JSON object."))


class _Watched(io.RawIOBase):
    """Passes bytes on, tells `digest` of them, and tells `read` how much of the file is behind them."""

    def __init__(
        self, inner: BinaryIO, file: BinaryIO, digest: Digest | None, read: Callable[[int], None] | None
    ) -> None:
        self._inner = inner
        self._file = file
        self._digest = digest
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        if self._digest is not None:
            self._digest.update(data)
        if self._read is not None:
            self._read(self._file.tell())
        return len(data)


@contextmanager
def _open(path: Path, digest: Digest | None = None, read: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
    """The uncompressed bytes of the file, whatever its name ends in."""
    with path.open("rb") as file:
        magic = file.read(2)
        file.seek(0, os.SEEK_SET)
        inner: BinaryIO = gzip.GzipFile(fileobj=file) if magic == _GZIP_MAGIC else file  # type: ignore[assignment]
        yield io.BufferedReader(_Watched(inner, file, digest, read), 256 * 1024)
