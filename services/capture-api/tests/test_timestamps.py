"""The timestamp rule, with the clock of the server at 2026-11-01T10:00:00Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_capture.accept import WARNINGS
from footfall_capture.timestamps import FUTURE_LIMIT, find_time, parse_time

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
NOW_MS = 1_793_527_200_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-01T10:00:00Z", NOW_MS),
        ("2026-11-01T10:00:00+00:00", NOW_MS),
        ("2026-11-01T12:30:00+02:30", NOW_MS),
        ("2026-11-01T13:00:00+03", NOW_MS),
        ("2026-11-01T10:00:00", NOW_MS),
        ("2026-11-01 10:00:00", NOW_MS),
        ("2026-11-01 10:00:00.000 +00:00", NOW_MS),
        ("2026-11-01 10:00:00 +0000", NOW_MS),
        ("2026-11-01 10:00:00 UTC", NOW_MS),
        ("2026-11-01t10:00:00z", NOW_MS),
        ("2026/11/01 10:00:00", NOW_MS),
        (" 2026-11-01T10:00Z\n", NOW_MS),
        ("20261101T100000Z", NOW_MS),
        ("2026-11-01T10", NOW_MS),
        ("2026-11-01", NOW_MS - 10 * 3_600_000),
        ("2026/11/01", NOW_MS - 10 * 3_600_000),
        ("20261101", NOW_MS - 10 * 3_600_000),
        ("2026-11-01T10:00:00.123Z", NOW_MS + 123),
        ("2026-11-01T10:00:00.1239Z", NOW_MS + 123),
        ("2026-11-01T10:00:00.999999999Z", NOW_MS + 999),
        ("Sun, 01 Nov 2026 10:00:00 GMT", NOW_MS),
        ("Sun, 1 Nov 2026 05:00:00 -0500", NOW_MS),
        ("1 Nov 2026 10:00:00 +0000", NOW_MS),
        (1_793_527_200, NOW_MS),
        (1_793_527_200.25, NOW_MS + 250),
        (1_793_527_200_250, NOW_MS + 250),
        ("1793527200", NOW_MS),
        ("1793527200.25", NOW_MS + 250),
        ("1793527200250", NOW_MS + 250),
        (0, 0),
        (-86_400, -86_400_000),
        ("1969-12-31T23:59:59Z", -1000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ("yesterday", None),
        ("", None),
        ("2026-13-01T10:00:00Z", None),
        ("2026-11-01T25:00:00Z", None),
        ("2026-11-01T10:00:00+99:00", None),
        ("12:00", None),
        ("31 Nov 2026 10:00:00 +0000", None),
        ("١٧٩٣٥٢٧٢٠٠", None),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000),
        ("2" * 10_000, None),
        (True, None),
        (None, None),
        ({"$date": "2026-11-01"}, None),
        (["2026-11-01"], None),
    ],
)
def test_times_are_read_in_the_forms_that_clients_send(value: object, expected: int | None) -> None:
    assert parse_time(value) == expected


@settings(deadline=None)
@given(
    st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2200-01-01"), timezones=st.timezones())
)
def test_every_form_of_a_time_names_the_same_millisecond(moment: datetime) -> None:
    moment = moment.replace(fold=0)
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert parse_time(moment.isoformat()) == exact
    assert parse_time(moment.isoformat(" ")) == exact
    assert parse_time(moment.astimezone(UTC).isoformat().replace("+00:00", "Z")) == exact
    assert parse_time(moment.astimezone(UTC).replace(tzinfo=None).isoformat()) == exact
    assert parse_time(format_datetime(moment.astimezone(UTC))) == exact // 1000 * 1000


@settings(deadline=None)
@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans() | st.lists(st.integers()))
def test_whatever_is_given_as_a_time_breaks_nothing(value: object) -> None:
    if isinstance(value, float) and value - value != 0:
        return  # JSON has no such numbers
    timestamp, oldest_at, warnings = find_time({"timestamp": value, "offset": value}, NOW_MS, 5)

    assert 0 <= oldest_at <= timestamp <= NOW_MS + FUTURE_LIMIT
    assert set(warnings) <= set(WARNINGS)


@pytest.mark.parametrize(
    ("event", "sent_at", "expected", "warnings"),
    [
        pytest.param({}, None, "2026-11-01T10:00:00Z", [], id="none given"),
        pytest.param({"timestamp": "2026-11-01T09:59:00Z"}, None, "2026-11-01T09:59:00Z", [], id="taken as it is"),
        pytest.param(
            {"timestamp": "2026-11-01T08:59:00Z"},
            "2026-11-01T09:00:00Z",
            "2026-11-01T09:59:00Z",
            [],
            id="a clock an hour behind",
        ),
        pytest.param(
            {"timestamp": "2026-11-03T09:59:00Z"},
            "2026-11-03T10:00:00Z",
            "2026-11-01T09:59:00Z",
            [],
            id="a clock two days ahead",
        ),
        pytest.param(
            {"timestamp": "2026-11-01T08:59:00Z", "properties": {"$ignore_sent_at": True}},
            "2026-11-01T09:00:00Z",
            "2026-11-01T08:59:00Z",
            [],
            id="the client asks not to correct",
        ),
        pytest.param(
            {"timestamp": 1_793_523_540, "properties": {"$ignore_sent_at": "true"}},
            1_793_523_600_000,
            "2026-11-01T09:59:00Z",
            [],
            id="seconds and milliseconds; only true is true",
        ),
        pytest.param({"offset": 1500}, None, "2026-11-01T09:59:58.500Z", [], id="an offset"),
        pytest.param({"offset": "1500"}, None, "2026-11-01T09:59:58.500Z", [], id="an offset as text"),
        pytest.param(
            {"offset": 1500, "timestamp": "2020-01-01"},
            "2026-11-01T09:00:00Z",
            "2026-11-01T09:59:58.500Z",
            [],
            id="an offset wins over all",
        ),
        pytest.param(
            {"offset": None, "timestamp": "2026-11-01T09:00:00Z"},
            None,
            "2026-11-01T09:00:00Z",
            [],
            id="no offset",
        ),
        pytest.param(
            {"offset": "soon", "timestamp": "2026-11-01T09:00:00Z"},
            None,
            "2026-11-01T09:00:00Z",
            ["offset_unreadable"],
            id="an unreadable offset",
        ),
        pytest.param(
            {"timestamp": "2026-11-02T09:00:00Z"},
            None,
            "2026-11-02T09:00:00Z",
            [],
            id="23 hours ahead",
        ),
        pytest.param(
            {"timestamp": "2026-11-02T09:00:00.001Z"},
            None,
            "2026-11-01T10:00:00Z",
            ["timestamp_in_future"],
            id="more than 23 hours ahead",
        ),
        pytest.param(
            {"timestamp": "last Tuesday"},
            "2026-11-01T09:00:00Z",
            "2026-11-01T10:00:00Z",
            ["timestamp_unreadable"],
            id="unreadable",
        ),
        pytest.param(
            {"timestamp": "0001-01-01T00:00:00Z"},
            None,
            "1970-01-01T00:00:00Z",
            ["timestamp_before_1970"],
            id="before 1970",
        ),
        pytest.param(
            {"timestamp": "2026-11-01T09:00:00Z"},
            "never",
            "2026-11-01T09:00:00Z",
            ["sent_at_unreadable"],
            id="an unreadable sent_at",
        ),
        pytest.param({"timestamp": "2026-11-01T09:00:00Z"}, "", "2026-11-01T09:00:00Z", [], id="an empty sent_at"),
    ],
)
async def test_the_timestamp_rule(
    service: Any, event: dict[str, object], sent_at: object, expected: str, warnings: list[str]
) -> None:
    record, properties = await service.take({"event": "a", "distinct_id": "d", **event}, sent_at=sent_at)

    assert record.timestamp == ms(expected)
    assert record.received_at == NOW_MS
    assert properties.get("$ingestion_warnings", []) == warnings
    doubtful = [word for word in warnings if word != "sent_at_unreadable"]
    assert properties.get("$timestamp_original") == (event.get("timestamp") if doubtful else None)


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "oldest_at"),
    [
        ("2026-11-01T09:00:00Z", None, "2026-11-01T09:00:00Z"),
        ("2026-11-01T08:59:00Z", "2026-11-01T09:00:00Z", "2026-11-01T08:59:00Z"),
        ("2026-11-03T09:59:00Z", "2026-11-03T10:00:00Z", "2026-11-01T09:59:00Z"),
        ("2027-11-01T09:00:00Z", None, "2026-11-01T10:00:00Z"),
        ("1066-10-14T09:00:00Z", None, "1970-01-01T00:00:00Z"),
        ("?", None, "1970-01-01T00:00:00.001Z"),
    ],
)
async def test_the_consumer_learns_how_old_an_event_may_be(
    service: Any, timestamp: str, sent_at: str | None, oldest_at: str
) -> None:
    event = {"event": "a", "distinct_id": "d", "timestamp": timestamp, "uuid": "01890000-0000-7000-8000-000000000000"}
    record, _ = await service.take(event, sent_at=sent_at)
    assert record.oldest_at == ms(oldest_at)

    # What has no uuid of its own cannot come twice.
    del event["uuid"]
    record, _ = await service.take(event, sent_at=sent_at)
    assert record.oldest_at == record.timestamp


async def test_a_lone_event_may_say_when_it_was_sent(service: Any) -> None:
    record, _ = await service.take(
        {
            "event": "a",
            "distinct_id": "d",
            "timestamp": "2026-11-01T08:59:00Z",
            "sent_at": "2026-11-01T09:00:00Z",
        }
    )

    assert record.timestamp == ms("2026-11-01T09:59:00Z")
