"""The chDB engine of this process, and connections to it.

Everything that knows chDB is here. What the engine offers and the bridge relies on:

- one engine, bound to one directory, a process; any number of connections, which run in parallel;
- settings, the current database and temporary tables belong to a connection;
- the engine makes up all query ids itself, but `system.processes` shows each query's settings: one that does
  nothing here carries the connection's name, and the bridge knows whose query is on which connection;
- `INTO OUTFILE '/dev/fd/N'` writes any format to a pipe, block by block, and waits while the pipe is full;
- `FROM INFILE` parses in parallel and is two to three times faster than data inside the statement;
- a `write` that fails is counted, and that is all: where a ClickHouse server raises, chDB goes on as if it had
  written. The engine's next start sets such parts aside, and takes back those that they were merged from.
"""

import ctypes
import importlib.util
import json
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

from footfall_embedded.bridge.errors import EngineError, read_error, refuse

_RTLD_DEEPBIND = 0x00008
CARRIER = "chdb_client_name"
"""The setting that carries the connection's name. It does nothing for queries on this machine."""
CLIENT_IDS = "promql_table"
"""The setting that tells the view below, for one statement, which query id is on which connection.

It does nothing in the SQL dialect.
"""

# clickhouse-local's habits, which chDB shares, undone; and the one default of ours.
SERVER_DEFAULTS = {"implicit_select": "0", "allow_introspection_functions": "0", "async_insert": "0"}

# The clauses that the bridge adds, as a regular expression inside an SQL string.
_FILES = r" (INTO OUTFILE \'/dev/fd/[0-9]+\' TRUNCATE|FROM INFILE \'[^\']+/spool/[^\']+\' COMPRESSION \'none\') "
_PROCESSES = f"""
CREATE OR REPLACE VIEW system.client_processes AS
SELECT * REPLACE (
    if(client_id = '', query_id, client_id) AS query_id,
    replaceAll(replaceRegexpAll(query, '{_FILES}', ' '), 'system.client_', 'system.') AS query,
    mapFilter((k, v) -> k NOT IN ('{CARRIER}', '{CLIENT_IDS}'), Settings) AS Settings)
FROM (
    SELECT *, query_id AS engine_query_id, Settings['{CARRIER}'] AS connection,
        JSONExtractString(getSetting('{CLIENT_IDS}'), connection) AS client_id
    FROM system.processes)
"""

_LOST_WRITES = "SELECT value FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'"


def _load_extension() -> ModuleType:
    """chDB's extension module without the package around it.

    `import chdb` also imports pandas and pyarrow and starts an engine in memory: 140 MB and half a second
    that the bridge has no use for.
    """
    spec = importlib.util.find_spec("chdb")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the chdb-core distribution is not installed")
    folder = Path(spec.submodule_search_locations[0])
    library = next(folder.glob("_chdb*.so"))
    if sys.platform == "linux":
        # As the package does: its allocator must win over the process' one for its own symbols.
        ctypes.CDLL(str(library), mode=sys.getdlopenflags() | _RTLD_DEEPBIND)
    module_spec = importlib.util.spec_from_file_location("chdb._chdb", library)
    if module_spec is None or module_spec.loader is None:
        raise ModuleNotFoundError(f"cannot load {library}")
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one statement did. `body` is empty when the result went to a file or a pipe."""

    body: bytes
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    result_rows: int
    elapsed_seconds: float


class Connection:
    """A current database, settings and temporary tables. Not for two threads at once."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def run(self, sql: bytes | str, format: str = "TabSeparated", params: dict[str, str] | None = None) -> Outcome:
        """Run one statement to its end. Raises EngineError. Lets other threads run meanwhile."""
        try:
            result = self._raw.query(sql, format, params=params or {})
        except RuntimeError as error:
            raise read_error(str(error)) from None
        return Outcome(
            result.bytes(),
            result.storage_rows_read(),
            result.storage_bytes_read(),
            result.rows_written(),
            result.bytes_written(),
            result.rows_read(),
            result.elapsed(),
        )

    def set(self, settings: dict[str, str | None]) -> None:
        """SET each of the settings; None sets the default."""
        if settings:
            pairs = (f"{name} = {'DEFAULT' if value is None else quote(value)}" for name, value in settings.items())
            self.run("SET " + ", ".join(pairs))

    def classify(self, sql: bytes) -> dict[str, Any]:
        """What the engine's parser says that the statement would do."""
        answer: dict[str, Any] = self._raw.classify_query(sql)
        return answer

    def use(self, database: str) -> None:
        """Make it the current database. Raises EngineError 81 when there is none of that name."""
        self.run("USE " + quote_name(database))

    def database(self) -> str:
        """The current database."""
        return self.run("SELECT currentDatabase()", "TSVRaw").body.decode().removesuffix("\n")

    def changed_settings(self) -> dict[str, str]:
        """The settings that differ from the engine's defaults, without those that SET does not change."""
        rows = self.run(
            "SELECT name, value FROM system.settings"
            " WHERE changed AND name NOT IN ('database', 'serialize_query_plan') FORMAT JSONCompactEachRow"
        ).body
        return dict(map(json.loads, rows.splitlines()))

    def close(self) -> None:
        """Drop the connection with everything that is its own."""
        self._raw.close()


def quote(value: str) -> str:
    """A string as an SQL literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """A name as an SQL identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


