"""Times of all kinds of files."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from footfall_cli.importing.timestamps import make_reader


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-07-01", "2026-07-01T04:00:00.000+00:00"),
        ("2026-01-01", "2026-01-01T05:00:00.000+00:00"),
        ("2026-07-01 12:30:15", "2026-07-01T16:30:15.000+00:00"),
        ("2026-07-01T12:30:15.123456", "2026-07-01T16:30:15.123+00:00"),
        ("2026-07-01T12:30:15Z", "2026-07-01T12:30:15.000+00:00"),
        ("2026-07-01T12:30:15+02:00", "2026-07-01T10:30:15.000+00:00"),
        (" 2026-07-01 ", "2026-07-01T04:00:00.000+00:00"),
        ("20260701", "2026-07-01T04:00:00.000+00:00"),
        # Twice that day; the earlier one counts. And a time that the clocks skipped.
        ("2026-11-01 01:30:00", "2026-11-01T05:30:00.000+00:00"),
        ("2026-03-08 02:30:00", "2026-03-08T07:30:00.000+00:00"),
        ("1767225600", "2026-01-01T00:00:00.000+00:00"),
        ("1767225600.5", "2026-01-01T00:00:00.500+00:00"),
        ("1767225600123", "2026-01-01T00:00:00.123+00:00"),
        (1767225600, "2026-01-01T00:00:00.000+00:00"),
        (1767225600123, "2026-01-01T00:00:00.123+00:00"),
        (1767225600.25, "2026-01-01T00:00:00.250+00:00"),
    ],
)
def test_usual_times_are_read(value: Any, text: str) -> None:
    assert make_reader(None, ZoneInfo("America/New_York"))(value).text == text


@pytest.mark.parametrize(
    ("format", "value", "text"),
    [
        ("%d.%m.%Y", "05.01.2026", "2026-01-05T00:00:00.000+00:00"),
        ("%m/%d/%Y %I:%M %p", "1/5/2026 3:07 PM", "2026-01-05T15:07:00.000+00:00"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-01-05 15:07:00 +0200", "2026-01-05T13:07:00.000+00:00"),
        ("unix", "5", "1970-01-01T00:00:05.000+00:00"),
        ("unix_ms", "5500", "1970-01-01T00:00:05.500+00:00"),
    ],
)
def test_other_times_have_a_format(format: str, value: str, text: str) -> None:
    assert make_reader(format, ZoneInfo("UTC"))(value).text == text


@pytest.mark.parametrize(
    ("format", "value", "words"),
    [
        (None, "05.01.2026", "--timestamp-format"),
        (None, "yesterday", "--timestamp-format"),
        (None, "", "--timestamp-format"),
        (None, None, "is no time"),
        (None, {"at": 5}, "is no time"),
        (None, True, "is no time"),
        (None, "0001-01-01", "outside the years"),
        (None, 1e300, "outside the years|no time"),
        (None, float("inf"), "outside the years|no time"),
        ("%d.%m.%Y", "2026-01-05", "does not look like %d.%m.%Y"),
        ("unix", "soon", "no Unix time in seconds"),
        ("unix_ms", "soon", "no Unix time in milliseconds"),
    ],
)
def test_what_is_no_time_is_refused(format: str | None, value: Any, words: str) -> None:
    # East of Greenwich, the first day of the calendar began before it.
    with pytest.raises(ValueError, match=words):
        make_reader(format, ZoneInfo("Asia/Tokyo"))(value)
