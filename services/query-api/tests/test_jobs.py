"""Jobs: kept in either database, worked on by whoever is there, ended by whoever wants to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from query_platform import NOW, SECRET, Platform, Project, client_of, event
from sqlalchemy import Engine

from footfall_core.database import open_database
from footfall_core.errors import TooManyRequests
from footfall_embedded.testing import free_ports
from footfall_query.jobs.store import GAVE_UP, MAX_ATTEMPTS, MAX_WAITING, JobStore, JobTimes
from footfall_query.jobs.worker import JobLimits
from footfall_query.runner import Limits

TRENDS: dict[str, Any] = {"series": [{"event": "open"}], "date_from": "-1d"}
SLOW: dict[str, Any] = {
    "property": "text",
    "operator": "regex",
    "value": ["(a|b|ab|ba)*c{200}" + "x" * n for n in range(9)],
}
SLOWEST = {"series": [{"filters": [SLOW]} for _ in range(26)]}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def engine(any_database: str) -> Iterator[Engine]:
    engine = open_database(any_database)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock) -> JobStore:
    return JobStore(engine, clock, JobTimes(keep=timedelta(hours=1), lease=timedelta(seconds=10)))


def test_a_job_belongs_to_one_owner_at_a_time(store: JobStore, clock: Clock) -> None:
    job = store.add(7, "trends", "{}")
    assert (job.status, job.attempts) == ("queued", 0)
    mine = store.claim("me")
    assert mine is not None
    assert (mine.job.id, mine.job.status, mine.job.attempts) == (job.id, "running", 1)
    assert store.claim("you") is None

    clock.now += timedelta(seconds=9)
    assert store.beat(mine, 5, 10)
    clock.now += timedelta(seconds=9)
    assert store.claim("you") is None
    found = store.find(job.id)
    assert found is not None
    assert (found.rows_read, found.total_rows) == (5, 10)

    clock.now += timedelta(seconds=2)  # silent for too long
    yours = store.claim("you")
    assert yours is not None
    assert (yours.job.id, yours.job.attempts, yours.job.rows_read) == (job.id, 2, 0)
    assert not store.beat(mine, 6, 10)
    assert not store.succeed(mine, "{}", 1)
    assert not store.fail(mine, "{}")
    assert not store.release(mine)
    assert store.succeed(yours, '{"a": 1}', 12)
    found = store.find(job.id)
    assert found is not None
    assert (found.status, found.result, found.rows_read, found.total_rows) == ("succeeded", '{"a": 1}', 12, 12)
    assert (found.started_at, found.finished_at) == (NOW, clock.now)
    assert store.claim("me") is None


def test_the_oldest_job_comes_first(store: JobStore, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        ids.append(store.add(7, "trends", "{}").id)
        clock.now += timedelta(seconds=1)
    leases = [store.claim("me") for _ in range(3)]
    assert [lease.job.id for lease in leases if lease] == ids


def test_of_many_who_claim_each_job_gets_one(store: JobStore) -> None:
    ids = [store.add(7, "trends", "{}").id for _ in range(20)]

    def claim_all(owner: int) -> list[str]:
        found = []
        while (lease := store.claim(str(owner))) is not None:
            found.append(lease.job.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        claimed = [id for found in pool.map(claim_all, range(4)) for id in found]
    assert sorted(claimed) == sorted(ids)


def test_a_job_that_is_put_back_waits_for_the_next(store: JobStore) -> None:
    store.add(7, "trends", "{}")
    attempts = []
    for put_back in (store.release, store.postpone, store.postpone):
        lease = store.claim("me")
        assert lease is not None
        attempts.append(lease.job.attempts)
        assert put_back(lease)
    assert attempts == [1, 1, 2]  # one that was given back does not count


def test_a_job_that_nobody_survives_fails(store: JobStore, clock: Clock) -> None:
    job = store.add(7, "trends", "{}")
    for _ in range(MAX_ATTEMPTS):
        assert store.claim("me") is not None
        clock.now += timedelta(seconds=11)
    assert store.claim("me") is None
    found = store.find(job.id)
    assert found is not None
    assert (found.status, json.loads(found.error or "")["detail"]) == ("failed", GAVE_UP)


def test_a_cancelled_job_is_nobodys(store: JobStore) -> None:
    queued, running = store.add(7, "trends", "{}"), store.add(7, "trends", "{}")
    lease = store.claim("me")
    assert lease is not None
    for job in (queued, running):
        assert store.cancel(job)
        assert not store.cancel(job)
    assert not store.beat(lease, 1, 1)
    assert store.claim("me") is None


def test_jobs_are_forgotten_when_their_time_is_over(store: JobStore, clock: Clock) -> None:
    done, waiting = store.add(7, "trends", "{}"), None
    lease = store.claim("me")
    assert lease is not None
    clock.now += timedelta(minutes=30)
    assert store.succeed(lease, "{}", 1)
    waiting = store.add(7, "trends", "{}")
    clock.now += timedelta(minutes=59)
    assert (store.forget(), store.waiting()) == (0, 1)
    clock.now += timedelta(minutes=1)
    assert store.find(done.id) is None
    assert store.find(waiting.id) is None
    assert store.claim("me") is None
    assert (store.forget(), store.waiting()) == (2, 0)


def test_a_project_has_only_so_many_unfinished_jobs(store: JobStore) -> None:
    jobs = [store.add(7, "trends", "{}") for _ in range(MAX_WAITING)]
    with pytest.raises(TooManyRequests):
        store.add(7, "trends", "{}")
    store.add(8, "trends", "{}")
    store.cancel(jobs[0])
    store.add(7, "trends", "{}")


@asynccontextmanager
async def instance(platform: Platform, database: str, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A running instance: it works on jobs."""
    app = platform.make_app(platform.clickhouse_url, database_url=database, **options)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def of(project: Project) -> dict[str, str]:
    return {"authorization": f"Bearer {project.read_key}"}


