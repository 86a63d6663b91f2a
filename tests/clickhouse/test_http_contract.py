"""What Footfall relies on in ClickHouse's HTTP interface: whatever serves as ClickHouse passes this."""

import asyncio
import gzip
import json
import random
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]  # it ships no types
import clickhouse_connect
import httpx
import lz4.frame
import pytest
import zstandard
from clickhouse_connect.driver import create_async_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.external import ExternalData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHARED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ask(http: httpx.Client, sql: str | bytes, **arguments: Any) -> str:
    """The text of a successful answer."""
    response = http.post("/", params=arguments, content=sql)
    assert response.status_code == 200, response.text
    return response.text


# Drivers


def test_driver_round_trips_values_of_many_types(client: Client) -> None:
    client.command("DROP TABLE IF EXISTS many_types")
    client.command(
        """CREATE TABLE many_types (a UInt64, b Nullable(String), c Array(String), d DateTime64(3, 'UTC'),
            e LowCardinality(String), f Decimal(18, 4), g UUID, h Map(String, UInt8), i Float64, j JSON)
        ENGINE = MergeTree ORDER BY a"""
    )
    row = (
        2**63,
        None,
        ["x", "", "ü\n"],
        datetime(2026, 11, 1, 10, 0, 0, 123000, tzinfo=UTC),
        "low",
        Decimal("12.3400"),
        uuid.UUID("018c2b1e-0000-7000-8000-000000000001"),
        {"k": 1},
        0.1,
        {"plan": "pro", "n": 3, "deep": {"er": [1, 2]}},
    )
    summary = client.insert("many_types", [row], column_names=list("abcdefghij"))
    assert summary.written_rows == 1
    assert client.query("SELECT * FROM many_types", tz_mode="aware").result_rows == [row]


async def test_async_driver_runs_queries_side_by_side(connection: dict[str, Any], database: str) -> None:
    async with await create_async_client(**connection, database=database, autogenerate_session_id=False) as client:
        results = await asyncio.gather(*(client.query("SELECT {n:UInt32} * 2", parameters={"n": n}) for n in range(20)))
        assert [result.result_rows[0][0] for result in results] == [n * 2 for n in range(20)]
        await client.command("CREATE TABLE from_async (a UInt32) ENGINE = Memory")
        await client.insert("from_async", [[n] for n in range(1000)], column_names=["a"])
        assert (await client.query("SELECT sum(a) FROM from_async")).result_rows == [(499500,)]


def test_driver_inserts_json_lines(client: Client, table: str) -> None:
    lines = b"".join(b'{"id":%d,"name":"n","properties":{"i":%d}}\n' % (n, n) for n in range(50_000))
    client.raw_insert(table, column_names=["id", "name", "properties"], insert_block=lines, fmt="JSONEachRow")
    found = client.query(f"SELECT count(), sum(properties.i::UInt64) FROM {table}")
    assert found.result_rows == [(50_000, 49_999 * 25_000)]


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip", "br"])
def test_driver_inserts_and_reads_compressed(
    connection: dict[str, Any], database: str, table: str, compression: str
) -> None:
    with clickhouse_connect.get_client(**connection, database=database, compress=compression) as client:
        client.insert(table, [[n, "x" * 100] for n in range(5000)], column_names=["id", "name"])
        assert client.query(f"SELECT sum(id), sum(length(name)) FROM {table}").result_rows == [(12497500, 500000)]


def test_driver_streams_large_results(client: Client) -> None:
    rows = 0
    with client.query_row_block_stream("SELECT number, toString(number) FROM numbers(2000000)") as stream:
        for block in stream:
            rows += len(block)
    assert rows == 2_000_000


def test_driver_sees_an_error_in_the_middle_of_a_stream(client: Client) -> None:
    sql = "SELECT throwIf(number = 3000000, 'enough') FROM numbers(4000000) SETTINGS max_block_size = 65536"
    with pytest.raises(ClickHouseError, match="enough"), client.query_row_block_stream(sql) as stream:
        for _ in stream:
            pass


