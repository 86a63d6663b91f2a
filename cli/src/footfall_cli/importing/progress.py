"""How far an import got, kept on disk, so that running it again goes on where it was."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from footfall_cli.output import Failed


class Progress(msgspec.Struct, frozen=True):
    """`done` rows from the first on were answered for. `rejected_bytes` is the length of the file of rejected
    rows that belongs to them."""

    file: str
    project_id: int
    rows: int
    done: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = {}
    rejected_bytes: int = 0
    finished_at: str | None = None


class Journal:
    """The progress of one import and its rejected rows, in two files. Made by `open_journal`."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.progress = progress
        self.rejected_path = path.with_suffix(".rejected.jsonl")
        self._path = path
        self._rejected = self.rejected_path.open("ab")
        # Rows beyond belong to batches that will be sent again.
        self._rejected.truncate(progress.rejected_bytes)

    def close(self) -> None:
        """Close the files; nothing is saved by it."""
        self._rejected.close()
        if not self.progress.rejected:
            self.rejected_path.unlink(missing_ok=True)

    def advance(self, done: int, accepted: int, rejected: Sequence[dict[str, Any]]) -> None:
        """Rows up to number `done` were answered for: so many more accepted, and these, with their `reason`,
        rejected. It lasts from the next `save` on, and counts whole or not at all."""
        lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rejected)
        self._rejected.write(lines)
        before = self.progress
        reasons = Counter(before.reasons) + Counter(row["reason"] for row in rejected)
        self.progress = msgspec.structs.replace(
            before,
            done=done,
            accepted=before.accepted + accepted,
            rejected=before.rejected + len(rejected),
            reasons=dict(reasons),
            rejected_bytes=before.rejected_bytes + len(lines),
        )

    def finish(self, at: str) -> None:
        """Every row was answered for. The first time counts."""
        if self.progress.finished_at is None:
            self.progress = msgspec.structs.replace(self.progress, finished_at=at)

    def save(self) -> None:
        """Replace the file of the progress in one step, with the rejected rows on disk before it."""
        self._rejected.flush()
        os.fsync(self._rejected.fileno())
        temporary = self._path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.progress)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


@contextmanager
def open_journal(folder: Path, name: str, fresh: Progress, *, restart: bool) -> Iterator[Journal]:
    """The journal called `name`, begun with `fresh` when there is none, or when told to start again.

    Raises `Failed` while another process has it open.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / f"{name}.lock").open("w")
    except OSError as error:
        raise Failed(f"The progress of the import cannot be kept in {folder}: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed("This very import is running already in another terminal.") from None
        path = folder / f"{name}.json"
        journal = Journal(path, fresh if restart else _read(path, fresh))
        try:
            yield journal
        finally:
            journal.close()


def _read(path: Path, fresh: Progress) -> Progress:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.MsgspecError):
        # Without progress everything is sent again, which changes nothing.
        return fresh
