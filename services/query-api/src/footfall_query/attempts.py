"""The attempts of each person at a funnel, computed on arrays, one row a person.

A *hit* is an event that matters, as one integer: its time in milliseconds, from 1 on, above the bits of what it is.
Sorted, the hits of a person are their history, and all that follows works on arrays as long as these: no array is
looked into from within another, which would cost the square of their length.

An *attempt* is a tuple of when it reached each step, `NEVER` if it did not; the window is not looked at yet. Events
of one millisecond have no order, so they are taken together as a *moment* where one event may be several steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal

from footfall_query.filters import Filter, equal_texts, same_property
from footfall_query.matching import Matching
from footfall_query.sql import Fragment, all_of, any_of

Order = Literal["ordered", "strict", "unordered"]

MAX_STEPS: Final = 20
MAX_EXCLUSIONS: Final = 10
MAX_OVERLAP: Final = 4
"""Different steps, not known to exclude each other, that are told apart among the events of one millisecond."""
STEP: Final = 1 << MAX_STEPS
"""The bit that steps have and exclusions have not. So an exclusion comes before the steps of its millisecond."""
BITS: Final = MAX_STEPS + 1
NEVER: Final = Fragment("4611686018427387904")


@dataclass(frozen=True, slots=True)
class Between:
    """Where an exclusion counts: after one step and before another, numbered from 1 on."""

    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How the attempts are found: what is told apart, and the steps that an event may match.

    `chosen`: the step, from 0 on, that only some of its events may be (see `without_step`). So it is not the same as
    another step, even if it reads the same.
    """

    steps: Sequence[Matching]
    order: Order
    exclusions: Sequence[Between] = field(default=())
    simple: bool = False
    chosen: int | None = None

    @property
    def count(self) -> int:
        return len(self.steps)


def make_plan(
    steps: Sequence[Matching], order: Order, exclusions: Sequence[Between], chosen: int | None = None
) -> Plan:
    """The cheapest plan: simple if the order counts and no event can be two steps."""
    apart = all(exclude(one, other) for one, other in combinations(steps, 2))
    return Plan(steps, order, exclusions, simple=order == "ordered" and apart, chosen=chosen)


def mark(plan: Plan, conditions: Sequence[Fragment]) -> Fragment:
    """What a step's event is: in a simple plan the number of the step, else a bit for each step that it matches."""
    if plan.simple:
        cases = ", ".join(f"{found}, {number}" for number, found in enumerate(conditions, 1))
        return Fragment(f"{STEP} + multiIf({cases}, 0)")
    return Fragment(f"{STEP} + {mask(conditions)}")


def mask(conditions: Sequence[Fragment]) -> Fragment:
    """A bit for each condition that holds."""
    return Fragment(" + ".join(f"if({found}, {1 << index}, 0)" for index, found in enumerate(conditions)))


def without_step(plan: Plan, number: int, hit: str) -> Fragment:
    """A hit that may not be that step any more; 0 when nothing is left of it."""
    if plan.simple:
        return Fragment(f"if(bitAnd({hit}, {2 * STEP - 1}) = {STEP + number}, 0, {hit})")
    left = f"bitAnd({hit}, bitNot(toUInt64({1 << (number - 1)})))"
    lost = f"bitAnd({hit}, {STEP}) != 0 AND bitAnd({left}, {STEP - 1}) = 0"
    kept = f"if({lost}, 0, {left})" if plan.order != "strict" else left
    return Fragment(f"if(bitAnd({hit}, {STEP}) = 0, {hit}, {kept})")


def is_step(plan: Plan, number: int, hit: str) -> Fragment:
    """Whether a hit is that step."""
    if plan.simple:
        return Fragment(f"bitAnd({hit}, {2 * STEP - 1}) = {STEP + number}")
    return Fragment(f"(bitAnd({hit}, {STEP}) != 0 AND bitAnd({hit}, {1 << (number - 1)}) != 0)")


def attempts(plan: Plan) -> Iterator[str]:
    """Tables that lead from `matched`, with the array `hits`, to `tried`, with the array `attempts`: tuples of times,
    one for each step, then for each exclusion when it first happened after the step that it follows."""
    if plan.order == "unordered":
        yield from _unordered(plan)
    elif plan.simple:
        yield from _simple(plan)
    else:
        yield from _moments(plan)


