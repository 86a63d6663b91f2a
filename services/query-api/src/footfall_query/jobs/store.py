"""Jobs in the metadata database. Every change says on which state it rests, so that instances need no other lock."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Engine, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from footfall_core.errors import AppError, TooManyRequests
from footfall_query.models import Job, JobStatus

MAX_WAITING: Final = 100
"""Jobs of one project that are not finished."""
MAX_ATTEMPTS: Final = 3
"""After so many instances that began a job and never ended it, it is the job."""
GAVE_UP: Final = "None of the instances that began this job lived to end it"


@dataclass(frozen=True, slots=True)
class Lease:
    """A job that is being worked on: by whom, and which attempt it is."""

    job: Job
    owner: str

    @property
    def name(self) -> str:
        """What the attempt's statements are called in ClickHouse."""
        return f"job-{self.job.id}-{self.job.attempts}"


@dataclass(frozen=True, slots=True)
class JobTimes:
    """`keep`: how long a job is remembered. `lease`: how long an instance may be silent before another takes its job;
    much longer than a beat, and than clocks differ."""

    keep: timedelta = timedelta(days=1)
    lease: timedelta = timedelta(seconds=20)


class JobStore:
    """`clock` tells the time in UTC."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], times: JobTimes) -> None:
        self._engine = engine
        self._clock = clock
        self._times = times

    def add(self, project_id: int, kind: str, query: str) -> Job:
        """A new job, in the queue. Raises `TooManyRequests` when the project has too many."""
        now = self._clock()
        with self._session() as session, session.begin():
            unfinished = select(func.count()).where(Job.project_id == project_id, Job.status.in_(("queued", "running")))
            if (session.scalar(unfinished) or 0) >= MAX_WAITING:
                raise TooManyRequests(f"The project has {MAX_WAITING} jobs that are not finished", retry_after=10.0)
            job = Job(
                id=str(uuid.uuid4()),
                project_id=project_id,
                kind=kind,
                query=query,
                status="queued",
                created_at=now,
                expires_at=now + self._times.keep,
                attempts=0,
                rows_read=0,
                total_rows=0,
            )
            session.add(job)
        return job

    def find(self, job_id: str) -> Job | None:
        """A job that is not forgotten yet."""
        with self._session() as session:
            job = session.get(Job, job_id)
            return job if job is not None and (job.status == "running" or job.expires_at > self._clock()) else None

    def claim(self, owner: str) -> Lease | None:
        """The oldest job that nobody works on, from now on the owner's. One that was begun too often fails."""
        while True:
            now = self._clock()
            lost = and_(Job.status == "running", Job.lease_until < now)
            queued = and_(Job.status == "queued", Job.expires_at > now)
            with self._session() as session:
                found = session.scalar(select(Job).where(or_(queued, lost)).order_by(Job.created_at).limit(1))
            if found is None:
                return None
            was = and_(Job.id == found.id, Job.attempts == found.attempts, or_(queued, lost))
            if found.attempts >= MAX_ATTEMPTS:
                self._change(was, **self._end("failed"), error=AppError(GAVE_UP).body().decode())
                continue
            changes: dict[str, Any] = {
                "status": "running",
                "started_at": found.started_at or now,
                "attempts": found.attempts + 1,
                "lease_owner": owner,
                "lease_until": now + self._times.lease,
                "rows_read": 0,
                "total_rows": 0,
            }
            if self._change(was, **changes):
                for name, value in changes.items():
                    setattr(found, name, value)
                return Lease(found, owner)

    def beat(self, lease: Lease, rows_read: int, total_rows: int) -> bool:
        """Keep the lease for another while, and say how far the job is. False: it is not the owner's any more."""
        until = self._clock() + self._times.lease
        return self._change(self._mine(lease), lease_until=until, rows_read=rows_read, total_rows=total_rows)

    def succeed(self, lease: Lease, result: str, rows_read: int) -> bool:
        end = self._end("succeeded")
        return self._change(self._mine(lease), **end, result=result, rows_read=rows_read, total_rows=rows_read)

    def fail(self, lease: Lease, problem: str) -> bool:
        return self._change(self._mine(lease), **self._end("failed"), error=problem)

    def release(self, lease: Lease) -> bool:
        """Put the job back into the queue; the attempt does not count."""
        attempts = lease.job.attempts - 1
        changes = {"status": "queued", "attempts": attempts, "lease_owner": None, "lease_until": None}
        return self._change(self._mine(lease), **changes)

    def postpone(self, lease: Lease) -> bool:
        """Put the job back into the queue after an attempt that failed for a reason that may pass."""
        return self._change(self._mine(lease), status="queued", lease_owner=None, lease_until=None)

    def cancel(self, job: Job) -> bool:
        """Whether the job was still to be done. Who works on it finds out at the next beat."""
        return self._change(and_(Job.id == job.id, Job.status.in_(("queued", "running"))), **self._end("cancelled"))

    def forget(self) -> int:
        """Delete jobs whose time is over; how many."""
        with self._session() as session, session.begin():
            done = session.execute(delete(Job).where(Job.status != "running", Job.expires_at <= self._clock()))
            return cast("CursorResult[Any]", done).rowcount

    def waiting(self) -> int:
        """How many jobs nobody works on yet."""
        with self._session() as session:
            return session.scalar(select(func.count()).where(Job.status == "queued")) or 0

    def _end(self, status: JobStatus) -> dict[str, Any]:
        now = self._clock()
        return {
            "status": status,
            "finished_at": now,
            "expires_at": now + self._times.keep,
            "lease_owner": None,
            "lease_until": None,
        }

    @staticmethod
    def _mine(lease: Lease) -> Any:
        return and_(
            Job.id == lease.job.id,
            Job.status == "running",
            Job.lease_owner == lease.owner,
            Job.attempts == lease.job.attempts,
        )

    def _change(self, state: Any, **values: Any) -> bool:
        """Whether a job was in that state, so that it was changed."""
        with self._session() as session, session.begin():
            done = session.execute(update(Job).where(state).values(**values))
            return cast("CursorResult[Any]", done).rowcount == 1

    def _session(self) -> Session:
        return Session(self._engine, expire_on_commit=False)
