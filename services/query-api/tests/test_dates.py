"""The grammar of dates, and the ranges that questions have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_core.timezones import known_timezones
from footfall_query.scope import (
    EARLIEST,
    EPOCH,
    LATEST,
    EmptyRange,
    Interval,
    check_date,
    make_scope,
    parse_span,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 18, 15, 30, 12, tzinfo=UTC)  # a Wednesday, 16:30:12 in Berlin


def local(instant: int) -> str:
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(BERLIN).replace(tzinfo=None).isoformat(" ")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-01", "2026-11-01 00:00:00", "2026-11-02 00:00:00"),
        ("2026-10-25", "2026-10-25 00:00:00", "2026-10-26 00:00:00"),
        ("2026-11-01T10:00:00Z", "2026-11-01 11:00:00", "2026-11-01 11:00:00.001000"),
        ("2026-11-01T10:00", "2026-11-01 10:00:00", "2026-11-01 10:00:00.001000"),
        ("2026-11-01 10:00:00.123456", "2026-11-01 10:00:00.123000", "2026-11-01 10:00:00.124000"),
        ("2026-11-01T10:00:00+05:45", "2026-11-01 05:15:00", "2026-11-01 05:15:00.001000"),
        ("dStart", "2026-11-18 00:00:00", "2026-11-19 00:00:00"),
        ("-0d", "2026-11-18 00:00:00", "2026-11-19 00:00:00"),
        ("-1d", "2026-11-17 00:00:00", "2026-11-18 00:00:00"),
        ("-7d", "2026-11-11 00:00:00", "2026-11-12 00:00:00"),
        ("-2w", "2026-11-04 00:00:00", "2026-11-05 00:00:00"),
        ("-1m", "2026-10-18 00:00:00", "2026-10-19 00:00:00"),
        ("-9m", "2026-02-18 00:00:00", "2026-02-19 00:00:00"),
        ("-1q", "2026-08-18 00:00:00", "2026-08-19 00:00:00"),
        ("-1y", "2025-11-18 00:00:00", "2025-11-19 00:00:00"),
        ("-24h", "2026-11-17 16:30:12", "2026-11-17 16:30:12.001000"),
        ("-30M", "2026-11-18 16:00:12", "2026-11-18 16:00:12.001000"),
        ("hStart", "2026-11-18 16:00:00", "2026-11-18 16:00:00.001000"),
        ("-1hEnd", "2026-11-18 15:59:59.999000", "2026-11-18 16:00:00"),
        ("wStart", "2026-11-15 00:00:00", "2026-11-16 00:00:00"),
        ("-1wEnd", "2026-11-14 00:00:00", "2026-11-15 00:00:00"),
        ("mStart", "2026-11-01 00:00:00", "2026-11-02 00:00:00"),
        ("-1mStart", "2026-10-01 00:00:00", "2026-10-02 00:00:00"),
        ("-1mEnd", "2026-10-31 00:00:00", "2026-11-01 00:00:00"),
        ("-9mEnd", "2026-02-28 00:00:00", "2026-03-01 00:00:00"),
        ("qStart", "2026-10-01 00:00:00", "2026-10-02 00:00:00"),
        ("-1qEnd", "2026-09-30 00:00:00", "2026-10-01 00:00:00"),
        ("yStart", "2026-01-01 00:00:00", "2026-01-02 00:00:00"),
        ("-1yEnd", "2025-12-31 00:00:00", "2026-01-01 00:00:00"),
    ],
)
def test_what_a_date_names(text: str, start: str, end: str) -> None:
    span = parse_span(text, NOW, BERLIN, "sunday")
    assert (local(span.start), local(span.end)) == (start, end)


def test_weeks_start_when_the_project_says() -> None:
    assert local(parse_span("wStart", NOW, BERLIN, "monday").start) == "2026-11-16 00:00:00"
    assert local(parse_span("-1wEnd", NOW, BERLIN, "monday").start) == "2026-11-15 00:00:00"


def test_the_last_day_of_a_longer_month_becomes_the_last_of_a_shorter_one() -> None:
    end_of_march = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert local(parse_span("-1m", end_of_march, BERLIN, "sunday").start) == "2026-02-28 00:00:00"


@pytest.mark.parametrize(
    "text",
    ["", "7d", "-d", "-7x", "-7", "d", "now", "yesterday", "2026", "2026-13-01", "2026-02-30", "2026-11-01T25:00",
     "01.11.2026", "2026-11-01x", "-12345d", "--7d", "-7dEnd ", "ALL", "2026-W45", "²", "-²d"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError):
        check_date(text)


@given(
    st.text(max_size=12) | st.from_regex(r"-?[0-9]{0,4}[hdwmqyM](Start|End)?", fullmatch=True) | st.datetimes().map(str)
)
def test_a_date_is_refused_or_lies_in_what_clickhouse_can_hold(text: str) -> None:
    try:
        span = parse_span(text, NOW, BERLIN, "monday")
    except ValueError:
        return
    assert EARLIEST <= span.start < span.end <= LATEST + 1


def range_of(date_from: str, date_to: str | None = None, interval: Interval | None = "day") -> tuple[str, str]:
    scope = make_scope(
        1, date_from=date_from, date_to=date_to, zone=BERLIN, week_start="sunday", now=NOW, interval=interval
    )
    return local(scope.span.start), local(scope.span.end)


def test_seven_days_are_eight_buckets_and_end_with_today() -> None:
    assert range_of("-7d") == ("2026-11-11 00:00:00", "2026-11-19 00:00:00")


def test_a_day_as_the_end_is_included() -> None:
    assert range_of("2026-11-01", "2026-11-02") == ("2026-11-01 00:00:00", "2026-11-03 00:00:00")
    assert range_of("-1mStart", "-1mEnd") == ("2026-10-01 00:00:00", "2026-11-01 00:00:00")


def test_a_time_is_that_instant() -> None:
    assert range_of("2026-11-01T10:00", "2026-11-02T10:00") == (
        "2026-11-01 10:00:00",
        "2026-11-02 10:00:00.001000",
    )


def test_hours_are_exact_and_include_the_hour_of_the_end() -> None:
    assert range_of("-24h") == ("2026-11-17 16:30:12", "2026-11-18 16:30:12.001000")
    assert range_of("-24h", interval="hour") == ("2026-11-17 16:30:12", "2026-11-18 17:00:00")
    assert range_of("2026-11-01", "2026-11-02T10:00", "hour") == ("2026-11-01 00:00:00", "2026-11-02 11:00:00")
    assert range_of("-1d", interval="hour") == ("2026-11-17 00:00:00", "2026-11-18 17:00:00")
    assert range_of("-1d", "-0d", interval="hour") == ("2026-11-17 00:00:00", "2026-11-19 00:00:00")


def test_a_range_that_ends_before_it_starts() -> None:
    with pytest.raises(EmptyRange):
        range_of("2026-11-02", "2026-11-01")
    with pytest.raises(EmptyRange):
        range_of("2027-01-01")


def test_every_time_zone_can_be_used() -> None:
    assert len(known_timezones()) > 400
    for name in known_timezones():
        ZoneInfo(name)