# --- one step an event ----------------------------------------------------------------------------------------


def _simple(plan: Plan) -> Iterator[str]:
    """From the last step back to the first: at each event that is step k, the attempt goes on with the next event
    that is step k + 1. Events of one millisecond stand in the order of their steps, the best there is."""
    yield f"""read AS (
    SELECT *, arrayMap(hit -> toInt64(bitShiftRight(hit, {BITS})), hits) AS at,
        arrayMap(hit -> if(bitAnd(hit, {STEP}) = 0, 0, bitAnd(hit, {STEP - 1})), hits) AS steps{_next_exclusions(plan)}
    FROM matched
)"""
    last = "read"
    for k in range(plan.count, 0, -1):
        after = plan.count - k
        arrays, names = ["steps", "at"], ["step", "time"]
        if after:
            arrays.append(f"arrayReverseFill(one -> one.1 < {NEVER}, from_{k + 1})")
            names.append("next")
        arrays += [f"next_{e}" for e in _begin_at(plan, k, k)]
        names += [f"next_{e}" for e in _begin_at(plan, k, k)]
        reached = _tuple(plan, k, k, "time", "next")
        yield f"""from_{k} AS (
    SELECT *, arrayMap(({", ".join(names)}) -> if(step = {k}, {reached}, {_nothing(plan, k)}),
        {", ".join(arrays)}) AS from_{k}
    FROM {last}
)"""
        last = f"from_{k}"
    yield f"tried AS (\n    SELECT *, arrayFilter(one -> one.1 < {NEVER}, from_1) AS attempts FROM {last}\n)"


def _next_exclusions(plan: Plan) -> str:
    """For each exclusion and hit, the time of the next one."""
    return "".join(
        f""",
        arrayReverseFill(time -> time < {NEVER}, arrayMap(
            (hit, time) -> if(bitAnd(hit, {STEP}) = 0 AND bitAnd(hit, {1 << e}) != 0, time, {NEVER}), hits, at
        )) AS next_{e}"""
        for e in range(len(plan.exclusions))
    )


def _begin_at(plan: Plan, first: int, last: int) -> list[int]:
    """The exclusions that count from one of these steps on."""
    return [e for e, each in enumerate(plan.exclusions) if first <= each.after <= last]


def _tuple(plan: Plan, k: int, until: int, time: str, following: str) -> str:
    """An attempt that is at steps k to `until` now, and goes on from there as `following` says."""
    later = [f"{following}.{n}" for n in range(1, plan.count - until + 1)]
    known = _begin_at(plan, k, plan.count)
    ahead = _begin_at(plan, until + 1, plan.count)
    excluded = [f"{following}.{len(later) + 1 + ahead.index(e)}" if e in ahead else f"next_{e}" for e in known]
    return f"tuple({', '.join([time] * (until - k + 1) + later + excluded)})"


def _nothing(plan: Plan, k: int) -> str:
    count = plan.count - k + 1 + len(_begin_at(plan, k, plan.count))
    return f"tuple({', '.join([f'toInt64({NEVER})'] * count)})"


# --- moments --------------------------------------------------------------------------------------------------


def _moments(plan: Plan) -> Iterator[str]:
    """From the last step back to the first, over moments: at each, an attempt that has step k ahead goes as far as
    the events there lead, and on from a later moment; if it is strict, from the very next one, and only when no
    event is left over."""
    yield from _split(plan)
    last = "read"
    strict = plan.order == "strict"
    for k in range(plan.count, 1 if strict else 0, -1):
        yield _at_moment(plan, k, last)
        last = f"from_{k}"
    if not strict:
        yield f"tried AS (\n    SELECT *, arrayFilter(one -> one.1 < {NEVER}, from_1) AS attempts FROM {last}\n)"
        return
    # Where an attempt begins, any of the other events may come before it, so how many steps it takes there is open.
    ways = [k for k in range(plan.count, 0, -1) if step_needs(plan.steps, 0, k, plan.chosen) is not None]
    begun = ",\n        ".join(_begun(plan, k) for k in ways)
    yield f"""tried AS (
    SELECT *, arrayFilter(one -> one.1 < {NEVER}, arrayConcat(
        {begun})) AS attempts
    FROM {last}
)"""


