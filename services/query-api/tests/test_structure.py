"""Names and values from outside never become part of a statement's structure."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from query_platform import NOW, Platform, event

from footfall_query.autocomplete.lists import (
    PropertyNamesQuery,
    PropertyValuesQuery,
    build_property_names,
    build_property_values,
)
from footfall_query.events import (
    EventNamesQuery,
    EventsQuery,
    RejectedEventsQuery,
    build_event_names,
    build_events,
    build_rejected_events,
)
from footfall_query.filters import Filter
from footfall_query.freshness import build_mark
from footfall_query.ingestion import IngestionQuery
from footfall_query.ingestion import build as build_ingestion
from footfall_query.insights import funnels, lifecycle, paths, retention, stickiness, trends
from footfall_query.persons import PersonsQuery, list_persons
from footfall_query.properties import MAX_PROPERTY_NAME, quote_name
from footfall_query.runner import INSIGHTS, SETTINGS
from footfall_query.scope import UTC_ZONE, Scope, Span
from footfall_query.sql import Params, Sql
from footfall_query.stream.position import Position, build_arrivals, build_start

HOSTILE = [
    "`", "``", "\\", "\\`", "'", '"', "%", "%s", "%(p0)s", "{p0:String}", "{", "}", ".", "a.b", "..", "\n", "\r\n",
    "\0", "--", "/*", "*/", "#", ";", "`) OR 1 = 1 --", "x` FROM system.tables --", "$x$", "😀", "é", "\u2028",
    "\t", "\ufeff", "^", ":Int64", ".:Int64", "[]", "null", "SELECT", "\x7f", "\\x60", "\\N", "?",
    "@", "a" * MAX_PROPERTY_NAME,
]  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.sampled_from(HOSTILE)
names = texts.filter(lambda name: name[:2] not in (":`", "^`", "@`"))
SCOPE = Scope(1, Span(1_790_000_000_000, 1_790_600_000_000), UTC_ZONE, "sunday", NOW)
LARGE = {name: SETTINGS[name] for name in ("max_query_size", "max_ast_elements", "max_expanded_ast_elements")}
slowly = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

OPERATORS: dict[str, Any] = {
    "exact": "x", "is_not": "x", "icontains": "x", "not_icontains": "x", "regex": "x", "not_regex": "x",
    "gt": 1, "gte": 1, "lt": 1, "lte": 1, "between": [1, 2], "not_between": [1, 2], "is_set": None, "is_not_set": None,
    "is_date_exact": "-1d", "is_date_before": "2026-11-01", "is_date_after": "2026-11-01T10:00:00Z",
}  # fmt: skip


def every_operator(property: str) -> list[dict[str, Any]]:
    return [{"property": property, "operator": operator, "value": value} for operator, value in OPERATORS.items()]


def trends_sql(property: str, text: str, **more: Any) -> Sql:
    """A statement that has a name and a text wherever one may stand."""
    series: list[dict[str, Any]] = [
        {"event": text[:200], "name": text[:200], "filters": every_operator(property)},
        {
            "math": "p90",
            "math_property": property,
            "filters": [{"property": property, "value": [text, 1.5, "[", True]}],
        },
    ]
    document = {"series": series, "breakdown": {"property": property}, **more}
    return trends.build(trends.TrendsQuery.model_validate(document), SCOPE)


def funnel_sql(property: str, text: str) -> Sql:
    steps = [{"event": text[:200], "filters": every_operator(property)}, {"event": None}, {"event": text[:200]}]
    return funnels.build(funnels.FunnelQuery.model_validate({"steps": steps}), SCOPE)


def funnel_sqls(property: str, text: str) -> list[Sql]:
    """Every order, attribution and view."""
    step = {"event": text[:200], "filters": every_operator(property)}
    steps = [step, {"event": None}, {"event": text[:200]}]
    excluded = [{**step, "from_step": 0, "to_step": 2}]
    documents: list[dict[str, Any]] = [
        {"order": order, "breakdown": {"property": property, "attribution": attribution}, "exclusions": exclusions}
        for order in ("ordered", "strict", "unordered")
        for attribution in ("first_touch", "last_touch", "all_events", "step")
        for exclusions in ([], excluded)
        if (order, attribution) != ("unordered", "step")
    ]
    documents += [
        {"view": view, "order": order}
        for view in ("time_to_convert", "trend")
        for order in ("ordered", "strict", "unordered")
    ]
    documents += [{"view": "time_to_convert", "bins": 3}, {"view": "trend", "interval": "hour"}]
    return [
        funnels.build(funnels.FunnelQuery.model_validate({"steps": steps, **document}), SCOPE) for document in documents
    ]


def other_sqls(property: str, text: str) -> list[Sql]:
    """The other insights, with a name and a text wherever one may stand."""
    wanted = {"event": text[:200], "filters": every_operator(property)}
    path = {"start": text, "end": text, "exclude": [text], "filters": every_operator(property), "min_weight": 2}
    found = [
        retention.build(
            retention.RetentionQuery.model_validate(
                {"start": wanted, "return": wanted, "mode": mode, "cumulative": cumulative, "period": period}
            ),
            SCOPE,
        )
        for mode in ("recurring", "first_time")
        for cumulative in (False, True)
        for period in ("hour", "day", "week", "month")
    ]
    for interval in ("minute", "hour", "day", "week", "month"):
        scope = SCOPE if interval != "minute" else SCOPE.starting(SCOPE.span.end - 7_200_000)
        life = lifecycle.LifecycleQuery.model_validate({**wanted, "interval": interval})
        sticky = stickiness.StickinessQuery.model_validate({"series": [wanted, {}], "interval": interval})
        found += [lifecycle.build(life, scope), stickiness.build(sticky, scope)]
    only = [{**path, "end": None}, {**path, "start": None}, path, {}]
    return [*found, *(paths.build(paths.PathsQuery.model_validate(each), SCOPE) for each in only)]


def persons_sqls(property: str, text: str) -> list[Sql]:
    """The lists behind every kind of point, with a name and a text wherever one may stand."""
    wanted = {"event": text[:200], "filters": every_operator(property)}
    breakdown = {"property": property}
    day = "2026-09-22T00:00:00Z"
    maths: list[dict[str, Any]] = [{"math": m} for m in ("total", "unique_users", "weekly_active_users")]
    maths += [{"math": "unique_sessions"}, {"math": "first_time_users"}, {"math": "sum", "math_property": property}]
    trend = {"series": [{**wanted, **math} for math in maths], "breakdown": breakdown, "compare": "-1w"}
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("trends", trend, {"index": index, **point})
        for index in range(len(maths))
        for point in (
            {"breakdown_value": text},
            {"breakdown_value": None, "bucket": day},
            {"breakdown_value": "$other", "bucket": "2026-09-15T00:00:00Z", "compare": "-1w"},
        )
    ]
    asked.append(("trends", {"series": [wanted], "cumulative": True}, {"index": 0, "bucket": day}))
    steps = [wanted, {"event": None}, {"event": text[:200]}]
    for order in ("ordered", "strict", "unordered"):
        funnel = {"steps": steps, "order": order, "exclusions": [{**wanted, "from_step": 0, "to_step": 2}]}
        asked += [("funnels", funnel, {"index": 1, "outcome": outcome}) for outcome in ("reached", "dropped")]
        asked.append(("funnels", {**funnel, "view": "time_to_convert"}, {"bin": 0}))
        for outcome in ("entered", "converted", "dropped"):
            asked.append(("funnels", {**funnel, "view": "trend"}, {"bucket": day, "outcome": outcome}))
        for attribution in ("first_touch", "last_touch", "all_events", "step"):
            if (order, attribution) != ("unordered", "step"):
                by = {"breakdown": {**breakdown, "attribution": attribution}}
                asked += [
                    ("funnels", funnel | by, {"index": 0, "breakdown_value": value}) for value in (text, None, "$other")
                ]
    for mode in ("recurring", "first_time"):
        for cumulative in (False, True):
            retained = {"start": wanted, "return": wanted, "mode": mode, "cumulative": cumulative}
            asked.append(("retention", retained, {"date": day, "period": 2}))
    asked += [
        ("lifecycle", wanted, {"bucket": day, "state": "dormant"}),
        ("stickiness", {"series": [wanted]}, {"index": 0, "intervals": 2}),
        ("stickiness", {"series": [wanted], "cumulative": True}, {"index": 0, "intervals": 2}),
        ("paths", {"exclude": [text], "filters": every_operator(property)}, {"source": f"1_{text}", "target": "2_/"}),
        ("paths", {"start": text, "end": text}, {"node": f"2_{text}"}),
    ]
    return [persons_sql(*each) for each in asked]


def persons_sql(kind: str, document: dict[str, Any], named: dict[str, Any]) -> Sql:
    insight, p = INSIGHTS[kind], Params()
    assert insight.point is not None
    assert insight.persons is not None
    query = insight.document.model_validate(document)
    point = insight.point.validate_python(named, context={"query": query})
    return list_persons(insight.persons(query, SCOPE, point, p), [], PersonsQuery(cursor="WzEsMl0"), SCOPE, p)


def tree(platform: Platform, sql: Sql) -> list[str]:
    """The engine's own parse of a statement, without the texts in it. It prints a name as it is, so that one with
    line breaks goes on in lines that are no nodes."""
    rows = platform.clickhouse.fetch(f"SELECT * FROM (EXPLAIN AST {sql.text})", sql.parameters, LARGE).rows
    nodes = [line for (line,) in rows if re.fullmatch(r" *[A-Z]\w+( .*)?", line)]
    return [re.sub(r"(Identifier|Literal) .*", r"\1", line) for line in nodes]


@given(names)
@example("\0")
def test_a_quoted_name_has_nothing_left_to_interpret(name: str) -> None:
    assert re.fullmatch(r"`([A-Za-z0-9]|\\x[0-9A-F]{2})+`", quote_name(name))


@given(names, names)
def test_different_names_are_quoted_differently(one: str, other: str) -> None:
    same_path = one.replace(".", "%2E") == other.replace(".", "%2E")
    assert (quote_name(one) == quote_name(other)) == same_path


@settings(deadline=None, max_examples=10)
@given(texts)
def test_a_value_never_stands_in_a_statement(text: str) -> None:
    assert trends_sql("plan", text).text in {trends_sql("plan", plain).text for plain in ("x", "1", "[")}
    assert funnel_sql("plan", text).text == funnel_sql("plan", "x").text
    for sqls in (all_sqls, persons_sqls):
        assert [sql.text for sql in sqls("plan", text)] == [sql.text for sql in sqls("plan", "x")]


@settings(slowly, max_examples=15)
@given(names, texts)
@example("`", "`")
@example("\n", "0")
@example("a" * MAX_PROPERTY_NAME, "\0")
def test_a_name_changes_only_itself(platform: Platform, name: str, text: str) -> None:
    assert tree(platform, funnel_sql(name, text)) == tree(platform, funnel_sql("plan", text))
    assert tree(platform, trends_sql(name, text)) == tree(platform, trends_sql("plan", text))


def all_sqls(property: str, text: str) -> list[Sql]:
    """A statement of every kind and branch, with a name and a text wherever one may stand."""
    compared = {"compare": "-1w", "formula": "A / B", "cumulative": True}
    return [trends_sql(property, text, **compared), *funnel_sqls(property, text), *other_sqls(property, text)]


@settings(slowly, max_examples=15)
@given(names, texts, st.integers(0, len(all_sqls("plan", "x")) - 1))
def test_a_name_changes_only_itself_in_any_insight(platform: Platform, name: str, text: str, number: int) -> None:
    mine, plain = (all_sqls(property, text)[number] for property in (name, "plan"))
    assert tree(platform, mine) == tree(platform, plain)


@settings(slowly, max_examples=15)
@given(names, texts, st.integers(0, len(persons_sqls("plan", "x")) - 1))
def test_a_name_changes_only_itself_in_any_list_of_people(
    platform: Platform, name: str, text: str, number: int
) -> None:
    mine, plain = (persons_sqls(property, text)[number] for property in (name, "plan"))
    assert tree(platform, mine) == tree(platform, plain)


@settings(slowly, max_examples=15)
@given(name=names, value=texts, person=texts, title=texts.map(lambda text: text[:200]))
@example(name="{p0:String}", value="{p1:String}", person="\0", title="\\")
@example(name="\\", value="\\N", person="\n", title="`")
def test_a_hostile_name_and_value_are_found_again(
    platform: Platform, name: str, value: str, person: str, title: str
) -> None:
    project = platform.project()
    project.store(
        event(title, person, "2026-11-18T10:00", properties={name: value}),
        event("decoy", "decoy", "2026-11-18T10:00"),
    )
    exact = {"property": name, "value": value}
    document = {"series": [{"event": title, "filters": [exact]}], "breakdown": {"property": name}}
    (series,) = project.ask("trends", document)["series"]
    assert (series["event"], series["breakdown_value"], series["total"]) == (title, value, 1)
    steps = [{"event": title, "filters": [exact]}, {"event": "decoy"}]
    assert [step["count"] for step in project.ask("funnels", {"steps": steps})["steps"]] == [1, 0]
    (found,) = project.get("events", event=title, distinct_id=person).json()["results"]
    assert (found["event"], found["distinct_id"], found["properties"]) == (title, person, {name: value})


def listings() -> list[Sql]:
    cursor = "WzEsICIwMTkzOWYwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiXQ"
    filters = '[{"property": "a", "value": 1}]'
    return [
        build_events(EventsQuery(), SCOPE),
        build_events(EventsQuery(event=["a"], distinct_id="b", cursor=cursor, filters=filters), SCOPE),
        build_event_names(EventNamesQuery(search="x"), SCOPE),
        build_rejected_events(RejectedEventsQuery(), SCOPE),
        build_rejected_events(RejectedEventsQuery(reason=["a"], cursor="WzEsMiwzXQ"), SCOPE),
        build_property_names(PropertyNamesQuery(), SCOPE),
        build_property_names(PropertyNamesQuery(event="a", search="x"), SCOPE),
        build_property_values(PropertyValuesQuery(property="a"), SCOPE),
        build_property_values(PropertyValuesQuery(property="a.`b", event="a", search="x"), SCOPE),
        build_ingestion(IngestionQuery(), SCOPE),
        build_mark(1, SCOPE.span.end, NOW),
        build_mark(1, SCOPE.span.end, NOW, SCOPE.span.start),
        build_start(1, NOW),
        build_arrivals(1, Position(SCOPE.span.start, {}), 0, 10, NOW),
        build_arrivals(1, Position(SCOPE.span.start, {0: 4, 3: 2**40}), SCOPE.span.start, 10, NOW),
    ]  # fmt: skip


def insights() -> list[Sql]:
    active = [{"math": math} for math in ("weekly_active_users", "monthly_active_users")]
    maths = [{"math": math} for math in ("total", "unique_users", "unique_sessions", "first_time_users")]
    maths += [
        {"math": math, "math_property": "n"}
        for math in ("sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99")
    ]
    by_plan = {"breakdown": {"property": "plan"}}
    documents: list[dict[str, Any]] = [
        {"series": [*maths, *active], "interval": "day"} | breakdown | more
        for breakdown in ({}, by_plan)
        for more in ({}, {"formula": "A / B + L"}, {"compare": "previous_period"})
    ]
    documents += [
        {"series": [maths[0], *active], "interval": interval} | breakdown
        for interval in ("hour", "week", "month")
        for breakdown in ({}, by_plan)
    ]
    documents += [
        {"series": maths, "cumulative": True},
        {"series": maths, "cumulative": True, "breakdown": {"property": "plan"}, "compare": "-1w"},
    ]
    steps: list[list[dict[str, Any]]] = [
        [{"event": "a"}, {"event": "b"}],
        [{"event": "a"}, {"event": "a"}],
        [{"event": None}, {"event": "a", "filters": every_operator("plan")}, {"event": None}],
        [{"event": f"e{n}"} for n in range(20)],
        [{"event": "e", "filters": [{"property": "n", "operator": "lt", "value": n}]} for n in range(20)],
    ]
    queries = [trends.TrendsQuery.model_validate(document) for document in documents]
    return [
        *(trends.build(query, SCOPE) for query in queries),
        trends.build_start(queries[0], SCOPE),
        trends.build_start(trends.TrendsQuery.model_validate({"series": [{"event": "a"}, {"event": "b"}]}), SCOPE),
        trends_sql("plan", "x", interval="hour"),
        *(funnels.build(funnels.FunnelQuery.model_validate({"steps": each}), SCOPE) for each in steps),
        *(
            funnels.build(funnels.FunnelQuery.model_validate({"steps": each, "order": "strict"}), SCOPE)
            for each in steps
        ),
        funnels.build(funnels.FunnelQuery.model_validate({"steps": steps[3], "order": "unordered"}), SCOPE),
        *all_sqls("plan", "x"),
    ]


@pytest.mark.parametrize("sql", [*insights(), *listings(), *persons_sqls("plan", "x")])
def test_the_engine_runs_every_branch(platform: Platform, sql: Sql) -> None:
    platform.clickhouse.fetch(sql.text, sql.parameters, SETTINGS)


@pytest.mark.parametrize("sql", [*insights(), *listings()])
def test_every_where_begins_with_project_and_time(sql: Sql) -> None:
    # `log_lag` is about the log, which is no project's.
    tables = len(re.findall(r"FROM analytics\.(?!log_lag )", sql.text))
    bound = re.findall(
        r"FROM analytics\.\w+\s+WHERE project_id = {(p\d+):UInt32}\s+AND \w+ >= {p\d+:DateTime64\(3, 'UTC'\)}"
        r"\s+AND \w+ < {p\d+:DateTime64\(3, 'UTC'\)}",
        sql.text,
    )
    assert tables == len(bound) >= 1
    assert {sql.parameters[name] for name in bound} == {1}


@pytest.mark.parametrize("sql", persons_sqls("plan", "x"))
def test_every_list_of_people_looks_at_one_project_only(sql: Sql) -> None:
    tables = re.findall(r"FROM analytics\.", sql.text)
    bound = re.findall(r"FROM analytics\.\w+\s+WHERE project_id = {(p\d+):UInt32}", sql.text)
    assert len(tables) == len(bound) >= 2
    assert {sql.parameters[name] for name in bound} == {1}


def test_every_operator_has_a_branch() -> None:
    assert set(OPERATORS) == set(Filter.model_json_schema()["properties"]["operator"]["enum"])
