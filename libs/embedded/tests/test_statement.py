"""Finding FORMAT, data and the rest in statements."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_embedded.bridge.statement import (
    Insert,
    Kill,
    Statement,
    find_insert,
    read_client_processes,
    read_kill,
    read_statement,
)

FORMATS = {b"json", b"csv", b"native"}


@pytest.mark.parametrize(
    ("sql", "head", "format", "data"),
    [
        ("INSERT INTO t FORMAT CSV\n1,2\n", "INSERT INTO t ", "CSV", "1,2\n"),
        ("insert into t format CSV \t\r\n\n1", "insert into t ", "CSV", "\n1"),
        ("INSERT INTO t VALUES (1)", "INSERT INTO t ", "Values", " (1)"),
        ("INSERT INTO t (a, b) FORMAT Values (1)", "INSERT INTO t (a, b) ", "Values", " (1)"),
        ("INSERT INTO `for``mat` FORMAT CSV\n", "INSERT INTO `for``mat` ", "CSV", ""),
        ("INSERT INTO db.format FORMAT CSV\n1", "INSERT INTO db.format ", "CSV", "1"),
        ("INSERT INTO values VALUES (1)", "INSERT INTO values ", "Values", " (1)"),
        (
            "INSERT INTO FUNCTION file('x FORMAT', CSV) FORMAT CSV\n1",
            "INSERT INTO FUNCTION file('x FORMAT', CSV) ",
            "CSV",
            "1",
        ),
        (
            "/* VALUES */ INSERT -- FORMAT\n INTO t FORMAT CSV\n1",
            "/* VALUES */ INSERT -- FORMAT\n INTO t ",
            "CSV",
            "1",
        ),
    ],
)
def test_find_insert(sql: str, head: str, format: str, data: str) -> None:
    found = find_insert(sql.encode())
    assert found is not None
    assert (found.before + found.after, found.format) == (head.encode(), format.encode())
    assert sql.encode()[found.data_at :] == data.encode()


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1 FORMAT CSV",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t SELECT 1 FORMAT CSV",
        "INSERT INTO t WITH 1 AS x SELECT x",
        "INSERT INTO t (a) FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO t; VALUES (1)",
        "INSERT INTO t",
        "INSERT INTO t FORMAT",
        "-- INSERT INTO t VALUES (1)",
    ],
)
def test_find_no_insert(sql: str) -> None:
    assert find_insert(sql.encode()) is None


def test_insert_from_a_file() -> None:
    found = find_insert(b"INSERT INTO t (a) SETTINGS max_threads = 1 FORMAT CSV\n1")
    assert found == Insert(b"INSERT INTO t (a) ", b"SETTINGS max_threads = 1 ", b"CSV", 54)
    assert found.with_file(b"/x") == (
        b"INSERT INTO t (a)  FROM INFILE '/x' COMPRESSION 'none' SETTINGS max_threads = 1  FORMAT CSV"
    )
    found = find_insert(b"INSERT INTO t SELECT a + 1 FROM input('a Int8') WHERE a FORMAT CSV\n1")
    assert found is not None
    assert found.with_file(b"/x") == b"INSERT INTO t SELECT a + 1 FROM file('/x', 'CSV', 'a Int8') WHERE a "


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", Statement(b"")),
        ("-- nothing", Statement(b"")),
        ("SELECT 1", Statement(b"SELECT", None, 8)),
        ("SELECT 1 ; -- end", Statement(b"SELECT", None, 8)),
        ("SELECT 1 FORMAT JSON", Statement(b"SELECT", b"JSON", 9)),
        ("SELECT 1 FORMAT JSON SETTINGS a = 1", Statement(b"SELECT", b"JSON", 9)),
        ("SELECT 1 SETTINGS a = 1 format json;", Statement(b"SELECT", b"json", 24)),
        ("(SELECT 1 FORMAT x)", Statement(b"(", None, 19)),
        ("WITH x AS (SELECT 1) SELECT * FROM x", Statement(b"WITH", None, 36)),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", Statement(b"INSERT")),
        ("SELECT a FROM t ORDER BY format DESC", Statement(b"SELECT", None, 36)),
        ("SELECT 1 FORMAT Unknown", Statement(b"SELECT", None, 23)),
        ("SELECT t.format JSON", Statement(b"SELECT", None, 20)),
        ("SELECT $x$ FORMAT JSON $x$", Statement(b"SELECT", None, 26)),
        ("SELECT 'a''b\\' FORMAT JSON' /* ; */", Statement(b"SELECT", None, 27)),
        ("SHOW TABLES FORMAT JSON", Statement(b"SHOW", b"JSON")),
        ("CREATE TABLE t (a Int8)", Statement(b"CREATE")),
        ("INSERT INTO t FROM INFILE 'x' FORMAT JSON", Statement(b"INSERT", b"JSON", names_infile=True)),
        ("SELECT infile FROM t", Statement(b"SELECT", None, 20)),
        ("SELECT 1; SELECT 2", Statement(b"SELECT", is_several=True)),
        ("SELECT 1 INTO OUTFILE 'x' FORMAT JSON", Statement(b"SELECT", b"JSON", 26, names_outfile=True)),
    ],
)
def test_read_statement(sql: str, expected: Statement) -> None:
    assert read_statement(sql.encode(), FORMATS) == expected


PIECES = st.sampled_from(
    [
        "'FORMAT JSON; '",
        "'it''s \\' FORMAT CSV'",
        "`a ; FORMAT b`",
        '"FORMAT CSV"',
        "-- FORMAT CSV;\n",
        "/* FORMAT CSV; */",
        "(SELECT 1 FORMAT CSV)",
        "[1, ';']",
        "x",
        "+",
        "1.5e3",
        ",",
        "formatted",
        "$$ ; FORMAT CSV $$",
    ]
)


@given(pieces=st.lists(PIECES, max_size=8), tail=st.sampled_from(["", ";", " -- x", "\n;\n", "/**/"]))
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_quotes_comments_and_brackets_is_no_clause(pieces: list[str], tail: str) -> None:
    body = "SELECT " + " ".join(pieces) + " "
    found = read_statement((body + "FORMAT JSON" + tail).encode(), FORMATS)
    assert found == Statement(b"SELECT", b"JSON", len(body.encode()))
    without = read_statement((body + "x" + tail).encode(), FORMATS)
    assert without == Statement(b"SELECT", None, len(body.encode()) + 1)


@given(text=st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_looked_at_without_an_error(text: bytes) -> None:
    for start in (b"", b"INSERT INTO t ", b"SELECT ", b"KILL QUERY WHERE "):
        find_insert(start + text)
        read_statement(start + text, FORMATS)
        read_kill(start + text)
        read_client_processes(b"process " + start + text, b"SELECT")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM system.processes AS p", "SELECT * FROM system.client_processes AS p"),
        ("SELECT 'system.processes', a.system.processes", None),
        (
            'SELECT 1 FROM `system`."processes" -- system.processes',
            "SELECT 1 FROM system.client_processes -- system.processes",
        ),
        ("SELECT * FROM system.processes_other", None),
    ],
)
def test_read_client_processes(sql: str, expected: str | None) -> None:
    text = sql.encode()
    replaced = read_client_processes(text, b"SELECT")
    if expected is None:
        assert replaced is text
    else:
        assert replaced == expected.encode()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("KILL QUERY WHERE query_id = 'a'", Kill(b"query_id = 'a'", waits=False, only_looks=False)),
        ("kill query where 1 SYNC FORMAT JSON;", Kill(b"1", waits=True, only_looks=False)),
        ("KILL QUERY WHERE test = 1 TEST", Kill(b"test = 1", waits=False, only_looks=True)),
        ("KILL QUERY ON CLUSTER x WHERE 1", None),
        ("KILL MUTATION WHERE 1", None),
        ("KILL QUERY WHERE", None),
        ("KILL QUERY WHERE SYNC", None),
    ],
)
def test_read_kill(sql: str, expected: Kill | None) -> None:
    assert read_kill(sql.encode()) == expected