def test_driver_sends_tables_of_its_own(client: Client) -> None:
    people = ExternalData(
        file_name="people.csv", fmt="CSV", structure=["name String", "age UInt8"], data=b"ann,30\nbob,40\n"
    )
    rows = client.query("SELECT name FROM people WHERE age > {a:UInt8}", {"a": 35}, external_data=people)
    assert rows.result_rows == [("bob",)]


def test_long_parameters(client: Client) -> None:
    ids = [f"person-{n}" for n in range(20_000)]
    found = client.query("SELECT length({ids:Array(String)}), {ids:Array(String)}[20000]", {"ids": ids})
    assert found.result_rows == [(20_000, "person-19999")]


@SHARED
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50))
def test_bound_strings_arrive_verbatim(client: Client, text: str) -> None:
    found = client.query(
        "SELECT {s:String} AS s, {a:Array(String)} AS a, length({s:String}) AS n",
        {"s": text, "a": [text, ""]},
    )
    assert found.result_rows == [(text, [text, ""], len(text.encode()))]


# Statements


def test_ping(http: httpx.Client) -> None:
    assert http.get("/ping").text == "Ok.\n"
    assert http.get("/").text == "Ok.\n"
    assert http.get("/replicas_status").text == "Ok.\n"


def test_query_in_the_url_and_in_the_body_are_one(http: httpx.Client) -> None:
    assert ask(http, "1 + 1", query="SELECT") == "2\n"
    assert http.get("/", params={"query": "SELECT 7"}).text == "7\n"


def test_get_reads_only(http: httpx.Client) -> None:
    response = http.get("/", params={"query": "CREATE TABLE never (a UInt8) ENGINE = Memory"})
    assert response.headers["x-clickhouse-exception-code"] == "164"
    assert ask(http, "EXISTS TABLE never") == "0\n"
    assert http.get("/", params={"query": "SELECT 1", "max_threads": 1}).text == "1\n"


@pytest.mark.parametrize(
    ("sql", "arguments", "format"),
    [
        pytest.param("SELECT 1", {}, "TabSeparated", id="default"),
        pytest.param("SELECT 1 FORMAT JSON", {}, "JSON", id="clause"),
        pytest.param("SELECT 1 -- the end", {"default_format": "CSV"}, "CSV", id="argument"),
        pytest.param("SELECT 1 FORMAT JSON", {"default_format": "CSV"}, "JSON", id="clause wins"),
        pytest.param("SELECT 1 FORMAT JSON SETTINGS max_threads = 1", {}, "JSON", id="settings behind"),
        pytest.param("SELECT 1 SETTINGS max_threads = 1 FORMAT JSON;", {}, "JSON", id="settings before"),
        pytest.param("SELECT 1 /* FORMAT CSV */ FORMAT JSON /* CSV */", {}, "JSON", id="comments"),
        pytest.param("SELECT 'FORMAT CSV' AS `FORMAT CSV`", {}, "TabSeparated", id="quotes"),
        pytest.param("(SELECT 1) UNION ALL (SELECT 2) FORMAT JSON", {}, "JSON", id="union"),
        pytest.param("SHOW DATABASES LIKE 'system' FORMAT JSON", {}, "JSON", id="show"),
        pytest.param("SELECT format FROM (SELECT 1 AS format) ORDER BY format DESC", {}, "TabSeparated", id="column"),
    ],
)
def test_format(http: httpx.Client, sql: str, arguments: dict[str, str], format: str) -> None:
    response = http.post("/", params=arguments, content=sql)
    assert response.status_code == 200, response.text
    assert response.headers["x-clickhouse-format"] == format


def test_format_by_header(http: httpx.Client) -> None:
    response = http.post("/", content="SELECT 1 AS a", headers={"X-ClickHouse-Format": "JSONEachRow"})
    assert response.json() == {"a": 1}
    assert response.headers["content-type"].startswith("application/x-ndjson")


