"""Dashboards and widgets, on each kind of database."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from query_platform import SECRET, Platform, Project, client_of, event
from sqlalchemy import text

from footfall_core.auth import derive_token
from footfall_core.database import open_database
from footfall_query.dashboards.documents import DashboardChange, NewDashboard
from footfall_query.dashboards.store import DashboardStore

OPERATOR = derive_token(SECRET, "operator")
TRENDS = {"series": [{"event": "open"}], "date_from": "-1d"}
ANYTHING = {"name": "Opened", "kind": "trends", "query": TRENDS}


@dataclass
class Desk:
    """Who edits a project's dashboards, over a database of their own."""

    project: Project
    client: httpx.AsyncClient
    database: str

    def call(self, method: str, path: str = "", token: str = OPERATOR, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        return self.project.platform.run(self.client.request(method, f"/api/dashboards{path}", headers=headers, **more))

    def do(self, status: int, method: str, path: str = "", body: Any = None, **more: Any) -> Any:
        answer = self.call(method, path, **({} if body is None else {"json": body}), **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def dashboard(self, name: str = "Shop", *widgets: dict[str, Any]) -> dict[str, Any]:
        made = self.do(201, "POST", body={"name": name, "project_id": self.project.id})
        for widget in widgets:
            self.do(201, "POST", f"/{made['id']}/widgets", widget)
        found: dict[str, Any] = self.do(200, "GET", f"/{made['id']}")
        return found


@pytest.fixture
def desk(platform: Platform, any_database: str) -> Iterator[Desk]:
    app = platform.make_app(platform.clickhouse_url, database_url=any_database)
    client = client_of(app)
    yield Desk(platform.project(), client, any_database)
    app.state.parts.dashboards._engine.dispose()


def execute(url: str, statement: str) -> Any:
    """The value that a statement gives, if it gives one."""
    engine = open_database(url)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        value = done.scalar() if done.returns_rows else None
    engine.dispose()
    return value


def without_times(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: without_times(value) for name, value in found.items() if name not in ("created_at", "updated_at")}
    return [without_times(each) for each in found] if isinstance(found, list) else found


def test_a_dashboard_from_beginning_to_end(desk: Desk) -> None:
    new = {"name": " Shop ", "project_id": desk.project.id, "description": "all of it"}
    made = desk.do(201, "POST", body=new)
    assert without_times(made) == {
        "id": made["id"],
        "project_id": desk.project.id,
        "name": "Shop",
        "description": "all of it",
        "version": 1,
        "widgets": [],
    }
    path = f"/{made['id']}"
    one = desk.do(201, "POST", f"{path}/widgets", {**ANYTHING, "visualization": "bar", "layout": {"x": 6, "h": 3}})
    two = desk.do(201, "POST", f"{path}/widgets", {**ANYTHING, "name": "More"})
    assert without_times(one) == {
        "id": one["id"],
        "name": "Opened",
        "kind": "trends",
        "query": TRENDS,
        "layout": {"x": 6, "y": 0, "w": 6, "h": 3},
        "visualization": "bar",
        "version": 1,
    }
    assert (two["layout"], two["visualization"]) == ({"x": 0, "y": 3, "w": 6, "h": 4}, "auto")

    changed = desk.do(200, "PATCH", f"{path}/widgets/{one['id']}", {"name": "Other", "layout": {"x": 1}, "version": 1})
    assert without_times(changed) == {
        **without_times(one), "name": "Other", "layout": {"x": 1, "y": 0, "w": 6, "h": 4}, "version": 2,
    }  # fmt: skip
    places = [{"widget_id": widget["id"], "layout": {"x": n}} for n, widget in enumerate((two, one))]
    arranged = desk.do(200, "PATCH", path, {"name": "Shop 2", "arrangement": places})
    assert arranged["name"] == "Shop 2"
    assert [(widget["id"], widget["layout"]["x"]) for widget in arranged["widgets"]] == [(two["id"], 0), (one["id"], 1)]
    assert desk.do(200, "GET", path) == arranged
    assert arranged["version"] == 5

    desk.do(204, "DELETE", f"{path}/widgets/{two['id']}")
    assert [widget["id"] for widget in desk.do(200, "GET", path)["widgets"]] == [one["id"]]
    desk.do(204, "DELETE", path)
    assert desk.do(404, "GET", path)["detail"] == f"There is no dashboard {made['id']}"
    assert execute(desk.database, "SELECT count(*) FROM query_widgets") == 0


def test_copies(desk: Desk) -> None:
    made = desk.dashboard("x" * 200, ANYTHING, {**ANYTHING, "name": "Second", "layout": {"y": 7}})
    copy = desk.do(201, "POST", f"/{made['id']}/duplicate")
    assert copy["name"] == "x" * 193 + " (copy)"
    assert [without_times({**widget, "id": 0}) for widget in copy["widgets"]] == [
        without_times({**widget, "id": 0}) for widget in made["widgets"]
    ]
    assert {widget["id"] for widget in copy["widgets"]}.isdisjoint(widget["id"] for widget in made["widgets"])
    assert desk.do(201, "POST", f"/{made['id']}/duplicate", {"name": "Mine"})["name"] == "Mine"

    first = made["widgets"][0]
    copied = desk.do(201, "POST", f"/{made['id']}/widgets/{first['id']}/duplicate")
    assert (copied["name"], copied["query"], copied["layout"]) == (
        "Opened (copy)",
        TRENDS,
        {**first["layout"], "y": 11},
    )
    assert desk.do(200, "GET", f"/{made['id']}")["widgets"][-1]["id"] == copied["id"]


def test_a_list_in_pages_and_by_name(desk: Desk) -> None:
    names = ["Sign-ups", "100%", "Revenue", "sign-outs"]
    for name in names:
        desk.dashboard(name)
    mine = {"project_id": desk.project.id}
    first = desk.do(200, "GET", params={**mine, "limit": 3})
    assert [found["name"] for found in first["results"]] == names[:3]
    assert "widgets" not in first["results"][0]
    rest = desk.do(200, "GET", params={**mine, "limit": 3, "cursor": first["next_cursor"]})
    assert ([found["name"] for found in rest["results"]], rest["next_cursor"]) == (names[3:], None)
    for search, found in (("SIGN", [names[0], names[3]]), ("%", [names[1]]), ("_", [])):
        assert [each["name"] for each in desk.do(200, "GET", params={**mine, "search": search})["results"]] == found
    assert desk.do(400, "GET", params={**mine, "cursor": "x"})["errors"][0]["loc"] == ["query", "cursor"]
    other = desk.project.platform.project()
    assert desk.do(200, "GET", params={"project_id": other.id})["results"] == []


def test_roles(desk: Desk) -> None:
    made = desk.dashboard("Shop", ANYTHING)
    key, stranger = desk.project.read_key, desk.project.platform.project().read_key
    widget = f"/{made['id']}/widgets/{made['widgets'][0]['id']}"
    reads: list[tuple[str, str, Any]] = [("GET", f"/{made['id']}", None), ("POST", f"/{made['id']}/run", {})]
    writes: list[tuple[str, str, Any]] = [
        ("PATCH", f"/{made['id']}", {"name": "x"}),
        ("POST", f"/{made['id']}/duplicate", {}),
        ("POST", f"/{made['id']}/widgets", ANYTHING),
        ("PATCH", widget, {"name": "x"}),
        ("POST", f"{widget}/duplicate", {}),
        ("DELETE", widget, None),
        ("DELETE", f"/{made['id']}", None),
    ]
    for method, path, body in [*reads, *writes]:
        more = {} if body is None else {"json": body}
        assert desk.call(method, path, stranger, **more).status_code == 404, path
        assert desk.call(method, path, "x", **more).status_code == 401, path
    for method, path, body in reads:
        assert desk.call(method, path, key, **({} if body is None else {"json": body})).status_code == 200
    for method, path, body in writes:
        assert desk.call(method, path, key, **({} if body is None else {"json": body})).status_code == 403
    assert desk.call("GET", token=key).status_code == 200
    assert desk.call("POST", token=key, json={"name": "x"}).status_code == 403
    assert desk.do(200, "GET", f"/{made['id']}") == made
    foreign = desk.call("GET", f"/{made['id']}", stranger).json()["detail"]
    assert foreign == desk.call("GET", "/2000000000", stranger).json()["detail"].replace("2000000000", str(made["id"]))


def test_a_change_of_an_old_version_is_refused(desk: Desk) -> None:
    made = desk.dashboard("Shop", ANYTHING)
    path, widget = f"/{made['id']}", f"/{made['id']}/widgets/{made['widgets'][0]['id']}"
    assert made["version"] == 2
    desk.do(200, "PATCH", path, {"name": "One", "version": 2})
    refused = desk.do(409, "PATCH", path, {"name": "Two", "version": 2})
    assert refused["detail"] == "The dashboard was changed meanwhile: this is version 3"
    desk.do(409, "DELETE", path, params={"version": 2})
    desk.do(200, "PATCH", widget, {"name": "One", "version": 1})
    assert "this is version 2" in desk.do(409, "PATCH", widget, {"name": "Two", "version": 1})["detail"]
    desk.do(409, "DELETE", widget, params={"version": 1})
    found = desk.do(200, "GET", path)
    assert (found["name"], found["widgets"][0]["name"], found["version"]) == ("One", "One", 4)
    desk.do(204, "DELETE", widget, params={"version": 2})
    desk.do(204, "DELETE", path, params={"version": 5})


def test_of_changes_at_once_none_is_lost(desk: Desk) -> None:
    engine = open_database(desk.database)
    store = DashboardStore(engine, lambda: desk.project.platform.now)
    made = store.add(desk.project.id, NewDashboard(name="x")).dashboard
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.change(made.id, DashboardChange(name=f"n{n}")), range(20)))
    assert store.read(made.id).dashboard.version == 21
    engine.dispose()


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"kind": "magic"}, ["body", "kind"]),
        ({"query": {"series": []}}, ["body", "query", "series"]),
        ({"query": {"series": [{"event": "a", "math": "sum"}]}}, ["body", "query", "series", 0, "math_property"]),
        ({"kind": "funnels"}, ["body", "query", "steps"]),
        ({"query": {**TRENDS, "project_id": 77}}, ["body", "query", "project_id"]),
        ({"layout": {"w": 0}}, ["body", "layout", "w"]),
        ({"visualization": "<b>"}, ["body", "visualization"]),
        ({"name": " "}, ["body", "name"]),
        ({"name": "a\0"}, ["body", "name"]),
        ({"nmae": "a"}, ["body", "nmae"]),
    ],
)
def test_what_is_no_widget(desk: Desk, body: dict[str, Any], loc: list[str | int]) -> None:
    made = desk.dashboard("Shop", ANYTHING)
    added = desk.do(400, "POST", f"/{made['id']}/widgets", {**ANYTHING, **body})
    assert added["errors"][0]["loc"] == loc
    changed = desk.do(400, "PATCH", f"/{made['id']}/widgets/{made['widgets'][0]['id']}", body)
    assert changed["errors"][0]["loc"] == loc
    assert desk.do(200, "GET", f"/{made['id']}") == made


