"""Dashboards over HTTP. Whoever may read the project sees them; editors change them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.requests import Request

from footfall_core.auth import ProjectInfo, Role
from footfall_core.errors import (
    AppError,
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
    problem_responses,
)
from footfall_query.dashboards.documents import (
    MAX_ID,
    Copy,
    DashboardAnswer,
    DashboardChange,
    DashboardsAnswer,
    NewDashboard,
    NewWidget,
    Run,
    RunAnswer,
    WidgetAnswer,
    WidgetChange,
    WidgetResult,
    show_dashboard,
    show_widget,
    summarize,
)
from footfall_query.deps import CLIENT_GONE, ClientGone, Parts, PartsDep, ReaderDep, attend
from footfall_query.documents import ProjectId
from footfall_query.formats import CSV_RESPONSE, FormatDep, respond_table
from footfall_query.models import Widget
from footfall_query.questions import find_insight, read_question
from footfall_query.tables import Table, stack

logger = structlog.get_logger(__name__)

RUNS_AT_ONCE: Final = 4
"""Widgets of one dashboard that are asked at the same time."""

PROBLEMS = problem_responses(BadRequest, Unauthorized, NotFound, TooLarge, Unavailable)
CHANGE_PROBLEMS = problem_responses(Forbidden, Conflict)
router = APIRouter(prefix="/api/dashboards", tags=["dashboards"], responses=PROBLEMS)

ProjectParameter = Annotated[
    ProjectId | None, Query(description="May be left out with a read key, which has a project.")
]
VersionParameter = Annotated[
    int | None, Query(ge=1, description="The version that is to be deleted: 409 when there is a newer one.")
]
WidgetId = Annotated[int, Path(ge=1, le=MAX_ID)]


@dataclass(frozen=True, slots=True)
class Found:
    """A dashboard of the path that the caller may see."""

    id: int
    project: ProjectInfo


def _allowed(least: Role) -> Callable[..., Awaitable[Found]]:
    async def find(dashboard_id: Annotated[int, Path(ge=1, le=MAX_ID)], parts: PartsDep, reader: ReaderDep) -> Found:
        project_id = await run_sync(parts.dashboards.project_of, dashboard_id)
        nothing = NotFound(f"There is no dashboard {dashboard_id}")
        if project_id is None:
            raise nothing
        try:
            return Found(dashboard_id, await reader.project(project_id, least))
        except NotFound as error:
            raise nothing from error

    return find


Seen = Annotated[Found, Depends(_allowed("viewer"))]
Changed = Annotated[Found, Depends(_allowed("editor"))]


@router.get("", summary="The project's dashboards, oldest first.")
async def list_dashboards(
    parts: PartsDep,
    reader: ReaderDep,
    project_id: ProjectParameter = None,
    search: Annotated[str | None, Query(max_length=200, description="Only names that contain this.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=20, description="`next_cursor` of the page before.")] = None,
) -> DashboardsAnswer:
    project = await reader.project(project_id)
    after = _read_cursor(cursor)
    found = await run_sync(parts.dashboards.list, project.project_id, search, after, limit)
    page = found[:limit]
    return DashboardsAnswer(
        results=[summarize(dashboard) for dashboard in page],
        next_cursor=str(page[-1].id) if len(found) > limit else None,
    )


@router.post("", status_code=201, responses=CHANGE_PROBLEMS, summary="A new dashboard, empty.")
async def add_dashboard(
    new: NewDashboard, parts: PartsDep, reader: ReaderDep, project_id: ProjectParameter = None
) -> DashboardAnswer:
    project = await reader.project(project_id if new.project_id is None else new.project_id, "editor")
    saved = await run_sync(parts.dashboards.add, project.project_id, new)
    return show_dashboard(saved.dashboard, saved.widgets)


@router.get("/{dashboard_id}", summary="A dashboard with its widgets, in their order.")
async def read_dashboard(found: Seen, parts: PartsDep) -> DashboardAnswer:
    saved = await run_sync(parts.dashboards.read, found.id)
    return show_dashboard(saved.dashboard, saved.widgets)


@router.patch("/{dashboard_id}", responses=CHANGE_PROBLEMS, summary="Rename, describe or arrange a dashboard.")
async def change_dashboard(found: Changed, change: DashboardChange, parts: PartsDep) -> DashboardAnswer:
    saved = await run_sync(parts.dashboards.change, found.id, change)
    return show_dashboard(saved.dashboard, saved.widgets)


@router.delete(
    "/{dashboard_id}", status_code=204, responses=CHANGE_PROBLEMS, summary="Delete a dashboard with its widgets."
)
async def remove_dashboard(found: Changed, parts: PartsDep, version: VersionParameter = None) -> None:
    await run_sync(parts.dashboards.remove, found.id, version)


@router.post(
    "/{dashboard_id}/duplicate",
    status_code=201,
    responses=CHANGE_PROBLEMS,
    summary="A copy with copies of all widgets.",
)
async def copy_dashboard(found: Changed, parts: PartsDep, copy: Copy = Copy()) -> DashboardAnswer:
    saved = await run_sync(parts.dashboards.copy, found.id, copy)
    return show_dashboard(saved.dashboard, saved.widgets)


@router.post(
    "/{dashboard_id}/widgets", status_code=201, responses=CHANGE_PROBLEMS, summary="A new widget, the last in order."
)
async def add_widget(found: Changed, new: NewWidget, parts: PartsDep) -> WidgetAnswer:
    _check_question(new.kind, new.query, found.project)
    return show_widget(await run_sync(parts.dashboards.add_widget, found.id, new))


@router.patch("/{dashboard_id}/widgets/{widget_id}", responses=CHANGE_PROBLEMS, summary="Change a widget.")
async def change_widget(found: Changed, widget_id: WidgetId, change: WidgetChange, parts: PartsDep) -> WidgetAnswer:
    if change.query is not None or change.kind is not None:
        known = await run_sync(parts.dashboards.read_widget, found.id, widget_id)
        kind = change.kind or known.kind
        _check_question(kind, json.loads(known.query) if change.query is None else change.query, found.project)
    return show_widget(await run_sync(parts.dashboards.change_widget, found.id, widget_id, change))


@router.delete(
    "/{dashboard_id}/widgets/{widget_id}", status_code=204, responses=CHANGE_PROBLEMS, summary="Delete a widget."
)
async def remove_widget(found: Changed, widget_id: WidgetId, parts: PartsDep, version: VersionParameter = None) -> None:
    await run_sync(parts.dashboards.remove_widget, found.id, widget_id, version)


@router.post(
    "/{dashboard_id}/widgets/{widget_id}/duplicate",
    status_code=201,
    responses=CHANGE_PROBLEMS,
    summary="A copy of a widget, below all others.",
)
async def copy_widget(found: Changed, widget_id: WidgetId, parts: PartsDep, copy: Copy = Copy()) -> WidgetAnswer:
    return show_widget(await run_sync(parts.dashboards.copy_widget, found.id, widget_id, copy))


@router.post(
    "/{dashboard_id}/run",
    response_model=RunAnswer,
    responses=CSV_RESPONSE,
    summary="Every widget's answer, or its error.",
)
async def run_dashboard(
    found: Seen, request: Request, parts: PartsDep, format: FormatDep, run: Run = Run()
) -> Response:
    saved = await run_sync(parts.dashboards.read, found.id)
    places = asyncio.Semaphore(RUNS_AT_ONCE)

    async def ask(widget: Widget) -> WidgetResult:
        async with places:
            return await _run_widget(widget, run, found.project, parts)

    try:
        results = await attend(request, asyncio.gather(*map(ask, saved.widgets)))
    except ClientGone:
        return Response(status_code=CLIENT_GONE)
    if format == "csv":
        return respond_table(_stack(results), f"dashboard-{found.id}")
    answer = RunAnswer(dashboard_id=found.id, version=saved.dashboard.version, results=results)
    return Response(answer.model_dump_json(), media_type="application/json")


def _stack(results: Sequence[WidgetResult]) -> Table:
    """The answers below each other. A widget without one has a row that says why."""
    tables = []
    for each in results:
        error = None if each.error is None else each.error["detail"]
        table = Table([], []) if each.result is None else find_insight(each.kind, ["kind"]).table(each.result)
        tables.append(((each.widget_id, each.name, each.kind, error), table))
    return stack(("widget_id", "widget_name", "widget_kind", "widget_error"), tables)


async def _run_widget(widget: Widget, run: Run, project: ProjectInfo, parts: Parts) -> WidgetResult:
    shown: dict[str, Any] = {
        "widget_id": widget.id,
        "name": widget.name,
        "kind": widget.kind,
        "visualization": widget.visualization,
    }
    try:
        document = {**json.loads(widget.query), "project_id": project.project_id, "refresh": run.refresh}
        if run.date_from is not None or run.date_to is not None:
            dates = {"date_from": run.date_from or document.get("date_from"), "date_to": run.date_to}
            document |= {name: date for name, date in dates.items() if date is not None}
            if run.date_to is None:
                document.pop("date_to", None)
        insight = find_insight(widget.kind, ["kind"])
        question = read_question(insight, document, ["query"])
        body = await parts.answers.get(insight, question, project)
    except AppError as error:
        return WidgetResult(**shown, error=json.loads(error.body()))
    except Exception as error:
        logger.error("a widget failed", widget=widget.id, exc_info=error)
        problem = AppError("Something went wrong here. The log has the details under this request's id.")
        return WidgetResult(**shown, error=json.loads(problem.body()))
    return WidgetResult(**shown, result=json.loads(body))


def _check_question(kind: str, document: dict[str, Any], project: ProjectInfo) -> None:
    """Raises `BadRequest` for a document that could not be asked of the project."""
    question = read_question(find_insight(kind, ["body", "kind"]), document, ["body", "query"])
    if question.project_id not in (None, project.project_id):
        message = f"must be the dashboard's, {project.project_id}, or left out"
        loc: list[str | int] = ["body", "query", "project_id"]
        raise BadRequest(f"query.project_id: {message}", errors=[FieldError(loc=loc, msg=message)])


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and int(cursor) <= MAX_ID):
        message = "must be the next_cursor of an earlier answer"
        raise BadRequest(f"cursor: {message}", errors=[FieldError(loc=["query", "cursor"], msg=message)])
    return int(cursor)
