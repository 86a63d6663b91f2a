"""The same answers by brute force: plain loops over events, written from the meaning of each question.

Slow on purpose, and without SQL. It shares the query documents with the service, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from footfall_query.documents import Question
from footfall_query.filters import AllOf, AnyOf, Filter
from footfall_query.insights.funnels import FunnelBreakdown, FunnelQuery
from footfall_query.insights.lifecycle import LifecycleQuery
from footfall_query.insights.paths import PathsQuery
from footfall_query.insights.retention import RetentionQuery
from footfall_query.insights.stickiness import StickinessQuery
from footfall_query.insights.trends import Series, TrendsQuery
from footfall_query.matching import Matching

MILLISECOND = timedelta(milliseconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Event:
    """What happened, to whom, when (UTC)."""

    name: str
    person: str
    at: datetime
    properties: dict[str, Any]
    session: str = ""


@dataclass(frozen=True)
class Asking:
    """The circumstances of a question: the project's zone and first day of the week, and the time it is asked."""

    zone: ZoneInfo
    week_start: str
    now: datetime


Points = list[tuple[dict[str, Any], set[str]]]
"""The points of an answer, and whom each of them counts."""

Evaluated = tuple[dict[str, Any], Points]
"""An answer without `meta`, and its points."""


# --- properties ----------------------------------------------------------------------------------------------


def text_of(value: Any) -> str | None:
    """A property as text: JSON for all but strings. None when it is missing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def number_text(number: float) -> str:
    """The shortest text of a float, without a point when it is whole; powers of ten only when far from 1."""
    if 1e-6 <= abs(number) < 1e21 or number == 0:
        plain = format(Decimal(repr(number)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    digits, _, exponent = repr(number).partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def number_of(value: Any) -> float | None:
    """A property as a number, also when a text holds it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        number = float(value)
        return number if abs(number) != float("inf") else None
    return None


def moment_of(value: Any, zone: ZoneInfo) -> datetime | None:
    """A property as a time: ISO 8601, or Unix seconds or milliseconds."""
    pattern = r"\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
    if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    number = number_of(value)
    if number is not None and 1e8 <= number < 1e14:
        seconds = number if number < 1e11 else number / 1000
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return None


# --- time ----------------------------------------------------------------------------------------------------


def span_of(text: str, asking: Asking) -> tuple[datetime, datetime]:
    """What a date names, its end excluded: ISO dates and times, `-3d` and `-5h`."""
    if found := re.fullmatch(r"-(\d+)h", text):
        instant = asking.now - timedelta(hours=int(found[1]))
        return instant, instant + MILLISECOND
    if found := re.fullmatch(r"-(\d+)d", text):
        day = asking.now.astimezone(asking.zone).date() - int(found[1]) * DAY
        return first_instant(day, asking.zone), first_instant(day + DAY, asking.zone)
    if len(text) == 10:
        day = date.fromisoformat(text)
        return first_instant(day, asking.zone), first_instant(day + DAY, asking.zone)
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=asking.zone)
    return moment.astimezone(UTC), moment.astimezone(UTC) + MILLISECOND


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """The first quarter of an hour in which a clock on the wall shows this date, or a later one."""
    instant = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while instant.astimezone(zone).date() < day:
        instant += timedelta(minutes=15)
    return instant


def range_of(query: Question, interval: str | None, asking: Asking) -> tuple[datetime, datetime]:
    """From when to when events count, the end excluded."""
    start = span_of(query.date_from, asking)[0]
    if query.date_to is not None:
        end = span_of(query.date_to, asking)[1]
    elif interval in ("minute", "hour") or query.date_from.endswith("h"):
        end = asking.now + MILLISECOND
    else:
        end = first_instant(asking.now.astimezone(asking.zone).date() + DAY, asking.zone)
    if interval == "hour":
        last = (end - MILLISECOND).astimezone(asking.zone)
        until = (60 - last.minute) * 60 - last.second
        end = max(end, last.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=until))
    if interval == "month":
        start = first_instant(start.astimezone(asking.zone).date().replace(day=1), asking.zone)
    return start, end


def bucket_of(instant: datetime, interval: str, asking: Asking) -> tuple[Any, ...]:
    """What a wall clock and calendar say of an instant, down to the interval. Clocks change, so their offset
    from UTC is part of it below a day."""
    local = instant.astimezone(asking.zone)
    if interval == "minute":
        return local.date(), local.hour, local.minute, local.utcoffset()
    if interval == "hour":
        return local.date(), local.hour, local.utcoffset()
    day = local.date()
    if interval == "week":
        while day.strftime("%A").lower() != asking.week_start:
            day -= DAY
    return (day.replace(day=1),) if interval == "month" else (day,)


def label_of(bucket: tuple[Any, ...], seen: datetime, interval: str, asking: Asking) -> str:
    """The first instant of the bucket that `seen` lies in, as the local clock shows it."""
    if interval in ("minute", "hour"):
        first = seen.replace(second=0, microsecond=0)
        while bucket_of(first - timedelta(minutes=1), interval, asking) == bucket:
            first -= timedelta(minutes=1)
    else:
        first = first_instant(bucket[0], asking.zone)
    label = first.astimezone(asking.zone).isoformat()
    return label.replace("+00:00", "Z")


