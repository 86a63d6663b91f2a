"""Files of all kinds."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from footfall_cli.importing.rows import RowFile, inspect_file
from footfall_cli.output import Failed

Save = Callable[[bytes | str], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(content: bytes | str) -> Path:
        path = tmp_path / "rows"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return save


def values(file: RowFile) -> list[dict[str, Any]]:
    return [row.values for row in file.rows()]


@pytest.mark.parametrize(
    "content",
    [
        "id,name\n1,ann\n2,bob\n",
        "id;name\r\n1;ann\r\n2;bob",
        "id\tname\n1\tann\n\n2\tbob\n",
        "\ufeffid,name\n1,ann\n2,bob\n",
        'id , "name"\n1,"ann"\n2,bob\n',
        '{"id": "1", "name": "ann"}\n{"id": "2", "name": "bob"}\n',
        '\ufeff{"id": "1", "name": "ann"}\r\n\n  {"id": "2", "name": "bob"}',
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_the_same_rows_in_many_forms(save: Save, content: str, compress: Callable[[bytes], bytes]) -> None:
    content = content.replace('id , "name"', "id ,name")
    file = inspect_file(save(compress(content.encode())))

    assert file.columns == ("id", "name")
    assert values(file) == [{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}]
    assert values(file) == [{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}]


def test_rows_know_where_they_stand(save: Save) -> None:
    file = inspect_file(save('id,text\n1,"two\nlines"\n\n2,b\n'))

    assert [(row.number, row.line, row.values["text"]) for row in file.rows()] == [
        (1, 3, "two\nlines"),
        (2, 5, "b"),
    ]


def test_empty_cells_are_no_values(save: Save) -> None:
    assert values(inspect_file(save("a,b,c\n1,,3\n,,\n"))) == [{"a": "1", "c": "3"}, {}]


def test_a_row_of_another_width_has_a_problem(save: Save) -> None:
    rows = list(inspect_file(save("a,b\n1\n1,2\n1,2,3\n")).rows())

    assert [row.problem for row in rows] == [
        ("wrong_column_count", "The row has 1 columns, the header 2."),
        None,
        ("wrong_column_count", "The row has 3 columns, the header 2."),
    ]


def test_a_line_that_is_no_object_has_a_problem(save: Save) -> None:
    rows = list(inspect_file(save(b'{"a": 1}\n[1]\n{"a"\n{"a": "\xff"}\n{"a": 2}\n')).rows())

    assert [(row.number, row.problem and row.problem[0]) for row in rows] == [
        (1, None),
        (2, "invalid_json"),
        (3, "invalid_json"),
        (4, "invalid_json"),
        (5, None),
    ]


def test_nameless_columns_get_a_name(save: Save) -> None:
    assert inspect_file(save(",a\n0,1\n")).columns == ("column_1", "a")


def test_another_encoding(save: Save) -> None:
    path = save("name\nJosé\n".encode("latin-1"))

    assert values(inspect_file(path, encoding="latin-1")) == [{"name": "José"}]
    assert values(inspect_file(path)) == [{"name": "Jos\udce9"}]


def test_the_digest_is_of_the_content_and_not_of_its_form(save: Save) -> None:
    content = b"a,b\n" + b"1,2\n" * 50_000
    digests = []
    for stored in (content, gzip.compress(content)):
        digest = hashlib.sha256()
        assert sum(1 for _ in inspect_file(save(stored)).rows(digest=digest)) == 50_000
        digests.append(digest.hexdigest())

    assert digests == [hashlib.sha256(content).hexdigest()] * 2


def test_progress_is_told_in_bytes_of_the_file(save: Save) -> None:
    path = save(gzip.compress(b"a,b\n" + b"1,2\n" * 50_000))
    positions: list[int] = []

    assert sum(1 for _ in inspect_file(path).rows(read=positions.append)) == 50_000
    assert positions == sorted(positions)
    assert positions[-1] == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b'[{"a": 1}]', "jq -c"),
        (b"a,b,a\n1,2,3\n", "more than one column called 'a'"),
        (b"PK\x03\x04\x00\x00\x00", "neither CSV nor JSON lines"),
        (gzip.compress(b"a,b\n" * 9, mtime=0)[:12], "cannot be read|damaged"),
    ],
)
def test_what_is_no_table_is_refused(save: Save, content: bytes, words: str) -> None:
    with pytest.raises(Failed, match=words):
        inspect_file(save(content))


def test_a_damaged_file_says_how_far_it_is_good(save: Save) -> None:
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000)))
    file = inspect_file(save(whole[: len(whole) // 2]))

    with pytest.raises(Failed, match=r"is damaged after row \d{3,}"):
        list(file.rows())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="There is no file"):
        inspect_file(tmp_path / "missing.csv")


def test_an_unknown_encoding_is_named(save: Save) -> None:
    with pytest.raises(Failed, match="no encoding 'klingon'"):
        inspect_file(save("a\n"), encoding="klingon")
