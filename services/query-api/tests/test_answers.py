"""Answers that are kept and shared: never an old one, never for the wrong question, never at the price of an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from query_platform import NOW, Platform, Project, client_of, event

from footfall_query.cache import MemoryCache, RedisCache, open_cache
from footfall_query.runner import TRENDS as KIND

TRENDS: dict[str, Any] = {"series": [{"event": "open"}], "date_from": "-1d"}


class Seconds:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


Open = Callable[[Seconds], MemoryCache | RedisCache]


@pytest.fixture(params=["memory", "redis"])
def open_any(request: pytest.FixtureRequest) -> Open:
    if request.param == "memory":
        return lambda clock: MemoryCache(1_000, clock)
    url = request.getfixturevalue("redis_url")
    return lambda clock: RedisCache(url, 125, clock)


async def test_any_cache(open_any: Open, project: Project) -> None:
    cache = open_any(Seconds())
    key, other = f"one-{project.read_key}", f"two-{project.read_key}"
    assert await cache.get(key) is None
    await cache.put(key, b"\x00one", 10)
    await cache.put(other, b"two", 10)
    assert (await cache.get(key), await cache.get(other)) == (b"\x00one", b"two")
    await cache.put(key, b"more", 10)
    assert await cache.get(key) == b"more"
    await cache.put(key, b"x" * 126, 10)  # too large to be kept
    assert await cache.get(key) in (None, b"more")
    await cache.close()


async def test_redis_forgets_in_time(redis_url: str, project: Project) -> None:
    cache = RedisCache(redis_url, 100)
    await cache.put(project.read_key, b"x", 0.05)
    await asyncio.sleep(0.2)
    assert await cache.get(project.read_key) is None
    await cache.close()


async def test_memory_forgets_in_time_and_what_was_used_longest_ago() -> None:
    clock = Seconds()
    cache = MemoryCache(1_000, clock)
    await cache.put("a", b"x", 10)
    clock.now = 9.9
    assert await cache.get("a") == b"x"
    clock.now = 10
    assert await cache.get("a") is None
    for n in range(10):
        await cache.put(str(n), b"x" * 110, 10)
        await cache.get("0")
    assert [n for n in range(10) if await cache.get(str(n))] == [0, 2, 3, 4, 5, 6, 7, 8, 9]


async def test_redis_that_is_away_is_left_alone_for_a_while() -> None:
    clock = Seconds()
    cache = RedisCache("redis://127.0.0.1:1/0", 100, clock)
    await cache.put("a", b"x", 10)
    assert await cache.get("a") is None
    await cache.close()


def test_the_url_says_which_cache() -> None:
    assert isinstance(open_cache("", 1_000), MemoryCache)
    assert isinstance(open_cache("redis://localhost:6379/1", 1_000), RedisCache)
    with pytest.raises(ValueError, match="FOOTFALL_REDIS_URL"):
        open_cache("localhost:6379", 1_000)


def ask(project: Project, document: dict[str, Any] = TRENDS) -> tuple[int, bool]:
    """The total of the first series, and whether it was known."""
    body = project.post("trends", document).json()
    return body["series"][0]["total"], body["meta"]["cached"]


def test_an_answer_is_known_until_an_event_arrives(platform: Platform, project: Project) -> None:
    project.store(event("open", "ann", "2026-11-18T10:00"))
    first = project.post("trends", TRENDS).json()
    platform.now = NOW + timedelta(minutes=1)
    again = project.post("trends", TRENDS).json()
    assert again["meta"].pop("elapsed_ms") < 1_000
    assert again["meta"] == {
        "rows_read": 0, "bytes_read": 0, "cached": True, "computed_at": first["meta"]["computed_at"],
    }  # fmt: skip
    assert {**again, "meta": 0} == {**first, "meta": 0}
    platform.project().store(event("open", "ann", "2026-11-18T10:00"))
    assert ask(project) == (1, True)
    project.store(event("open", "bob", "2026-11-18T10:00"))
    assert ask(project) == (2, False)
    assert ask(project) == (2, True)


def test_what_is_over_stays_known_when_something_new_arrives(project: Project) -> None:
    over = {**TRENDS, "date_from": "-5d", "date_to": "-2d"}
    project.store(event("open", "ann", "2026-11-15T10:00"))
    assert [ask(project, over), ask(project, over)] == [(1, False), (1, True)]
    project.store(event("open", "ann", "2026-11-18T10:00"))
    assert ask(project, over) == (1, True)
    project.store(event("open", "late", "2026-11-15T10:00"))
    assert ask(project, over) == (2, False)
    project.store(event("open", "late", "2026-10-15T10:00"))  # questions may look at what came before theirs
    assert ask(project, over) == (2, False)


def test_refresh_computes_anew_for_all(project: Project) -> None:
    assert ask(project) == (0, False)
    assert ask(project, {**TRENDS, "refresh": True}) == (0, False)
    assert ask(project) == (0, True)


def test_the_simple_form_and_the_project_are_the_same_question(project: Project) -> None:
    ask(project)
    assert project.get("trends", event="open", date_from="-1d").json()["meta"]["cached"] is True
    assert ask(project, {**TRENDS, "project_id": project.id}) == (0, True)
    assert ask(project, {**TRENDS, "date_from": "2026-11-17", "date_to": "2026-11-18"}) == (0, True)


@pytest.mark.parametrize(
    "more",
    [
        {"date_from": "-2d"}, {"timezone": "Asia/Tokyo"}, {"interval": "week"}, {"series": [{"event": "close"}]},
        {"filters": [{"property": "a", "value": 1}]}, {"breakdown": {"property": "a"}},
        {"filters": [{"property": "a", "value": "1"}]}, {"series": [{"event": "open", "name": "x"}]},
    ],
)  # fmt: skip
def test_another_question_is_another(project: Project, more: dict[str, Any]) -> None:
    ask(project)
    assert project.post("trends", {**TRENDS, **more}).json()["meta"]["cached"] is False
    assert project.post("trends", {**TRENDS, **more}).json()["meta"]["cached"] is True


def test_a_new_time_zone_or_week_of_the_project_is_another_question(platform: Platform) -> None:
    project = platform.project()
    client = client_of(platform.make_app(platform.clickhouse_url))

    def cached() -> bool:
        headers = {"authorization": f"Bearer {platform.key(project.id, 'read')}"}  # whose project is looked up anew
        found = platform.run(client.post("/api/trends", json={**TRENDS, "interval": "week"}, headers=headers)).json()
        return bool(found["meta"]["cached"])

    assert [cached(), cached()] == [False, True]
    platform.projects[project.id]["week_start"] = "monday"
    assert [cached(), cached()] == [False, True]
    platform.projects[project.id]["timezone"] = "Asia/Tokyo"
    assert [cached(), cached()] == [False, True]


def test_relative_dates_are_what_they_mean_now(platform: Platform, project: Project) -> None:
    recent = {"property": "at", "operator": "is_date_after", "value": "-2h"}
    project.store(event("open", "ann", "2026-11-18T10:00", at="2026-11-18T14:00:00Z"))
    document = {**TRENDS, "filters": [recent]}
    assert ask(project, document) == (1, False)
    platform.now = NOW + timedelta(hours=2)
    assert ask(project, document) == (0, False)
    platform.now = NOW + timedelta(days=1)
    assert ask(project) == (1, False)


def test_debugging_and_lists_are_never_kept(platform: Platform, project: Project) -> None:
    for path in ("events", "event-names", "property-names"):
        assert [project.get(path).json()["meta"]["cached"] for _ in range(2)] == [False, False]


@asynccontextmanager
async def two_instances(platform: Platform, url: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    apps = [platform.make_app(platform.clickhouse_url, cache=open_cache(url, 1_000_000)) for _ in range(2)]
    one, two = (client_of(app) for app in apps)
    async with apps[0].router.lifespan_context(apps[0]), apps[1].router.lifespan_context(apps[1]), one, two:
        yield one, two


def test_instances_share_redis(platform: Platform, project: Project, redis_url: str) -> None:
    async def share() -> None:
        headers = {"authorization": f"Bearer {project.read_key}"}
        async with two_instances(platform, redis_url) as (one, two):
            first = (await one.post("/api/trends", json=TRENDS, headers=headers)).json()
            second = (await two.post("/api/trends", json=TRENDS, headers=headers)).json()
        assert (first["meta"]["cached"], second["meta"]["cached"]) == (False, True)
        assert second["meta"]["computed_at"] == first["meta"]["computed_at"]

    platform.run(share())


def test_a_redis_that_stops_costs_nothing_but_the_cache(platform: Platform, project: Project) -> None:
    async def lose() -> None:
        headers = {"authorization": f"Bearer {project.read_key}"}
        async with two_instances(platform, "redis://127.0.0.1:1/0") as (one, _):
            for _ in range(2):
                began = time.monotonic()
                answer = await one.post("/api/trends", json=TRENDS, headers=headers)
                assert (answer.status_code, answer.json()["meta"]["cached"]) == (200, False)
                assert time.monotonic() - began < 5

    platform.run(lose())


def test_a_redis_that_hangs_is_not_waited_for(platform: Platform, project: Project) -> None:
    async def hang() -> None:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(never, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        headers = {"authorization": f"Bearer {project.read_key}"}
        async with server, two_instances(platform, f"redis://127.0.0.1:{port}/0") as (one, _):
            began = time.monotonic()
            for _ in range(3):
                assert (await one.post("/api/trends", json=TRENDS, headers=headers)).status_code == 200
            assert time.monotonic() - began < 10

    platform.run(hang())


def metric(platform: Platform, outcome: str) -> float:
    text = platform.call("GET", "/metrics", None).text
    name = f'footfall_query_cache_total{{outcome="{outcome}"}} '
    return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


SLOW = {"property": "text", "operator": "regex", "value": ["(a|b|ab|ba)*c{200}" + "x" * n for n in range(9)]}


def test_the_same_question_at_the_same_time_runs_once(platform: Platform) -> None:
    """And whoever leaves does not take the answer from the others."""
    project = platform.project()
    project.store(*(event("open", f"p{n}", "2026-11-18T10:00", text="ab" * 10_000) for n in range(100)))
    document = {**TRENDS, "filters": [SLOW]}
    parts = platform.app.state.parts
    before = {outcome: metric(platform, outcome) for outcome in ("computed", "shared")}

    async def ask_together() -> None:
        info = await parts.directory.project(project.id)
        query = KIND.document.model_validate(document)
        asking = [asyncio.ensure_future(parts.answers.get(KIND, query, info)) for _ in range(4)]
        await asyncio.sleep(0.05)
        asking[0].cancel()
        first, *others = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        assert len({bytes(body) for body in others if isinstance(body, bytes)}) == 1
        assert not any(isinstance(body, BaseException) for body in others)

    platform.run(ask_together())
    assert metric(platform, "computed") == before["computed"] + 1
    assert metric(platform, "shared") == before["shared"] + 3


def test_an_error_is_not_kept(platform: Platform, project: Project) -> None:
    wrong = {**TRENDS, "filters": [{"property": "a", "operator": "regex", "value": "("}]}
    for _ in range(2):
        answer = project.post("trends", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["body", "filters", 0, "value"])
