"""The Native block against ClickHouse's own reading of the same rows as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_consumer.native import MAX_PATHS, NATIVE_COLUMNS, encode_native
from footfall_consumer.rows import EVENT_COLUMNS, Row, encode_rows, to_row
from footfall_core.clickhouse import ClickHouse
from footfall_core.eventlog import LogRecord
from footfall_core.events import EventRecord, encode_record

MakeEvent = Callable[..., EventRecord]

# Types and values both, so that 1 and 1.0 and "1" are three things.
STORED = (
    "SELECT project_id, toString(uuid), event, distinct_id, toUnixTimestamp64Milli(timestamp), "
    "toString(properties), toString(JSONAllPathsWithTypes(properties)), session_id, "
    "toUnixTimestamp64Milli(received_at), log_partition, log_offset, toString(person_id) "
    "FROM analytics.events ORDER BY log_offset"
)


def make_rows(event: MakeEvent, documents: list[dict[str, Any]], **more: Any) -> list[Row]:
    rows = []
    for offset, properties in enumerate(documents):
        record = event(properties=json.dumps(properties).encode(), distinct_id=f"ann-{offset}", **more)
        row = to_row(LogRecord(1, offset, encode_record(record)), (), 0)
        assert isinstance(row, Row)
        rows.append(row)
    return rows


def stored(clickhouse: ClickHouse, columns: Any, data: bytes, format: Any) -> list[Any]:
    clickhouse.command("TRUNCATE TABLE analytics.events")
    clickhouse.insert("analytics.events", columns, data, format=format)
    return [tuple(row) for row in clickhouse.fetch(STORED).rows]


def assert_same(clickhouse: ClickHouse, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    block, fitting, others = encode_native(rows)
    assert sorted(row.record.offset for row in fitting + others) == [row.record.offset for row in rows]
    if fitting:
        native = stored(clickhouse, NATIVE_COLUMNS, block, "Native")
        assert native == stored(clickhouse, EVENT_COLUMNS, encode_rows(fitting), "JSONEachRow")
    return fitting, others


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["", "1", "true", "2026-01-01", "2026-01-01 00:00:00", "x" * 127, "x" * 128, "x" * 20_000])
)
names = st.sampled_from(["a", "b", "a.b", "a%2Eb", "", "%", "$x", "ä", "a b", "`"]) | st.text(max_size=4)
values = st.recursive(
    scalars | st.lists(scalars, max_size=3),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def test_any_properties_are_stored_as_from_json(clickhouse: ClickHouse, event: MakeEvent) -> None:
    fitted = 0

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.dictionaries(names, values, max_size=4), min_size=1, max_size=6))
    def compare(documents: list[dict[str, Any]]) -> None:
        nonlocal fitted
        fitted += len(assert_same(clickhouse, make_rows(event, documents))[0])

    compare()
    assert fitted > 100


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"a": None},
        {"a": {}},
        {"a": {"b": {"c": 1}}, "d": 2},
        {"a.b": 1, "a": {"b": 2}},
        {"list": [1, 2], "texts": ["x", None], "none": [], "numbers": [1, 2.5], "flags": [True]},
        {"text": "é\u0000\U0001f600", "number": -0.0, "large": 2**63 - 1, "small": -(2**63)},
    ],
)
def test_what_fits_is_stored_as_from_json(clickhouse: ClickHouse, event: MakeEvent, properties: dict[str, Any]) -> None:
    fitting, others = assert_same(clickhouse, make_rows(event, [properties, {"other": "x"}, properties]))
    assert (len(fitting), others) == (3, [])


@pytest.mark.parametrize(
    "properties",
    [{"a": 2**63}, {"a": {"b": [2**64]}}, {"a": [1, "x"]}, {"a": [[1]]}, {"a": [{"b": 1}]}, {"a": [None]}],
)
def test_what_does_not_fit_goes_the_other_way_alone(
    clickhouse: ClickHouse, event: MakeEvent, properties: dict[str, Any]
) -> None:
    fitting, others = assert_same(clickhouse, make_rows(event, [{"a": 1}, properties, {"a": "x"}]))
    assert [row.record.offset for row in fitting] == [0, 2]
    assert [row.record.offset for row in others] == [1]


def test_many_names_do_not_make_a_block_grow_with_their_square(clickhouse: ClickHouse, event: MakeEvent) -> None:
    documents = [{"common": n, f"name-{n}": n} for n in range(2 * MAX_PATHS)]
    fitting, others = assert_same(clickhouse, make_rows(event, documents))
    assert (len(fitting), len(others)) == (MAX_PATHS - 1, MAX_PATHS + 1)


@pytest.mark.parametrize("at", [0, 1, -1, 4_294_967_296_000, 253_402_300_799_999, -62_135_596_800_000])
def test_times_are_stored_as_from_json(clickhouse: ClickHouse, event: MakeEvent, at: int) -> None:
    assert_same(clickhouse, make_rows(event, [{}], at=at))


def test_nothing_is_nothing() -> None:
    assert encode_native([]) == (b"", [], [])
