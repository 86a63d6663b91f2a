"""The bridge as a process: what it survives, what it bounds, and how it ends."""

import gzip
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from footfall_embedded.testing import running_bridge, start_bridge

SLOW = "SELECT sum(sleepEachRow(0.05)) FROM numbers({rows}) SETTINGS max_block_size = 1, " + (
    "function_sleep_max_microseconds_per_block = 1000000000"
)


def ask(url: str, sql: str | bytes, **arguments: object) -> tuple[int, str]:
    """The status and text of the answer to one statement, on a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("POST", "/?" + urlencode(arguments), sql)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def answer(url: str, sql: str | bytes, **arguments: object) -> str:
    status, text = ask(url, sql, **arguments)
    assert status == 200, text
    return text


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def listed(url: str, query_id: str) -> bool:
    """Whether the engine runs a query of this id."""
    sql = "SELECT count() FROM system.processes WHERE query_id = {id:String}"
    return answer(url, sql, param_id=query_id) == "1\n"


def metric(url: str, line: str) -> float:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return float(next(found for found in text.splitlines() if found.startswith(line + " ")).split()[-1])


def memory_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


@contextmanager
def raw_request(url: str, head: str, body: bytes = b"") -> Iterator[socket.socket]:
    """A request as bytes on a socket, for clients that misbehave."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(f"{head}\r\nHost: localhost\r\n".encode() + body)
        yield connection


@pytest.fixture(scope="module")
def bridge() -> Iterator[str]:
    with running_bridge() as url:
        yield url


# What it survives


def test_acknowledged_inserts_survive_sigkill(tmp_path: Path) -> None:
    process, url = start_bridge(tmp_path)
    answer(url, "CREATE TABLE t (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY (batch, n)")
    acknowledged: list[int] = []

    def insert(worker: int) -> None:
        for number in range(100_000):
            batch = number * 2 + worker
            rows = "".join(f"{batch},{n}\n" for n in range(500))
            try:
                answer(url, f"INSERT INTO t FORMAT CSV\n{rows}")
            except (OSError, http.client.HTTPException):
                return
            acknowledged.append(batch)

    threads = [threading.Thread(target=insert, args=(worker,)) for worker in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 40)
    process.kill()
    for thread in threads:
        thread.join()
    assert process.stdout is not None
    process.stdout.close()
    process.wait()
    with running_bridge(tmp_path) as url:
        found = answer(url, "SELECT batch, count() FROM t GROUP BY batch ORDER BY batch")
    lines = (line.split("\t") for line in found.splitlines())
    counts = {int(batch): int(count) for batch, count in lines}
    assert counts.keys() >= set(acknowledged)
    assert set(counts.values()) == {500}, "a batch is there whole or not at all"
    assert list((tmp_path / "clickhouse" / "spool").iterdir()) == []


