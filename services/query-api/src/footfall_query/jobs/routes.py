"""Jobs over HTTP."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from footfall_core.clickhouse import ClickHouseRefused, ClickHouseUnavailable
from footfall_core.errors import (
    BadRequest,
    Conflict,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    problem_responses,
)
from footfall_query.deps import PartsDep, ReaderDep
from footfall_query.documents import ProjectId
from footfall_query.filters import Document
from footfall_query.formats import CSV_RESPONSE, FormatDep, respond
from footfall_query.jobs.store import Lease
from footfall_query.models import Job, JobStatus
from footfall_query.questions import StoredDocument, find_insight, read_question

router = APIRouter(
    prefix="/api/query/async",
    tags=["jobs"],
    responses=problem_responses(BadRequest, Unauthorized, NotFound, TooLarge, TooManyRequests, Unavailable),
)


class NewJob(Document):
    """A question for the background."""

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    kind: Annotated[str, Field(max_length=64, examples=["trends"])]
    query: StoredDocument = Field(
        description="A query document of this kind.", examples=[{"series": [{"event": "signup"}]}]
    )


class Progress(BaseModel):
    """Rows that ClickHouse has read, and about how many it will read; 0 until it knows."""

    rows_read: int
    total_rows: int


class JobAnswer(BaseModel):
    """A job. `result` is the answer once it succeeded, `error` a problem document once it failed."""

    job_id: UUID
    kind: str
    status: JobStatus
    progress: Progress
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime = Field(description="When the job and its result are forgotten.")
    result: dict[str, Any] | None = Field(default=None, exclude_if=lambda value: value is None)
    error: dict[str, Any] | None = Field(default=None, exclude_if=lambda value: value is None)


@router.post("", status_code=202, summary="Ask a question whose answer may take long.")
async def add_job(new: NewJob, parts: PartsDep, reader: ReaderDep) -> JobAnswer:
    insight = find_insight(new.kind, ["body", "kind"])
    question = read_question(insight, new.query, ["body", "query"])
    project = await reader.project(new.project_id if question.project_id is None else question.project_id)
    try:
        parts.runner.span(insight, question, project, parts.clock())
    except BadRequest as error:
        error.errors = [{**found, "loc": ["body", "query", *found["loc"]]} for found in error.errors]
        raise
    job = await run_sync(parts.jobs.add, project.project_id, insight.kind, json.dumps(new.query))
    parts.worker.wake()
    return _answer(job)


async def _find(job_id: UUID, parts: PartsDep, reader: ReaderDep) -> Job:
    """The job of the path, if it belongs to a project of the caller."""
    job = await run_sync(parts.jobs.find, str(job_id))
    if job is not None:
        with contextlib.suppress(NotFound):
            await reader.project(job.project_id)
            return job
    raise NotFound(f"There is no job {job_id}")


JobDep = Annotated[Job, Depends(_find)]


@router.get(
    "/{job_id}",
    response_model=JobAnswer,
    responses={**CSV_RESPONSE, **problem_responses(Conflict)},
    summary="How far a job is, and its result.",
)
async def read_job(job: JobDep, format: FormatDep) -> Response:
    if format == "csv":
        if job.result is None:
            raise Conflict(f"The job is {job.status}; only the result of one that succeeded is a table")
        return respond(find_insight(job.kind, ["kind"]), job.result.encode(), format)
    return Response(_answer(job).model_dump_json(), media_type="application/json")


@router.delete("/{job_id}", summary="Cancel a job that is not finished.")
async def cancel_job(job: JobDep, parts: PartsDep) -> JobAnswer:
    """The answer is the job as it is now. One that has finished stays what it is."""
    if await run_sync(parts.jobs.cancel, job):
        # Whoever works on it finds out within a second; ClickHouse need not wait for that.
        with contextlib.suppress(ClickHouseRefused, ClickHouseUnavailable):
            await parts.runner.stop(Lease(job, "").name)
    now = await run_sync(parts.jobs.find, job.id)
    return _answer(job if now is None else now)


def _answer(job: Job) -> JobAnswer:
    return JobAnswer(
        job_id=UUID(job.id),
        kind=job.kind,
        status=job.status,
        progress=Progress(rows_read=job.rows_read, total_rows=job.total_rows),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        result=None if job.result is None else json.loads(job.result),
        error=None if job.error is None else json.loads(job.error),
    )
