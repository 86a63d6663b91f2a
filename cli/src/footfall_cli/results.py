"""Answers of the Query API as something to read in a terminal. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from footfall_cli.output import format_number, make_table, plain

BARS: Final = " ▁▂▃▄▅▆▇█"
BAR_WIDTH: Final = 30
MAX_SERIES: Final = 12
"""Series that have a column in a table of trends; all of them have a line with a total."""


def render(kind: str, result: dict[str, Any]) -> Iterator[RenderableType]:
    """What to print for a result of this kind."""
    yield from KINDS[kind](result)
    if meta := result.get("meta"):
        cached = ", cached" if meta.get("cached") else ""
        rows = format_number(meta.get("rows_read", 0))
        yield Text(f"\n{format_number(meta.get('elapsed_ms', 0))} ms, {rows} rows read{cached}", style="dim")


def sparkline(values: Sequence[float | None]) -> str:
    """One character a value, from the lowest of 0 and the least to the greatest: ` ▂▅█`."""
    numbers = [value or 0 for value in values]
    if not numbers:
        return ""
    low, high = min(0, *numbers), max(0, *numbers)
    if low == high:
        return BARS[1] * len(numbers)
    steps = len(BARS) - 1
    return "".join(BARS[max(number > low, round((number - low) / (high - low) * steps))] for number in numbers)


def bar(share: float, width: int = BAR_WIDTH) -> str:
    """A bar that is full at 1."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    rest = "" if eighths % 8 == 0 else "▏▎▍▌▋▊▉"[eighths % 8 - 1]
    return "█" * (eighths // 8) + rest


def duration(seconds: float | None) -> str:
    """`3 min 20 s`: the two largest units."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    left = round(seconds)
    parts: list[str] = []
    for name, size in units:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {name}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def percent(share: float | None) -> str:
    """A share of 1 with one decimal."""
    return "" if share is None else f"{share * 100:.1f}%"


def _days(buckets: Sequence[str]) -> list[str]:
    """Buckets without what they all have in common: the time when it is always midnight, the offset."""
    if all(bucket[11:19] in ("", "00:00:00") for bucket in buckets):
        return [bucket[:10] for bucket in buckets]
    return [bucket[:16].replace("T", " ") for bucket in buckets]


def _series_name(series: dict[str, Any]) -> str:
    name = str(series.get("name") or series.get("event") or "any event")
    if "breakdown_value" in series and series["breakdown_value"] is not None:
        name += f" · {series['breakdown_value']}"
    if series.get("compare"):
        name += f" ({series['compare']})"
    return name


def _render_trends(result: dict[str, Any]) -> Iterator[RenderableType]:
    series = result["series"]
    if not series:
        yield Text("No series.")
        return
    names = [_series_name(each) for each in series]
    yield make_table(
        ["series", "", "total"],
        [[name, sparkline(each["data"]), each["total"]] for name, each in zip(names, series, strict=True)],
        right=["total"],
    )
    yield ""
    shown = [f"{number}: {name}" for number, name in enumerate(names[:MAX_SERIES], 1)]
    rows = [
        [day, *(each["data"][index] for each in series[:MAX_SERIES])]
        for index, day in enumerate(_days(result["buckets"]))
    ]
    yield make_table([result.get("interval", "bucket"), *shown], rows, right=shown)
    if len(series) > MAX_SERIES:
        yield Text(f"… and {len(series) - MAX_SERIES} more series; --json has them all", style="dim")


def _render_funnels(result: dict[str, Any]) -> Iterator[RenderableType]:
    if "steps" not in result:
        yield from _render_json(result)
        return
    yield _steps_table(result["steps"])
    for breakdown in result.get("breakdown") or ():
        yield Text(f"\n{plain(breakdown['value']) or '(none)'}", style="bold")
        yield _steps_table(breakdown["steps"])


def _steps_table(steps: Sequence[dict[str, Any]]) -> RenderableType:
    columns = ["step", "", "people", "of first", "of previous", "median time", "average time"]
    rows = [
        [
            f"{step['index'] + 1}. {step.get('name') or step['event']}",
            bar(step["conversion"] or 0.0),
            step["count"],
            percent(step["conversion"]),
            percent(step["step_conversion"]),
            duration(step.get("median_seconds")),
            duration(step.get("avg_seconds")),
        ]
        for step in steps
    ]
    return make_table(columns, rows, right=columns[2:])


def _render_retention(result: dict[str, Any]) -> Iterator[RenderableType]:
    cohorts = result["cohorts"]
    width = max((len(cohort["values"]) for cohort in cohorts), default=0)
    periods = [str(number) for number in range(width)]
    days = _days([cohort["date"] for cohort in cohorts])
    rows = [
        [day, cohort["size"], *(_share(value, cohort["size"]) for value in cohort["values"])]
        for day, cohort in zip(days, cohorts, strict=True)
    ]
    yield make_table(["cohort", "size", *periods], rows, right=["size", *periods])


def _share(value: int | None, size: int) -> str:
    return "" if value is None else percent(value / size) if size else "–"


def _render_lifecycle(result: dict[str, Any]) -> Iterator[RenderableType]:
    columns = ["new", "returning", "resurrecting", "dormant"]
    yield make_table(["", " "], [[name, sparkline([abs(n or 0) for n in result[name]])] for name in columns])
    yield ""
    rows = [[day, *(result[name][index] for name in columns)] for index, day in enumerate(_days(result["buckets"]))]
    yield make_table(["bucket", *columns], rows, right=columns)


def _render_stickiness(result: dict[str, Any]) -> Iterator[RenderableType]:
    names = [f"{number}: {_series_name(series)}" for number, series in enumerate(result["series"], 1)]
    rows = [
        [interval, *(series["counts"][index] for series in result["series"])]
        for index, interval in enumerate(result["intervals"])
    ]
    yield make_table(["intervals", *names], rows, right=["intervals", *names])


def _render_paths(result: dict[str, Any]) -> Iterator[RenderableType]:
    links = result["links"]
    most = max((link["count"] for link in links), default=0)
    rows = [
        [
            link["source"],
            link["target"],
            bar(link["count"] / most, 20),
            link["count"],
            duration(link.get("avg_seconds")),
        ]
        for link in links
    ]
    yield make_table(["from", "to", "", "paths", "average time"], rows, right=["paths", "average time"])


def _render_json(result: dict[str, Any]) -> Iterator[RenderableType]:
    """For forms of an answer that have no table."""
    yield Text(json.dumps({name: value for name, value in result.items() if name != "meta"}, indent=2))


KINDS: Final[dict[str, Callable[[dict[str, Any]], Iterator[RenderableType]]]] = {
    "trends": _render_trends,
    "funnels": _render_funnels,
    "retention": _render_retention,
    "lifecycle": _render_lifecycle,
    "stickiness": _render_stickiness,
    "paths": _render_paths,
}
"""The kinds of question, and how their answers are shown."""