def test_data_and_definitions_survive_a_restart(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as url:
        answer(url, "CREATE DATABASE analytics")
        answer(url, "CREATE TABLE analytics.t (a UInt8, p JSON) ENGINE = MergeTree ORDER BY a")
        answer(url, "CREATE VIEW analytics.v AS SELECT sum(a) AS s FROM analytics.t")
        answer(url, "INSERT INTO analytics.t VALUES (1, '{\"x\": 2}')")
    with running_bridge(tmp_path) as url:
        assert answer(url, "SELECT a, p.x FROM analytics.t") == "1\t2\n"
        assert answer(url, "SELECT s FROM analytics.v") == "1\n"


# Disks that take no more. A limit of files' sizes lets writes fail where and when a test wants it.

MERGED = "CREATE TABLE t (a UInt64, s String) ENGINE = ReplacingMergeTree ORDER BY a SETTINGS " + (
    "non_replicated_deduplication_window = 100"
)
ROWS = "INSERT INTO t SELECT number + {first}, randomPrintableASCII(20) FROM numbers(20000)"


def limit_files(process: subprocess.Popen[str], size: int) -> None:
    """From now on each `write` of the process beyond `size` bytes of a file fails."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))  # type: ignore[attr-defined]


def ended(process: subprocess.Popen[str]) -> int:
    """The exit code, once the process has ended by itself."""
    code = process.wait(60)
    assert process.stdout is not None
    process.stdout.close()
    return code


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="NOT TESTED: limits of other processes are Linux's")
def test_an_insert_that_the_disk_did_not_take_is_not_answered(tmp_path: Path) -> None:
    process, url = start_bridge(tmp_path)
    answer(url, MERGED)
    answer(url, ROWS.format(first=0))
    limit_files(process, 100_000)

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(url, ROWS.format(first=20_000), insert_deduplication_token="b")

    assert ended(process) == 4
    with running_bridge(tmp_path) as url:
        assert answer(url, "SELECT count(), uniqExact(a) FROM t") == "20000\t20000\n"
        part, reason = answer(url, "SELECT name, reason FROM system.detached_parts").split()
        assert reason == "broken-on-start"
        answer(url, f"ALTER TABLE t DROP DETACHED PART '{part}' SETTINGS allow_drop_detached = 1")
        assert answer(url, "SELECT count() FROM system.detached_parts") == "0\n"
        answer(url, ROWS.format(first=20_000), insert_deduplication_token="b")
        assert answer(url, "SELECT count(), uniqExact(a) FROM t") == "40000\t40000\n"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="NOT TESTED: limits of other processes are Linux's")
def test_a_merge_that_the_disk_did_not_take_is_undone(tmp_path: Path) -> None:
    process, url = start_bridge(tmp_path)
    answer(url, MERGED + ", min_age_to_force_merge_seconds = 1")
    answer(url, "SYSTEM STOP MERGES t")
    for first in (0, 20_000, 40_000):
        answer(url, ROWS.format(first=first))
    sums = "SELECT count(), uniqExact(a), sum(sipHash64(s)) FROM t"
    before = answer(url, sums)
    limit_files(process, 1_000_000)

    answer(url, "SYSTEM START MERGES t")  # nobody waits for the merge that begins now

    assert ended(process) == 4
    with running_bridge(tmp_path) as url:
        assert answer(url, sums) == before
        wait_until(lambda: answer(url, "SELECT count() FROM system.parts WHERE active AND table = 't'") == "1\n", 60)
        assert answer(url, sums) == before


def test_room_is_left(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as url:
        answer(url, MERGED)
        answer(url, ROWS.format(first=0))
    with running_bridge(tmp_path, "--min-free-bytes", str(1 << 60)) as url:
        status, text = ask(url, ROWS.format(first=20_000))
        assert (status, text.startswith("Code: 243. DB::Exception: Cannot reserve")) == (500, True)
        status, text = ask(url, "ALTER TABLE t ADD COLUMN b UInt8")
        assert (status, "must stay free. (NOT_ENOUGH_SPACE)" in text) == (500, True)
        assert ask(url, "ALTER TABLE t DROP PARTITION tuple()")[1].startswith("Code: 243")
        assert answer(url, "SELECT count() FROM t") == "20000\n"
    with running_bridge(tmp_path, "--min-free-bytes", "0") as url:
        answer(url, "ALTER TABLE t DROP PARTITION tuple()")
        assert answer(url, "SELECT count() FROM t") == "0\n"


# Clients that go away


def test_an_insert_whose_client_leaves_before_its_end_does_not_run(bridge: str) -> None:
    answer(bridge, "CREATE TABLE gone (a UInt32) ENGINE = MergeTree ORDER BY a")
    data = b"INSERT INTO gone FORMAT CSV\n" + b"1\n" * 2_000_000
    seen = metric(bridge, 'footfall_clickhouse_queries_total{kind="insert",outcome="ok"}')
    with raw_request(bridge, f"POST / HTTP/1.1\r\nContent-Length: {len(data)}", b"\r\n" + data[:-10]):
        pass
    with raw_request(bridge, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked", b"\r\n20\r\n" + data[:32]):
        pass
    answer(bridge, "INSERT INTO gone FORMAT CSV\n7\n")
    assert answer(bridge, "SELECT count(), sum(a) FROM gone") == "1\t7\n"
    assert metric(bridge, 'footfall_clickhouse_queries_total{kind="insert",outcome="ok"}') == seen + 1


def test_an_insert_whose_client_leaves_at_its_end_is_stored(bridge: str) -> None:
    answer(bridge, "CREATE TABLE sent (a UInt32, b UInt8 DEFAULT sleepEachRow(0.01)) ENGINE = Memory")
    data = b"INSERT INTO sent (a) FORMAT CSV\n" + b"1\n" * 50
    with raw_request(bridge, f"POST / HTTP/1.1\r\nContent-Length: {len(data)}", b"\r\n" + data):
        wait_until(lambda: metric(bridge, 'footfall_clickhouse_queries_running{kind="insert"}') == 1)
    wait_until(lambda: answer(bridge, "SELECT count() FROM sent") == "50\n")


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(SLOW.format(rows=1200), id="silent"),
        pytest.param("SELECT number FROM system.numbers", id="talkative"),
        pytest.param("SELECT sum(number) FROM system.numbers", id="busy"),
    ],
)
def test_a_select_whose_client_leaves_is_cancelled(bridge: str, sql: str) -> None:
    query_id = f"leaver-{len(sql)}"
    head = f"POST /?query_id={query_id} HTTP/1.1\r\nContent-Length: {len(sql)}"
    with raw_request(bridge, head, b"\r\n" + sql.encode()):
        wait_until(lambda: listed(bridge, query_id))
    wait_until(lambda: not listed(bridge, query_id))
    wait_until(lambda: metric(bridge, 'footfall_clickhouse_queries_running{kind="read"}') == 0)


def test_a_slow_client_holds_the_engine_back(tmp_path: Path) -> None:
    process, url = start_bridge(tmp_path)
    try:
        sql = "SELECT number, toString(number) FROM system.numbers FORMAT JSONEachRow"
        head = f"POST /?query_id=slow HTTP/1.1\r\nContent-Length: {len(sql)}"
        with raw_request(url, head, b"\r\n" + sql.encode()) as connection:
            connection.recv(100)
            read: list[str] = []

            def stands_still() -> bool:
                rows = "SELECT read_rows FROM system.processes WHERE query_id = 'slow'"
                read.append(answer(url, rows))
                return len(read) > 3 and read[-1] == read[-4]

            wait_until(stands_still)
            assert memory_mib(process.pid) < 500
            for _ in range(200):
                connection.recv(1 << 16)
            wait_until(
                lambda: answer(url, "SELECT read_rows FROM system.processes WHERE query_id = 'slow'") != read[-1]
            )
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def test_kill_reaches_queries_that_wait_for_a_slow_client(bridge: str) -> None:
    sql = "SELECT number, toString(number) FROM system.numbers FORMAT JSONEachRow"
    with ExitStack() as stack:
        for number in range(3):
            head = f"POST /?query_id=stuck-{number} HTTP/1.1\r\nContent-Length: {len(sql)}"
            connection = stack.enter_context(raw_request(bridge, head, b"\r\n" + sql.encode()))
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        with ThreadPoolExecutor(3) as threads:
            kill = "KILL QUERY WHERE query_id = {id:String} SYNC FORMAT JSONCompactEachRow"
            killed = list(threads.map(lambda n: answer(bridge, kill, param_id=f"stuck-{n}"), range(3)))
        assert [json.loads(line)[:2] for line in killed] == [["finished", f"stuck-{n}"] for n in range(3)]
        rest = b""
        while piece := connection.recv(1 << 16):
            rest = (rest + piece)[-1000:]
        assert b"Code: 394. DB::Exception" in rest
        assert b"__exception__" in rest


# What it bounds


def test_lanes_do_not_starve_each_other() -> None:
    with (
        running_bridge(None, "--reads", "1", "--inserts", "1", "--wait-seconds", "0.3") as url,
        ThreadPoolExecutor(3) as threads,
    ):
        answer(url, "CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
        slow = threads.submit(ask, url, SLOW.format(rows=60), query_id="slow")
        wait_until(lambda: metric(url, 'footfall_clickhouse_queries_running{kind="read"}') == 1)
        status, text = ask(url, "SELECT 1")
        assert (status, text[:9]) == (500, "Code: 202")
        answer(url, "INSERT INTO t VALUES (1)")
        answer(url, "CREATE TABLE t2 (a UInt32) ENGINE = Memory")
        slow_insert = threads.submit(
            ask, url, "INSERT INTO t SELECT sleepEachRow(0.05) FROM numbers(40) SETTINGS max_block_size = 1"
        )
        answer(url, "KILL QUERY WHERE query_id = 'slow' SYNC")
        assert slow.result()[0] == 500
        assert answer(url, "SELECT 1") == "1\n"
        assert slow_insert.result() == (200, "")
        assert metric(url, 'footfall_clickhouse_queries_total{kind="read",outcome="refused"}') == 1


def test_the_engine_has_a_memory_bound() -> None:
    with running_bridge(None, "--memory-bytes", str(600 << 20)) as url:
        hungry = "SELECT length(groupArray(number)) FROM numbers(200000000)"
        with ThreadPoolExecutor(3) as threads:
            answers = list(threads.map(lambda _: ask(url, hungry), range(3)))
        assert {(status, text[:9]) for status, text in answers} == {(500, "Code: 241")}
        assert answer(url, "SELECT count() FROM numbers(1000)") == "1000\n"


def test_bodies_have_a_bound() -> None:
    with running_bridge(None, "--body-bytes", "100000") as url:
        answer(url, "CREATE TABLE t (a String) ENGINE = Memory")
        rows = "INSERT INTO t FORMAT CSV\n" + "x\n" * 60_000
        assert ask(url, rows)[0] == 413
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request("POST", "/", gzip.compress(rows.encode()), {"Content-Encoding": "gzip"})
        assert connection.getresponse().status == 413
        connection.close()
        assert answer(url, "SELECT count() FROM t") == "0\n"


def test_at_rest_it_is_small_and_still(tmp_path: Path) -> None:
    began = time.monotonic()
    process, url = start_bridge(tmp_path)
    try:
        assert time.monotonic() - began < 10, "one second on a machine that does nothing else"
        answer(url, "CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
        for number in range(20):
            answer(url, f"INSERT INTO t VALUES ({number})")
            answer(url, "SELECT * FROM t")

        def size() -> int:
            files = (tmp_path / "clickhouse").rglob("*")
            return sum(file.stat().st_size for file in files if file.is_file() and "/t/" not in str(file))

        assert memory_mib(process.pid) < 350
        logs = "SELECT name FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'"
        assert answer(url, logs) == "", "system log tables would grow for ever"
        before = size()
        time.sleep(2)
        assert size() <= before
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


# Settings that are ours


def test_inserts_are_synchronous_by_default(bridge: str) -> None:
    sql = "SELECT value FROM system.settings WHERE name IN ('async_insert', 'implicit_select')"
    assert answer(bridge, sql) == "0\n0\n"
    assert answer(bridge, sql, async_insert=1).split() == ["1", "0"]
    assert answer(bridge, sql) == "0\n0\n"


def test_connections_are_used_again_without_traces(bridge: str) -> None:
    changed = "SELECT groupArray(name) FROM (SELECT name FROM system.settings WHERE changed ORDER BY name)"
    usual = answer(bridge, changed)
    answer(bridge, "SELECT 1", max_threads=3, join_use_nulls=1, database="system")
    answer(bridge, "SELECT 1", readonly=1)
    answer(bridge, "SELECT 1", compatibility="22.3")
    ask(bridge, "SELECT throwIf(1)", max_block_size=3)
    ask(bridge, "SELECT 1", max_block_size="x", max_threads=2)
    answer(bridge, "CREATE TEMPORARY TABLE leftover (a UInt8)")
    answer(bridge, "SET max_threads = 9")
    answer(bridge, "USE system")
    for _ in range(15):
        assert answer(bridge, changed) == usual
        assert answer(bridge, "SELECT currentDatabase()") == "default\n"
        assert ask(bridge, "SELECT * FROM leftover")[0] == 404
        assert ask(bridge, "INSERT INTO FUNCTION null('a UInt8') VALUES (1)")[0] == 200


# Start and end


def test_a_second_process_is_turned_away(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as url:
        command = [sys.executable, "-m", "footfall_embedded.bridge", "--data-dir", str(tmp_path), "--port", "0"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert second.returncode == 3
        assert "another process uses this data directory" in second.stderr
        assert answer(url, "SELECT 1") == "1\n"


def test_a_port_in_use_is_an_error(tmp_path: Path, bridge: str) -> None:
    port = str(urlsplit(bridge).port)
    command = [sys.executable, "-m", "footfall_embedded.bridge", "--data-dir", str(tmp_path), "--port", port]
    process = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert process.returncode == 1
    assert "cannot listen" in process.stderr


def test_sigterm_finishes_inserts_and_cancels_selects(tmp_path: Path) -> None:
    process, url = start_bridge(tmp_path, "--grace-seconds", "0.5")
    answer(url, "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    with ThreadPoolExecutor(3) as threads:
        insert = threads.submit(
            ask, url, "INSERT INTO t SELECT sleepEachRow(0.05) FROM numbers(40) SETTINGS max_block_size = 1"
        )
        select = threads.submit(ask, url, SLOW.format(rows=1200))
        both = 'footfall_clickhouse_queries_running{kind="%s"}'
        wait_until(lambda: metric(url, both % "insert") == 1 and metric(url, both % "read") == 1)
        with raw_request(url, "POST / HTTP/1.1\r\nContent-Length: 1000", b"\r\nINSERT INTO t FORMAT CSV\n1\n"):
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert 1 < time.monotonic() - began < 10
        assert insert.result() == (200, "")
        assert select.result()[1].startswith("Code: 394")
    assert process.stdout is not None
    process.stdout.close()
    with running_bridge(tmp_path) as url:
        assert answer(url, "SELECT count() FROM t") == "40\n"


def test_a_user_with_a_password() -> None:
    with running_bridge(None, "--user", "ann", "--password", "sécret:&") as url:
        assert answer(url, "SELECT 1", user="ann", password="sécret:&") == "1\n"
        for arguments in ({}, {"user": "ann"}, {"user": "default"}, {"user": "ann", "password": "x"}):
            status, text = ask(url, "SELECT 1", **arguments)
            assert (status, text[:9]) == (403, "Code: 516")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "example.com"},
        {"Host": "127.0.0.1.example.com:18123"},
        {"Host": "["},
    ],
)
def test_web_pages_are_turned_away(bridge: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection(urlsplit(bridge).netloc)
    connection.request("POST", "/", "SELECT 1", headers)
    response = connection.getresponse()
    assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (403, "497")
    connection.close()


@pytest.mark.parametrize("host", ["localhost", "localhost:18123", "127.0.0.1:18123", "[::1]:18123"])
def test_local_names_are_welcome(bridge: str, host: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(bridge).netloc)
    connection.request("POST", "/", "SELECT 1", {"Host": host, "Sec-Fetch-Site": "none"})
    assert connection.getresponse().read() == b"1\n"
    connection.close()


def test_settings_from_the_environment(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "FOOTFALL_DATA_DIR": str(tmp_path),
        "FOOTFALL_CLICKHOUSE_PORT": "0",
        "FOOTFALL_CLICKHOUSE_USER": "bob",
        "FOOTFALL_CLICKHOUSE_PASSWORD": "pass",
    }
    command = [sys.executable, "-m", "footfall_embedded.bridge"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert answer(url, "SELECT 1", user="bob", password="pass") == "1\n"
        process.terminate()
    assert (tmp_path / "clickhouse" / "bridge.lock").is_file()


def test_many_clients_at_once(bridge: str) -> None:
    with ThreadPoolExecutor(16) as threads:
        sql = "SELECT {n:UInt32}, getSetting('max_block_size')"
        results = threads.map(lambda n: answer(bridge, sql, param_n=n, max_block_size=1000 + n % 3), range(200))
        assert list(results) == [f"{n}\t{1000 + n % 3}\n" for n in range(200)]


def test_summary_of_a_long_result_is_what_is_known(bridge: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(bridge).netloc)
    connection.request("POST", "/", "SELECT number FROM numbers(5000000)")
    response = connection.getresponse()
    summary = json.loads(response.headers["X-ClickHouse-Summary"])
    assert 0 < int(summary["read_rows"]) <= 5_000_000
    assert response.read().count(b"\n") == 5_000_000
    connection.close()
