"""What funnels mean, one rule a test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from query_platform import Platform, Project, event

A, B, C = ({"event": name} for name in "abc")


def at(second: float) -> str:
    return f"2026-11-18T10:{int(second) // 60:02}:{second % 60:06.3f}"


def counts(project: Project, *steps: dict[str, Any], seconds: int = 300, **more: Any) -> list[int]:
    return [step["count"] for step in ask(project, *steps, seconds=seconds, **more)]


def ask(project: Project, *steps: dict[str, Any], seconds: int = 300, **more: Any) -> list[dict[str, Any]]:
    document = {"steps": list(steps), "window": {"value": seconds, "unit": "second"}, **more}
    found: list[dict[str, Any]] = project.ask("funnels", document)["steps"]
    return found


def medians(project: Project, *steps: dict[str, Any]) -> list[float | None]:
    return [step["median_seconds"] for step in ask(project, *steps)]


def test_a_whole_answer(project: Project) -> None:
    project.store(
        *(event("a", person, at(0)) for person in ("ann", "bob", "cy", "di")),
        event("b", "ann", at(10)),
        event("b", "bob", at(20)),
        event("c", "ann", at(25.5)),
    )
    document = {"project_id": project.id, "steps": [A, {**B, "name": "Then"}, C]}
    assert project.ask("funnels", document) == {
        "steps": [
            {
                "index": 0,
                "name": "a",
                "event": "a",
                "count": 4,
                "conversion": 1.0,
                "step_conversion": 1.0,
                "avg_seconds": None,
                "median_seconds": None,
            },
            {
                "index": 1,
                "name": "Then",
                "event": "b",
                "count": 2,
                "conversion": 0.5,
                "step_conversion": 0.5,
                "avg_seconds": 15.0,
                "median_seconds": 15.0,
            },
            {
                "index": 2,
                "name": "c",
                "event": "c",
                "count": 1,
                "conversion": 0.25,
                "step_conversion": 0.5,
                "avg_seconds": 15.5,
                "median_seconds": 15.5,
            },
        ],
        "breakdown": None,
    }


def test_nobody(project: Project) -> None:
    (first, second) = ask(project, A, B)
    assert (first["count"], first["conversion"], second["conversion"], second["avg_seconds"]) == (0, 0, 0, None)


def test_the_window_is_inclusive_and_runs_from_the_first_step(project: Project) -> None:
    project.store(
        *(event(name, "in time", at(second)) for name, second in [("a", 0), ("b", 200), ("c", 300)]),
        *(event(name, "late", at(second)) for name, second in [("a", 0), ("b", 200), ("c", 300.001)]),
    )
    assert counts(project, A, B, C, seconds=300) == [2, 2, 1]


def test_steps_out_of_order_do_not_count(project: Project) -> None:
    project.store(event("b", "ann", at(0)), event("a", "ann", at(1)), event("c", "ann", at(2)))
    assert counts(project, A, B, C) == [1, 0, 0]


def test_other_events_between_do_not_matter(project: Project) -> None:
    project.store(*(event(name, "ann", at(n)) for n, name in enumerate(["a", "x", "c", "b", "x", "a", "c"])))
    assert counts(project, A, B, C) == [1, 1, 1]


def test_each_first_step_opens_an_attempt_and_the_furthest_counts(project: Project) -> None:
    project.store(
        *(event(name, "ann", at(n)) for name, n in [("a", 0), ("b", 100), ("a", 400), ("b", 500), ("c", 600)]),
        *(event(name, "bob", at(n)) for name, n in [("a", 0), ("b", 100), ("c", 200), ("a", 400)]),
    )
    assert counts(project, A, B, C) == [2, 2, 2]


def test_the_same_event_as_two_steps_needs_two_of_them(project: Project) -> None:
    project.store(event("a", "once", at(0)), event("a", "twice", at(0)), event("a", "twice", at(1)))
    assert counts(project, A, A) == [2, 1]
    assert counts(project, A, A, A) == [2, 1, 0]


def test_an_event_that_fits_two_steps_serves_one(project: Project) -> None:
    pro = {"event": "a", "filters": [{"property": "plan", "value": "pro"}]}
    project.store(event("a", "ann", at(0), plan="pro"))
    assert counts(project, A, pro) == [1, 0]
    assert counts(project, {"event": None}, A) == [1, 0]
    project.store(event("a", "ann", at(0)))
    assert counts(project, A, pro) == [1, 1]


def test_events_at_one_time_count_in_the_order_that_converts(project: Project) -> None:
    project.store(event("c", "ann", at(0)), event("b", "ann", at(0)), event("a", "ann", at(0)))
    assert counts(project, A, B, C) == [1, 1, 1]
    assert counts(project, C, A, B) == [1, 1, 1]
    assert counts(project, A, A) == [1, 0]


def test_which_of_the_events_at_one_time_serves_which_step_is_found_out(project: Project) -> None:
    project.store(event("a", "ann", at(0)), event("x", "ann", at(0)), event("y", "ann", at(0)))
    anything: dict[str, Any] = {"event": None}
    assert counts(project, anything, A, anything) == [1, 1, 1]
    assert counts(project, anything, anything, A) == [1, 1, 1]
    assert counts(project, A, anything, anything, anything) == [1, 1, 1, 0]
    assert counts(project, anything, A, A) == [1, 1, 0]


def test_up_to_four_different_overlapping_steps_are_told_apart_in_one_millisecond(project: Project) -> None:
    steps = [{"event": "a", "filters": [{"property": "n", "operator": "gte", "value": number}]} for number in range(6)]
    project.store(*(event("a", "ann", at(0), n=number) for number in range(6)))
    assert counts(project, *steps[:4]) == [1, 1, 1, 1]
    assert counts(project, *steps) == [1, 1, 1, 1, 0, 0]
    project.store(*(event("a", "bob", at(number), n=number) for number in range(6)))
    assert counts(project, *steps) == [2, 2, 2, 2, 1, 1]


def test_all_steps_lie_inside_the_range(project: Project) -> None:
    project.store(event("a", "ann", "2026-11-17T23:59"), event("b", "ann", "2026-11-18T00:01"))
    assert counts(project, A, B, date_from="-1d") == [1, 1]
    assert counts(project, A, B, date_from="-0d") == [0, 0]
    assert counts(project, A, B, date_from="-1d", date_to="-1d") == [1, 0]
    assert counts(project, A, B, date_from="all") == [1, 1]


def test_the_time_is_that_of_the_latest_start_of_the_first_completed_attempt(project: Project) -> None:
    project.store(
        *(event(name, "ann", at(n)) for name, n in [("a", 0), ("a", 10), ("b", 30), ("b", 40), ("a", 50), ("b", 55)])
    )
    assert medians(project, A, B) == [None, 20]


def test_a_start_that_leads_nowhere_is_not_where_the_time_begins(project: Project) -> None:
    project.store(*(event(name, "ann", at(n)) for name, n in [("a", 0), ("b", 10), ("a", 20), ("c", 30)]))
    assert medians(project, A, B, C) == [None, 10, 20]


def test_who_stopped_halfway_counts_in_the_times_of_the_steps_before(project: Project) -> None:
    project.store(
        event("a", "ann", at(0)), event("b", "ann", at(10)), event("a", "bob", at(0)), event("b", "bob", at(30))
    )
    project.store(event("c", "bob", at(31)))
    found = ask(project, A, B, C)
    assert [(step["avg_seconds"], step["median_seconds"]) for step in found] == [(None, None), (20, 20), (1, 1)]


def test_a_step_within_a_millisecond_takes_no_time(project: Project) -> None:
    x_or_y = {"event": None, "filters": [{"property": "k", "operator": "is_set"}]}
    project.store(event("a", "ann", at(0)), event("x", "ann", at(5), k=1), event("y", "ann", at(5), k=1))
    assert medians(project, A, x_or_y, x_or_y) == [None, 5, 0]


def test_filters_of_the_question_and_of_a_step(project: Project) -> None:
    project.store(
        event("a", "ann", at(0), country="DE"),
        event("b", "ann", at(1), country="DE", plan="pro"),
        event("a", "bob", at(0), country="FR"),
        event("b", "bob", at(1), country="FR", plan="pro"),
        event("a", "cy", at(0), country="DE"),
        event("b", "cy", at(1), country="DE", plan="free"),
    )
    german = [{"property": "country", "value": "DE"}]
    pro = {"event": "b", "filters": [{"property": "plan", "value": "pro"}]}
    assert counts(project, A, pro) == [3, 2]
    assert counts(project, A, pro, filters=german) == [2, 1]


def test_clock_changes_play_no_part(platform: Platform) -> None:
    project = platform.project("Europe/Berlin")
    project.store(event("a", "ann", "2026-10-25T00:30"), event("b", "ann", "2026-10-25T01:30"))
    span = {"date_from": "2026-10-25", "date_to": "2026-10-25"}
    assert counts(project, A, B, seconds=3600, **span) == [1, 1]
    assert counts(project, A, B, seconds=3599, **span) == [1, 0]


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        ({"value": 2, "unit": "minute"}, 120),
        ({"value": 1, "unit": "hour"}, 3600),
        ({"value": 1, "unit": "day"}, 86_400),
        ({"value": 1, "unit": "week"}, 604_800),
        ({"value": 1, "unit": "month"}, 2_592_000),
        ({}, 14 * 86_400),
    ],
)
def test_units_of_the_window(project: Project, window: dict[str, Any], seconds: int) -> None:
    start = datetime.fromisoformat("2026-10-01T00:00")
    project.store(
        *(event("a", person, start) for person in ("ann", "bob")),
        event("b", "ann", start + timedelta(seconds=seconds)),
        event("b", "bob", start + timedelta(seconds=seconds, milliseconds=1)),
    )
    found = project.ask("funnels", {"steps": [A, B], "window": window, "date_from": "-90d"})
    assert [step["count"] for step in found["steps"]] == [2, 1]


def test_counts_never_grow_and_arrival_does_not_matter(platform: Platform) -> None:
    rows = [event("abc"[n * 7 % 3], f"p{n % 5}", at(n * 37 % 200)) for n in range(80)]
    forward, backward = platform.project(), platform.project()
    forward.store(*rows)
    for start in range(0, 80, 16):
        backward.store(*({**row, "project_id": backward.id} for row in reversed(rows[start : start + 16])))
    for steps in ([A, B, C], [A, A, B, B], [{"event": None}, C, {"event": None}, A]):
        answer = ask(forward, *steps, seconds=20)
        assert answer == ask(backward, *steps, seconds=20)
        numbers = [step["count"] for step in answer]
        assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("step", [{"event": "a"}, {"event": None}, {"event": "a", "filters": None}])
def test_twenty_steps(project: Project, step: dict[str, Any]) -> None:
    project.store(
        *(event("a", "ann", at(n), n=n) for n in range(20)), *(event("a", "bob", at(n // 4), n=n) for n in range(20))
    )
    steps = [dict(step) for _ in range(20)]
    if "filters" in step:
        for number, one in enumerate(steps):
            one["filters"] = [{"property": "n", "operator": "lte", "value": number}]
    assert counts(project, *steps) == [2] * 20


def test_the_simple_form_is_the_same_question(project: Project) -> None:
    project.store(event("a", "ann", "2026-11-16"), event("b", "ann", "2026-11-17"), event("b", "ann", "2026-11-18"))
    simple = project.get("funnels", event=["a", "b", "b"], window_days=1, date_from="-3d", project_id=project.id)
    answer = simple.json()
    del answer["meta"]
    document = {"steps": [A, B, B], "window": {"value": 1, "unit": "day"}, "date_from": "-3d"}
    assert answer == project.ask("funnels", document)
    assert [step["count"] for step in answer["steps"]] == [1, 1, 0]


def test_a_step_with_a_chosen_value_is_not_the_same_as_another(project: Project) -> None:
    project.store(event("a", "ann", at(0)), event("a", "ann", at(0)), event("a", "ann", at(1), plan="pro"))
    breakdown = {"property": "plan", "attribution": "step", "step": 0}
    answer = project.ask("funnels", {"steps": [A, A], "breakdown": breakdown})
    found = {each["value"]: [step["count"] for step in each["steps"]] for each in answer["breakdown"]}
    assert found == {"pro": [1, 0], None: [1, 1]}
