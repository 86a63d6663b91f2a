"""ClickHouse's HTTP interface as an ASGI application."""

import asyncio
import functools
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from footfall_embedded.bridge.encoding import Body, choose_encoding
from footfall_embedded.bridge.engine import Engine, Outcome
from footfall_embedded.bridge.errors import EngineError, refuse
from footfall_embedded.bridge.form import Table, is_form, read_form, take_tables
from footfall_embedded.bridge.lanes import Lane
from footfall_embedded.bridge.leases import Lease, Leases
from footfall_embedded.bridge.metrics import Metrics
from footfall_embedded.bridge.pipe import Pipe
from footfall_embedded.bridge.reply import Headers, Reply, Send
from footfall_embedded.bridge.request import (
    Account,
    authenticate,
    first_headers,
    parse_arguments,
    read_request,
    refuse_web_pages,
)
from footfall_embedded.bridge.spool import refuse_full_disk, write_all
from footfall_embedded.bridge.work import Bench, Work, perform, read_work

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
T = TypeVar("T")

log = structlog.get_logger("bridge")

_MEMORY_BYTES = 1 << 20  # a body up to this size stays off the disk
_QUICK_SECONDS = 0.02  # the result of a statement that takes longer is streamed
_KILL_AGAIN_SECONDS = 0.2
_WATCH_SECONDS = 1.0  # the parts that a merge took go away after minutes, so there is time
_NO_HANDLER = (
    "There is no handle {}\n\nUse / or /ping for health checks.\n"
    "Send queries from your program with POST method or GET /?query=...\n"
)


class Disconnected(Exception):
    """The client went away."""


class Client:
    """Who waits for the answer. Most answers come so quickly that nobody looks whether the client is still there."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None

    def gone(self) -> asyncio.Future[Any]:
        """Done when the client has left."""
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._until_gone())
        return self._watch

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def forget(self) -> None:
        """Stop looking."""
        if self._watch is not None:
            self._watch.cancel()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once: statements of each kind, seconds, bytes.

    `wait_seconds`: how long a statement waits for its turn. `stall_seconds`: how long a client may take
    nothing of its result before it is given up. `body_bytes`: of a request's body, compressed and not.
    """

    reads: int = 8
    inserts: int = 4
    changes: int = 4
    wait_seconds: float = 10.0
    stall_seconds: float = 120.0
    body_bytes: int = 4 << 30


@dataclass(slots=True, eq=False)
class Running:
    """A statement in the engine or on its way there.

    `lease`: the connection, once it has one; `pipe`: where its result comes from, while there is one.
    `leaves_nothing`: the connection is as it was before. `killed`: by a KILL QUERY, so its result goes nowhere.
    """

    kind: str
    lease: Lease | None = None
    pipe: Pipe | None = None
    leaves_nothing: bool = False
    killed: bool = False


