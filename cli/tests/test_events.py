"""Rows become events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from footfall_cli.importing.events import REASONS, Rejected, make_builder
from footfall_cli.importing.mapping import check_mapping, read_mapping
from footfall_cli.importing.rows import inspect_file
from footfall_cli.importing.survey import look
from footfall_cli.importing.timestamps import make_reader

NOW = 1_793_500_000.0  # 2026-11-01

Build = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """The events of a file's rows; for a row that cannot be one, its number and the reason."""

    def build(
        content: str | bytes, mapping: str | None = None, *, identity: str = "import", **options: Any
    ) -> list[dict[str, Any]]:
        path = tmp_path / "rows"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        file = inspect_file(path)
        wanted = check_mapping(read_mapping(mapping, **options), file.columns, complete=file.format == "csv")
        read_time = make_reader(wanted.timestamp_format, ZoneInfo("UTC"))
        types = look(file, wanted, read_time, cutoff=None).types
        make = make_builder(wanted, file, types, read_time=read_time, identity=identity, now=NOW)
        found = []
        for row in file.rows():
            try:
                found.append(json.loads(make(row)))
            except Rejected as rejected:
                found.append({"row": row.number, "reason": rejected.reason, "detail": rejected.detail})
        assert {each["reason"] for each in found if "reason" in each} <= set(REASONS)
        return found

    return build


def without_uuid(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "uuid"} for event in events]


def test_a_csv_row_becomes_an_event(build: Build) -> None:
    content = "customer_id,date,cds,value,gift,zip,note\n00001,1997-01-01,1,11.77,true,01234,\n"

    (event,) = build(content, "event='purchase',distinct_id=customer_id,timestamp=date")

    assert uuid.UUID(event.pop("uuid")).version == 5
    assert event == {
        "event": "purchase",
        "distinct_id": "00001",
        "timestamp": "1997-01-01T00:00:00.000+00:00",
        "properties": {"cds": 1, "value": 11.77, "gift": True, "zip": "01234"},
    }


@pytest.mark.parametrize(
    ("mapping", "options", "properties"),
    [
        ("", {}, {"a": 1, "b": "x", "c": 2.5}),
        ("properties=a,b", {}, {"a": 1, "b": "x"}),
        ("exclude=a", {}, {"b": "x", "c": 2.5}),
        ("plan=b", {}, {"a": 1, "plan": "x", "c": 2.5}),
        ("properties=a,plan=b", {}, {"a": 1, "plan": "x"}),
        ("session_id=b", {}, {"a": 1, "$session_id": "x", "c": 2.5}),
        ("", {"types": ["a=string", "c=number"]}, {"a": "1", "b": "x", "c": 2.5}),
        ("", {"types": ["a=boolean"]}, {"a": True, "b": "x", "c": 2.5}),
    ],
)
def test_columns_become_properties(
    build: Build, mapping: str, options: dict[str, Any], properties: dict[str, Any]
) -> None:
    content = "event,distinct_id,timestamp,a,b,c\nsignup,ann,2026-01-01,1,x,2.5\n"

    (event,) = build(content, mapping or None, **options)

    assert event["properties"] == properties


def test_json_keeps_its_types(build: Build) -> None:
    content = '{"event": "e", "user": {"id": 7}, "timestamp": 1767225600, "n": 1, "s": "1", "o": {"a": [1]}, "z": null}'

    (event,) = without_uuid(build(content, "distinct_id=user.id,exclude=user"))

    assert event == {
        "event": "e",
        "distinct_id": "7",
        "timestamp": "2026-01-01T00:00:00.000+00:00",
        "properties": {"n": 1, "s": "1", "o": {"a": [1]}},
    }


def test_an_exported_event_comes_back_as_it_was(build: Build) -> None:
    exported = {
        "uuid": "0190a3c2-0000-7000-8000-000000000001",
        "event": "signup",
        "distinct_id": "ann",
        "timestamp": "2026-01-01T00:00:00.123+00:00",
        "properties": {"plan": "pro", "nested": {"a": 1}, "$session_id": "s"},
    }

    assert build(json.dumps(exported)) == [exported]


