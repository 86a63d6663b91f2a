"""Random questions about random events: the service's whole answer against plain loops over the same events."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from operator import ne
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from evaluator import (
    Asking,
    Evaluated,
    Event,
    Points,
    evaluate_funnel,
    evaluate_lifecycle,
    evaluate_paths,
    evaluate_retention,
    evaluate_stickiness,
    evaluate_trends,
)
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st
from query_platform import Platform, Project, event
from strategies import (
    circumstances,
    funnels,
    histories,
    lifecycles,
    paths,
    retentions,
    stickinesses,
    trends,
    visits,
)

from footfall_query.insights.trends import TrendsQuery
from footfall_query.runner import INSIGHTS

TIMES = int(os.environ.get("FOOTFALL_TEST_TIMES", "1"))
"""How many times as many questions as usual."""

answers: dict[str, list[bool]] = defaultdict(list)
"""By kind of question: whether each answer that was compared has a number that is not zero."""

looks: dict[str, list[bool]] = defaultdict(list)
"""By kind of question: whether there was anybody behind each point that was looked behind."""

EVALUATORS: dict[str, Callable[[Any, list[Event], Asking], Evaluated]] = {
    "trends": evaluate_trends,
    "funnels": evaluate_funnel,
    "retention": evaluate_retention,
    "lifecycle": evaluate_lifecycle,
    "stickiness": evaluate_stickiness,
    "paths": evaluate_paths,
}

STRUCTURE = ("intervals", "index", "step", "position", "interval")
"""Numbers of an answer that are there without any event."""

slowly = settings(
    # `smallest` makes a failure small, in seconds; hypothesis asks a thousand questions for it.
    phases=[phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def project_with(platform: Platform, asking: Asking, events: list[Event]) -> Project:
    """A new project that holds these events, asked at that time."""
    platform.now = asking.now
    project = platform.project(asking.zone.key, asking.week_start)
    if events:
        project.store(*(event(e.name, e.person, e.at, session=e.session, properties=e.properties) for e in events))
    return project


def check(
    platform: Platform, data: st.DataObject, kind: str, document: dict[str, Any], events: list[Event], asking: Asking
) -> None:
    """The service's answer is that of brute force, and so are the people behind some of its points."""
    answer, expected = both_answers(platform, kind, document, events, asking)
    if answer != expected:
        events = smallest(events, lambda some: ne(*both_answers(platform, kind, document, some, asking)))
        answer, expected = both_answers(platform, kind, document, events, asking)
    note(f"{document} asked at {asking} of {events}")
    assert answer == expected
    answers[kind].append(says_something(answer))
    query = INSIGHTS[kind].document.model_validate(document)
    _, points = EVALUATORS[kind](query, events, asking)
    project = project_with(platform, asking, events)
    for point, persons in data.draw(some_of(points)):
        note(f"behind {point}")
        found = behind(project, kind, document, point, limit=data.draw(st.integers(1, 4)))
        assert sorted(found) == sorted(persons)
        number = number_at(kind, document, answer, point)
        assert number in (None, len(found))
        looks[kind].append(bool(found))


def some_of(points: Points) -> st.SearchStrategy[Points]:
    """One or two of them, more often those with people."""
    if not points:
        return st.just([])
    peopled = [each for each in points if each[1]]
    return st.lists(st.sampled_from(peopled or points) | st.sampled_from(points), min_size=1, max_size=2)


def behind(project: Project, kind: str, document: dict[str, Any], point: dict[str, Any], *, limit: int) -> list[str]:
    """Who is behind a point, from all the pages of the list."""
    body: dict[str, Any] = {"kind": kind, "query": document, "point": point, "limit": limit}
    found: list[str] = []
    while True:
        answer = project.post("persons", body)
        assume("The question is too long" not in answer.text)
        assert answer.status_code == 200, answer.text
        found += [id for person in answer.json()["results"] for id in person["distinct_ids"]]
        if answer.json()["next_cursor"] is None:
            return found
        body["cursor"] = answer.json()["next_cursor"]


PERSON_MATHS = ("unique_users", "weekly_active_users", "monthly_active_users", "first_time_users")


def number_at(kind: str, document: dict[str, Any], answer: dict[str, Any], point: dict[str, Any]) -> int | None:
    """The number that an answer has at a point; None where it does not count persons."""
    match kind:
        case "trends":
            names = ("index", "breakdown_value", "compare")
            (line,) = (line for line in answer["series"] if all(line[name] == point[name] for name in names))
            if document["series"][point["index"]]["math"] not in PERSON_MATHS:
                return None
            buckets = answer["buckets" if point["compare"] is None else "compare_buckets"]
            number = line["total"] if point["bucket"] is None else line["data"][buckets.index(point["bucket"])]
        case "funnels" if "bin" in point:
            number = answer["time_to_convert"]["bins"][point["bin"]]["count"]
        case "funnels" if "bucket" in point:
            trend = answer["trend"]
            numbers = {**trend, "dropped": [a - b for a, b in zip(trend["entered"], trend["converted"], strict=True)]}
            number = numbers[point["outcome"]][trend["buckets"].index(point["bucket"])]
        case "funnels":
            steps = answer["steps"]
            if "breakdown_value" in point:
                value = point["breakdown_value"]
                if value == "$other" and document["breakdown"]["attribution"] in ("all_events", "step"):
                    return None  # a person may have several of these values
                (steps,) = (each["steps"] for each in answer["breakdown"] if each["value"] == value)
            at = point["index"]
            number = steps[at]["count"] - (steps[at + 1]["count"] if "outcome" in point else 0)
        case "retention":
            (cohort,) = (each for each in answer["cohorts"] if each["date"] == point["date"])
            number = cohort["values"][point["period"]]
        case "lifecycle":
            number = abs(answer[point["state"]][answer["buckets"].index(point["bucket"])])
        case "stickiness":
            number = answer["series"][point["index"]]["counts"][point["intervals"] - 1]
        case _:
            return None
    return int(number)