class Bridge:
    """The ASGI application."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        account: Account,
        display_name: str,
        on_lost_write: Callable[[], None],
        only_local: bool = True,
        limits: Limits | None = None,
    ) -> None:
        """To be made in the event loop. `folder`: where bodies and results wait that are too large for memory.

        `on_lost_write`: ends the process, from any thread. `only_local`: see `refuse_web_pages`.
        """
        self._engine = engine
        self._folder = folder
        self._account = account
        self._only_local = only_local
        self._limits = limits = limits or Limits()
        self._leases = Leases(engine, spare=limits.reads + limits.inserts)
        self._lanes = {
            "read": Lane("read", limits.reads, limits.wait_seconds),
            "insert": Lane("insert", limits.inserts, limits.wait_seconds),
            "change": Lane("change", limits.changes, limits.wait_seconds),
            "kill": Lane("kill", 2, limits.wait_seconds),
        }
        # The bridge's own short statements. A client's KILL … SYNC may wait for one of them, so never the reverse.
        self._own_threads = ThreadPoolExecutor(2, thread_name_prefix="bridge-own")
        self._loop = asyncio.get_running_loop()
        self._running: dict[str, Running] = {}
        self._receiving: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._on_lost_write = on_lost_write
        self._bench = Bench(engine, self._client_ids, self._on_kill, folder, self._require_writes)
        self._own_headers: Headers = [
            (b"x-clickhouse-server-display-name", display_name.encode()),
            (b"x-clickhouse-timezone", engine.timezone.encode()),
        ]
        self.metrics = Metrics()
        self.metrics.sessions.set_function(lambda: self._leases.sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        greets = path == "/" and method in ("GET", "HEAD") and b"query=" not in scope["query_string"]
        if greets or path in ("/ping", "/replicas_status"):
            await _answer(send, 200, b"Ok.\n", [(b"content-type", b"text/html; charset=UTF-8")])
        elif path == "/metrics":
            body = generate_latest(self.metrics.registry)
            await _answer(send, 200, body, [(b"content-type", CONTENT_TYPE_LATEST.encode())])
        elif path in ("/", "/query") and method in ("GET", "HEAD", "POST"):
            await self._query(scope, receive, send)
        else:
            await _answer(send, 404, _NO_HANDLER.format(path).encode())

    async def _query(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = first_headers(scope["headers"])
        reply_headers = list(self._own_headers)
        raw: IO[bytes] | None = None
        kind = "read"
        try:
            arguments = parse_arguments(scope["query_string"])
            refuse_web_pages(headers, self._only_local)
            authenticate(arguments, headers, self._account)
            raw, received = await self._collect(receive)
            body = Body(raw, headers.get(b"content-encoding", b"").decode("latin-1"), self._limits.body_bytes)
            tables: list[Table] = []
            if is_form(headers):
                fields, files = read_form(headers[b"content-type"], body)
                arguments = {**fields, **arguments}
                tables = take_tables(arguments, files)
            request = read_request(scope["method"], arguments, headers)
            request.tables = tables
            reply_headers.append((b"x-clickhouse-query-id", _header(request.query_id)))
            work = read_work(request, body, self._engine)
            kind = work.kind
            if work.insert is not None:
                self.metrics.insert_bytes.inc(received)
            await self._admit(work, receive, send, reply_headers)
        except EngineError as error:
            # It did not get as far as the engine, which has its own place for errors: see _perform.
            self.metrics.of_kind[kind].ended["refused"].inc()
            log.warning("request refused", code=error.code, error=error.text[:500])
            await self._answer_error(send, error, reply_headers)
        except Disconnected:
            return
        finally:
            if raw is not None:
                raw.close()

    async def _collect(self, receive: Receive) -> tuple[IO[bytes], int]:
        """The body as it came, and its size. Raises Disconnected when the client leaves before its end."""
        message = await receive()
        if not message.get("more_body", False) and message["type"] == "http.request":
            data = message.get("body", b"")
            return BytesIO(data), len(data)
        task = asyncio.current_task()
        assert task is not None
        self._receiving.add(task)
        try:
            with refuse_full_disk(self._folder):
                return await _collect(message, receive, self._folder, self._limits.body_bytes)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            task.uncancel()
            raise refuse("ABORTED", "The server stops.") from None
        finally:
            self._receiving.discard(task)

    def _client_ids(self) -> dict[str, str]:
        """Which query is on which connection. Any thread may ask."""
        running = list(self._running.items())
        return {entry.lease.name: query_id for query_id, entry in running if entry.lease is not None}

    def _on_kill(self, query_ids: list[str]) -> None:
        """KILL QUERY is about to stop these queries. Any thread may tell."""
        self._loop.call_soon_threadsafe(self._let_go, query_ids)

    def _let_go(self, query_ids: list[str]) -> None:
        # A query that waits for a slow client in the midst of its result would not notice that it is killed.
        for running in map(self._running.get, query_ids):
            if running is not None:
                running.killed = True
                if running.pipe is not None:
                    running.pipe.discard()

    def _require_writes(self) -> None:
        if self._engine.lost_writes():
            self._on_lost_write()

    async def watch(self) -> None:
        """Look for what merges have lost, for as long as it is awaited."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self._own(self._require_writes)

    def _own(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return self._loop.run_in_executor(self._own_threads, work)

    async def _admit(self, work: Work, receive: Receive, send: Send, headers: Headers) -> None:
        """Give the statement an id of its own, a place and a connection, and take them back afterwards."""
        request = work.request
        if request.query_id in self._running:
            raise refuse(
                "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                f"Query with id = {request.query_id} is already running.",
            )
        lease = None
        if request.session_id:
            lease = self._leases.take_session(request.session_id, request.session_check)
        running = self._running[request.query_id] = Running(work.kind)
        client = Client(receive)
        try:
            lane = self._lanes[work.kind]
            await _enter(lane, client)
            try:
                running.lease = lease or self._leases.take(request.settings)
                try:
                    await self._perform(work, running, running.lease, client, send, headers)
                finally:
                    if lease is None:
                        self._leases.give_back(running.lease, running.leaves_nothing)
            finally:
                lane.leave()
        finally:
            client.forget()
            del self._running[request.query_id]
            if lease is not None:
                self._leases.give_back_session(request.session_id, request.session_timeout, request.close_session)

    async def _perform(
        self,
        work: Work,
        running: Running,
        lease: Lease,
        client: Client,
        send: Send,
        headers: Headers,
    ) -> None:
        request = work.request
        started = time.perf_counter()
        pipe = running.pipe = Pipe() if work.streams else None
        done = self._lanes[work.kind].run(functools.partial(perform, work, self._bench, lease, pipe))
        level = request.settings.get("http_zlib_compression_level", "")
        reply = Reply(
            send,
            functools.partial(self._result_headers, work, done, lease, headers, started),
            encoding=choose_encoding(request.accept_encoding),
            level=int(level) if level.isdecimal() else 3,
            buffer_bytes=request.buffer_bytes,
            stall_seconds=self._limits.stall_seconds,
            whole=request.wait_end_of_query,
            folder=self._folder,
        )
        outcome = "ok"
        count = self.metrics.of_kind[work.kind]
        count.running.inc()
        try:
            await self._send_result(work, running, done, reply, client)
            running.leaves_nothing = work.kind in ("read", "insert") and not request.tables
        except EngineError as error:
            outcome = "failed"
            self._log_failure(work, error, time.perf_counter() - started)
            if reply.started:
                await reply.break_off(self._error_text(error))  # and no end: uvicorn breaks the connection
            else:
                await self._answer_error(send, error, headers)
        except TimeoutError:
            outcome = "cancelled"  # the client takes nothing: uvicorn breaks the connection
        except (Disconnected, asyncio.CancelledError):
            outcome = "cancelled"
            raise
        finally:
            if not done.done():
                await self._see_off(running, done, lease)
            reply.close()
            if pipe is not None:
                running.pipe = None
                pipe.close()
            count.running.dec()
            count.ended[outcome].inc()
            count.seconds.observe(time.perf_counter() - started)
            self.metrics.result_bytes.inc(reply.result_bytes)

    async def _send_result(
        self,
        work: Work,
        running: Running,
        done: asyncio.Future[Outcome],
        reply: Reply,
        client: Client,
    ) -> None:
        """Send what comes until the end. Raises EngineError, Disconnected, or TimeoutError (see Reply)."""
        await asyncio.wait((done,), timeout=_QUICK_SECONDS)
        while True:
            ended = done.done()
            pipe = None if running.killed else running.pipe
            data = pipe.read() if pipe is not None else None
            if data:
                await reply.push(data)
            elif ended:
                break
            elif work.kind in ("insert", "change"):
                await asyncio.wait((done,))  # it is wholly here, so it runs whether or not anybody waits
            elif client.gone().done():
                raise Disconnected
            else:
                events = [done, client.gone(), *([] if pipe is None else [pipe.when_readable()])]
                await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
        result = await done
        if running.killed and running.pipe is not None:  # it ended by itself, but a part of its result was thrown away
            raise refuse("QUERY_WAS_CANCELLED", "Query was cancelled.")
        if work.insert is not None:
            self.metrics.insert_rows.inc(result.written_rows)
        if result.body:
            await reply.push(result.body)
        await reply.finish()

    async def _see_off(self, running: Running, done: asyncio.Future[Outcome], lease: Lease) -> None:
        """Stop a statement that nobody waits for, unless it writes; come back when it has ended."""
        if running.pipe is not None:
            running.pipe.discard()
        while not done.done():
            if running.kind in ("read", "kill"):
                await self._own(functools.partial(self._engine.kill, lease.name))
            await asyncio.wait((done,), timeout=_KILL_AGAIN_SECONDS)
        if not done.cancelled():
            done.exception()  # whatever it was, there is nobody to tell

    async def drain(self, grace_seconds: float) -> None:
        """Before the end: let what runs finish, but after the grace only what writes and is wholly here."""
        await asyncio.sleep(grace_seconds)
        self._stopping = True
        while self._running or self._receiving:
            for task in self._receiving:
                task.cancel()
            for query_id, running in list(self._running.items()):
                if running.kind == "read" and running.lease is not None:
                    self._let_go([query_id])
                    await self._own(functools.partial(self._engine.kill, running.lease.name))
            await asyncio.sleep(_KILL_AGAIN_SECONDS)

    def close(self) -> None:
        """Close sessions and threads. Nothing may run any more."""
        for lane in self._lanes.values():
            lane.close()
        self._own_threads.shutdown(wait=True)
        self._leases.close()

    async def _result_headers(
        self, work: Work, done: asyncio.Future[Outcome], lease: Lease, headers: Headers, started: float
    ) -> Headers:
        has_result = work.has_result
        if done.done():
            result = done.result()
            has_result = has_result or bool(result.body)
            summary = {
                "read_rows": result.read_rows,
                "read_bytes": result.read_bytes,
                "written_rows": result.written_rows,
                "written_bytes": result.written_bytes,
                "result_rows": result.result_rows,
            }
        else:
            # The result is so long that its beginning must go now: what the engine has done until here.
            summary = await self._own(functools.partial(self._engine.progress, lease.name))
        summary["elapsed_ns"] = int((time.perf_counter() - started) * 1e9)
        items = ",".join(f'"{name}":"{value}"' for name, value in summary.items())
        name = work.format
        kind = self._engine.content_types.get(name.lower().encode()) if has_result else None
        all_headers = [
            *headers,
            (b"x-clickhouse-summary", b"{%s}" % items.encode()),
            (b"content-type", kind or b"text/plain; charset=UTF-8"),
        ]
        if has_result:
            all_headers.append((b"x-clickhouse-format", _header(name)))
        return all_headers

    def _error_text(self, error: EngineError) -> str:
        return f"{error.text} (version {self._engine.version} (chDB))"

    async def _answer_error(self, send: Send, error: EngineError, headers: Headers) -> None:
        headers = [
            *headers,
            (b"content-type", b"text/plain; charset=UTF-8"),
            (b"x-clickhouse-exception-code", b"%d" % error.code),
        ]
        if error.status == 401:
            headers.append((b"www-authenticate", b'Basic realm="ClickHouse server HTTP API"'))
        await _answer(send, error.status, (self._error_text(error) + "\n").encode("utf-8", "replace"), headers)

    def _log_failure(self, work: Work, error: EngineError, seconds: float) -> None:
        log.warning(
            "statement failed",
            query_id=work.request.query_id,
            kind=work.kind,
            code=error.code,
            seconds=round(seconds, 3),
            error=error.text[:500],
            statement=work.text[:300].decode("utf-8", "replace"),
        )


async def _enter(lane: Lane, client: Client) -> None:
    """A place in the lane. Raises EngineError 202, or Disconnected when the client leaves first."""
    if lane.enter_now():
        return
    gone = client.gone()
    entering = asyncio.ensure_future(lane.enter())
    await asyncio.wait((entering, gone), return_when=asyncio.FIRST_COMPLETED)
    if gone.done():
        if not entering.cancel() and entering.exception() is None:
            lane.leave()
        raise Disconnected
    entering.result()


async def _answer(send: Send, status: int, body: bytes, headers: Headers | None = None) -> None:
    all_headers = [*(headers or []), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


def _header(value: str) -> bytes:
    """A value that the client chose, fit for a header."""
    return "".join(char if " " <= char <= "~" else "?" for char in value).encode()


async def _collect(
    message: MutableMapping[str, Any], receive: Receive, folder: Path, most: int
) -> tuple[IO[bytes], int]:
    """The body that begins with `message`: in memory while it is small, then in a file."""
    target: IO[bytes] = BytesIO()
    size = 0
    while True:
        data = message.get("body", b"")
        size += len(data)
        if message["type"] == "http.disconnect":
            target.close()
            raise Disconnected
        if size > most:
            target.close()
            raise refuse("QUERY_IS_TOO_LARGE", "The request's body is larger than this server accepts.")
        if size > _MEMORY_BYTES and isinstance(target, BytesIO):
            held = target.getvalue()
            target = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (closed by whoever reads it)
            write_all(target, held)
        write_all(target, data)
        if not message.get("more_body", False):
            target.seek(0)
            return target, size
        message = await receive()