def _split(plan: Plan) -> Iterator[str]:
    yield f"""split AS (
    SELECT *, arrayMap(hit -> bitShiftRight(hit, {BITS}), hits) AS times,
        arraySplit((hit, is_new) -> is_new, hits,
            arrayMap((time, last) -> time != last, times, arrayPushFront(arrayPopBack(times), 0))) AS everything
    FROM matched
)"""
    exclusions = "".join(
        f""",
        {
            _later(
                f'''arrayReverseFill(time -> time < {NEVER}, arrayMap((moment, time) -> if(
            arrayExists(hit -> bitAnd(hit, {STEP}) = 0 AND bitAnd(hit, {1 << e}) != 0, moment), time, {NEVER}
        ), everything, at))''',
                f"toInt64({NEVER})",
            )
        } AS next_{e}"""
        for e in range(len(plan.exclusions))
    )
    moments = f"arrayMap(moment -> arrayFilter(hit -> bitAnd(hit, {STEP}) != 0, moment), everything)"
    yield f"""read AS (
    SELECT *, arrayMap(moment -> toInt64(bitShiftRight(moment[1], {BITS})), everything) AS at,
        {moments if plan.exclusions else "everything"} AS moments{exclusions}
    FROM split
)"""


def _later(array: str, end: str) -> str:
    """The array as seen from one place earlier."""
    return f"arrayPushBack(arrayPopFront({array}), {end})"


def _at_moment(plan: Plan, k: int, table: str) -> str:
    cases, arrays, names = [], ["moments", "at"], ["moment", "time"]
    for until in range(plan.count, k - 1, -1):
        needs = step_needs(plan.steps, k - 1, until, plan.chosen)
        if needs is None:
            continue
        going_on = _tuple(plan, k, until, "time", f"next{until + 1}")
        if until < plan.count:
            arrays.append(_following(plan, until + 1))
            names.append(f"next{until + 1}")
            if plan.order == "strict":
                stopped = _stopped(plan, k, until)
                going_on = f"if(length(moment) = {until - k + 1}, {going_on}, {stopped})"
        cases.append(f"{_fulfilled(needs)}, {going_on}")
    known = _begin_at(plan, k, plan.count)
    arrays += [f"next_{e}" for e in known]
    names += [f"next_{e}" for e in known]
    return f"""from_{k} AS (
    SELECT *, arrayMap(({", ".join(names)}) -> multiIf({", ".join(cases)}, {_nothing(plan, k)}),
        {", ".join(arrays)}) AS from_{k}
    FROM {table}
)"""


def _begun(plan: Plan, until: int) -> str:
    """The attempts that take their first steps, up to `until`, in one moment."""
    needs = step_needs(plan.steps, 0, until, plan.chosen)
    assert needs is not None
    arrays, names = ["moments", "at"], ["moment", "time"]
    if until < plan.count:
        arrays.append(_following(plan, until + 1))
        names.append("next")
    known = _begin_at(plan, 1, plan.count)
    arrays += [f"next_{e}" for e in known]
    names += [f"next_{e}" for e in known]
    reached = _tuple(plan, 1, until, "time", "next")
    return (
        f"arrayMap(({', '.join(names)}) -> if({_fulfilled(needs)}, {reached}, {_nothing(plan, 1)}), "
        f"{', '.join(arrays)})"
    )


def _following(plan: Plan, k: int) -> str:
    """How an attempt goes on that has step k ahead after a moment."""
    later = f"from_{k}" if plan.order == "strict" else f"arrayReverseFill(one -> one.1 < {NEVER}, from_{k})"
    return _later(later, _nothing(plan, k))


def _stopped(plan: Plan, k: int, until: int) -> str:
    """An attempt that is at steps k to `until` now and goes no further."""
    times = ["time"] * (until - k + 1) + [f"toInt64({NEVER})"] * (plan.count - until)
    excluded = [
        f"next_{e}" if plan.exclusions[e].after <= until else f"toInt64({NEVER})"
        for e in _begin_at(plan, k, plan.count)
    ]
    return f"tuple({', '.join(times + excluded)})"