def both_answers(
    platform: Platform, kind: str, document: dict[str, Any], events: list[Event], asking: Asking
) -> tuple[Any, Any]:
    """What the service answers, and what brute force does."""
    answer = project_with(platform, asking, events).post(kind, document)
    assume("The question is too long" not in answer.text)
    assume("unordered tells at most" not in answer.text)
    assert answer.status_code == 200, answer.text
    query = INSIGHTS[kind].document.model_validate(document)
    return without_meta(answer.json()), close_to(EVALUATORS[kind](query, events, asking)[0])


def smallest(events: list[Event], fails: Callable[[list[Event]], bool]) -> list[Event]:
    """Fewer of the events, with which it still fails, and none can be left out."""
    for number in reversed(range(len(events))):
        fewer = events[:number] + events[number + 1 :]
        if fails(fewer):
            events = fewer
    return events


def says_something(answer: Any) -> bool:
    """Whether there is a count or a time in it that is not zero."""
    if isinstance(answer, dict):
        return any(says_something(value) for name, value in answer.items() if name not in STRUCTURE)
    if isinstance(answer, list):
        return any(says_something(value) for value in answer)
    return isinstance(answer, int | float) and answer != 0


def without_meta(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "meta"}


def close_to(answer: Any) -> Any:
    """The answer, equal to others that differ in the last digits of a float."""
    if isinstance(answer, dict):
        return {key: close_to(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [close_to(value) for value in answer]
    return pytest.approx(answer, rel=1e-9, abs=1e-9) if isinstance(answer, float) else answer


@settings(slowly, max_examples=50 * TIMES)
@given(st.data())
def test_trends(platform: Platform, data: st.DataObject) -> None:
    asking = data.draw(circumstances())
    events = data.draw(histories(asking, days=4))
    check(platform, data, "trends", data.draw(trends(asking)), events, asking)


@settings(slowly, max_examples=60 * TIMES)
@given(st.data())
def test_funnels(platform: Platform, data: st.DataObject) -> None:
    asking = data.draw(circumstances())
    events = data.draw(histories(asking, days=3, people=2, size=9))
    check(platform, data, "funnels", data.draw(funnels(asking)), events, asking)


@settings(slowly, max_examples=40 * TIMES)
@given(st.data())
def test_retention(platform: Platform, data: st.DataObject) -> None:
    asking = data.draw(circumstances())
    events = data.draw(histories(asking, days=9, people=3))
    check(platform, data, "retention", data.draw(retentions(asking)), events, asking)


@settings(slowly, max_examples=40 * TIMES)
@given(st.data())
def test_lifecycle(platform: Platform, data: st.DataObject) -> None:
    asking = data.draw(circumstances())
    events = data.draw(histories(asking, days=9, people=3))
    check(platform, data, "lifecycle", data.draw(lifecycles(asking)), events, asking)


@settings(slowly, max_examples=30 * TIMES)
@given(st.data())
def test_stickiness(platform: Platform, data: st.DataObject) -> None:
    asking = data.draw(circumstances())
    events = data.draw(histories(asking, days=9, people=3))
    check(platform, data, "stickiness", data.draw(stickinesses(asking)), events, asking)


@settings(slowly, max_examples=50 * TIMES)
@given(st.data())
def test_paths(platform: Platform, data: st.DataObject) -> None:
    asking = data.draw(circumstances())
    check(platform, data, "paths", data.draw(paths(asking)), data.draw(visits(asking)), asking)


@pytest.mark.parametrize("kind", EVALUATORS)
def test_most_answers_said_something(kind: str) -> None:
    """Without it, a change to the strategies could leave the comparisons above with nothing to compare."""
    if not answers[kind]:
        pytest.skip(f"no question about {kind} was asked")
    assert sum(answers[kind]) / len(answers[kind]) > 0.25
    assert sum(looks[kind]) / len(looks[kind]) > 0.25


def test_the_two_disagree_when_an_event_is_missing(platform: Platform) -> None:
    asking = Asking(ZoneInfo("UTC"), "sunday", platform.now)
    events = [Event("a", "p", platform.now, {})]
    document = {"series": [{"event": "a"}]}
    project = project_with(platform, asking, [])
    expected, _ = evaluate_trends(TrendsQuery.model_validate(document), events, asking)
    assert project.ask("trends", document) != close_to(expected)