def test_an_arrangement_names_every_widget_once(desk: Desk) -> None:
    made = desk.dashboard("Shop", ANYTHING, ANYTHING)
    one, two = (widget["id"] for widget in made["widgets"])
    for ids in ([one], [one, one], [one, two, two + 1], []):
        places = [{"widget_id": id, "layout": {}} for id in ids]
        refused = desk.do(400, "PATCH", f"/{made['id']}", {"name": "never", "arrangement": places})
        assert refused["errors"][0]["loc"] == ["body", "arrangement"]
    assert desk.do(200, "GET", f"/{made['id']}") == made


def test_a_widget_of_another_dashboard_is_none(desk: Desk) -> None:
    made, other = desk.dashboard("Shop", ANYTHING), desk.dashboard("Other")
    path = f"/{other['id']}/widgets/{made['widgets'][0]['id']}"
    desk.do(404, "PATCH", path, {"name": "x"})
    desk.do(404, "DELETE", path)
    desk.do(404, "POST", f"{path}/duplicate")


def test_a_run_answers_every_widget_or_says_why_not(desk: Desk) -> None:
    desk.project.store(event("open", "ann", "2026-11-18T10:00"), event("open", "bob", "2026-11-10T10:00"))
    funnel = {"name": "F", "kind": "funnels", "query": {"steps": [{"event": "open"}, {"event": "buy"}]}}
    wrong = {"name": "Order", "kind": "trends", "query": {**TRENDS, "date_from": "-1d", "date_to": "-2d"}}
    made = desk.dashboard("Shop", {**ANYTHING, "visualization": "number"}, funnel, wrong, ANYTHING, ANYTHING)
    ids = [widget["id"] for widget in made["widgets"]]
    execute(desk.database, f"UPDATE query_widgets SET kind = 'magic' WHERE id = {ids[3]}")
    execute(desk.database, f"UPDATE query_widgets SET query = '{{\"old\": 1}}' WHERE id = {ids[4]}")
    found = desk.do(200, "POST", f"/{made['id']}/run")
    assert (found["dashboard_id"], found["version"]) == (made["id"], made["version"])
    trends, steps, order, magic, old = found["results"]
    asked = desk.project.ask("trends", TRENDS)
    del trends["result"]["meta"]
    assert trends == {
        "widget_id": ids[0], "name": "Opened", "kind": "trends", "visualization": "number", "result": asked,
    }  # fmt: skip
    assert [step["count"] for step in steps["result"]["steps"]] == [1, 0]
    assert (order["error"]["status"], order["error"]["errors"][0]["loc"]) == (400, ["date_to"])
    assert (magic["error"]["status"], magic["error"]["errors"][0]["loc"]) == (400, ["kind"])
    assert (old["error"]["status"], "query" in old["error"]["errors"][0]["loc"]) == (400, True)
    assert all("result" not in each for each in (order, magic, old))

    longer = desk.do(200, "POST", f"/{made['id']}/run", {"date_from": "-30d"})["results"]
    assert (longer[0]["result"]["series"][0]["total"], longer[1]["result"]["steps"][0]["count"]) == (2, 2)
    assert longer[2]["result"]["series"][0]["total"] == 2  # its own date_to counts no more
    before = desk.do(200, "POST", f"/{made['id']}/run", {"date_from": "-30d", "date_to": "-2d"})["results"]
    assert before[0]["result"]["series"][0]["total"] == 1
    again = desk.do(200, "POST", f"/{made['id']}/run")["results"][0]["result"]["meta"]
    anew = desk.do(200, "POST", f"/{made['id']}/run", {"refresh": True})["results"][0]["result"]["meta"]
    assert (again["cached"], anew["cached"]) == (True, False)
    assert desk.do(400, "POST", f"/{made['id']}/run", {"date_from": "soon"})["errors"][0]["loc"] == [
        "body",
        "date_from",
    ]