@pytest.mark.parametrize(
    ("format", "size"), [("CSVWithNames", None), ("JSONCompact", None), ("Parquet", None), ("XML", None)]
)
def test_formats_with_a_frame_are_whole_when_they_are_long(http: httpx.Client, format: str, size: None) -> None:
    body = http.post("/", content=f"SELECT number AS n FROM numbers(600000) FORMAT {format}").content
    match format:
        case "CSVWithNames":
            assert body.startswith(b'"n"\n0\n')
            assert body.count(b"\n") == 600_001
        case "JSONCompact":
            assert len(json.loads(body)["data"]) == 600_000
        case "Parquet":
            assert (body[:4], body[-4:]) == (b"PAR1", b"PAR1")
        case _:
            assert body.rstrip().endswith(b"</result>")


def test_headers_of_a_result(http: httpx.Client) -> None:
    query_id = str(uuid.uuid4())
    response = http.post("/", params={"query_id": query_id}, content="SELECT sum(number) FROM numbers(1000)")
    assert response.text == "499500\n"
    assert response.headers["x-clickhouse-query-id"] == query_id
    assert response.headers["x-clickhouse-timezone"]
    assert response.headers["x-clickhouse-server-display-name"]
    summary = json.loads(response.headers["x-clickhouse-summary"])
    assert int(summary["read_rows"]) == 1000
    assert int(summary["read_bytes"]) == 8000
    assert int(summary["elapsed_ns"]) > 0


def test_statements_without_a_result_have_no_format(http: httpx.Client) -> None:
    response = http.post("/", content="CREATE TABLE IF NOT EXISTS plain (a UInt8) ENGINE = Memory")
    assert response.status_code == 200
    assert response.text == ""
    assert "x-clickhouse-format" not in response.headers


def test_several_statements_are_refused(http: httpx.Client) -> None:
    response = http.post("/", content="SELECT 1; SELECT 2")
    assert response.status_code == 400
    assert response.headers["x-clickhouse-exception-code"] == "62"
    assert ask(http, "SELECT ';' /* ; */ -- ;\n ; ") == ";\n"


def test_outfile_is_refused(http: httpx.Client) -> None:
    response = http.post("/", content="SELECT 1 INTO OUTFILE '/tmp/never-written'")
    assert "INTO_OUTFILE_NOT_ALLOWED" in response.text


def test_infile_is_refused(http: httpx.Client, table: str) -> None:
    sql = f"INSERT INTO {table} (name) FROM INFILE '/etc/hostname' FORMAT LineAsString"
    assert http.post("/", content=sql).headers["x-clickhouse-exception-code"] == "78"
    assert ask(http, f"SELECT count() FROM {table}") == "0\n"


@pytest.mark.parametrize(
    ("sql", "arguments", "code", "status"),
    [
        pytest.param("SELEC 1", {}, 62, 400, id="syntax"),
        pytest.param("", {}, 62, 400, id="nothing"),
        pytest.param("SELECT nope", {}, 47, 404, id="unknown column"),
        pytest.param("SELECT * FROM nope", {}, 60, 404, id="unknown table"),
        pytest.param("SELECT 1", {"database": "nope"}, 81, 404, id="unknown database"),
        pytest.param("SELECT nope()", {}, 46, 404, id="unknown function"),
        pytest.param("SELECT 1 FORMAT Nope", {}, 73, 404, id="unknown format"),
        pytest.param("SELECT 1", {"nope": "1"}, 115, 404, id="unknown setting"),
        pytest.param("SELECT {a:UInt8}", {}, 456, 500, id="missing parameter"),
        pytest.param("SELECT {a:UInt8}", {"param_a": "x"}, 457, 500, id="bad parameter"),
        pytest.param("SELECT throwIf(1)", {}, 395, 500, id="thrown"),
        pytest.param("SELECT sleepEachRow(1) FROM numbers(3)", {"max_execution_time": "0.2"}, 159, 408, id="time"),
        pytest.param(
            "SELECT groupArray(number) FROM numbers(10000000)",
            {"max_memory_usage": "1000000"},
            241,
            500,
            id="memory",
        ),
        pytest.param("CREATE TABLE never (a UInt8) ENGINE = Memory", {"readonly": "1"}, 164, 500, id="readonly"),
    ],
)
def test_errors(http: httpx.Client, sql: str, arguments: dict[str, str], code: int, status: int) -> None:
    response = http.post("/", params=arguments, content=sql)
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")
    assert response.headers["x-clickhouse-exception-code"] == str(code)
    assert response.status_code == status