def step_needs(steps: Sequence[Matching], j: int, k: int, chosen: int | None = None) -> list[tuple[int, int]] | None:
    """What the events of one moment need so that each of the steps j+1 … k can have its own.

    Pairs of a mask of steps and the number of events that must match one of them: by Hall's theorem the steps
    can be served when this holds for every set of steps. Sets of steps that exclude each other need no look.
    None: too many steps to say.
    """
    needs = []
    for kin in kinships(steps, range(j, k), chosen):
        if len(kin) > MAX_OVERLAP:
            return None
        needs += _unions(kin)
    return needs


def _unions(kin: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Each set of different steps as a mask, and how many steps it has."""
    found = []
    for size in range(1, len(kin) + 1):
        for chosen in combinations(kin, size):
            numbers = [number for alike in chosen for number in alike]
            found.append((sum(1 << number for number in numbers), len(numbers)))
    return found


def kinships(steps: Sequence[Matching], numbers: range, chosen: int | None = None) -> list[list[list[int]]]:
    """Groups of steps that no event can match across; in each, lists of steps that are the same. `chosen` is the same
    as no other."""
    alike: list[list[int]] = []
    for number in numbers:
        for same in alike:
            if chosen not in (same[0], number) and _same(steps[same[0]], steps[number]):
                same.append(number)
                break
        else:
            alike.append([number])
    groups: list[list[list[int]]] = []
    for same in alike:
        related = [group for group in groups if any(not exclude(steps[same[0]], steps[other[0]]) for other in group)]
        groups = [group for group in groups if group not in related]
        groups.append([*(member for group in related for member in group), same])
    return groups


def _same(one: Matching, other: Matching) -> bool:
    return one.event == other.event and one.filters == other.filters


def exclude(one: Matching, other: Matching) -> bool:
    """Whether no event can match both: other names, or one property that must have different values."""
    if one.event is not None and other.event is not None and one.event != other.event:
        return True
    for mine in one.filters:
        for theirs in other.filters:
            if isinstance(mine, Filter) and isinstance(theirs, Filter) and same_property(mine, theirs):
                left, right = equal_texts(mine), equal_texts(theirs)
                if left is not None and right is not None and left.isdisjoint(right):
                    return True
    return False


def _fulfilled(needs: Sequence[tuple[int, int]]) -> Fragment:
    return all_of(Fragment(f"arrayCount(hit -> bitAnd(hit, {mask}) != 0, moment) >= {count}") for mask, count in needs)


# --- any order ------------------------------------------------------------------------------------------------


def _unordered(plan: Plan) -> Iterator[str]:
    """Every event that is a step begins an attempt, which takes every later event that adds a step to it.

    For a set of steps X, `seen_X_c` has at each hit the time of the c-th event from there on that matches one of X.
    Of n steps, j have an event of their own as soon as every set X has seen its (j - n + |X|)-th: by the deficiency
    form of Hall's theorem. Groups of steps that no event can match across are looked at by themselves.
    """
    yield f"""read AS (
    SELECT *, arrayMap(hit -> toInt64(bitShiftRight(hit, {BITS})), hits) AS at,
        arrayMap(hit -> if(bitAnd(hit, {STEP}) = 0, 0, bitAnd(hit, {STEP - 1})), hits) AS steps{_next_exclusions(plan)}
    FROM matched
)"""
    times: list[str] = []
    columns: list[str] = []
    for group in kinships(plan.steps, range(plan.count)):
        size = sum(len(alike) for alike in group)
        unions = _unions(group)
        for union, length in unions:
            columns += _seen(union, length)
        for j in range(1, size + 1):
            binding = [f"seen_{union}_{j - size + length}" for union, length in unions if j - size + length >= 1]
            times.append(f"greatest({', '.join(binding)})" if len(binding) > 1 else binding[0])
    listed = ",\n        ".join(columns)
    yield f"seen AS (\n    SELECT *,\n        {listed}\n    FROM read\n)"
    names = sorted({name for time in times for name in time.removeprefix("greatest(").rstrip(")").split(", ")})
    excluded = [f"next_{e}" for e in range(len(plan.exclusions))]
    sorted_times = f"arraySort([{', '.join(times)}])"
    reached = ", ".join([*(f"sorted[{n}]" for n in range(1, plan.count + 1)), *excluded])
    yield f"""ordered AS (
    SELECT *, arrayMap((step, {", ".join(names)}) -> if(step = 0, [], {sorted_times}), steps, {", ".join(names)})
        AS sorted_times
    FROM seen
)"""
    arrays = ", ".join(["sorted_times", *excluded])
    yield f"""tried AS (
    SELECT *, arrayFilter(one -> one.1 > 0, arrayMap(({", ".join(["sorted", *excluded])}) -> ({reached}), {arrays}))
        AS attempts
    FROM ordered
)"""


def _seen(union: int, length: int) -> Iterator[str]:
    """The times of the first, second, … event from each hit on that matches one of a set of steps."""
    name = f"seen_{union}"
    yield (
        f"arrayReverseFill(time -> time < {NEVER}, "
        f"arrayMap((step, time) -> if(bitAnd(step, {union}) != 0, time, {NEVER}), steps, at)) AS {name}_1"
    )
    for c in range(2, length + 1):
        following = _later(f"{name}_{c - 1}", f"toInt64({NEVER})")
        yield (
            f"arrayReverseFill((time, step) -> bitAnd(step, {union}) != 0, "
            f"arrayMap((step, time) -> if(bitAnd(step, {union}) != 0, time, {NEVER}), steps, {following}), steps) "
            f"AS {name}_{c}"
        )


# --- the best of them -----------------------------------------------------------------------------------------


def measured(plan: Plan, window: Fragment) -> str:
    """A table with the arrays `levels`, how many steps each attempt takes within the window, `ends`, when it took
    the last of them, and `spoilt`, whether an exclusion came between."""
    numbers = range(1, plan.count + 1)
    first_excluded = plan.count + 1
    limit = f"one.1 + {window}"
    if plan.order == "unordered" and plan.exclusions:
        limit = f"least({limit}, {', '.join(f'one.{first_excluded + e}' for e in range(len(plan.exclusions)))})"
    level = " + ".join(f"(one.{n} <= {limit})" for n in numbers)
    end = ", ".join(f"if(one.{n} <= {limit}, one.{n}, 0)" for n in numbers)
    return f"""measured AS (
    SELECT *, arrayMap(one -> {level}, attempts) AS levels,
        arrayMap(one -> greatest({end}), attempts) AS ends,
        {_spoilt(plan, window)} AS spoilt
    FROM tried
    WHERE notEmpty(attempts)
)"""


def _spoilt(plan: Plan, window: Fragment) -> str:
    if plan.order == "unordered" or not plan.exclusions:
        return "arrayMap(one -> 0, attempts)"
    found = []
    for e, each in enumerate(plan.exclusions):
        happened = f"one.{plan.count + 1 + e}"
        before = f"if(level >= {each.before}, {happened} < one.{each.before}, {happened} <= one.1 + {window})"
        found.append(Fragment(f"(level >= {each.after} AND {before})"))
    return f"arrayMap((one, level) -> {any_of(found)}, attempts, levels)"


def best(plan: Plan) -> Iterator[str]:
    """Tables that lead from `measured` to `people`: how far each person came (`level`), and in which attempt: the
    first to get there, and of these the latest to begin. Who has only spoilt ones of that level is left out."""
    yield f"""furthest AS (
    SELECT *, arrayMax(levels) AS level,
        arrayMap((reached, end, bad) -> if(reached = level AND NOT bad, end, {NEVER}), levels, ends, spoilt) AS goals,
        arrayMin(goals) AS goal,
        arrayMax(arrayMap((one, end) -> if(end = goal, one.1, 0), attempts, goals)) AS begun
    FROM measured
)"""
    times = ", ".join(f"attempt.{n} AS time_{n}" for n in range(1, plan.count + 1))
    yield f"""people AS (
    SELECT *, attempts[arrayFirstIndex((one, end) -> end = goal AND one.1 = begun, attempts, goals)] AS attempt,
        {times}
    FROM furthest
    WHERE goal < {NEVER}
)"""
