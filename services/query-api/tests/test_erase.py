"""Deleted projects: what is kept of them here goes, nobody else's does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from footfall_core.auth import ProjectDirectory
from footfall_core.database import open_database
from footfall_query.dashboards.documents import NewDashboard, NewWidget
from footfall_query.dashboards.store import DashboardStore
from footfall_query.erase import AT_ONCE, erase, keep_erasing
from footfall_query.jobs.store import JobStore, JobTimes
from footfall_query.models import Dashboard, Job, Widget

WIDGET = NewWidget.model_validate({"name": "Opened", "kind": "trends", "query": {"series": [{"event": "open"}]}})


@pytest.fixture
def engine(any_database: str) -> Iterator[Engine]:
    engine = open_database(any_database)
    for project_id in (1, 2):
        dashboards = DashboardStore(engine, lambda: datetime.now(UTC))
        made = dashboards.add(project_id, NewDashboard(name="Shop"))
        dashboards.add_widget(made.dashboard.id, WIDGET)
        JobStore(engine, lambda: datetime.now(UTC), JobTimes()).add(project_id, "trends", "{}")
    yield engine
    engine.dispose()


def left(engine: Engine) -> tuple[list[int], list[int], int]:
    """The projects that have dashboards, those that have jobs, and how many widgets there are."""
    with Session(engine) as session:
        return (
            list(session.scalars(select(Dashboard.project_id))),
            list(session.scalars(select(Job.project_id))),
            len(list(session.scalars(select(Widget.id)))),
        )


def test_dashboards_and_jobs_of_deleted_projects_are_removed_and_no_others(engine: Engine) -> None:
    erase(engine, [2, *range(1_000, 1_000 + AT_ONCE)])
    assert left(engine) == ([1], [1], 1)
    erase(engine, [])
    assert left(engine) == ([1], [1], 1)


async def test_it_goes_on_after_trouble(engine: Engine) -> None:
    answers: list[Any] = [httpx.Response(503), httpx.Response(200, content=b"<html>"), {"project_ids": [2]}]
    asked = asyncio.Event()

    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/internal/projects/deleted"
        if not answers:
            asked.set()
            return httpx.Response(200, json={"project_ids": []})
        answer = answers.pop(0)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    directory = ProjectDirectory("http://auth", "", transport=httpx.MockTransport(handle))
    erasing = asyncio.create_task(keep_erasing(directory, engine, seconds=0.01))
    await asyncio.wait_for(asked.wait(), 10)
    erasing.cancel()

    assert left(engine) == ([1], [1], 1)
    await directory.close()