def test_syntax_errors_quote_what_was_sent(http: httpx.Client) -> None:
    text = http.post("/", content="SELECT 1 FROM (SELECT 2 FORMAT JSON").text
    assert text.startswith("Code: 62. DB::Exception: Syntax error")
    assert "OUTFILE '" not in text
    assert "position 15" in text


def test_error_behind_the_start_of_a_result(http: httpx.Client) -> None:
    sql = "SELECT throwIf(number = 3000000, 'enough') FROM numbers(4000000) SETTINGS max_block_size = 65536"
    received = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        http.stream("POST", "/", content=sql) as response,
    ):
        assert response.status_code == 200
        tag = response.headers["x-clickhouse-exception-tag"]
        for piece in response.iter_raw():
            received += piece
    head, _, tail = received.partition(b"\r\n__exception__\r\n" + tag.encode() + b"\r\n")
    assert head.startswith(b"0\n0\n")
    message, _, end = tail.rpartition(b"\n" + b"%d " % (tail.rindex(b"\n", 0, tail.index(tag.encode())) + 1))
    assert message.startswith(b"Code: 395. DB::Exception: enough")
    assert end == tag.encode() + b"\r\n__exception__\r\n"


def test_wait_end_of_query_keeps_errors_clean(http: httpx.Client) -> None:
    sql = "SELECT throwIf(number = 3000000, 'enough') FROM numbers(4000000) SETTINGS max_block_size = 65536"
    response = http.post("/", params={"wait_end_of_query": 1}, content=sql)
    assert (response.status_code, response.headers["x-clickhouse-exception-code"]) == (500, "395")
    whole = http.post("/", params={"wait_end_of_query": 1}, content="SELECT number FROM numbers(400000)")
    assert whole.text.count("\n") == 400_000
    assert json.loads(whole.headers["x-clickhouse-summary"])["read_rows"] == "400000"


# Settings


def test_settings_last_for_one_query(http: httpx.Client) -> None:
    sql = "SELECT value, changed FROM system.settings WHERE name = 'max_threads'"
    usual = ask(http, sql)
    assert ask(http, sql, max_threads=7) == "7\t1\n"
    assert ask(http, sql) == usual
    assert http.post("/", params={"max_threads": "x"}, content=sql).status_code == 400
    assert ask(http, sql) == usual


def test_settings_take_any_text(http: httpx.Client) -> None:
    comment = "a & b=c'd\\ ü\n"
    assert ask(http, "SELECT getSetting('log_comment') FORMAT TSVRaw", log_comment=comment) == comment + "\n"


def test_database_lasts_for_one_query(http: httpx.Client, database: str) -> None:
    assert ask(http, "SELECT currentDatabase()", database="system") == "system\n"
    assert ask(http, "SELECT currentDatabase()") == f"{database}\n"


# INSERT


def stored(http: httpx.Client, table: str) -> list[list[Any]]:
    answer = ask(http, f"SELECT id, name FROM {table} ORDER BY id, name FORMAT JSONCompactEachRow")
    return [json.loads(line) for line in answer.splitlines()]


