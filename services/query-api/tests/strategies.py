"""Random projects and random questions about them, small enough for brute force and mean enough to be worth it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from evaluator import Asking, Event
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

# Days on which clocks are changed in each zone, by an hour, by half an hour, by a whole day; and quiet ones.
CLOCK_CHANGES = {
    "UTC": ["2026-11-18"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "America/Sao_Paulo": ["2018-11-04", "2018-02-18"],
    "Africa/Cairo": ["2026-04-24", "2026-10-30"],
    "Asia/Kathmandu": ["2026-10-25"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "Pacific/Apia": ["2011-12-30", "2011-04-02"],
}
NAMES = ["a", "b", "c"]
PROPERTIES = ["plan", "plan", "plan", "n", "n", "a.b", "x`y", "é\\", "when"]
COMMON = ["pro", "free", 2, True]
"""Values that events and questions often have in common."""
TEXTS = ["", "pro", "Pro", "free", "2", "2.0", "-1", "true", "1e3", ".5", "NaN", "inf", "[1]", "ÄÖ", "äö", "жЖ", "a\nb"]
NUMBERS: list[int | float] = [0, 1, 2, -1, 2.0, 2.5, -0.25, 1000, 0.00001, 2**53, 2**63 - 1, 2**64 - 1, 1e21, 1e-7]
STRUCTURES: list[Any] = [[1], [1, 2], ["pro", 'q"'], {"x": 1}, {"b.c": "pro", "a": {"z": True}}, []]
TIMES = ["2026-10-25", "2026-10-24T22:30:00Z", "2026-10-25T12:00", "2026-11-18 15:30:00.123+05:45", 1793527200]
VALUES = [None, True, False, *TEXTS, *NUMBERS, *STRUCTURES, *TIMES]
PATTERNS = ["pro", "^p", "(?i)PRO", "^$", "a.b", "[0-9]", r"\d+$", "x|e", "[^a]"]


@st.composite
def circumstances(draw: DrawFn) -> Asking:
    """A project's zone and week, and a time around a change of clocks."""
    zone = draw(st.sampled_from(sorted(CLOCK_CHANGES)))
    day = date.fromisoformat(draw(st.sampled_from(CLOCK_CHANGES[zone])))
    day += timedelta(days=draw(st.integers(0, 3)))
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) + draw(milliseconds(86_400))
    return Asking(ZoneInfo(zone), draw(st.sampled_from(["sunday", "monday"])), now)


def milliseconds(seconds: int) -> SearchStrategy[timedelta]:
    """Spans with round numbers more often than others, so that times meet each other and boundaries."""
    rough = st.sampled_from([0, 1, 60, 900, 1800, 3600, 5400, 43_200, 82_800, 86_400])
    return st.builds(
        lambda base, more, ms: timedelta(seconds=min(base + more, seconds), milliseconds=ms),
        rough,
        st.sampled_from([0, 0, 0, 1, 600, 3600, 40_000]),
        st.sampled_from([0, 0, 0, 0, 1, 999]),
    )


