"""Answers as tables, and tables as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from query_platform import Project, event

from footfall_query.documents import Answer
from footfall_query.formats import read_accept
from footfall_query.runner import INSIGHTS
from footfall_query.tables import DANGEROUS, Table, derive_table, write_csv

META = {"elapsed_ms": 1, "rows_read": 1, "bytes_read": 1, "cached": False, "computed_at": "2026-11-18T00:00:00Z"}


class Cohort(BaseModel):
    date: str
    size: int
    values: list[int]


class Cohorts(Answer):
    cohorts: list[Cohort]


class Life(Answer):
    buckets: list[str]
    new: list[int]
    dormant: list[int]


class Counted(BaseModel):
    index: int
    counts: list[int]


class Sticky(Answer):
    intervals: list[int]
    series: list[Counted]


class Known(BaseModel):
    name: str
    ids: list[str]
    kinds: list[Literal["a", "b"]]
    events: int


class People(Answer):
    results: list[Known]


class Bin(BaseModel):
    seconds: float
    persons: int


class Times(Answer):
    bins: list[Bin]
    average_seconds: float | None


@pytest.mark.parametrize(
    ("model", "answer", "table"),
    [
        (
            Cohorts,
            {"cohorts": [{"date": "a", "size": 3, "values": [3, 1]}, {"date": "b", "size": 0, "values": []}]},
            Table(["date", "size", "position", "value"], [["a", 3, 0, 3], ["a", 3, 1, 1]]),
        ),
        (
            Life,
            {"buckets": ["a", "b"], "new": [1, 2], "dormant": [0, -1]},
            Table(["bucket", "new", "dormant"], [["a", 1, 0], ["b", 2, -1]]),
        ),
        (
            Sticky,
            {"intervals": [1, 2], "series": [{"index": 0, "counts": [5, 2]}]},
            Table(["index", "interval", "count"], [[0, 1, 5], [0, 2, 2]]),
        ),
        (Times | Sticky, {"bins": [{"seconds": 1.5, "persons": 2}]}, Table(["seconds", "persons"], [[1.5, 2]])),
        (
            Times | Sticky,
            {"intervals": [1], "series": [{"index": 0, "counts": [5]}]},
            Table(["index", "interval", "count"], [[0, 1, 5]]),
        ),
        (
            People,
            {"results": [{"name": "Ann", "ids": ["ann", "phone"], "kinds": ["b"], "events": 2}]},
            Table(["name", "ids", "kinds", "events"], [["Ann", "ann, phone", "b", 2]]),
        ),
        (Times, {"bins": []}, Table(["seconds", "persons"], [])),
    ],
)
def test_any_model_has_a_table(model: Any, answer: dict[str, Any], table: Table) -> None:
    assert derive_table(model, {**answer, "meta": META}) == table


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10) | st.sampled_from(
    ["=1+1", "+1", "-1", "@a", '"']
)
cells = texts | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(cells, cells), max_size=5))
def test_what_is_written_can_be_read_and_is_no_formula(rows: list[tuple[Any, Any]]) -> None:
    text = write_csv(Table(["a", "b"], rows))
    header, *read = csv.reader(io.StringIO(text, newline=""))
    assert header == ["a", "b"]
    assert len(read) == len(rows)
    for written, given_row in zip(read, rows, strict=True):
        for cell, value in zip(written, given_row, strict=True):
            if isinstance(value, str):
                assert not cell.startswith(DANGEROUS)
                assert cell.removeprefix("'") == value.removeprefix("'")
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                assert float(cell) == float(value)


def test_cells_that_are_no_texts() -> None:
    row = [None, True, 2, -1.5, {"a": "é"}, ["=x"], "=x"]
    assert write_csv(Table(list("abcdefg"), [row])) == (
        'a,b,c,d,e,f,g\r\n,true,2,-1.5,"{""a"": ""é""}","[""=x""]",\'=x\r\n'
    )


@pytest.mark.parametrize("kind", INSIGHTS)
def test_every_kind_has_a_header_without_data(kind: str) -> None:
    table = INSIGHTS[kind].table({"meta": META})
    assert len(set(table.columns)) == len(table.columns) > 1
    assert [*table.rows] == []


@pytest.mark.parametrize(
    ("header", "format"),
    [
        ("", "json"), ("*/*", "json"), ("text/csv", "csv"), ("text/csv;q=0.9, application/json", "csv"),
        ("application/json, text/csv", "json"), ("text/html, Text/CSV; header=present", "csv"),
    ],
)  # fmt: skip
def test_what_the_accept_header_says(header: str, format: str) -> None:
    assert read_accept(header) == format


def test_trends_as_csv(project: Project) -> None:
    project.store(event("=open", "ann", "2026-11-17T10:00"), event("=open", "bob", "2026-11-18T10:00"))
    document = {"series": [{"event": "=open"}], "date_from": "-1d"}
    answer = project.post("trends?format=csv", document)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="trends.csv"'
    assert answer.text.splitlines() == [
        "index,name,event,breakdown_value,compare,total,bucket,value",
        "0,'=open,'=open,,,2,2026-11-17T00:00:00Z,1",
        "0,'=open,'=open,,,2,2026-11-18T00:00:00Z,1",
    ]
    simple = project.get("trends", event="=open", date_from="-1d", format="csv")
    assert simple.text == answer.text


def test_a_funnel_as_csv(project: Project) -> None:
    project.store(event("a", "ann", "2026-11-17T10:00"), event("b", "ann", "2026-11-17T10:01"))
    rows = list(csv.DictReader(io.StringIO(project.get("funnels", event=["a", "b"], format="csv").text)))
    assert [(row["index"], row["count"], row["avg_seconds"]) for row in rows] == [("0", "1", ""), ("1", "1", "60.0")]


def test_lists_as_csv(project: Project) -> None:
    project.store(
        event("a", "ann", "2026-11-17T10:00", plan="pro", n=[1]),
        event("a", "-ann", "2026-11-17T11:00", plan="pro", n=1),
    )
    answer = project.get("events", format="csv", limit=1)
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["distinct_id"], row["properties"]) == ("'-ann", '{"n": 1, "plan": "pro"}')
    more = project.get("events", format="csv", limit=1, cursor=answer.headers["x-next-cursor"])
    assert [row["distinct_id"] for row in csv.DictReader(io.StringIO(more.text))] == ["ann"]
    assert "x-next-cursor" not in more.headers
    assert project.get("event-names", format="csv").text == "event,count,last_seen\r\na,2,2026-11-17T11:00:00.000Z\r\n"
    names = project.get("property-names", format="csv").text
    assert names == 'property,count,types\r\nn,2,"array, number"\r\nplan,2,string\r\n'
    assert project.get("property-values", property="plan", format="csv").text == "value,count\r\npro,2\r\n"
    empty = project.get("rejected-events", format="csv").text
    assert empty == "reason,detail,source,payload,received_at,log_partition,log_offset\r\n"


def test_a_form_that_there_is_not(project: Project) -> None:
    for answer in (project.get("events", format="xml"), project.post("trends?format=xml", {"series": [{}]})):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["loc"] == ["query", "format"]