class Engine:
    """The engine, open on a directory until `close`."""

    def __init__(self, folder: Path, *, memory_bytes: int, min_free_bytes: int = 0) -> None:
        """`folder` is created when missing; `memory_bytes` bounds all queries and merges together.

        `min_free_bytes`: what INSERTs and merges leave free on the disk. Raises EngineError when the engine cannot open
        the folder.
        """
        if any(mark in str(folder) for mark in "?&"):
            raise ValueError(f"the data directory may not have ? or & in its path: {folder}")
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "bridge.xml"
        text = _config(memory_bytes, min_free_bytes)
        if not config.exists() or config.read_text() != text:  # a full disk has no room for the same once more
            config.write_text(text)
        # They may name INSERTs whose parts are set aside now, and whose repetitions would be dropped.
        for noted in folder.glob("store/*/*/deduplication_logs/*"):
            noted.unlink()
        self._path = str(folder)
        self._min_free_bytes = min_free_bytes
        self._module = _load_extension()
        # The first connection boots the engine and keeps it alive. It runs no client's statements.
        self._first = self._open({"config-file": str(config), **SERVER_DEFAULTS})
        rows = self._first.run("SELECT name FROM system.settings", "TSVRaw").body.decode().split("\n")
        self.settings = frozenset(filter(None, rows))
        formats = self._first.run("SELECT lower(name), content_type FROM system.formats", "TSVRaw").body
        self.content_types = dict(line.split(b"\t") for line in formats.splitlines())
        version, self.timezone = (
            self._first.run("SELECT version(), timezone()", "TSVRaw").body.decode().strip().split("\t")
        )
        self.version = version
        self._first.run(_PROCESSES)
        self._counts = self._open(SERVER_DEFAULTS)
        self._counting = threading.Lock()
        # What SET must go back to: on a new connection some settings are not at the engine's default.
        fresh = self._open(SERVER_DEFAULTS)
        self.base_settings = fresh.changed_settings()
        fresh.close()

    def connect(self, settings: dict[str, str]) -> Connection:
        """A connection with these settings on top of a server's defaults. Raises EngineError."""
        plain = dict(SERVER_DEFAULTS)
        spelled_out: dict[str, str | None] = {}
        for name, value in settings.items():
            # A connection string has no way to quote, so such values are SET afterwards.
            if name in self.settings and value and "&" not in value and "\0" not in value:
                plain[name] = value
            else:
                spelled_out[name] = value
        connection = self._open(plain)
        try:
            connection.set(spelled_out)
        except EngineError:
            connection.close()
            raise
        return connection

    def _open(self, options: dict[str, str]) -> Connection:
        arguments = "&".join(f"{name}={value}" for name, value in options.items())
        try:
            return Connection(self._module.connect(f"{self._path}?{arguments}"))
        except RuntimeError as error:
            raise read_error(str(error).removeprefix("Failed to create connection: ")) from None

    def count_statements(self, sql: bytes) -> int:
        """How many statements the engine would run; 0 when it cannot parse them."""
        count: int = self._first.classify(sql)["statement_count"]
        return count

    def kill(self, connection_name: str) -> None:
        """Ask the engine to stop the query that runs on a connection."""
        self._own(f"KILL QUERY WHERE Settings['{CARRIER}'] = {quote(connection_name)} ASYNC")

    def progress(self, connection_name: str) -> dict[str, int]:
        """What the query on a connection has read so far; empty when none runs there."""
        rows = self._own(
            "SELECT read_rows, read_bytes, total_rows_approx AS total_rows_to_read, written_rows,"
            f" written_bytes FROM system.processes WHERE Settings['{CARRIER}'] = {quote(connection_name)}"
            " FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0"
        )
        found: dict[str, int] = json.loads(rows) if rows else {}
        return found

    def lost_writes(self) -> int:
        """How many writes failed since the start. The results of statements must not be among them: read each pipe
        to its end."""
        with self._counting:
            return int(self._counts.run(_LOST_WRITES).body or 0)

    def require_room(self) -> None:
        """Raises EngineError 243 when the disk has less than `min_free_bytes` left."""
        left = shutil.disk_usage(self._path).free
        if left < self._min_free_bytes:
            words = f"{left} bytes are free on the disk of {self._path}, and {self._min_free_bytes} must stay free."
            raise refuse("NOT_ENOUGH_SPACE", words)

    def _own(self, sql: str) -> bytes:
        connection = self._open(dict(SERVER_DEFAULTS))
        try:
            return connection.run(sql).body
        finally:
            connection.close()

    def close(self) -> None:
        """Close the engine: merges stop, what is in memory reaches the disk."""
        self._counts.close()
        self._first.close()


def _config(memory_bytes: int, min_free_bytes: int) -> str:
    """The server settings, as the engine reads them. No system log tables: they would grow without bound."""
    cache = max(memory_bytes // 16, 16 << 20)
    values = {
        "max_server_memory_usage": memory_bytes,
        "mark_cache_size": cache,
        "index_mark_cache_size": cache,
        "primary_index_cache_size": cache,
        "max_thread_pool_free_size": 64,  # threads that a burst of queries has left behind
    }
    lines = "".join(f"  <{name}>{escape(str(value))}</{name}>\n" for name, value in values.items())
    return f"""<clickhouse>
{lines}  <storage_configuration>
    <disks><default><keep_free_space_bytes>{min_free_bytes}</keep_free_space_bytes></default></disks>
  </storage_configuration>
  <merge_tree>
    <!-- A large merge that the disk cut off must not keep the engine from starting: what was merged is there. -->
    <max_suspicious_broken_parts_bytes>{1 << 62}</max_suspicious_broken_parts_bytes>
  </merge_tree>
</clickhouse>
"""


def total_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
