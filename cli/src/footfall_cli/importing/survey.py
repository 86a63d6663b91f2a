"""A look at every row before any is sent: how many, of what types, from when."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from footfall_cli.importing.columns import ColumnType, Inference
from footfall_cli.importing.events import property_columns
from footfall_cli.importing.mapping import RowMapping, find_value
from footfall_cli.importing.rows import RowFile
from footfall_cli.importing.timestamps import Moment, Read


@dataclass(slots=True)
class Survey:
    """What is known of the whole file. `expired` counts rows older than the cutoff, `unreadable` rows by the
    reason for which they cannot have a time. `digest` names the content, uncompressed."""

    rows: int = 0
    expired: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    oldest: Moment | None = None
    newest: Moment | None = None
    types: dict[str, ColumnType] = field(default_factory=dict)
    digest: str = ""


def look(
    file: RowFile,
    mapping: RowMapping,
    read_time: Read,
    *,
    cutoff: float | None,
    read: Callable[[int], None] | None = None,
) -> Survey:
    """Read the whole file. `cutoff` is Unix seconds; rows before it are counted as expired."""
    survey, digest = Survey(), hashlib.sha256()
    columns = property_columns(mapping, file.columns).values() if file.format == "csv" else ()
    inference = Inference({column: mapping.types.get(column) for column in columns})
    column = mapping.timestamp or ""
    for row in file.rows(digest=digest, read=read):
        survey.rows = row.number
        if row.problem is not None:
            survey.unreadable[row.problem[1]] += 1
            continue
        inference.observe(row.values)
        value = find_value(row.values, column)
        try:
            moment = read_time(value)
        except ValueError as error:
            survey.unreadable[f"{column}: {str(value)[:60]!r} {error}"] += 1
            continue
        if cutoff is not None and moment.seconds < cutoff:
            survey.expired += 1
        if survey.oldest is None or moment.seconds < survey.oldest.seconds:
            survey.oldest = moment
        if survey.newest is None or moment.seconds > survey.newest.seconds:
            survey.newest = moment
    survey.types = {**inference.types(), **mapping.types}
    survey.digest = digest.hexdigest()
    return survey
