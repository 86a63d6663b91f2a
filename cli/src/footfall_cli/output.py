"""What commands print: answers on stdout, everything else on stderr, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Failed(Exception):
    """The command could not do what was asked; `footfall` ends with exit code 1.

    `status` and `errors` are those of the problem document when a service said no.
    """

    exit_code = 1

    def __init__(self, message: str, *, status: int | None = None, errors: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.errors = list(errors)

    def document(self) -> dict[str, Any]:
        """The error as `--json` prints it."""
        document: dict[str, Any] = {"error": self.message}
        if self.status is not None:
            document["status"] = self.status
        if self.errors:
            document["errors"] = self.errors
        return document


class Misused(Failed):
    """The command cannot be understood as it was given; exit code 2."""

    exit_code = 2


class Interrupted(Failed):
    """Somebody pressed Ctrl-C; exit code 130, as shells have it."""

    exit_code = 130


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    write(json.dumps(document, indent=2, ensure_ascii=False))


def print_json_line(document: Any) -> None:
    """One line of JSON on stdout, at once."""
    write(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def make_console(file: IO[str]) -> Console:
    """A console that never reads markup in data. Without a terminal it is wide, so that nothing is cut."""
    width = None if file.isatty() else 240
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()) -> None:
    """A table on stdout. The columns in `right` hold numbers."""
    make_console(sys.stdout).print(make_table(columns, rows, right=right))


def make_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()) -> Table:
    """A table whose cells show any value as it is."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(Text(plain(column)), justify="right" if column in set(right) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    return table


def plain(value: Any) -> str:
    """Text for a terminal. Control characters are written out: data must not steer the terminal."""
    text = "" if value is None else value if isinstance(value, str) else format_number(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def format_number(value: Any) -> str:
    """`1,234`, `0.25`, and anything else as itself."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return str(value)
