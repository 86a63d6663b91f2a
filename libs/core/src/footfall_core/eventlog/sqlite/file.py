"""The file behind the embedded event log: its URL, its tables, and how record batches lie in it.

Everything that both the appending and the reading side must agree on stands here, so that the file's format
can be read in one place. `FORMAT` numbers it.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import lz4.block
import msgspec

from footfall_core.eventlog import LogUnavailable

APPLICATION = 0x466F6F74  # "Foot": tells the event log from any other SQLite file
FORMAT = 1
MEBIBYTE = 1 << 20

SCHEMA = """
CREATE TABLE log (
  partitions INTEGER NOT NULL,
  checked_at REAL NOT NULL -- Unix seconds; written to learn whether the file can be written again
);
CREATE TABLE batches (
  id          INTEGER PRIMARY KEY, -- in the order of appending, so that new batches share few pages
  partition   INTEGER NOT NULL,
  base_offset INTEGER NOT NULL,    -- of the first record
  count       INTEGER NOT NULL,    -- records
  bytes       INTEGER NOT NULL,    -- of their values, as appended
  appended_at REAL NOT NULL,       -- Unix seconds
  codec       INTEGER NOT NULL,    -- of the payload: 0 none, 1 LZ4 block
  payload     BLOB NOT NULL        -- MessagePack array of the values
);
CREATE UNIQUE INDEX batches_by_offset ON batches (partition, base_offset, count);
CREATE TABLE groups (
  name       TEXT PRIMARY KEY,
  generation INTEGER NOT NULL DEFAULT 0 -- counts the changes of who owns what, so that members notice them
) WITHOUT ROWID;
CREATE TABLE members (
  id         TEXT PRIMARY KEY,
  group_name TEXT NOT NULL REFERENCES groups (name),
  expires_at REAL NOT NULL -- Unix seconds; each poll moves it on
) WITHOUT ROWID;
CREATE TABLE positions (
  group_name  TEXT NOT NULL REFERENCES groups (name),
  partition   INTEGER NOT NULL,
  next_offset INTEGER NOT NULL,
  owner       TEXT, -- members.id
  PRIMARY KEY (group_name, partition)
) WITHOUT ROWID;
"""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `sqlite:///path?name=value&…` can say."""

    path: str
    # 2 when the file is created; it keeps the number that it was created with.
    partitions: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None
    # Of the file, before appends are refused.
    max_bytes: Annotated[int, msgspec.Meta(ge=1)] = 8 << 30
    # Left on the file system, before appends are refused.
    min_free_bytes: Annotated[int, msgspec.Meta(ge=0)] = 256 * MEBIBYTE
    # How long records are kept although every group has committed them.
    retention_hours: Annotated[float, msgspec.Meta(ge=0)] = 24.0
    # What may wait for the disk, before appends are refused.
    queue_bytes: Annotated[int, msgspec.Meta(ge=1)] = 64 * MEBIBYTE
    # Without a poll, until a member's partitions pass to others.
    session_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0


def parse_url(url: str) -> Options:
    """Read an event log URL. Raises ValueError that names what is wrong.

    As with SQLAlchemy, three slashes begin a path relative to the working directory and four an absolute one.
    """
    parts = urlsplit(url)
    path = unquote(parts.path[1:])
    if parts.netloc or not path or parts.fragment:
        raise ValueError(f"FOOTFALL_EVENT_LOG_URL: {url!r} must look like sqlite:///path/to/file")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "path" in query:
        raise ValueError("FOOTFALL_EVENT_LOG_URL: unknown parameter 'path'")
    try:
        return msgspec.convert({**query, "path": path}, Options, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"FOOTFALL_EVENT_LOG_URL: {error}") from None


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say about `path` into `LogUnavailable`; let bugs through."""
    try:
        yield
    except sqlite3.Error as error:
        bug = isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError))
        if bug:
            raise
        raise LogUnavailable(f"{path}: {error}") from error
    except OSError as error:
        raise LogUnavailable(f"{path}: {error.strerror or error}") from error


def is_busy(error: LogUnavailable) -> bool:
    """Whether it is only that another connection is writing."""
    return sqlite_code(error) == sqlite3.SQLITE_BUSY


def is_damaged(error: LogUnavailable) -> bool:
    """Whether SQLite found that the file is not what it wrote."""
    return sqlite_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sqlite_code(error: LogUnavailable) -> int | None:
    """What SQLite calls the condition, if it comes from SQLite."""
    cause = error.__cause__
    return cause.sqlite_errorcode & 0xFF if isinstance(cause, sqlite3.Error) else None


def identity(path: Path) -> tuple[int, int] | None:
    """Tells whether a path still names the same file; None if it names none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def open_file(options: Options, now: float) -> int:
    """Create the file if it is not there; return its number of partitions.

    Raises ValueError if it is something else than an event log, or one that was made differently, and
    `LogUnavailable` if it cannot be read now.
    """
    path = Path(options.path)
    with reporting(path):
        if not path.exists():
            create(path, options.partitions or 2, now)
    connection = connect(path)
    try:
        with reporting(path):
            partitions: int = connection.execute("SELECT partitions FROM log").fetchall()[0][0]
    finally:
        connection.close()
    if options.partitions not in (None, partitions):
        raise ValueError(
            f"FOOTFALL_EVENT_LOG_URL: {path} has {partitions} partitions, which cannot be changed to "
            f"{options.partitions}"
        )
    return partitions