def test_a_run_as_a_table_has_the_answers_below_each_other(desk: Desk) -> None:
    desk.project.store(event("open", "ann", "2026-11-18T10:00"))
    series = {"series": [{"event": "open"}], "date_from": "-0d"}
    funnel = {"name": "=F", "kind": "funnels", "query": {"steps": [{"event": "open"}, {"event": "buy"}]}}
    wrong = {"name": "Order", "kind": "trends", "query": {**TRENDS, "date_from": "-1d", "date_to": "-2d"}}
    made = desk.dashboard("Shop", {"name": "T", "kind": "trends", "query": series}, funnel, wrong)
    answer = desk.call("POST", f"/{made['id']}/run?format=csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="dashboard-{made["id"]}.csv"'
    names = ("widget_name", "widget_kind", "event", "bucket", "value", "count", "conversion")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert [tuple(row[name] for name in names) for row in table] == [
        ("T", "trends", "open", "2026-11-18T00:00:00Z", "1", "", ""),
        ("'=F", "funnels", "open", "", "", "1", "1.0"),
        ("'=F", "funnels", "buy", "", "", "0", "0.0"),
        ("Order", "trends", "", "", "", "", ""),
    ]
    assert [bool(row["widget_error"]) for row in table] == [False, False, False, True]


def test_an_empty_dashboard_has_no_results(desk: Desk) -> None:
    assert desk.do(200, "POST", f"/{desk.dashboard()['id']}/run")["results"] == []


def test_a_database_without_its_tables(platform: Platform, project: Project) -> None:
    client = client_of(platform.make_app(platform.clickhouse_url, database_url="sqlite://"))
    answer = platform.run(client.get("/readyz"))
    assert "run footfall migrate" in answer.json()["missing"]["database"]
    headers = {"authorization": f"Bearer {project.read_key}"}
    refused = platform.run(client.get("/api/dashboards", headers=headers))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    trends = platform.run(client.post("/api/trends", json=TRENDS, headers=headers))
    assert trends.status_code == 200
