"""docs/questions.md says what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel
from query_platform import Platform, Project, event

from footfall_query import app, attempts, buckets, filters, formula, properties, runner
from footfall_query.behind import PersonsOfPoint
from footfall_query.buckets import format_time
from footfall_query.documents import MAX_EVENT_NAME
from footfall_query.events import MAX_PAGE, EventNamesQuery, EventsQuery, RejectedEventsQuery
from footfall_query.insights import funnels, lifecycle, paths, retention, stickiness, trends
from footfall_query.routes import SimpleFunnel, SimpleTrends
from footfall_query.scope import parse_span

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "questions.md").read_text("utf-8")
ZONE = ZoneInfo("Europe/Berlin")
FIRST_ID = 1_000_000
"""Of the projects of the examples: a person's id depends on the project's, so it has to be the same every time."""
VARIES = ("elapsed_ms", "rows_read", "bytes_read", "computed_at")


@dataclass
class Example:
    """What is stored, and what is then asked with which answers."""

    events: list[dict[str, Any]]
    rejected: list[dict[str, Any]] = field(default_factory=list)
    questions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def read_examples() -> Iterator[Example]:
    """Everything from one block of events to the next. Blocks say after the language what they hold."""
    example = None
    question = ""
    for language, text in re.findall(r"^```([^\n]*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL):
        if language == "json events":
            if example is not None:
                yield example
            example = Example(json.loads(text))
            continue
        assert example is not None
        if language == "json rejected":
            example.rejected = json.loads(text)
        elif language == "http":
            question = text
        else:
            assert language == "json answer"
            example.questions.append((question, json.loads(text)))
            question = ""
    assert example is not None
    yield example


def rows(heading: str) -> list[list[str]]:
    """The table whose head begins with `heading`: its rows' cells."""
    lines = GUIDE.split(f"\n| {heading} |", 1)[1].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def codes(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def open_project(platform: Platform, number: int) -> Project:
    """The project that the guide's examples speak of, once for each of them."""
    id = FIRST_ID + number
    platform.projects[id] = {"project_id": id, "timezone": ZONE.key, "week_start": "monday"}
    return Project(platform, id, platform.key(id, "read"), platform.key(id, "write"))


def store(project: Project, example: Example) -> None:
    project.store(
        *(
            event(sent["event"], sent["distinct_id"], sent["timestamp"], id=sent.get("uuid"), **sent["properties"])
            for sent in example.events
        )
    )
    for row in example.rejected:
        line = json.dumps({"project_id": project.id, **row, "received_at": row["received_at"].rstrip("Z")})
        columns = ["project_id", *row]
        project.platform.clickhouse.insert("analytics.rejected_events", columns, line.encode())


def ask(project: Project, request: str) -> Any:
    """The answer to a request as it stands in the guide."""
    line, _, document = request.partition("\n")
    method, target = line.split(" ")
    more = {"json": json.loads(document)} if document.strip() else {}
    answer = project.platform.call(method, target, project.read_key, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def without_cost(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, and of what varies only that it is there."""
    return {**answer, "meta": {**answer["meta"], **{name: name in answer["meta"] for name in VARIES}}}


EXAMPLES = list(read_examples())


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_in_the_guide_are_true(platform: Platform, number: int) -> None:
    example = EXAMPLES[number]
    project = open_project(platform, number)
    store(project, example)
    assert example.questions != []
    for request, answer in example.questions:
        assert without_cost(ask(project, request)) == without_cost(answer)


@pytest.mark.parametrize("row", rows("Date"), ids=lambda row: str(row[0]))
def test_what_the_guide_says_about_dates(row: list[str]) -> None:
    (date,), (start,), (end,) = codes(row[0]), codes(row[2]), codes(row[3])
    now = datetime(2026, 11, 18, 15, 30, 12, tzinfo=UTC)
    span = parse_span(date, now, ZONE, "monday")
    assert [start, end] == [format_time(at, ZONE, "milliseconds").replace(".000", "") for at in span]


def test_what_the_guide_says_about_operators(platform: Platform) -> None:
    table = rows("Operator")
    assert [codes(row[0]) for row in table] == [[operator] for operator in get_args(filters.Operator)]
    project = open_project(platform, len(EXAMPLES))
    expected: dict[str, set[str]] = {}
    for operator, _, _, found, not_found in table:
        (name,) = codes(operator)
        expected[name] = set(cases(found))
        stored = cases(found) | cases(not_found)
        assert cases(found).keys().isdisjoint(cases(not_found))
        project.store(*(event(name, case, "2026-11-18T10:00", properties=had) for case, had in stored.items()))

    for operator, _, value, _, _ in table:
        (name,) = codes(operator)
        condition = {"property": "value", "operator": name}
        if value:
            condition["value"] = json.loads(*codes(value))
        answer = project.get("events", event=name, filters=json.dumps(condition)).json()
        assert {row["distinct_id"] for row in answer["results"]} == expected[name], name


def cases(cell: str) -> dict[str, dict[str, Any]]:
    """The values in a cell as properties of events; `missing` is an event without."""
    found: dict[str, dict[str, Any]] = {text: {"value": json.loads(text)} for text in codes(cell)}
    return found | ({"missing": {}} if "missing" in cell else {})


def test_every_field_and_math_is_explained() -> None:
    maths = [math for kind in get_args(properties.Math) for math in get_args(kind) or [kind]]
    assert [codes(row[0]) for row in rows("Math")] == [[math] for math in maths]
    assert {name for row in rows("Field of a series") for name in codes(row[0])} == set(trends.Series.model_fields)

    kinds: list[type[BaseModel]] = [trends.TrendsQuery, funnels.FunnelQuery, filters.Filter, SimpleTrends, SimpleFunnel]
    kinds += [retention.RetentionQuery, lifecycle.LifecycleQuery, stickiness.StickinessQuery, paths.PathsQuery]
    kinds += [funnels.FunnelBreakdown, funnels.Exclusion, stickiness.StickinessSeries]
    kinds += [EventsQuery, EventNamesQuery, RejectedEventsQuery, PersonsOfPoint]
    kinds += [trends.TrendsPoint, funnels.FunnelStepPoint, funnels.FunnelBinPoint, funnels.FunnelTrendPoint]
    kinds += [retention.RetentionPoint, lifecycle.LifecyclePoint, stickiness.StickinessPoint]
    kinds += [paths.PathsLinkPoint, paths.PathsNodePoint]
    names = {field.alias or name for kind in kinds for name, field in kind.model_fields.items()}
    assert {name for name in names if f"`{name}`" not in GUIDE and f'"{name}"' not in GUIDE} == set()


def test_the_limits_in_the_guide_are_those_in_force() -> None:
    limits = runner.Limits()
    assert [int(row[1].replace(",", "")) for row in rows("What")] == [
        limits.seconds,
        limits.memory_bytes,
        app.MAX_BODY_BYTES,
        runner.MAX_STATEMENT,
        runner.MAX_PARAMETER,
        largest(trends.TrendsQuery, "series"),
        attempts.MAX_STEPS,
        largest(funnels.Window, "value"),
        attempts.MAX_EXCLUSIONS,
        funnels.MAX_BINS,
        retention.MAX_PERIODS,
        largest(paths.PathsQuery, "steps"),
        largest(paths.PathsQuery, "max_links"),
        formula.MAX_LENGTH,
        buckets.MAX_BUCKETS,
        largest(trends.Breakdown, "limit"),
        filters.MAX_FILTERS,
        filters.MAX_DEPTH,
        filters.MAX_VALUES,
        filters.MAX_PATTERNS,
        filters.MAX_TEXT,
        MAX_EVENT_NAME,
        properties.MAX_PROPERTY_NAME,
        MAX_PAGE,
        largest(EventsQuery, "filters"),
    ]


def largest(kind: type[BaseModel], name: str) -> int:
    """A field's bound, from its schema."""
    field = kind.model_json_schema()["properties"][name]
    (bound,) = re.findall(r"'(?:maximum|maxItems|maxLength)': (\d+)", str(field))
    return int(bound)


def test_every_call_and_status_is_explained(platform: Platform) -> None:
    paths = platform.app.openapi()["paths"]
    elsewhere = "".join((DOCS / f"{page}.md").read_text("utf-8") for page in ("answers", "dashboards"))
    paths = {path: calls for path, calls in paths.items() if f" {path}`" not in elsewhere}
    assert {path for path in paths if f"{path}`" not in GUIDE} == set()
    calls = {f"{method.upper()} {path}" for path in paths if path.startswith("/api/") for method in paths[path]}
    assert {call for row in rows("Call") for call in codes(row[0])} == calls
    asked = {re.split(r"[?\n]", request)[0] for example in EXAMPLES for request, _ in example.questions}
    asked = {re.sub(r"(?<=/persons/).*", "{distinct_id}", call) for call in asked}
    assert asked == calls
    statuses = {status for path in paths.values() for call in path.values() for status in call["responses"]}
    assert {codes(row[0])[0] for row in rows("Status")} == statuses - {"200"} | {"405"}
    answer = platform.call("PUT", "/api/trends", None)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