@pytest.mark.parametrize(
    ("url", "body"),
    [
        pytest.param("", "INSERT INTO {t} (id, name) FORMAT CSV\n1,a\n2,b\n", id="body"),
        pytest.param("INSERT INTO {t} (id, name) FORMAT CSV", "1,a\n2,b\n", id="url"),
        pytest.param("INSERT INTO {t} (id, name)", "FORMAT CSV 1,a\n2,b\n", id="both"),
        pytest.param("", "INSERT INTO {t} (id, name) VALUES (1, 'a'), (2, concat('', 'b'))", id="values"),
        pytest.param("", "insert into {t} (id, name) values(1,'a')(2,'b');", id="lower case"),
        pytest.param("INSERT INTO {t} (id, name) VALUES", "(1, 'a'), (2, 'b')", id="values in the body"),
        pytest.param("", "INSERT INTO TABLE {t} (* EXCEPT(properties)) FORMAT CSV 1,a\n2,b", id="no line break"),
        pytest.param("", "INSERT INTO {t} (id, name) SETTINGS max_threads = 1 FORMAT CSV\n1,a\n2,b", id="settings"),
        pytest.param(
            "",
            '-- VALUES\nINSERT /* FORMAT CSV */ INTO {t} (`id`, "name") FORMAT TSV\n1\ta\n2\tb\n',
            id="comments",
        ),
        pytest.param("", 'INSERT INTO {t} FORMAT JSONEachRow {{"id":1,"name":"a"}}{{"id":2,"name":"b"}}', id="json"),
        pytest.param(
            "", "INSERT INTO {t} (id, name) SELECT number + 1, char(97 + number) FROM numbers(2)", id="select"
        ),
        pytest.param(
            "",
            "INSERT INTO {t} (id, name) SELECT b, a FROM input('a String, b UInt32') FORMAT CSV\na,1\nb,2\n",
            id="input",
        ),
    ],
)
def test_insert(http: httpx.Client, table: str, url: str, body: str) -> None:
    response = http.post("/", params={"query": url.format(t=table)} if url else {}, content=body.format(t=table))
    assert response.status_code == 200, response.text
    assert json.loads(response.headers["x-clickhouse-summary"])["written_rows"] == "2"
    assert stored(http, table) == [[1, "a"], [2, "b"]]


def test_insert_takes_blank_lines_and_semicolons_as_data(http: httpx.Client, table: str) -> None:
    body = f'INSERT INTO {table} (id, name) FORMAT CSV\n1,"a\n\nb; DROP TABLE {table}"\n2,";"\n'
    assert http.post("/", content=body).status_code == 200
    assert stored(http, table) == [[1, f"a\n\nb; DROP TABLE {table}"], [2, ";"]]


def test_insert_of_nothing(http: httpx.Client, table: str) -> None:
    assert http.post("/", content=f"INSERT INTO {table} FORMAT JSONEachRow\n").status_code == 200
    assert stored(http, table) == []


def test_insert_that_fails_stores_nothing(http: httpx.Client, table: str) -> None:
    body = f'INSERT INTO {table} FORMAT JSONEachRow\n{{"id":1}}\n{{"id":"x"}}\n'
    response = http.post("/", content=body)
    assert response.status_code == 400
    assert "while reading the value of key id" in response.text
    assert stored(http, table) == []


def test_insert_of_many_rows_is_atomic(http: httpx.Client, table: str) -> None:
    good = "".join(f'{{"id":{n},"name":"{"x" * 200}"}}\n' for n in range(20_000))
    statement = f"INSERT INTO {table} FORMAT JSONEachRow\n"
    assert http.post("/", content=statement + good + '{"id":-}').status_code == 400
    assert ask(http, f"SELECT count() FROM {table}") == "0\n"
    assert http.post("/", content=statement + good).status_code == 200
    assert ask(http, f"SELECT count() FROM {table}") == "20000\n"


ENCODE = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=3),
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}
DECODE = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}


@pytest.mark.parametrize("encoding", ENCODE)
def test_compressed_requests(http: httpx.Client, table: str, encoding: str) -> None:
    rows = b"".join(b"%d,%s\n" % (n, b"x" * 50) for n in range(30_000))
    body = f"INSERT INTO {table} (id, name) FORMAT CSV\n".encode() + rows
    response = http.post("/", content=ENCODE[encoding](body), headers={"Content-Encoding": encoding})
    assert response.status_code == 200, response.text
    assert ask(http, f"SELECT count(), sum(id) FROM {table}") == "30000\t449985000\n"
    small = http.post("/", content=ENCODE[encoding](b"SELECT 5"), headers={"Content-Encoding": encoding})
    assert small.text == "5\n"