def create(path: Path, partitions: int, now: float) -> None:
    """Create an empty log at `path`, whole or not at all, even when several processes try at once."""
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        raise ValueError(f"{wal} is left of a log that is gone: bring {path} back, or delete {wal} as well")
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # it holds personal data
    try:
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # before anything else writes the first page
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(
                f"BEGIN; PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT}; {SCHEMA}; COMMIT"
            )
            connection.execute("INSERT INTO log VALUES (?, ?)", (partitions, now))
        finally:
            connection.close()
        with suppress(FileExistsError):  # another process was first
            os.link(new, path)
    finally:
        new.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def connect(path: Path, synchronous: str = "FULL", busy_seconds: float = 5.0) -> sqlite3.Connection:
    """A connection to the existing log at `path`, in autocommit mode. `open_file` tells what it raises."""
    with reporting(path):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=busy_seconds,
        )
    try:
        with reporting(path):
            try:
                application = connection.execute("PRAGMA application_id").fetchall()[0][0]
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname != "SQLITE_NOTADB":
                    raise
                application = None
            if application != APPLICATION:
                raise ValueError(f"FOOTFALL_EVENT_LOG_URL: {path} is not a Footfall event log")
            version = connection.execute("PRAGMA user_version").fetchall()[0][0]
            if version != FORMAT:
                raise ValueError(f"{path} has format {version} and this version of Footfall reads format {FORMAT}")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA fullfsync=ON")  # macOS: ask the disk too, not only the system
            connection.execute("PRAGMA checkpoint_fullfsync=ON")
            connection.execute("PRAGMA secure_delete=OFF")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA cache_size=-16384")  # KiB: a large transaction need not spill
            # `upkeep` does the checkpoints; this is for the case that no process appends, or that it fails.
            connection.execute("PRAGMA wal_autocheckpoint=8192")
            connection.execute(f"PRAGMA journal_size_limit={64 * MEBIBYTE}")
    except BaseException:
        connection.close()
        raise
    return connection


_decoder = msgspec.msgpack.Decoder(list[bytes])

# Below this many bytes compression costs more than the pages it saves.
LEAST_COMPRESSED = 1024
# LZ4's: on events it costs a third less than 1, for payloads 5 % larger.
ACCELERATION = 8


class BatchEncoder:
    """Encodes batches, one after the other, in one buffer: fresh memory for each would cost as much again."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._buffer = bytearray()

    def encode(self, values: Sequence[bytes]) -> tuple[int, bytes]:
        """The codec and the payload of a batch."""
        self._encoder.encode_into(values, self._buffer)
        if len(self._buffer) >= LEAST_COMPRESSED:
            compressed: bytes = lz4.block.compress(self._buffer, mode="fast", acceleration=ACCELERATION)
            if len(compressed) < len(self._buffer):
                return 1, compressed
        return 0, bytes(self._buffer)


def decode(codec: int, payload: bytes, count: int) -> list[bytes]:
    """The values of a batch of `count` records. Raises ValueError if it is damaged."""
    if codec not in (0, 1):
        raise ValueError(f"codec {codec} is unknown")
    try:
        values = _decoder.decode(lz4.block.decompress(payload) if codec else payload)
    except (lz4.block.LZ4BlockError, msgspec.DecodeError) as error:
        raise ValueError(str(error)) from error
    if len(values) != count:
        raise ValueError(f"it has {len(values)} values instead of {count}")
    return values


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what happens inside, or nothing of it. Nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def end_offset(connection: sqlite3.Connection, partition: int) -> int:
    """The offset that the next record of `partition` will get."""
    rows = connection.execute(
        "SELECT base_offset + count FROM batches WHERE partition = ? ORDER BY base_offset DESC LIMIT 1",
        (partition,),
    ).fetchall()
    return int(rows[0][0]) if rows else 0