@st.composite
def histories(
    draw: DrawFn,
    asking: Asking,
    *,
    days: int,
    people: int = 4,
    size: int = 20,
    names: Sequence[str] = NAMES,
    properties: SearchStrategy[dict[str, Any]] | None = None,
) -> list[Event]:
    """Up to `size` events in the days up to `now` and shortly after it, many at the same time."""
    first = asking.now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    anywhere = st.builds(
        lambda day, more: first + timedelta(days=day) + more, st.integers(0, days + 1), milliseconds(86_400)
    )
    moments = anywhere | milliseconds(7200).map(lambda ago: asking.now - ago)
    crowded = draw(st.lists(moments, min_size=1, max_size=6))
    event = st.builds(
        Event,
        name=st.sampled_from(names),
        person=st.sampled_from([f"p{number}" for number in range(people)]),
        at=st.sampled_from(crowded) | moments,
        properties=st.dictionaries(
            st.sampled_from(PROPERTIES), st.sampled_from(COMMON) | st.sampled_from(VALUES), max_size=3
        )
        if properties is None
        else properties,
        session=st.sampled_from(["", "s1", "s2"]),
    )
    # Left to itself, hypothesis makes most lists short, about which there is little to ask.
    least = draw(st.sampled_from([0, size // 4, size // 2, size // 2, size]))
    return draw(st.lists(event, min_size=least, max_size=size))


@st.composite
def conditions(draw: DrawFn) -> dict[str, Any]:
    """One filter."""
    property = draw(st.sampled_from(PROPERTIES))
    operator = draw(
        st.sampled_from(
            [
                "exact",
                "is_not",
                "icontains",
                "not_icontains",
                "regex",
                "not_regex",
                "gt",
                "gte",
                "lt",
                "lte",
                "between",
                "not_between",
                "is_set",
                "is_not_set",
                "is_date_exact",
                "is_date_before",
                "is_date_after",
            ]
        )
    )
    scalars: list[Any] = [value for value in VALUES if isinstance(value, str | int | float)]
    numbers = [*NUMBERS[:9], "2", "-1", "1e3"]
    match operator:
        case "regex" | "not_regex":
            value = draw(one_or_many(PATTERNS))
        case "gt" | "gte" | "lt" | "lte":
            value = draw(one_or_many(numbers))
        case "between" | "not_between":
            value = draw(st.lists(st.sampled_from(numbers), min_size=2, max_size=2))
        case "is_set" | "is_not_set":
            return {"property": property, "operator": operator}
        case "is_date_exact" | "is_date_before" | "is_date_after":
            value = draw(one_or_many(["2026-10-25", "2026-10-24T22:30:00Z", "2026-11-01T10:00:00", "-1d", "-5h"]))
        case _:
            value = draw(one_or_many(COMMON) | one_or_many(scalars))
    return {"property": property, "operator": operator, "value": value}


def one_or_many(values: list[Any]) -> SearchStrategy[Any]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


def filters(*, most: int = 2) -> SearchStrategy[list[dict[str, Any]]]:
    """A list of filters, some of them nested."""
    node = conditions()
    for _ in range(2):
        nodes = st.lists(node, min_size=1, max_size=2)
        node = st.one_of(
            conditions(), conditions(), st.fixed_dictionaries({"any": nodes}), st.fixed_dictionaries({"all": nodes})
        )
    return st.just([]) | st.lists(node, max_size=most)


@st.composite
def ranges(draw: DrawFn, asking: Asking, interval: str | None) -> dict[str, Any]:
    """`date_from` and perhaps `date_to`, days for all but minutes, which get hours."""
    if interval == "minute":
        return {"date_from": draw(st.sampled_from(["-1h", "-3h"]))}
    span = {"date_from": draw(st.sampled_from(["-1d", "-3d", "-24h", "-7d", "-40d"] if interval else ["-3d", "-7d"]))}
    local = asking.now.astimezone(asking.zone)
    if draw(st.booleans()):
        start = local - timedelta(days=draw(st.integers(1, 8)))
        span["date_from"] = draw(
            st.sampled_from([start.date().isoformat(), start.isoformat(), f"{start.date()}T00:00:00Z"])
        )
    if draw(st.booleans()):
        span["date_to"] = draw(
            st.sampled_from([local.date().isoformat(), asking.now.isoformat(), local.isoformat(timespec="minutes")])
        )
    return span


COMPARISONS = {
    "minute": ["previous_period", "-1h", "-90M", "-1d"],
    "hour": ["previous_period", "-3h", "-1d", "-1w"],
    "day": ["previous_period", "previous_period", "-2d", "-1w", "-1m"],
    "week": ["previous_period", "-1w", "-9d", "-1m"],
    "month": ["previous_period", "-1m", "-1q"],
}
FORMULAS = ["A / B * 100", "a+b", "-A", "(A - B) / (A + B)", "B", "2.5 * A - .5", "A / (B - B)", "A - -B * 2 / A"]


@st.composite
def trends(draw: DrawFn, asking: Asking) -> dict[str, Any]:
    """A trends document."""
    interval = draw(st.sampled_from(["minute", "hour", "day", "day", "week", "month"]))
    cumulative = draw(st.sampled_from([False, False, True]))
    active = [] if cumulative else ["weekly_active_users", "monthly_active_users"]
    counts = ["total", "unique_users", "unique_sessions", "first_time_users", *active]
    math = st.sampled_from([*counts, *counts, "sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99"])
    formula = draw(st.sampled_from([None, None, *FORMULAS]))
    series = []
    for _ in range(draw(st.integers(2 if formula else 1, 3))):
        one: dict[str, Any] = {"event": draw(st.sampled_from([None, None, *NAMES])), "math": draw(math)}
        if one["math"] not in counts:
            one["math_property"] = draw(st.sampled_from(PROPERTIES))
        one["filters"] = draw(filters(most=1))
        series.append(one)
    document: dict[str, Any] = {"series": series, "interval": interval, **draw(ranges(asking, interval))}
    if draw(st.booleans()):
        document["breakdown"] = {"property": draw(st.sampled_from(PROPERTIES)), "limit": draw(st.integers(1, 3))}
    if draw(st.booleans()):
        document["filters"] = draw(filters())
    if draw(st.sampled_from([False, False, True])):
        document["compare"] = draw(st.sampled_from(COMPARISONS[interval]))
    if formula:
        document["formula"] = formula
    if cumulative:
        document["cumulative"] = True
    return document


def matching() -> SearchStrategy[dict[str, Any]]:
    """Which events: any, by name, or filtered."""
    name = st.sampled_from([None, None, *NAMES])
    return st.fixed_dictionaries({"event": name}) | st.fixed_dictionaries({"event": name, "filters": filters(most=1)})


@st.composite
def retentions(draw: DrawFn, asking: Asking) -> dict[str, Any]:
    """A retention document."""
    period = draw(st.sampled_from(["hour", "day", "day", "week", "month"]))
    document: dict[str, Any] = {
        "start": draw(matching()),
        "return": draw(matching()),
        "period": period,
        "periods": draw(st.integers(1, 6)),
        "mode": draw(st.sampled_from(["recurring", "first_time"])),
        "cumulative": draw(st.booleans()),
        **draw(ranges(asking, period)),
    }
    if draw(st.booleans()):
        document["filters"] = draw(filters(most=1))
    return document


@st.composite
def lifecycles(draw: DrawFn, asking: Asking) -> dict[str, Any]:
    """A lifecycle document."""
    interval = draw(st.sampled_from(["minute", "hour", "day", "day", "week", "month"]))
    return {"interval": interval, **draw(matching()), **draw(ranges(asking, interval))}


@st.composite
def stickinesses(draw: DrawFn, asking: Asking) -> dict[str, Any]:
    """A stickiness document."""
    interval = draw(st.sampled_from(["minute", "hour", "day", "day", "week", "month"]))
    return {
        "series": draw(st.lists(matching(), min_size=1, max_size=3)),
        "interval": interval,
        "cumulative": draw(st.booleans()),
        "filters": draw(filters(most=1)),
        **draw(ranges(asking, interval)),
    }


STEPS = ["$pageview", "$screen", "a", "b", "$autocapture"]
URLS = [
    "https://x.io", "https://x.io/", "https://x.io/a/", "https://x.io/a?b=/c", "http://y.io/a#b?c", "/a", "/b/", "",
    "//x.io/b//", "a", "ftp://x.io/é/ä", "?x", "https://x.io?a=/b", "http://x.io//a//b/#/c/", "/a\nb?c\nd", 3,
    None, ["/a"],
]  # fmt: skip
NODES = ["/", "/a", "/b", "a", "b", "home", "$screen", "$pageview"]


def visits(asking: Asking) -> SearchStrategy[list[Event]]:
    """Events with pages and screens, close to each other."""
    properties = st.fixed_dictionaries(
        {}, optional={"$current_url": st.sampled_from(URLS), "$screen_name": st.sampled_from(["home", "", "/a", 2])}
    )
    return histories(asking, days=0, people=2, size=25, names=STEPS, properties=properties)


@st.composite
def paths(draw: DrawFn, asking: Asking) -> dict[str, Any]:
    """A paths document."""
    document: dict[str, Any] = {"steps": draw(st.integers(2, 6)), **draw(ranges(asking, None))}
    optional = {
        "start": st.sampled_from(NODES),
        "end": st.sampled_from(NODES),
        "max_links": st.integers(1, 4),
        "min_weight": st.integers(1, 2),
        "include": st.lists(st.sampled_from(["$pageview", "$screen", "custom_event"]), min_size=1, max_size=3),
        "exclude": st.lists(st.sampled_from(NODES), max_size=2),
    }
    names = draw(st.lists(st.sampled_from(sorted(optional)), max_size=3))  # with all of them hardly a path is left
    return document | {name: draw(optional[name]) for name in names}


@st.composite
def funnels(draw: DrawFn, asking: Asking) -> dict[str, Any]:
    """A funnel document, whose steps often overlap."""
    plain = st.fixed_dictionaries({"event": st.sampled_from([None, *NAMES])})
    filtered = st.fixed_dictionaries({"event": st.sampled_from([None, *NAMES]), "filters": filters(most=1)})
    by_plan = st.builds(
        lambda name, plans: {"event": name, "filters": [{"property": "plan", "value": plans}]},
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(["pro", "free", 2, True]), min_size=1, max_size=2),
    )
    step = plain | plain | filtered | by_plan
    steps = draw(
        st.lists(step, min_size=2, max_size=5)
        | st.permutations([{"event": name} for name in NAMES])
        | st.lists(st.sampled_from([{"event": "a"}, {"event": None}]), min_size=2, max_size=5)
    )
    window = draw(
        st.sampled_from(
            [{"value": 1, "unit": "second"}, {"value": 90, "unit": "minute"}, {"value": 1, "unit": "day"}, None]
        )
    )
    view = draw(st.sampled_from(["steps", "steps", "time_to_convert", "trend"]))
    interval = draw(st.sampled_from(["hour", "day", "week", "month"])) if view == "trend" else None
    order = draw(st.sampled_from(["ordered", "ordered", "strict", "unordered"]))
    if order == "unordered":
        steps = steps[:4]  # more different ones that one event can match are refused
    document: dict[str, Any] = {"steps": steps, "view": view, "order": order, **draw(ranges(asking, interval))}
    if interval:
        document["interval"] = interval
    if view == "time_to_convert" and draw(st.booleans()):
        document["bins"] = draw(st.integers(1, 4))
    if window:
        document["window"] = window
    if draw(st.booleans()):
        document["filters"] = draw(filters(most=1))
    if draw(st.booleans()):
        document["exclusions"] = draw(st.lists(exclusions(order, len(steps)), min_size=1, max_size=2))
    if view == "steps" and draw(st.booleans()):
        document["breakdown"] = draw(funnel_breakdowns(order, len(steps)))
    return document


@st.composite
def exclusions(draw: DrawFn, order: str, steps: int) -> dict[str, Any]:
    """An exclusion, whose events may be steps too."""
    from_step = 0 if order == "unordered" else draw(st.integers(0, steps - 2))
    to_step = steps - 1 if order == "unordered" else draw(st.integers(from_step + 1, steps - 1))
    return {**draw(matching()), "from_step": from_step, "to_step": to_step}


@st.composite
def funnel_breakdowns(draw: DrawFn, order: str, steps: int) -> dict[str, Any]:
    """A breakdown with each attribution that the order allows."""
    attributions = ["first_touch", "last_touch", "all_events", *([] if order == "unordered" else ["step", "step"])]
    found: dict[str, Any] = {
        "property": draw(st.sampled_from(["plan", "n", "x`y"])),
        "attribution": draw(st.sampled_from(attributions)),
        "limit": draw(st.integers(1, 3)),
    }
    if found["attribution"] == "step":
        found["step"] = draw(st.integers(0, steps - 1))
    return found