async def add(client: httpx.AsyncClient, project: Project, query: dict[str, Any], kind: str = "trends") -> str:
    answer = await client.post("/api/query/async", json={"kind": kind, "query": query}, headers=of(project))
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    return str(answer.json()["job_id"])


async def until(
    client: httpx.AsyncClient, project: Project, id: str, condition: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    for _ in range(600):
        found: dict[str, Any] = (await client.get(f"/api/query/async/{id}", headers=of(project))).json()
        if condition(found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


def ended(job: dict[str, Any]) -> bool:
    return job["status"] not in ("queued", "running")


def test_a_job_answers_as_the_question_does(platform: Platform, project: Project, any_database: str) -> None:
    project.store(event("open", "ann", "2026-11-18T10:00"))
    other = platform.project()
    asked, asked_table = project.post("trends", TRENDS).json(), project.post("trends?format=csv", TRENDS).text

    async def work() -> None:
        async with instance(platform, any_database) as client:
            id = await add(client, project, TRENDS)
            job = await until(client, project, id, ended)
            assert job["status"] == "succeeded", job
            assert job["progress"]["rows_read"] == job["progress"]["total_rows"] > 0
            assert {**job["result"], "meta": 0} == {**asked, "meta": 0}
            assert "error" not in job
            table = await client.get(f"/api/query/async/{id}?format=csv", headers=of(project))
            assert table.text == asked_table
            for method in ("GET", "DELETE"):
                for path, reader in ((id, other), (str(uuid.uuid4()), project)):
                    answer = await client.request(method, f"/api/query/async/{path}", headers=of(reader))
                    assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no job {path}")
            assert (await client.delete(f"/api/query/async/{id}", headers=of(project))).json()["status"] == "succeeded"
            assert (await client.get("/api/query/async/x", headers=of(project))).status_code == 400

    platform.run(work())


@pytest.mark.parametrize(
    ("limits", "query", "status", "words"),
    [
        (JobLimits(), {"filters": [{"property": "text", "operator": "regex", "value": "("}]}, 400, "invalid regular"),
        (JobLimits(Limits(seconds=0.05)), {"filters": [SLOW]}, 422, "took longer than 0.05 seconds"),
        (JobLimits(result_bytes=100), {}, 413, "more than 100 bytes"),
    ],
)
def test_a_job_that_cannot_be_answered_says_why(
    platform: Platform,
    busy: Project,
    database_url: str,
    limits: JobLimits,
    query: dict[str, Any],
    status: int,
    words: str,
) -> None:
    async def work() -> None:
        async with instance(platform, database_url, job_limits=limits) as client:
            job = await until(client, busy, await add(client, busy, {"series": [{}], **query}), ended)
            assert (job["status"], job["error"]["status"]) == ("failed", status)
            assert words in job["error"]["detail"]
            assert "result" not in job
            table = await client.get(f"/api/query/async/{job['job_id']}?format=csv", headers=of(busy))
            assert table.status_code == 409

    platform.run(work())


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"kind": "magic", "query": {}}, ["body", "kind"]),
        ({"kind": "events", "query": {}}, ["body", "kind"]),
        ({"kind": "trends", "query": {}}, ["body", "query", "series"]),
        ({"kind": "trends"}, ["body", "query"]),
        ({"kind": "trends", "query": {**TRENDS, "date_to": "-9d"}}, ["body", "query", "date_to"]),
        ({"kind": "trends", "query": TRENDS, "wait": True}, ["body", "wait"]),
    ],
)
def test_what_is_no_job(project: Project, body: dict[str, Any], loc: list[str]) -> None:
    answer = project.post("query/async", body)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, loc)


