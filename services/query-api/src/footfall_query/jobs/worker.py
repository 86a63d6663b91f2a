"""Works on jobs: one instance's share of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar, TypeVarTuple, Unpack

import structlog
from anyio.to_thread import run_sync
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy.exc import SQLAlchemyError

from footfall_core.auth import ProjectDirectory
from footfall_core.clickhouse import ClickHouseRefused, ClickHouseUnavailable
from footfall_core.errors import AppError, NotFound, TooLarge, Unavailable
from footfall_query.jobs.store import MAX_ATTEMPTS, JobStore, Lease
from footfall_query.questions import find_insight, read_question
from footfall_query.runner import Limits, Runner

T = TypeVar("T")
P = TypeVarTuple("P")

logger = structlog.get_logger(__name__)

BEAT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
FORGET_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What jobs may cost: each of them, how many at once, and the bytes of a result."""

    each: Limits = field(default_factory=lambda: Limits(seconds=600.0))
    at_once: int = 2
    result_bytes: int = 16_000_000


async def in_thread(call: Callable[[Unpack[P]], T], *arguments: *P) -> T:
    """What a call to the database gives. It ends before this does, also when nobody waits for it any more: the database
    may be closed then."""
    working = asyncio.ensure_future(run_sync(call, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


class Worker:
    """`run` works until it is cancelled; then it puts its jobs back into the queue."""

    def __init__(
        self,
        store: JobStore,
        runner: Runner,
        directory: ProjectDirectory,
        *,
        limits: JobLimits,
        registry: CollectorRegistry,
    ) -> None:
        self._store = store
        self._runner = runner
        self._directory = directory
        self._limits = limits
        self._owner = str(uuid.uuid4())
        self._news = asyncio.Event()
        self._ended = Counter(
            "footfall_query_jobs", "Jobs that this instance ended, by how.", ["status"], registry=registry
        )
        self._waiting = Gauge("footfall_query_jobs_waiting", "Jobs that nobody works on yet.", registry=registry)

    def wake(self) -> None:
        """There is a new job; the next look need not wait."""
        self._news.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_house())
            for _ in range(self._limits.at_once):
                tasks.create_task(self._work())

    async def _keep_house(self) -> None:
        while True:
            try:
                await in_thread(self._store.forget)
                self._waiting.set(await in_thread(self._store.waiting))
            except SQLAlchemyError as error:
                logger.warning("the database does not answer", error=str(error))
            await asyncio.sleep(FORGET_SECONDS)

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                lease = await self._claim()
            except SQLAlchemyError as error:
                logger.warning("the database does not answer", error=str(error))
                lease = None
            if lease is not None:
                await self._attend(lease)
                continue
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _claim(self) -> Lease | None:
        """A job to work on. One that comes when it is time to stop goes back at once."""
        claiming = asyncio.ensure_future(run_sync(self._store.claim, self._owner))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with contextlib.suppress(SQLAlchemyError):
                if (lease := await claiming) is not None:
                    await run_sync(self._store.release, lease)
            raise

    async def _attend(self, lease: Lease) -> None:
        """Answer the job's question, saying all the while that this is being done."""
        runner = self._runner.apart(self._limits.each, lease.name)
        working = asyncio.ensure_future(self._answer(lease, runner))
        try:
            while not (await asyncio.wait({working}, timeout=BEAT_SECONDS))[0]:
                if not await self._beat(lease, runner):
                    self._ended.labels("lost").inc()
                    return
            await self._end(lease, runner, working)
        except asyncio.CancelledError:
            with contextlib.suppress(SQLAlchemyError):
                await run_sync(self._store.release, lease)
            raise
        except SQLAlchemyError as error:
            # Nobody was told how it ended; the lease runs out, and the job is done again.
            logger.warning("the database does not answer", error=str(error))
        finally:
            working.cancel()
            await asyncio.wait({working})

    async def _beat(self, lease: Lease, runner: Runner) -> bool:
        try:
            read, total = await runner.progress(lease.name)
        except (ClickHouseRefused, ClickHouseUnavailable):
            read, total = 0, 0
        read += runner.rows_read
        try:
            return await in_thread(self._store.beat, lease, read, max(total + runner.rows_read, read))
        except SQLAlchemyError as error:
            logger.warning("the database does not answer", error=str(error))
            return True

    async def _answer(self, lease: Lease, runner: Runner) -> str:
        """The answer as JSON. Raises `AppError`."""
        job = lease.job
        insight = find_insight(job.kind, ["kind"])
        query = read_question(insight, json.loads(job.query), ["query"])
        project = await self._directory.project(job.project_id)
        if project is None:
            raise NotFound(f"There is no project {job.project_id}")
        answer: str = (await runner.run(insight, query, project)).model_dump_json()
        if len(answer.encode()) > self._limits.result_bytes:
            raise TooLarge(f"The answer has more than {self._limits.result_bytes} bytes. Ask for less of it")
        return answer

    async def _end(self, lease: Lease, runner: Runner, working: asyncio.Future[str]) -> None:
        try:
            result = await working
        except Unavailable as error:
            if lease.job.attempts < MAX_ATTEMPTS:
                await asyncio.sleep(error.retry_after or 1.0)
                await in_thread(self._store.postpone, lease)
                return
            await self._fail(lease, error)
        except AppError as error:
            await self._fail(lease, error)
        except Exception as error:
            logger.error("a job failed", job=lease.job.id, exc_info=error)
            await self._fail(
                lease, AppError(f"Something went wrong here. The log has the details of job {lease.job.id}")
            )
        else:
            mine = await in_thread(self._store.succeed, lease, result, runner.rows_read)
            self._ended.labels("succeeded" if mine else "lost").inc()

    async def _fail(self, lease: Lease, error: AppError) -> None:
        mine = await in_thread(self._store.fail, lease, error.body().decode())
        self._ended.labels("failed" if mine else "lost").inc()
