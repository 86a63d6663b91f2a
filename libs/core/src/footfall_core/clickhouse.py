"""ClickHouse over HTTP: the same driver and the same SQL for the embedded engine, a server and a cluster.

Two clients because the services live in two worlds: `ClickHouse` for the Consumer's thread and for
migrations, `AsyncClickHouse` for the Query API. They share everything but the waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver import create_async_client
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.query import QueryResult

T = TypeVar("T")
Format = Literal["JSONEachRow", "Native"]

DATABASE: Final = "analytics"

BAD_DATA_CODES = frozenset({
    6,  # CANNOT_PARSE_TEXT
    25, 26, 27,  # CANNOT_PARSE_ESCAPE_SEQUENCE, _QUOTED_STRING, _INPUT_ASSERTION_FAILED
    38, 41,  # CANNOT_PARSE_DATE, _DATETIME
    53, 69, 70, 72,  # TYPE_MISMATCH, ARGUMENT_OUT_OF_BOUND, CANNOT_CONVERT_TYPE, CANNOT_PARSE_NUMBER
    117,  # INCORRECT_DATA
    128, 130, 131,  # TOO_LARGE_ARRAY_SIZE, CANNOT_READ_ARRAY_FROM_TEXT, TOO_LARGE_STRING_SIZE
    306,  # TOO_DEEP_RECURSION
    321, 349,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    376, 467,  # CANNOT_PARSE_UUID, CANNOT_PARSE_BOOL
})  # fmt: skip
"""Error codes that blame the rows of an INSERT; any other error may pass, so the Consumer waits it out."""

INSERT_SETTINGS: Mapping[str, str | int] = {
    "async_insert": 0,  # on by default since 26.3; the Consumer needs "answered" to mean "stored"
    "distributed_foreground_insert": 1,  # on a cluster as well: stored on the shards
    "input_format_skip_unknown_fields": 0,
    "input_format_try_infer_datetimes": 0,  # "2026-01-01 00:00:00" is a string unless someone says otherwise
    "input_format_try_infer_dates": 0,
    "input_format_json_max_depth": 200,
    "json_type_escape_dots_in_keys": 1,  # {"a.b": 1} and {"a": {"b": 1}} are different properties
    "type_json_skip_duplicated_paths": 1,
    "max_partitions_per_insert_block": 0,  # one batch of old events may span many months
    "throw_on_max_partitions_per_insert_block": 0,
}


class ClickHouseUnavailable(Exception):
    """No answer, or an answer that may be different next time."""


class ClickHouseRefused(Exception):
    """ClickHouse's own error: `code` and its words. The same statement will get the same answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def blames_rows(self) -> bool:
        """Whether rows of the INSERT are at fault, so that it works without them."""
        return self.code in BAD_DATA_CODES


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows of a query with the names of their columns, and what the engine read for them."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    rows_read: int = 0
    bytes_read: int = 0


def _connection_arguments(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("FOOTFALL_CLICKHOUSE_URL must look like http://user:password@host:8123")
    return {
        "host": parts.hostname,
        "port": parts.port or (8443 if parts.scheme == "https" else 8123),
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "secure": parts.scheme == "https",
        # A session shared by threads answers SESSION_IS_LOCKED.
        "autogenerate_session_id": False,
    }


def _translate(error: Exception) -> Exception:
    """The driver's exception as one of ours; other exceptions as they are."""
    if isinstance(error, DatabaseError) and error.code:
        return ClickHouseRefused(error.code, str(error))
    if isinstance(error, (DriverError, OSError)):
        return ClickHouseUnavailable(_reason(error))
    return error


def _reason(error: Exception) -> str:
    """The operating system's words if it comes down to them: the driver and its HTTP library wrap them in theirs."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause.strerror or str(cause)
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


class ClickHouse:
    """A client that connects when first used, so it may be made while ClickHouse is down. Thread-safe."""

    def __init__(self, url: str, *, timeout: float = 300.0) -> None:
        self._arguments = _connection_arguments(url)
        self._timeout = timeout
        self._client: Client | None = None
        self._lock = threading.Lock()

    def credentials(self) -> dict[str, str]:
        """`user` and `password` for what ClickHouse is to do by itself later. Who guards the way to an engine, as the
        bridge does, knows users that the engine does not: it works as its own, which has no password."""
        user = str(self.command("SELECT currentUser()"))
        is_ours = user == self._arguments["username"]
        return {"user": user, "password": self._arguments["password"] if is_ours else ""}

    def fetch(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Fetched:
        """The rows of a SELECT. Raises `ClickHouseUnavailable` or `ClickHouseRefused`."""
        result = self._call(
            lambda client: client.query(
                sql, parameters=dict(parameters or {}), settings=dict(settings or {}), query_tz="UTC"
            )
        )
        return _fetched(result)

    def command(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a statement that returns nothing or one value."""
        return self._call(
            lambda client: client.command(sql, parameters=dict(parameters or {}), settings=dict(settings or {}))
        )

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        data: bytes,
        settings: Mapping[str, Any] | None = None,
        format: Format = "JSONEachRow",
    ) -> None:
        """One INSERT of rows in `format`. Returns when ClickHouse has stored them."""
        self._call(
            lambda client: client.raw_insert(
                table,
                column_names=list(columns),
                insert_block=data,
                fmt=format,
                settings={**INSERT_SETTINGS, **(settings or {})},
            )
        )

    def ping(self) -> None:
        """Raise `ClickHouseUnavailable` unless ClickHouse answers."""
        self.command("SELECT 1")

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _call(self, call: Callable[[Client], T]) -> T:
        try:
            return call(self._connect())
        except Exception as error:
            raise _translate(error) from error

    def _connect(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = clickhouse_connect.get_client(
                    **self._arguments,
                    send_receive_timeout=int(self._timeout),
                    query_retries=0,
                    compress=False,
                )
            return self._client


class AsyncClickHouse:
    """The asynchronous reader. Cancelling a `fetch` closes its connection, which cancels the query."""

    def __init__(self, url: str, *, timeout: float = 300.0, settings: Mapping[str, Any] | None = None) -> None:
        self._arguments = _connection_arguments(url)
        self._timeout = timeout
        self._settings = dict(settings or {})
        self._client: AsyncClient | None = None
        self._lock = asyncio.Lock()

    async def fetch(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Fetched:
        """The rows of a SELECT. Raises `ClickHouseUnavailable` or `ClickHouseRefused`."""
        try:
            client = await self._connect()
            result = await client.query(
                sql,
                parameters=dict(parameters or {}),
                settings={**self._settings, **(settings or {})},
                query_tz="UTC",
            )
        except Exception as error:
            raise _translate(error) from error
        return _fetched(result)

    async def ping(self) -> None:
        """Raise `ClickHouseUnavailable` unless ClickHouse answers."""
        await self.fetch("SELECT 1")

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _connect(self) -> AsyncClient:
        async with self._lock:
            if self._client is None:
                self._client = await create_async_client(
                    **self._arguments,
                    send_receive_timeout=int(self._timeout),
                    query_retries=0,
                    compress=False,
                )
            return self._client


def _fetched(result: QueryResult) -> Fetched:
    summary = result.summary or {}
    return Fetched(
        columns=result.column_names,
        rows=result.result_rows,
        rows_read=int(summary.get("read_rows", 0)),
        bytes_read=int(summary.get("read_bytes", 0)),
    )