def test_a_job_of_another_project_cannot_be_asked(platform: Platform, project: Project) -> None:
    other = platform.project()
    for body in ({"query": {**TRENDS, "project_id": other.id}}, {"query": TRENDS, "project_id": other.id}):
        assert project.post("query/async", {"kind": "trends", **body}).status_code == 404
    assert platform.call("POST", "/api/query/async", None, json={"kind": "trends", "query": TRENDS}).status_code == 401


def test_any_instance_does_what_another_took(platform: Platform, project: Project, any_database: str) -> None:
    async def work() -> None:
        async with instance(platform, any_database, job_limits=JobLimits(at_once=0)) as front:
            id = await add(front, project, TRENDS)
            assert (await front.get(f"/api/query/async/{id}", headers=of(project))).json()["status"] == "queued"
            async with instance(platform, any_database):
                assert (await until(front, project, id, ended))["status"] == "succeeded"

    platform.run(work())


@pytest.fixture(scope="module")
def busy(shared_platform: Platform) -> Project:
    """A project whose events take long to look at."""
    project = shared_platform.project()
    project.store(*(event("open", f"p{n}", "2026-11-18T10:00", text="ab" * 10_000) for n in range(400)))
    return project


async def statements(platform: Platform, id: str) -> int:
    sql = "SELECT count() FROM system.processes WHERE startsWith(query_id, {id:String})"
    fetched = await asyncio.to_thread(platform.clickhouse.fetch, sql, {"id": f"job-{id}-"})
    return int(fetched.rows[0][0])