def buckets_between(start: datetime, end: datetime, interval: str, asking: Asking) -> dict[tuple[Any, ...], str]:
    """Every bucket with an instant in the range, and its label, in order."""
    step = timedelta(minutes=1 if interval == "minute" else 15)
    found: dict[tuple[Any, ...], str] = {}
    instant = start
    while instant < end:
        bucket = bucket_of(instant, interval, asking)
        if bucket not in found:
            found[bucket] = label_of(bucket, instant, interval, asking)
        instant += step
    last = bucket_of(end - MILLISECOND, interval, asking)
    found.setdefault(last, label_of(last, end - MILLISECOND, interval, asking))
    return found


# --- filters -------------------------------------------------------------------------------------------------


def passes(event: Event, filters: Sequence[Any], asking: Asking) -> bool:
    """Whether the event passes all of the filters."""
    return all(passes_one(event, node, asking) for node in filters)


def passes_one(event: Event, node: Any, asking: Asking) -> bool:
    if isinstance(node, AnyOf):
        return any(passes_one(event, inner, asking) for inner in node.any)
    if isinstance(node, AllOf):
        return all(passes_one(event, inner, asking) for inner in node.all)
    assert isinstance(node, Filter)
    value = event.properties.get(node.property)
    values = node.value if isinstance(node.value, list) else [node.value]
    negative = {
        "is_not": "exact",
        "not_icontains": "icontains",
        "not_regex": "regex",
        "is_not_set": "is_set",
    }.get(node.operator)
    if negative:
        return not holds(negative, value, values, asking)
    if node.operator == "not_between":
        return value is None or (number_of(value) is not None and not holds("between", value, values, asking))
    return holds(node.operator, value, values, asking)


def holds(operator: str, value: Any, values: Sequence[Any], asking: Asking) -> bool:
    """Whether a property's value does what a positive operator wants."""
    if operator == "is_set":
        return value is not None
    if value is None:
        return False
    text, number = text_of(value), number_of(value)
    assert text is not None
    if operator == "exact":
        return text in [text_of(wanted) for wanted in values]
    if operator == "icontains":
        return any(str(text_of(wanted)).lower() in text.lower() for wanted in values)
    if operator == "regex":
        return any(re.search(wanted, text, re.DOTALL) for wanted in values)
    if operator == "between":
        low, high = (float(wanted) for wanted in values)
        return number is not None and low <= number <= high
    if operator.startswith("is_date"):
        moment = moment_of(value, asking.zone)
        return moment is not None and any(on_date(operator, moment, wanted, asking) for wanted in values)
    compare: Callable[[float, float], bool] = {
        "gt": lambda mine, other: mine > other,
        "gte": lambda mine, other: mine >= other,
        "lt": lambda mine, other: mine < other,
        "lte": lambda mine, other: mine <= other,
    }[operator]
    return number is not None and any(compare(number, float(wanted)) for wanted in values)


def on_date(operator: str, moment: datetime, wanted: str, asking: Asking) -> bool:
    start, end = span_of(wanted, asking)
    if operator == "is_date_before":
        return moment < start
    return moment >= end if operator == "is_date_after" else start <= moment < end


# --- trends --------------------------------------------------------------------------------------------------


ACTIVE_DAYS = {"weekly_active_users": 7, "monthly_active_users": 30}


