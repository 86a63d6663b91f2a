"""One statement: what it is, and its run in a worker thread."""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from footfall_embedded.bridge.encoding import Body
from footfall_embedded.bridge.engine import CLIENT_IDS, Connection, Engine, Outcome, quote_name
from footfall_embedded.bridge.errors import CODES, EngineError, refuse
from footfall_embedded.bridge.form import Table
from footfall_embedded.bridge.leases import Lease
from footfall_embedded.bridge.pipe import Pipe
from footfall_embedded.bridge.request import Request
from footfall_embedded.bridge.spool import refuse_full_disk, write_all
from footfall_embedded.bridge.statement import (
    Insert,
    Kill,
    Statement,
    find_insert,
    read_client_processes,
    read_kill,
    read_statement,
)

_HEAD_BYTES = 256 * 1024  # read of a body to see whether it is an INSERT: a server's max_query_size
_STATEMENT_BYTES = 64 << 20
_COPY_BYTES = 1 << 20
_READ_VERBS = frozenset(
    {b"SELECT", b"WITH", b"FROM", b"(", b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN", b"CHECK"}
)
_KEPT_VERBS = frozenset({b"CREATE", b"ALTER", b"RENAME", b"EXCHANGE", b"ATTACH", b"DELETE", b"UPDATE"})
"""What writes more than parts, for which alone the engine asks whether there is room."""
_SPOOL_NAME = re.compile(r": \(in file/uri [^)]*\)|: While executing File: data for INSERT was parsed from file")


@dataclass(frozen=True, slots=True)
class Work:
    """A statement that is ready to run.

    `kind` is the lane: read, insert, change or kill. `text`: the statement, or the INSERT with the
    beginning of its data, the rest of which is in `body`.
    """

    request: Request
    kind: str
    text: bytes
    statement: Statement
    insert: Insert | None = None
    body: Body | None = None

    @property
    def format(self) -> str:
        """The format of the result."""
        return self.statement.format.decode() if self.statement.format else self.request.default_format

    @property
    def streams(self) -> bool:
        """Whether the result goes through a pipe."""
        return self.statement.outfile_at is not None

    @property
    def has_result(self) -> bool:
        """Whether the statement is one that answers with rows."""
        return self.kind in ("read", "kill")


def read_work(request: Request, body: Body, engine: Engine) -> Work:
    """Find out what a request wants. Raises EngineError for none, several, and files of the client."""
    head = body.read_up_to(_HEAD_BYTES)
    text = request.query + b"\n" + head if request.query and head else request.query or head
    insert = find_insert(text)
    if insert is not None:
        return Work(request, "insert", text, Statement(b"INSERT"), insert, body)
    while more := body.read(_COPY_BYTES):
        text += more
        if len(text) > _STATEMENT_BYTES:
            raise refuse("QUERY_IS_TOO_LARGE", "The statement is larger than 64 MiB.")
    statement = read_statement(text, engine.content_types)
    if not statement.verb:
        raise refuse("SYNTAX_ERROR", "Empty query.")
    if statement.is_several or (b";" in text.rstrip(b"; \t\r\n") and engine.count_statements(text) > 1):
        raise refuse("SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).")
    if statement.names_outfile:
        raise refuse("INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed.")
    if statement.names_infile:
        raise refuse("UNKNOWN_TYPE_OF_QUERY", "Query has infile and was sent directly to the server.")
    return Work(request, _kind(statement.verb), text, statement)


def _kind(verb: bytes) -> str:
    if verb in _READ_VERBS:
        return "read"
    return {b"INSERT": "insert", b"KILL": "kill"}.get(verb, "change")


@dataclass(frozen=True, slots=True)
class Bench:
    """What a worker thread works with.

    `client_ids`: which query is on which connection at this moment. `on_kill`: told which queries are about to be
    killed. `folder`: where an INSERT's data waits. `require_writes`: comes back only if the engine has lost no write.
    """

    engine: Engine
    client_ids: Callable[[], dict[str, str]]
    on_kill: Callable[[list[str]], None]
    folder: Path
    require_writes: Callable[[], None]


def perform(work: Work, bench: Bench, lease: Lease, pipe: Pipe | None) -> Outcome:
    """Run the statement to its end; blocks. Raises EngineError."""
    settings = work.request.settings
    try:
        if work.kind == "kill" and (kill := read_kill(work.text)) is not None:
            return _kill(work, kill, bench, lease)
        if work.statement.verb in _KEPT_VERBS:
            bench.engine.require_room()
        sql = work.text if work.insert else read_client_processes(work.text, work.statement.verb)
        if sql is not work.text:
            settings = {**settings, CLIENT_IDS: json.dumps(bench.client_ids())}
        connection = lease.prepare(bench.engine, settings)
        with _tables(work.request.tables, connection, bench.folder):
            if work.insert is not None and work.body is not None:
                outcome = _insert(work, work.insert, work.body, connection, bench.folder)
            else:
                outcome = _run(work, sql, bench.engine, connection, pipe)
                lease.keep(work.statement.verb)
        if work.kind in ("insert", "change"):
            bench.require_writes()
        return outcome
    finally:
        if pipe is not None:
            pipe.end()


@contextmanager
def _tables(tables: list[Table], connection: Connection, folder: Path) -> Iterator[None]:
    """The tables that the request brought, for as long as its statement runs."""
    try:
        for table in tables:
            name = quote_name(table.name)
            connection.run(f"CREATE TEMPORARY TABLE {name} ({table.columns})")
            with _spooled([table.data], folder, "table-") as path:
                insert = Insert(f"INSERT INTO {name}".encode(), b"", table.format.encode(), 0)
                connection.run(insert.with_file(path))
        yield
    finally:
        for table in tables:
            connection.run(f"DROP TEMPORARY TABLE IF EXISTS {quote_name(table.name)}")


def _run(work: Work, sql: bytes, engine: Engine, connection: Connection, pipe: Pipe | None) -> Outcome:
    request = work.request
    at = work.statement.outfile_at
    if pipe is not None and at is not None:
        if sql is not work.text:
            at = read_statement(sql, engine.content_types).outfile_at
        sql = sql[:at] + b" INTO OUTFILE '" + pipe.path + b"' TRUNCATE " + sql[at:]
    try:
        return connection.run(sql, request.default_format, request.bound)
    except EngineError as error:
        if error.code != CODES["SYNTAX_ERROR"] or sql is work.text:
            raise
        # The message quotes the statement and counts its characters: let it be about the client's own text.
        return connection.run(work.text, request.default_format, request.bound)


def _insert(work: Work, insert: Insert, body: Body, connection: Connection, folder: Path) -> Outcome:
    """Write the data to a file and let the engine read it: twice as fast as data inside the statement."""
    data = chain([work.text[insert.data_at :]], iter(lambda: body.read(_COPY_BYTES), b""))
    with _spooled(data, folder, "insert-") as path:
        sql = insert.with_file(path)
        try:
            outcome = connection.run(sql, work.request.default_format, work.request.bound)
        except EngineError as error:
            raise EngineError(error.code, _SPOOL_NAME.sub("", error.text)) from None
    return replace(outcome, read_rows=outcome.read_rows or outcome.written_rows)


@contextmanager
def _spooled(data: Iterable[bytes], folder: Path, prefix: str) -> Iterator[bytes]:
    """The path of a file with the data. Raises `EngineError` when the disk is full."""
    with ExitStack() as stack:
        with refuse_full_disk(folder):
            spool = stack.enter_context(tempfile.NamedTemporaryFile(dir=folder, prefix=prefix, buffering=0))
            for part in data:
                write_all(spool, part)
        yield spool.name.encode()


def _kill(work: Work, kill: Kill, bench: Bench, lease: Lease) -> Outcome:
    """KILL QUERY by the ids that clients gave: the engine knows the queries by ids of its own."""
    before = bench.client_ids()
    settings = {**work.request.settings, CLIENT_IDS: json.dumps(before)}
    connection = lease.prepare(bench.engine, settings)
    found = connection.run(
        b"SELECT engine_query_id, connection, query_id, user, query FROM system.client_processes WHERE ("
        + kill.condition
        + b"\n) AND connection NOT IN ('', '"
        + lease.name.encode()
        + b"') FORMAT JSONCompactEachRow",
        params=work.request.bound,
    )
    # A connection may have gone on to another client's query in between: then its row carries the wrong id.
    after = bench.client_ids()
    rows = [row for row in map(json.loads, found.body.splitlines()) if before.get(row[1]) == after.get(row[1])]
    status: dict[str, str] = {}
    if rows and not kill.only_looks:
        ids = ", ".join(f"'{row[0]}'" for row in rows)
        bench.on_kill([row[2] for row in rows])
        mode = "SYNC" if kill.waits else "ASYNC"
        killed = connection.run(f"KILL QUERY WHERE query_id IN ({ids}) {mode} FORMAT JSONCompactEachRow")
        status = {row[1]: row[0] for row in map(json.loads, killed.body.splitlines())}
    if kill.only_looks:
        columns, answer = "query_id String, user String, query String", [row[2:] for row in rows]
    else:
        columns = "kill_status String, query_id String, user String, query String"
        answer = [[status.get(row[0], "finished"), *row[2:]] for row in rows]
    lines = "".join(json.dumps(row) + "\n" for row in answer)
    escaped = lines.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return connection.run(
        f"SELECT * FROM format(JSONCompactEachRow, '{columns}', {{rows:String}}) FORMAT {work.format}",
        params={"rows": escaped},
    )