async def wait_for(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(400):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_cancelled_job_is_gone_from_clickhouse(
    platform: Platform, busy: Project, any_database: str, where: str
) -> None:
    async def work() -> None:
        async with (
            instance(platform, any_database, job_limits=JobLimits(at_once=1)) as worker,
            instance(platform, any_database, job_limits=JobLimits(at_once=0)) as front,
        ):
            client = worker if where == "here" else front
            id = await add(worker, busy, SLOWEST)
            behind = await add(worker, busy, TRENDS)

            async def runs() -> bool:
                return await statements(platform, id) == 1

            async def ended_there() -> bool:
                return await statements(platform, id) == 0

            await wait_for(runs)
            found = (await client.get(f"/api/query/async/{behind}", headers=of(busy))).json()
            assert found["status"] == "queued"
            cancelled = (await client.delete(f"/api/query/async/{id}", headers=of(busy))).json()
            assert cancelled["status"] == "cancelled"
            await wait_for(ended_there)
            assert (await until(client, busy, behind, ended))["status"] == "succeeded"
            assert (await client.get(f"/api/query/async/{id}", headers=of(busy))).json()["status"] == "cancelled"

    platform.run(work())


def test_a_running_job_says_how_far_it_is(platform: Platform, busy: Project, database_url: str) -> None:
    async def work() -> None:
        async with instance(platform, database_url) as client:
            id = await add(client, busy, SLOWEST)
            job = await until(client, busy, id, lambda job: job["progress"]["rows_read"] > 0 or ended(job))
            assert job["status"] == "running"
            assert 0 < job["progress"]["rows_read"] <= job["progress"]["total_rows"]
            await client.delete(f"/api/query/async/{id}", headers=of(busy))

    platform.run(work())


def test_an_instance_that_stops_gives_its_jobs_back(platform: Platform, busy: Project, any_database: str) -> None:
    async def work() -> None:
        async with instance(platform, any_database) as client:
            id = await add(client, busy, SLOWEST)
            await until(client, busy, id, lambda job: job["status"] == "running")
        assert await statements(platform, id) == 0
        async with instance(platform, any_database, job_limits=JobLimits(at_once=0)) as client:
            found = (await client.get(f"/api/query/async/{id}", headers=of(busy))).json()
            assert found["status"] == "queued"

    platform.run(work())


@contextmanager
def auth_api(platform: Platform) -> Iterator[str]:
    """The stand-in for the Auth API on a port of its own, for instances that are processes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            request = httpx.Request(self.command, f"http://auth{self.path}", headers=dict(self.headers), content=body)
            answer = platform.auth_api(request)
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def process(platform: Platform, database: str, auth_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """An instance as it runs in production, and its address."""
    [port] = free_ports(1)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")},
        "FOOTFALL_SECRET_KEY": SECRET,
        "FOOTFALL_DATABASE_URL": database,
        "FOOTFALL_CLICKHOUSE_URL": platform.clickhouse_url,
        "FOOTFALL_AUTH_URL": auth_url,
        "FOOTFALL_QUERY_PORT": str(port),
        "FOOTFALL_QUERY_JOB_LEASE_SECONDS": "3",
    }
    running = subprocess.Popen([sys.executable, "-m", "footfall_query"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        yield running, url
    finally:
        running.kill()
        running.wait()


@pytest.mark.slow
def test_a_job_survives_the_death_of_who_works_on_it(platform: Platform, busy: Project, any_database: str) -> None:
    """SIGKILL, then another process: it takes the job over once the dead one's lease is over."""
    some = {**SLOW, "value": SLOW["value"][:2]}
    question = {"series": [{"filters": [some]}], "date_from": "2026-11-18", "date_to": "2026-11-18"}

    async def work(url: str, *, finish: bool, id: str = "") -> str:
        async with httpx.AsyncClient(base_url=url) as client:
            id = id or await add(client, busy, question)
            job = await until(client, busy, id, ended if finish else lambda job: job["status"] == "running")
            if finish:
                assert job["status"] == "succeeded", job
                assert job["result"]["series"][0]["total"] == 0
            return id

    with auth_api(platform) as auth_url:
        with process(platform, any_database, auth_url) as (running, url):
            id = platform.run(work(url, finish=False))
            running.send_signal(signal.SIGKILL)
            running.wait()
        with process(platform, any_database, auth_url) as (_, url):
            platform.run(work(url, finish=True, id=id))
    engine = open_database(any_database)
    found = JobStore(engine, lambda: NOW, JobTimes()).find(id)
    engine.dispose()
    assert found is not None
    assert found.attempts == 2
