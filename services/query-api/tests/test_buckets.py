"""Buckets follow local clocks and calendars, also on the days when these jump."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_core.timezones import known_timezones
from footfall_query.buckets import MAX_BUCKETS, TooManyBuckets, bucket_of, make_buckets, widen
from footfall_query.scope import Interval, Scope, Span, WeekStart, to_milliseconds
from footfall_query.sql import Fragment, Params

NOW = datetime(2026, 11, 18, tzinfo=UTC)


def scope_of(zone: str, start: str, end: str, week_start: WeekStart = "sunday") -> Scope:
    """From one local time to another, the end excluded."""
    place = ZoneInfo(zone)
    span = Span(*(to_milliseconds(datetime.fromisoformat(text).replace(tzinfo=place)) for text in (start, end)))
    return Scope(1, span, place, week_start, NOW)


def labels(scope: Scope, interval: Interval) -> list[str]:
    return make_buckets(scope, interval).labels()


def test_days_around_the_end_of_summer_time() -> None:
    assert labels(scope_of("Europe/Berlin", "2026-10-24", "2026-10-27"), "day") == [
        "2026-10-24T00:00:00+02:00",
        "2026-10-25T00:00:00+02:00",
        "2026-10-26T00:00:00+01:00",
    ]


def test_the_hour_that_happens_twice() -> None:
    assert labels(scope_of("Europe/Berlin", "2026-10-25T01:00", "2026-10-25T04:00"), "hour") == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_the_hour_that_does_not_happen() -> None:
    assert labels(scope_of("America/New_York", "2026-03-08T01:00", "2026-03-08T04:00"), "hour") == [
        "2026-03-08T01:00:00-05:00",
        "2026-03-08T03:00:00-04:00",
    ]


def test_hours_of_a_zone_that_is_45_minutes_off() -> None:
    assert labels(scope_of("Asia/Kathmandu", "2026-10-25T10:20", "2026-10-25T12:00"), "hour") == [
        "2026-10-25T10:00:00+05:45",
        "2026-10-25T11:00:00+05:45",
    ]


def test_clocks_that_change_by_half_an_hour() -> None:
    assert labels(scope_of("Australia/Lord_Howe", "2026-04-05T01:00", "2026-04-05T03:00"), "hour") == [
        "2026-04-05T01:00:00+11:00",
        "2026-04-05T01:30:00+10:30",
        "2026-04-05T02:00:00+10:30",
    ]
    assert labels(scope_of("Australia/Lord_Howe", "2026-10-04T01:00", "2026-10-04T04:00"), "hour") == [
        "2026-10-04T01:00:00+10:30",
        "2026-10-04T02:30:00+11:00",
        "2026-10-04T03:00:00+11:00",
    ]


def test_a_day_that_a_country_skipped() -> None:
    assert labels(scope_of("Pacific/Apia", "2011-12-29", "2012-01-01"), "day") == [
        "2011-12-29T00:00:00-10:00",
        "2011-12-31T00:00:00+14:00",
    ]


def test_a_day_without_midnight() -> None:
    assert labels(scope_of("America/Sao_Paulo", "2018-11-03", "2018-11-05"), "day") == [
        "2018-11-03T00:00:00-03:00",
        "2018-11-04T01:00:00-02:00",
    ]


def test_weeks_and_months_begin_before_the_range() -> None:
    scope = scope_of("UTC", "2026-11-11T10:00", "2026-12-02")
    assert labels(scope, "week") == [f"2026-11-{day}T00:00:00Z" for day in ("08", "15", "22", "29")]
    monday = scope_of("UTC", "2026-11-11T10:00", "2026-12-02", "monday")
    assert labels(monday, "week") == [f"2026-11-{day}T00:00:00Z" for day in ("09", "16", "23", "30")]
    assert labels(scope, "month") == ["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"]
    assert widen(scope, "month").span == scope_of("UTC", "2026-11-01", "2026-12-02").span
    assert widen(scope, "week").span == scope_of("UTC", "2026-11-08", "2026-12-02").span


def test_minutes() -> None:
    assert labels(scope_of("UTC", "2026-11-18T10:00:30", "2026-11-18T10:02:01"), "minute") == [
        f"2026-11-18T10:0{minute}:00Z" for minute in (0, 1, 2)
    ]


def test_too_many_buckets() -> None:
    hours = scope_of("UTC", "2026-01-01", "2027-01-01")
    assert len(make_buckets(hours, "hour").starts) == 365 * 24 <= MAX_BUCKETS
    with pytest.raises(TooManyBuckets):
        make_buckets(hours, "minute")
    with pytest.raises(TooManyBuckets):
        make_buckets(scope_of("UTC", "1900-01-01", "2299-12-31"), "day")


@given(
    zone=st.sampled_from(sorted(known_timezones())),
    start=st.integers(0, 4_000_000_000_000),
    length=st.integers(1, 90 * 86_400_000),
    interval=st.sampled_from(get_args(Interval)),
    week_start=st.sampled_from(get_args(WeekStart)),
)
def test_buckets_cover_the_range_without_gaps_and_survive_the_way_to_clickhouse(
    zone: str, start: int, length: int, interval: Interval, week_start: WeekStart
) -> None:
    length = length // 100 + 1 if interval == "minute" else length
    scope = Scope(1, Span(start, start + length), ZoneInfo(zone), week_start, NOW)
    found = make_buckets(scope, interval)
    assert found.starts[0] <= start < start + length > found.starts[-1]
    assert all(earlier < later for earlier, later in pairwise(found.starts))
    assert len(set(found.labels())) == len(found.starts)
    p = Params()
    bucket_of(Fragment("time"), found, p)
    (runs,) = p.values.values()
    assert [start for first, end, step in runs for start in range(first, end, step)] == list(found.starts)