def math_of(math: str, property: str | None, events: Sequence[Event]) -> float:
    """One number for some events; 0 for none."""
    if math in ("total", "first_time_users"):
        return len(events)
    if math in ("unique_users", *ACTIVE_DAYS):
        return len({event.person for event in events})
    if math == "unique_sessions":
        return len({event.session for event in events if event.session})
    assert property is not None
    numbers = sorted(n for event in events if (n := number_of(event.properties.get(property))) is not None)
    if not numbers:
        return 0
    if math in ("sum", "min", "max"):
        return {"sum": sum, "min": min, "max": max}[math](numbers)
    if math == "avg":
        return sum(numbers) / len(numbers)
    share = {"median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}[math]
    position = share * (len(numbers) - 1)
    below = int(position)
    above = min(below + 1, len(numbers) - 1)
    return numbers[below] + (numbers[above] - numbers[below]) * (position - below)


def counts_in(math: str, property: str | None, event: Event) -> bool:
    """Whether a math looks at the event: that it has a session, or a number."""
    if math == "unique_sessions":
        return event.session != ""
    return property is None or number_of(event.properties.get(property)) is not None


@dataclass(frozen=True)
class Counted:
    """The events that a series counts in a period, by bucket, and those that its total is about."""

    series: Series
    buckets: list[list[Event]]
    total: list[Event]

    def only(self, chosen: Callable[[Event], bool]) -> Counted:
        """The same for some of the events."""
        return Counted(self.series, [[*filter(chosen, each)] for each in self.buckets], [*filter(chosen, self.total)])

    def numbers(self) -> tuple[list[float], float]:
        """The math for each bucket, and in all."""
        data = [math_of(self.series.math, self.series.math_property, events) for events in self.buckets]
        return data, math_of(self.series.math, self.series.math_property, self.total)

    def persons(self) -> list[set[str]]:
        """Whose events are counted in each bucket, and last those of the total."""
        math, property = self.series.math, self.series.math_property
        return [{e.person for e in each if counts_in(math, property, e)} for each in [*self.buckets, self.total]]


def evaluate_trends(query: TrendsQuery, events: Sequence[Event], asking: Asking) -> Evaluated:
    periods = [range_of(query, query.interval, asking)]
    if query.compare is not None:
        periods.append(range_before(query, *periods[0], asking))
    labels = [[*buckets_between(start, end, query.interval, asking).values()] for start, end in periods]
    letters = re.findall("[A-Z]", query.formula.upper() if query.formula else "")
    asked = [index for index in range(len(query.series)) if query.formula is None or "ABCDEFG"[index] in letters]
    lines: list[dict[str, Any]] = []
    points: Points = []
    for together in [asked] if query.formula else [[index] for index in asked]:
        found = [[count(query, query.series[n], events, *period, asking) for n in together] for period in periods]
        for value, chosen in groups_of(query, [counted for each in found for counted in each]):
            for number, each in enumerate(found):
                numbers = [counted.only(chosen).numbers() for counted in each]
                data, total = numbers[0]
                if query.formula is not None:
                    names = ["ABCDEFG"[n] for n in together]
                    data = [
                        calculate(query.formula, dict(zip(names, each, strict=True)))
                        for each in zip(*(mine[0] for mine in numbers), strict=True)
                    ]
                    total = calculate(query.formula, dict(zip(names, [mine[1] for mine in numbers], strict=True)))
                series = query.series[together[0]]
                lines.append(
                    {
                        "index": 0 if query.formula else together[0],
                        "name": query.formula or series.name or series.event or "All events",
                        "event": None if query.formula else series.event,
                        "breakdown_value": value,
                        "compare": query.compare if number else None,
                        "data": [*data, *[0] * len(labels[0])][: len(labels[0])],
                        "total": total,
                    }
                )
                if query.formula is None:
                    line = {name: lines[-1][name] for name in ("index", "breakdown_value", "compare")}
                    (counted,) = each
                    points += [
                        ({**line, "bucket": bucket}, persons)
                        for bucket, persons in zip([*labels[number], None], counted.only(chosen).persons(), strict=True)
                        if bucket is None or bucket in labels[number][: len(labels[0])]
                    ]
    answer = {"interval": query.interval, "timezone": asking.zone.key, "buckets": labels[0], "series": lines}
    return answer | ({"compare_buckets": labels[1]} if query.compare else {}), points


def calculate(formula: str, values: dict[str, float]) -> float:
    """Python's own arithmetic, in which what is divided by zero is 0."""

    class Number(float):
        def __truediv__(self, other: float) -> Number:
            return Number(float(self) / float(other) if other else 0)

        def __add__(self, other: float) -> Number:
            return Number(float(self) + float(other))

        def __sub__(self, other: float) -> Number:
            return Number(float(self) - float(other))

        def __mul__(self, other: float) -> Number:
            return Number(float(self) * float(other))

        def __neg__(self) -> Number:
            return Number(-float(self))

    wrapped = re.sub(r"[0-9.]+", r"Number(\g<0>)", formula.upper())
    names = {letter: Number(value) for letter, value in values.items()}
    return float(eval(wrapped, {"Number": Number, **names}))


def count(
    query: TrendsQuery, series: Series, events: Sequence[Event], start: datetime, end: datetime, asking: Asking
) -> Counted:
    """What a series counts from `start` to `end`."""
    labels = buckets_between(start, end, query.interval, asking)
    matching = [
        event
        for event in events
        if event.at < end
        and series.event in (None, event.name)
        and passes(event, [*query.filters, *series.filters], asking)
    ]
    if series.math in ACTIVE_DAYS:
        return count_active(query, series, matching, labels, start, end, asking)
    if series.math == "first_time_users":
        firsts: dict[str, Event] = {}
        for event in sorted(matching, key=lambda event: (event.at, *absent_last(value_of(query, event)))):
            firsts.setdefault(event.person, event)
        matching = list(firsts.values())
    total = [event for event in matching if event.at >= start]
    buckets = [[e for e in total if bucket_of(e.at, query.interval, asking) == bucket] for bucket in labels]
    if query.cumulative:
        buckets = [[event for each in buckets[: at + 1] for event in each] for at in range(len(buckets))]
    return Counted(series, buckets, total)


def count_active(
    query: TrendsQuery,
    series: Series,
    matching: Sequence[Event],
    labels: dict[tuple[Any, ...], str],
    start: datetime,
    end: datetime,
    asking: Asking,
) -> Counted:
    """Buckets that look back: whole days before a day, hours before a shorter bucket; weeks and months do not."""
    days = ACTIVE_DAYS[series.math] * DAY

    def day_of(instant: datetime) -> date:
        return instant.astimezone(asking.zone).date()

    if query.interval in ("minute", "hour"):
        length = timedelta(minutes=1 if query.interval == "minute" else 60)
        ends = [datetime.fromisoformat(label) for label in [*labels.values()][1:]]
        last = (end - MILLISECOND).astimezone(asking.zone)
        passed = timedelta(minutes=0 if query.interval == "minute" else last.minute, seconds=last.second)
        ends.append(last.replace(microsecond=0).astimezone(UTC) - passed + length)
        buckets = [[event for event in matching if until - days <= event.at < until] for until in ends]
        return Counted(series, buckets, buckets[-1])
    if query.interval == "day":
        buckets = [[e for e in matching if bucket - days < day_of(e.at) <= bucket] for (bucket,) in labels]
    else:
        inside = [event for event in matching if event.at >= start]
        buckets = [[e for e in inside if bucket_of(e.at, query.interval, asking) == bucket] for bucket in labels]
    last_day = day_of(end - MILLISECOND)
    return Counted(series, buckets, [event for event in matching if last_day - days < day_of(event.at) <= last_day])


def value_of(query: TrendsQuery, event: Event) -> str | None:
    """The breakdown's value. An empty text is as good as none."""
    return None if query.breakdown is None else text_of(event.properties.get(query.breakdown.property)) or None


def absent_last(value: str | None) -> tuple[bool, bytes]:
    return value is None, (value or "").encode()


def groups_of(query: TrendsQuery, found: Sequence[Counted]) -> list[tuple[str | None, Callable[[Event], bool]]]:
    """The lines of a breakdown: the values with the largest numbers, then none, then the rest; and whose events."""
    if query.breakdown is None:
        return [(None, lambda event: True)]
    seen = [event for counted in found for each in [*counted.buckets, counted.total] for event in each]
    values = {value for event in seen if (value := value_of(query, event)) is not None}

    def rank(value: str) -> tuple[Any, ...]:
        return *(-counted.only(lambda e: value_of(query, e) == value).numbers()[1] for counted in found), value.encode()

    ranked = sorted(values, key=rank)
    top, rest = ranked[: query.breakdown.limit], ranked[query.breakdown.limit :]
    groups: list[tuple[str | None, Callable[[Event], bool]]] = []
    for value in top:
        groups.append((value, lambda event, value=value: value_of(query, event) == value))
    if any(value_of(query, event) is None for event in seen):
        groups.append((None, lambda event: value_of(query, event) is None))
    if rest:
        groups.append(("$other", lambda event: value_of(query, event) in rest))
    return groups


def range_before(query: TrendsQuery, start: datetime, end: datetime, asking: Asking) -> tuple[datetime, datetime]:
    """The range to compare with, the end excluded."""
    first, last = (instant.astimezone(asking.zone).date() for instant in (start, end - MILLISECOND))
    compare = query.compare or ""
    relative = re.fullmatch(r"-(\d+)([hdwmqyM])", query.date_from if query.date_to is None else "")
    if compare == "previous_period" and relative and query.interval != "month":
        compare = query.date_from
    clock = query.interval in ("minute", "hour")
    if compare == "previous_period":
        whole = first_instant(first, asking.zone) == start and first_instant(last + DAY, asking.zone) == end
        if clock and not whole:
            return start - (end - start), start
        days = (last - first).days + 1
        if query.interval == "month":
            compare = f"-{(last.year - first.year) * 12 + last.month - first.month + 1}m"
        else:
            compare = f"-{-(-days // 7) * 7 if query.interval == 'week' else days}d"
    count, unit = int(compare[1:-1]), compare[-1]
    if unit in "hM" and clock:
        moved = timedelta(hours=count) if unit == "h" else timedelta(minutes=count)
        return start - moved, end - moved
    if unit in "hM":
        count, unit = max(count * (3600 if unit == "h" else 60) // 86400, 1), "d"
    if query.interval == "month":
        return tuple(moved_to(instant, day_before(instant, count, unit, asking), asking) for instant in (start, end))  # type: ignore[return-value]
    days = (first - day_before(start, count, unit, asking)).days
    if query.interval == "week":
        days = max(round(days / 7), 1) * 7
    begin = moved_to(start, first - days * DAY, asking)
    if clock:
        return begin, begin + (end - start)
    return begin, moved_to(end, end.astimezone(asking.zone).date() - days * DAY, asking)


def day_before(instant: datetime, count: int, unit: str, asking: Asking) -> date:
    """The local day that much earlier, or the last day of a shorter month."""
    day = instant.astimezone(asking.zone).date()
    if unit in "dw":
        return day - count * (7 if unit == "w" else 1) * DAY
    months = day.year * 12 + day.month - 1 - count * {"m": 1, "q": 3, "y": 12}[unit]
    for number in range(day.day, 0, -1):
        try:
            return date(months // 12, months % 12 + 1, number)
        except ValueError:
            continue
    raise AssertionError


def moved_to(instant: datetime, day: date, asking: Asking) -> datetime:
    """The same time by the clocks on another day."""
    local = instant.astimezone(asking.zone)
    if first_instant(local.date(), asking.zone) == instant:
        return first_instant(day, asking.zone)
    return datetime.combine(day, local.time(), asking.zone).astimezone(UTC)


# --- retention, lifecycle, stickiness -------------------------------------------------------------------------


def is_of(event: Event, wanted: Matching, asking: Asking) -> bool:
    return wanted.event in (None, event.name) and passes(event, wanted.filters, asking)


def whole_buckets(
    start: datetime, end: datetime, interval: str, asking: Asking
) -> tuple[list[tuple[Any, ...]], list[str]]:
    """The buckets of a range, the first one from its beginning on, and their labels."""
    while bucket_of(start - timedelta(minutes=1), interval, asking) == bucket_of(start, interval, asking):
        start -= timedelta(minutes=1)
    found = buckets_between(start, end, interval, asking)
    return [*found], [*found.values()]


def evaluate_retention(query: RetentionQuery, events: Sequence[Event], asking: Asking) -> Evaluated:
    start, end = range_of(query, query.period, asking)
    cohorts, labels = whole_buckets(start, end, query.period, asking)
    longest = {"hour": timedelta(hours=1), "day": 26 * DAY / 24, "week": 8 * DAY, "month": 31 * DAY}[query.period]
    horizon = max([end, *(event.at for event in events)]) + (query.periods + 1) * longest
    everything, _ = whole_buckets(start, horizon, query.period, asking)
    number = {bucket: at for at, bucket in enumerate(everything)}
    passing = [event for event in sorted(events, key=lambda e: e.at) if passes(event, query.filters, asking)]
    cells: list[list[set[str]]] = [[set() for _ in range(query.periods)] for _ in cohorts]
    for person in {event.person for event in passing}:
        mine = [event for event in passing if event.person == person]
        starts = [event for event in mine if is_of(event, query.start, asking)]
        if query.mode == "first_time":
            starts = starts[:1]
        begun = {number.get(bucket_of(event.at, query.period, asking)) for event in starts if event.at < end}
        returned = {
            number[bucket]
            for event in mine
            if is_of(event, query.return_, asking) and (bucket := bucket_of(event.at, query.period, asking)) in number
        }
        for cohort in begun - {None}:
            assert cohort is not None
            for later in range(query.periods):
                due = cohort + later
                back = any(seen >= due for seen in returned) if query.cumulative else due in returned
                if later == 0 or back:
                    cells[cohort][later].add(person)
    values = [[len(persons) for persons in row] for row in cells]
    return {
        "period": query.period,
        "timezone": asking.zone.key,
        "cohorts": [{"date": label, "size": row[0], "values": row} for label, row in zip(labels, values, strict=True)],
    }, [
        ({"date": label, "period": period}, persons)
        for label, row in zip(labels, cells, strict=True)
        for period, persons in enumerate(row)
    ]


def evaluate_lifecycle(query: LifecycleQuery, events: Sequence[Event], asking: Asking) -> Evaluated:
    start, end = range_of(query, query.interval, asking)
    buckets, labels = whole_buckets(start, end, query.interval, asking)
    first = datetime.fromisoformat(labels[0]).astimezone(UTC)
    before = bucket_of(first - MILLISECOND, query.interval, asking)
    states = ("new", "returning", "resurrecting", "dormant")
    found: dict[str, list[set[str]]] = {state: [set() for _ in buckets] for state in states}
    known = [event for event in events if event.at < end]
    for person in {event.person for event in known}:
        mine = sorted((event for event in known if event.person == person), key=lambda event: event.at)
        born = bucket_of(mine[0].at, query.interval, asking)
        active = {
            bucket_of(event.at, query.interval, asking)
            for event in mine
            if query.event in (None, event.name) and passes(event, query.filters, asking)
        }
        for at, bucket in enumerate(buckets):
            earlier = (buckets[at - 1] if at else before) in active
            if bucket in active:
                state = "new" if bucket == born else "returning" if earlier else "resurrecting"
                found[state][at].add(person)
            elif earlier:
                found["dormant"][at].add(person)
    numbers = {
        state: [-len(persons) if state == "dormant" else len(persons) for persons in found[state]] for state in states
    }
    return {"interval": query.interval, "timezone": asking.zone.key, "buckets": labels, **numbers}, [
        ({"bucket": label, "state": state}, persons)
        for state in states
        for label, persons in zip(labels, found[state], strict=True)
    ]


def evaluate_stickiness(query: StickinessQuery, events: Sequence[Event], asking: Asking) -> Evaluated:
    start, end = range_of(query, query.interval, asking)
    intervals = list(range(1, len(buckets_between(start, end, query.interval, asking)) + 1))
    series = []
    points: Points = []
    for index, one in enumerate(query.series):
        active: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
        for event in events:
            if start <= event.at < end and is_of(event, one, asking) and passes(event, query.filters, asking):
                active[event.person].add(bucket_of(event.at, query.interval, asking))
        days = {person: len(each) for person, each in active.items()}
        found = [{p for p, n in days.items() if (n >= k if query.cumulative else n == k)} for k in intervals]
        points += [({"index": index, "intervals": k}, persons) for k, persons in zip(intervals, found, strict=True)]
        counts = [len(persons) for persons in found]
        series.append(
            {"index": index, "name": one.name or one.event or "All events", "event": one.event, "counts": counts}
        )
    return {
        "interval": query.interval,
        "timezone": asking.zone.key,
        "intervals": intervals,
        "series": series,
    }, points


# --- paths ---------------------------------------------------------------------------------------------------


def node_of(event: Event) -> str:
    """What a path shows of an event."""
    url, screen = (event.properties.get(name) for name in ("$current_url", "$screen_name"))
    if event.name == "$pageview" and isinstance(url, str) and url:
        path = re.sub(r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*", "", url).split("?")[0].split("#")[0]
        return (path[:-1] if path.endswith("/") and path != "/" else path) or "/"
    return screen if event.name == "$screen" and isinstance(screen, str) and screen else event.name


def evaluate_paths(query: PathsQuery, events: Sequence[Event], asking: Asking) -> Evaluated:
    start, end = range_of(query, None, asking)
    visits: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for event in events:
        kind = event.name if event.name in ("$pageview", "$screen") else "custom_event"
        included = kind in query.include and (kind != "custom_event" or not event.name.startswith("$"))
        counts = start <= event.at < end and included and passes(event, query.filters, asking)
        if counts and node_of(event) not in query.exclude:
            visits[event.person].append((event.at, node_of(event)))
    taken: dict[tuple[int, str, str], list[float]] = defaultdict(list)
    links: dict[tuple[str, str], set[str]] = defaultdict(set)
    nodes: dict[str, set[str]] = defaultdict(set)
    for person, mine in visits.items():
        for path in paths_of(query, sorted(mine, key=lambda visit: (visit[0], visit[1].encode()))):
            for position, (one, other) in enumerate(pairwise(path), 1):
                taken[position, one[1], other[1]].append((other[0] - one[0]).total_seconds())
                source, target = f"{position}_{one[1]}", f"{position + 1}_{other[1]}"
                for persons in (links[source, target], nodes[source], nodes[target]):
                    persons.add(person)
    ranked = sorted(taken, key=lambda link: (-len(taken[link]), link[0], link[1].encode(), link[2].encode()))
    return {
        "links": [
            {
                "source": f"{position}_{source}",
                "target": f"{position + 1}_{target}",
                "count": len(taken[position, source, target]),
                "avg_seconds": sum(taken[position, source, target]) / len(taken[position, source, target]),
            }
            for position, source, target in ranked
            if len(taken[position, source, target]) >= (query.min_weight or 1)
        ][: query.max_links]
    }, [
        *(({"source": source, "target": target}, persons) for (source, target), persons in links.items()),
        *(({"node": node}, persons) for node, persons in nodes.items()),
    ]


def paths_of(query: PathsQuery, visits: Sequence[tuple[datetime, str]]) -> list[list[tuple[datetime, str]]]:
    """A person's paths, each cut to what the question is about."""
    paths: list[list[tuple[datetime, str]]] = []
    last: tuple[datetime, str] | None = None
    for visit in visits:
        if last is None or visit[0] - last[0] > timedelta(minutes=30):
            paths.append([visit])
        elif visit[1] != last[1]:
            paths[-1].append(visit)
        last = visit
    found = []
    for path in paths:
        nodes = [node for _, node in path]
        if query.start is not None:
            if query.start not in nodes:
                continue
            path, nodes = path[nodes.index(query.start) :], nodes[nodes.index(query.start) :]
        if query.end is not None:
            after = 0 if query.start is None else 1
            if query.end not in nodes[after:]:
                continue
            path = path[: nodes.index(query.end, after) + 1]
        found.append(path[-query.steps :] if query.end is not None and query.start is None else path[: query.steps])
    return found


# --- funnels -------------------------------------------------------------------------------------------------

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000}


Journey = list[datetime]
"""When a person did each step, as far as they came."""

Journeys = list[tuple[str, Journey]]
"""Persons with their journeys; with several values, a person may be there several times."""


@dataclass(frozen=True)
class Attempt:
    """A journey, and whether an exclusion came between."""

    journey: Journey
    is_spoilt: bool


def evaluate_funnel(query: FunnelQuery, events: Sequence[Event], asking: Asking) -> Evaluated:
    start, end = range_of(query, query.interval if query.view == "trend" else None, asking)
    by_person: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if start <= event.at < end:
            by_person[event.person].append(event)
    people = {person: FunnelEvents(query, mine, asking) for person, mine in by_person.items()}
    journeys = [(person, journey) for person, mine in people.items() if (journey := best_of(mine.attempts()))]
    points: Points = step_points(query, journeys)
    answer: dict[str, Any] = {"steps": funnel_steps(query, journeys), "breakdown": None}
    if query.breakdown is not None:
        values = funnel_values(query, people)
        answer["breakdown"] = [{"value": value, "steps": funnel_steps(query, each)} for value, each in values]
        for value, each in values:
            points += [({**point, "breakdown_value": value}, who) for point, who in step_points(query, each)]
    if query.view == "time_to_convert":
        answer["time_to_convert"], bins = histogram(query, [each for each in journeys if did_all(query, each[1])])
        points += [({"bin": number}, persons) for number, persons in enumerate(bins)]
    if query.view == "trend":
        answer["trend"], buckets = funnel_trend(query, people, start, end, asking)
        points += buckets
    return answer, points


def did_all(query: FunnelQuery, journey: Journey) -> bool:
    return len(journey) == len(query.steps)


def step_points(query: FunnelQuery, journeys: Journeys) -> Points:
    """Who reached each step, and who reached none after it."""
    points: Points = []
    for index in range(len(query.steps)):
        points.append(({"index": index}, {person for person, journey in journeys if len(journey) > index}))
        if index < len(query.steps) - 1:
            dropped = {person for person, journey in journeys if len(journey) == index + 1}
            points.append(({"index": index, "outcome": "dropped"}, dropped))
    return points


def funnel_steps(query: FunnelQuery, everybody: Journeys) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    journeys = [journey for _, journey in everybody]
    for index, step in enumerate(query.steps):
        reached = [journey for journey in journeys if len(journey) > index]
        seconds = [(journey[index] - journey[index - 1]).total_seconds() for journey in reached] if index else []
        before = steps[-1]["count"] if index else len(reached)
        steps.append(
            {
                "index": index,
                "name": step.name or step.event or "Any event",
                "event": step.event,
                "count": len(reached),
                "conversion": len(reached) / len(journeys) if journeys else 0,
                "step_conversion": len(reached) / before if before else 0,
                "avg_seconds": sum(seconds) / len(seconds) if seconds else None,
                "median_seconds": median(seconds) if seconds else None,
            }
        )
    return steps


def funnel_values(query: FunnelQuery, people: dict[str, FunnelEvents]) -> list[tuple[str | None, Journeys]]:
    """Who counts under each value of the breakdown."""
    assert query.breakdown is not None
    journeys: dict[str | None, Journeys] = defaultdict(list)
    for person, mine in people.items():
        for value, journey in mine.by_value(query.breakdown):
            if journey:
                journeys[value].append((person, journey))
    missing = journeys.pop(None, [])
    ranked = sorted(
        journeys.items(),
        key=lambda item: (
            -sum(did_all(query, journey) for _, journey in item[1]),
            -len(item[1]),
            str(item[0]).encode(),
        ),
    )
    found: list[tuple[str | None, Journeys]] = [*ranked[: query.breakdown.limit]]
    if missing:
        found.append((None, missing))
    if rest := [journey for _, each in ranked[query.breakdown.limit :] for journey in each]:
        found.append(("$other", rest))
    return found


def histogram(query: FunnelQuery, journeys: Journeys) -> tuple[dict[str, Any], list[set[str]]]:
    times = [(journey[-1] - journey[0]) // MILLISECOND for _, journey in journeys]
    if not times:
        return {"avg_seconds": None, "median_seconds": None, "bins": []}, []
    shortest, longest = min(times), max(times)
    count = query.bins or next(n for n in range(1, 61) if n**3 >= len(times) or n == 60)
    if shortest == longest:
        count = 1
    edges = [shortest + (longest - shortest) * number / count for number in range(count + 1)]
    bins: list[set[str]] = [set() for _ in range(count)]
    for took, (person, _) in zip(times, journeys, strict=True):
        bins[min(count - 1, (took - shortest) * count // max(longest - shortest, 1))].add(person)
    return {
        "avg_seconds": sum(times) / len(times) / 1000,
        "median_seconds": median(times) / 1000,
        "bins": [
            {"from_seconds": edges[n] / 1000, "to_seconds": edges[n + 1] / 1000, "count": len(bins[n])}
            for n in range(count)
        ],
    }, bins


def funnel_trend(
    query: FunnelQuery, people: dict[str, FunnelEvents], start: datetime, end: datetime, asking: Asking
) -> Evaluated:
    interval = query.interval or "day"
    buckets = buckets_between(start, end, interval, asking)
    who: dict[tuple[Any, ...], dict[str, set[str]]] = {
        bucket: {"entered": set(), "converted": set(), "dropped": set()} for bucket in buckets
    }
    for person, mine in people.items():
        attempts = mine.attempts()
        for bucket in {bucket_of(attempt.journey[0], interval, asking) for attempt in attempts}:
            best = best_of([each for each in attempts if bucket_of(each.journey[0], interval, asking) == bucket])
            if best:
                who[bucket]["entered"].add(person)
                who[bucket]["converted" if did_all(query, best) else "dropped"].add(person)
    entered, converted = ({b: len(who[b][outcome]) for b in buckets} for outcome in ("entered", "converted"))
    return {
        "interval": interval,
        "timezone": asking.zone.key,
        "buckets": [*buckets.values()],
        "entered": [*entered.values()],
        "converted": [*converted.values()],
        "conversion": [converted[bucket] / entered[bucket] if entered[bucket] else 0 for bucket in buckets],
    }, [
        ({"bucket": label, "outcome": outcome}, persons)
        for bucket, label in buckets.items()
        for outcome, persons in who[bucket].items()
    ]


def best_of(attempts: Sequence[Attempt]) -> Journey:
    """The furthest attempt, if one of these is not spoilt: the first to get there, and of these the latest to begin.
    Nothing if there is none."""
    furthest = max((len(attempt.journey) for attempt in attempts), default=0)
    best = [each.journey for each in attempts if len(each.journey) == furthest and not each.is_spoilt]
    return min(best, key=lambda journey: (journey[-1], -journey[0].timestamp(), journey), default=[])


class FunnelEvents:
    """One person's events in the range, and every way through them."""

    def __init__(self, query: FunnelQuery, events: Sequence[Event], asking: Asking) -> None:
        self.query = query
        self.asking = asking
        self.events = sorted(events, key=lambda event: event.at)
        self.window = timedelta(seconds=query.window.value * UNITS[query.window.unit])
        self.matching = [[event for event in self.events if self.counts(event, step)] for step in query.steps]
        self.excluded = [[event for event in self.events if self.counts(event, each)] for each in query.exclusions]

    def counts(self, event: Event, wanted: Matching) -> bool:
        return is_of(event, wanted, self.asking) and passes(event, self.query.filters, self.asking)

    def by_value(self, breakdown: FunnelBreakdown) -> Iterator[tuple[str | None, Journey]]:
        """The person's journey for each value that they have."""

        def value_of(event: Event) -> str | None:
            return text_of(event.properties.get(breakdown.property)) or None

        if breakdown.attribution == "all_events":
            for value in {value_of(event) for event in self.events}:
                mine = [event for event in self.events if value_of(event) == value]
                yield value, best_of(FunnelEvents(self.query, mine, self.asking).attempts())
        elif breakdown.attribution == "step":
            number = breakdown.step or 0
            for value in {value_of(event) for event in self.matching[number]}:
                mine = FunnelEvents(self.query, self.events, self.asking)
                mine.matching[number] = [event for event in self.matching[number] if value_of(event) == value]
                journey = best_of(mine.attempts())
                yield value, journey if len(journey) > number else []
        else:
            touched = {
                (event.at, value.encode()): value
                for each in self.matching
                for event in each
                if (value := value_of(event)) is not None
            }
            pick = min if breakdown.attribution == "first_touch" else max
            yield touched[pick(touched)] if touched else None, best_of(self.attempts())

    def attempts(self) -> list[Attempt]:
        if self.query.order == "unordered":
            return [Attempt(self.unordered_from(first), False) for first in self.events if self.is_step(first)]
        found = []
        for first in self.matching[0]:
            journeys = [[event.at for event in chain] for chain in self.chains([first])]
            furthest = max((len(journey) for journey in journeys), default=0)
            best = [journey for journey in journeys if len(journey) == furthest]
            if self.query.order == "ordered":
                best = [min(best)]  # an attempt takes each step as soon as it can
            found += [Attempt(journey, self.is_spoilt(journey)) for journey in best]
        return found

    def chains(self, taken: list[Event]) -> Iterator[list[Event]]:
        """Every way to go on from here, and staying here."""
        if self.query.order == "strict" and not self.is_unbroken(taken):
            return
        yield taken
        if len(taken) < len(self.query.steps):
            for event in self.matching[len(taken)]:
                unused = all(event is not other for other in taken)
                if unused and taken[-1].at <= event.at <= taken[0].at + self.window:
                    yield from self.chains([*taken, event])

    def is_unbroken(self, taken: Sequence[Event]) -> bool:
        """Whether no other event lies between. Others at the time of the first may come before, at the last after."""
        return all(
            any(event is other for other in taken) for event in self.events if taken[0].at < event.at < taken[-1].at
        )

    def is_spoilt(self, journey: Journey) -> bool:
        """Whether an excluded event came after one step and before another, or before the window was over."""
        for exclusion, events in zip(self.query.exclusions, self.excluded, strict=True):
            if len(journey) <= exclusion.from_step:
                continue
            after, reached = journey[exclusion.from_step], len(journey) > exclusion.to_step
            for event in events:
                if reached and after < event.at < journey[exclusion.to_step]:
                    return True
                if not reached and after < event.at <= journey[0] + self.window:
                    return True
        return False

    def is_step(self, event: Event) -> bool:
        return any(event is other for each in self.matching for other in each)

    def unordered_from(self, first: Event) -> Journey:
        """Takes every event that adds a step, until the window is over or an exclusion comes."""
        end = min([first.at + self.window, *(x.at for each in self.excluded for x in each if x.at > first.at)])
        taken: list[Event] = []
        for event in [first, *(event for event in self.events if event is not first)]:
            if first.at <= event.at <= end and self.can_serve([*taken, event], range(len(self.query.steps))):
                taken.append(event)
        return [event.at for event in taken]

    def can_serve(self, events: Sequence[Event], steps: Sequence[int]) -> bool:
        """Whether each of the events can have a step of its own."""
        if not events:
            return True
        return any(
            self.can_serve(events[1:], [other for other in steps if other != step])
            for step in steps
            if any(events[0] is event for event in self.matching[step])
        )


def median(numbers: Sequence[float]) -> float:
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(numbers) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
