"""Numbers as something to read."""

from __future__ import annotations

import pytest

from footfall_cli.output import format_number, plain
from footfall_cli.results import bar, duration, percent, sparkline


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], " ▁▂▃▄▅▆▇█"),
        ([0, 1, 1_000], " ▁█"),
        ([0, 0], "▁▁"),
        ([-8, 0, 8], " ▄█"),
        ([None, 5], " █"),
        ([], ""),
    ],
)
def test_a_sparkline_shows_the_shape(values: list[float | None], line: str) -> None:
    assert sparkline(values) == line


@pytest.mark.parametrize(("share", "shown"), [(0.0, ""), (0.5, "██"), (0.53, "██▏"), (1.0, "████"), (1.5, "████")])
def test_a_bar_is_full_at_one(share: float, shown: str) -> None:
    assert bar(share, 4) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0, "0 s"),
        (4.5, "4.5 s"),
        (59.6, "60 s"),
        (200, "3 min 20 s"),
        (3_600, "1 h"),
        (3_601, "1 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_is_in_words(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(("share", "shown"), [(None, ""), (0.12345, "12.3%"), (1, "100.0%")])
def test_a_share_has_one_decimal(share: float | None, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234567, "1,234,567"), (1234.5, "1,234.5"), (12.0, "12"), (0.126, "0.13"), (True, "true"), ([1], "[1]")],
)
def test_numbers_have_commas(value: object, shown: str) -> None:
    assert format_number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), ("a\x1b[0m\n", "a\\x1b[0m\\n"), ("naïve ✓", "naïve ✓"), ("\u202eabc", "\\u202eabc")],
)
def test_control_characters_are_written_out(value: object, shown: str) -> None:
    assert plain(value) == shown