def test_json_in_a_csv_column(build: Build) -> None:
    content = 'event,distinct_id,timestamp,properties,tags\ne,ann,2026-01-01,"{""plan"": ""pro""}","[1,2]"\n'

    (event,) = build(content, types=["properties=json", "tags=json"])

    assert event["properties"] == {"plan": "pro", "tags": [1, 2]}


def test_a_uuid_may_be_given(build: Build) -> None:
    given = "0190a3c2-0000-7000-8000-000000000001"
    content = f"event,distinct_id,timestamp,uuid\ne,ann,2026-01-01,{given}\ne,ann,2026-01-01,\n"

    first, second = build(content)

    assert first["uuid"] == given
    assert uuid.UUID(second["uuid"]).version == 5


ROWS = "event,distinct_id,timestamp\ne,ann,2026-01-01\ne,ann,2026-01-01\n"


def test_the_same_import_makes_the_same_uuids(build: Build) -> None:
    assert build(ROWS) == build(ROWS)


def test_equal_rows_are_different_events(build: Build) -> None:
    first, second = build(ROWS)

    assert without_uuid([first]) == without_uuid([second])
    assert first["uuid"] != second["uuid"]


def test_another_import_makes_other_uuids(build: Build) -> None:
    one, other = build(ROWS), build(ROWS, identity="another")

    assert without_uuid(one) == without_uuid(other)
    assert not {event["uuid"] for event in one} & {event["uuid"] for event in other}


def test_rows_that_cannot_be_events_say_why(build: Build) -> None:
    content = b"""event,distinct_id,timestamp,price
e,ann,2026-01-01,5
e,ann,,5
e,ann,soon,5
e,ann,1969-12-31,5
e,ann,2027-01-01,5
e,ann,2026-01-01,five
e,ann,2026-01-01
e,\xff,2026-01-01,5
"""
    found = build(content, types=["price=number"])

    assert found[0]["properties"] == {"price": 5}
    assert found[1:] == [
        {"row": 2, "reason": "invalid_timestamp", "detail": "timestamp is empty."},
        {
            "row": 3,
            "reason": "invalid_timestamp",
            "detail": "timestamp: 'soon' is no time in ISO 8601; say how it is written with --timestamp-format.",
        },
        {
            "row": 4,
            "reason": "timestamp_before_1970",
            "detail": "timestamp: 1969-12-31T00:00:00.000+00:00 is before 1970.",
        },
        {
            "row": 5,
            "reason": "timestamp_in_future",
            "detail": "timestamp: 2027-01-01T00:00:00.000+00:00 is more than 23 hours ahead.",
        },
        {"row": 6, "reason": "invalid_value", "detail": "price: 'five' is no number."},
        {"row": 7, "reason": "wrong_column_count", "detail": "The row has 3 columns, the header 4."},
        {"row": 8, "reason": "invalid_encoding", "detail": "A value is not in utf-8: surrogates not allowed."},
    ]


def test_a_huge_row_is_not_sent(build: Build) -> None:
    (found,) = build(f"event,distinct_id,timestamp,text\ne,ann,2026-01-01,{'x' * 1_100_000}\n")

    assert found["reason"] == "event_too_large"


def test_strange_json_values_are_rejected_or_left_to_capture(build: Build) -> None:
    lines = [
        {"event": ["e"], "distinct_id": "a", "timestamp": "2026-01-01"},
        {"event": "e", "distinct_id": {"id": 1}, "timestamp": "2026-01-01"},
        {"event": "e", "distinct_id": None, "timestamp": "2026-01-01"},
        {"event": "e", "distinct_id": "a", "timestamp": ["2026-01-01"]},
    ]
    found = build("\n".join(json.dumps(line) for line in lines))

    assert [each.get("reason", each.get("distinct_id")) for each in found] == [
        "invalid_value",
        "invalid_value",
        "",
        "invalid_timestamp",
    ]


def test_it_is_fast_enough(build: Build) -> None:
    """20,000 rows a second is the aim for a whole import; the half of it here leaves room for a busy machine."""
    content = "event,distinct_id,timestamp,a,b,c\n" + "".join(
        f"e,person-{n % 500},2026-01-01 00:{n % 60:02}:00,{n},text,{n / 2}\n" for n in range(10_000)
    )
    began = time.process_time()

    assert len(build(content)) == 10_000
    assert time.process_time() - began < 2.0