@pytest.mark.parametrize("encoding", ENCODE)
def test_broken_compressed_requests_store_nothing(http: httpx.Client, table: str, encoding: str) -> None:
    rows = b"".join(b"%d,%d\n" % (n, random.Random(n).getrandbits(200)) for n in range(30_000))
    body = ENCODE[encoding](f"INSERT INTO {table} (id, name) FORMAT CSV\n".encode() + rows)
    response = http.post("/", content=body[: len(body) // 2], headers={"Content-Encoding": encoding})
    assert response.status_code >= 400
    assert ask(http, f"SELECT count() FROM {table}") == "0\n"


@pytest.mark.parametrize("encoding", DECODE)
@pytest.mark.parametrize("rows", [3, 300_000])
def test_compressed_results(http: httpx.Client, encoding: str, rows: int) -> None:
    sql = f"SELECT number FROM numbers({rows})"
    headers = {"Accept-Encoding": encoding}
    plain = ask(http, sql).encode()
    with http.stream("POST", "/", content=sql, headers=headers) as response:
        assert "content-encoding" not in response.headers
        assert b"".join(response.iter_raw()) == plain
    with http.stream("POST", "/", params={"enable_http_compression": 1}, content=sql, headers=headers) as response:
        assert response.headers["content-encoding"] == encoding
        assert DECODE[encoding](b"".join(response.iter_raw())) == plain


# Query ids


@pytest.fixture
def long_query(clickhouse_url: str) -> Iterator[tuple[str, threading.Thread, list[httpx.Response]]]:
    """A query that would take a minute: its id, the thread that waits for it, and its answer."""
    query_id = f"long '{uuid.uuid4()}'"
    answers: list[httpx.Response] = []

    def run() -> None:
        sql = "SELECT sum(sleepEachRow(0.05)) FROM numbers(1200) SETTINGS max_block_size = 1"
        parts = urlsplit(clickhouse_url)
        answers.append(
            httpx.post(
                f"{parts.scheme}://{parts.hostname}:{parts.port or 8123}",
                auth=(parts.username or "default", parts.password or ""),
                params={"query_id": query_id, "function_sleep_max_microseconds_per_block": 10**9},
                content=sql,
                timeout=90,
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    yield query_id, thread, answers
    thread.join()


def wait_until_listed(client: Client, query_id: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        sql = "SELECT count() FROM system.processes WHERE query_id = {id:String} AND elapsed > 0.1"
        if client.query(sql, {"id": query_id}).result_rows == [(1,)]:
            return
        time.sleep(0.02)
    raise AssertionError(f"{query_id} is not in system.processes")


def test_kill_query_by_the_id_that_its_client_gave(
    client: Client, http: httpx.Client, long_query: tuple[str, threading.Thread, list[httpx.Response]]
) -> None:
    query_id, thread, answers = long_query
    wait_until_listed(client, query_id)
    again = http.post("/", params={"query_id": query_id}, content="SELECT 1")
    assert again.headers["x-clickhouse-exception-code"] == "216"
    listed = client.query(
        "SELECT query, read_rows FROM system.processes WHERE query_id = {id:String}", {"id": query_id}
    )
    assert listed.result_rows[0][0].startswith("SELECT sum(sleepEachRow(0.05)) FROM numbers(1200)")
    assert "OUTFILE" not in listed.result_rows[0][0]
    kill = "KILL QUERY WHERE query_id = {id:String} SYNC FORMAT JSONCompactEachRow"
    assert json.loads(ask(http, kill, param_id=query_id.replace("'", "\\'")))[1] == query_id
    thread.join()
    assert answers[0].headers["x-clickhouse-exception-code"] == "394"
    assert client.query(
        "SELECT count() FROM system.processes WHERE query_id = {id:String}", {"id": query_id}
    ).result_rows == [(0,)]


def test_kill_of_nothing(http: httpx.Client) -> None:
    assert ask(http, "KILL QUERY WHERE query_id = 'nobody' ASYNC") == ""


def test_a_query_id_is_free_again_afterwards(http: httpx.Client) -> None:
    for _ in range(3):
        assert ask(http, "SELECT 1", query_id="the same") == "1\n"


# Sessions


def test_a_session_keeps_what_its_statements_do(http: httpx.Client) -> None:
    session: dict[str, Any] = {"session_id": str(uuid.uuid4())}
    ask(http, "CREATE TEMPORARY TABLE mine (a UInt8)", **session)
    ask(http, "INSERT INTO mine VALUES (1), (2)", **session)
    ask(http, "SET max_block_size = 1234, log_comment = 'mine'", **session)
    seen = "SELECT (SELECT sum(a) FROM mine), getSetting('max_block_size'), getSetting('log_comment')"
    assert ask(http, seen, **session) == "3\t1234\tmine\n"
    assert ask(http, seen, **session, max_block_size=77) == "3\t77\tmine\n"
    assert ask(http, seen, **session) == "3\t1234\tmine\n"
    assert http.post("/", content="SELECT * FROM mine").status_code == 404
    assert http.post("/", params={"session_id": "another"}, content="SELECT * FROM mine").status_code == 404


def test_a_session_must_exist_if_asked_so(http: httpx.Client) -> None:
    arguments: dict[str, Any] = {"session_id": str(uuid.uuid4()), "session_check": 1}
    assert http.post("/", params=arguments, content="SELECT 1").headers["x-clickhouse-exception-code"] == "372"


def test_a_session_has_a_lifetime(http: httpx.Client) -> None:
    session: dict[str, Any] = {"session_id": str(uuid.uuid4()), "session_timeout": 1}
    ask(http, "CREATE TEMPORARY TABLE mine (a UInt8)", **session)
    deadline = time.monotonic() + 15
    while http.post("/", params={**session, "session_check": 1}, content="SELECT 1").status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(1.5)
    arguments: dict[str, Any] = {"session_id": "x", "session_timeout": 999999}
    assert http.post("/", params=arguments, content="SELECT 1").headers["x-clickhouse-exception-code"] == "374"


def test_a_session_is_for_one_query_at_a_time(connection: dict[str, Any]) -> None:
    with clickhouse_connect.get_client(**connection, session_id=str(uuid.uuid4())) as client:
        outcomes: list[str] = []

        def run() -> None:
            try:
                client.query("SELECT sleep(0.5)")
                outcomes.append("ok")
            except DatabaseError as error:
                outcomes.append(str(error.code))

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # The driver itself refuses two queries of one session at once, or leaves it to the server.
        assert "ok" in outcomes


# Users


def test_credentials(http: httpx.Client, clickhouse_url: str) -> None:
    parts = urlsplit(clickhouse_url)
    user, password = parts.username or "default", parts.password or ""
    url = f"{parts.scheme}://{parts.hostname}:{parts.port or 8123}"
    accepted = [
        httpx.post(url, content="SELECT 1", headers={"X-ClickHouse-User": user, "X-ClickHouse-Key": password}),
        httpx.post(url, content="SELECT 1", params={"user": user, "password": password}),
        httpx.post(url, content="SELECT 1", auth=(user, password)),
    ]
    assert [response.text for response in accepted] == ["1\n"] * 3
    refused = [
        httpx.post(url, content="SELECT 1", headers={"X-ClickHouse-User": user, "X-ClickHouse-Key": "wrong"}),
        httpx.post(url, content="SELECT 1", params={"user": "nobody", "password": password}),
        httpx.post(url, content="SELECT 1", auth=(user, "wrong")),
    ]
    codes = [(response.status_code, response.headers["x-clickhouse-exception-code"]) for response in refused]
    assert codes == [(403, "516")] * 3
    assert httpx.get(f"{url}/ping").text == "Ok.\n"
