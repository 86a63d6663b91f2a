"""What keeps the embedded event log's file within its bounds: retention, freed space, checkpoints.

Each function does one small step, so that appends wait for milliseconds at most.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from footfall_core.eventlog.sqlite.file import MEBIBYTE, Options, transaction

STEP_BYTES = MEBIBYTE  # of payloads that one step deletes, or of pages that it gives back
STEP_BATCHES = 256  # of one partition that one step looks at
LEAST_ROOM = MEBIBYTE // 16


@dataclass(frozen=True, slots=True)
class Space:
    """How much the file uses, and how much more it may take before appends are refused, in bytes."""

    page_size: int
    used: int
    free: int  # on the file system
    unused: int  # pages of the file that hold nothing
    options: Options

    @property
    def room(self) -> int:
        """How many bytes more may be appended."""
        options = self.options
        return min(options.max_bytes - self.used, self.free + self.unused - options.min_free_bytes)

    @property
    def is_full(self) -> bool:
        """Whether to refuse appends, of which the smallest might still find room."""
        return self.room < LEAST_ROOM

    @property
    def is_short(self) -> bool:
        """Whether it is time to delete what has been consumed, although it is not old enough yet."""
        return self.room < min(64 * MEBIBYTE, self.options.max_bytes // 8)

    @property
    def refusal(self) -> str:
        """Why an append that has no room is refused."""
        options = self.options
        if options.max_bytes - self.used <= self.room:
            return f"{options.path}: max_bytes={options.max_bytes} are taken by records not consumed yet"
        return f"{options.path}: {self.free} bytes left on its disk, min_free_bytes={options.min_free_bytes}"


def measure(connection: sqlite3.Connection, options: Options) -> Space:
    """Look how much space there is."""
    values = [
        connection.execute(f"PRAGMA {name}").fetchall()[0][0] for name in ("page_size", "page_count", "freelist_count")
    ]
    page_size, pages, unused = values
    disk = os.statvfs(Path(options.path).parent)
    return Space(page_size, (pages - unused) * page_size, disk.f_bavail * disk.f_frsize, unused * page_size, options)


def expired(connection: sqlite3.Connection, appended_before: float) -> list[tuple[int]]:
    """The ids of the batches to delete, up to a step's worth, the oldest first.

    A batch goes when every group has committed it and it was appended before that time. The newest batch of
    each partition stays for good: the next offset is counted from it. Without any group nothing goes.
    """
    heads: list[tuple[int, float, int]] = []
    for partition, position in connection.execute(
        "SELECT partition, min(next_offset) FROM positions GROUP BY partition"
    ).fetchall():
        heads += connection.execute(
            "SELECT id, appended_at, length(payload) FROM batches"
            " WHERE partition = ?1 AND base_offset < ?2 AND base_offset + count <= ?2"
            " AND base_offset < (SELECT max(base_offset) FROM batches WHERE partition = ?1)"
            " ORDER BY base_offset LIMIT ?3",
            (partition, position, STEP_BATCHES),
        ).fetchall()
    ids: list[tuple[int]] = []
    size = 0
    for id, appended_at, length in sorted(heads):
        if appended_at >= appended_before or size >= STEP_BYTES:
            break
        ids.append((id,))
        size += length
    return ids


def delete_expired(connection: sqlite3.Connection, appended_before: float) -> bool:
    """Delete one step's worth of `expired` batches; False if there were none."""
    if not expired(connection, appended_before):
        return False
    with transaction(connection):  # look again: a group may have joined or gone back since
        connection.executemany("DELETE FROM batches WHERE id = ?", expired(connection, appended_before))
    return True


def shrink(connection: sqlite3.Connection, space: Space) -> bool:
    """Give a step's worth of pages back to the file system; False if the file is compact enough."""
    if space.unused < max(16 * MEBIBYTE, space.used // 3):
        return False
    # Not `execute`, which stops after the first page: the pragma returns rows, but without columns.
    connection.executescript(f"PRAGMA incremental_vacuum({STEP_BYTES // space.page_size})")
    return True
