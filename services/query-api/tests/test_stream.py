"""The live stream: each event that arrives, once, to everybody who listens."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from query_platform import COLUMNS, SECRET, Platform, Project, event

from footfall_core.auth import derive_token
from footfall_core.web import Readiness
from footfall_query.stream.position import Position, read_position
from footfall_query.stream.tail import MAX_ARRIVALS, Pace

QUICK = Pace(look=0.1, heartbeat=0.3, per_second=10_000)
AT = "2026-11-18T10:00"


@dataclass
class Seen:
    """What a listener got."""

    headers: httpx.Headers
    events: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    skipped: int = 0
    heartbeats: int = 0
    has_ended: bool = False

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]

    async def until(self, condition: Callable[[Seen], bool]) -> Seen:
        for _ in range(400):
            if condition(self):
                return self
            await asyncio.sleep(0.02)
        raise AssertionError(self)


@asynccontextmanager
async def serving(platform: Platform, **options: Any) -> AsyncIterator[tuple[FastAPI, str]]:
    """A running application: streams need a connection."""
    app = platform.make_app(platform.clickhouse_url, **{"pace": QUICK, **options})
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield app, f"http://127.0.0.1:{listener.getsockname()[1]}/api/stream"
    server.should_exit = True
    await running


@asynccontextmanager
async def listening(project: Project, url: str, last: str | None = None, **wanted: Any) -> AsyncIterator[Seen]:
    """A client of the stream."""
    headers = {"authorization": f"Bearer {project.read_key}", **({} if last is None else {"last-event-id": last})}
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", url, params=wanted, headers=headers) as got,
    ):
        assert got.status_code == 200
        seen = Seen(got.headers)
        reading = asyncio.create_task(read(got, seen))
        await seen.until(lambda seen: bool(seen.ids))
        try:
            yield seen
        finally:
            reading.cancel()
            await asyncio.wait({reading})


async def read(got: httpx.Response, seen: Seen) -> None:
    name = ""
    async for line in got.aiter_lines():
        kind, _, value = line.partition(": ")
        if kind == "id":
            seen.ids.append(value)
        elif kind == "event":
            name = value
        elif kind == "data" and name == "skipped":
            seen.skipped += json.loads(value)["skipped"]
        elif kind == "data":
            seen.events.append(json.loads(value))
        elif line == ": ":
            seen.heartbeats += 1
        elif line == "":
            name = ""
    seen.has_ended = True


async def store(project: Project, *rows: dict[str, Any]) -> None:
    await asyncio.to_thread(project.store, *rows)


def test_what_arrives_is_shown_once(platform: Platform, project: Project) -> None:
    async def work() -> None:
        await store(project, event("before", "ann", AT))
        async with serving(platform) as (_, url), listening(project, url) as seen:
            assert seen.headers["content-type"].startswith("text/event-stream")
            await store(project, event("old", "ann", "2025-01-01T00:00", plan="pro"))
            await store(project, event("new", "bob", AT), event("newer", "cy", AT))
            await store(platform.project(), event("foreign", "ann", AT))
            await seen.until(lambda seen: len(seen.events) == 3)
            await seen.until(lambda seen: seen.heartbeats > 1)
            assert (seen.names, seen.skipped) == (["old", "new", "newer"], 0)
            assert seen.events[0]["properties"] == {"plan": "pro"}
            assert seen.events[0]["timestamp"] == "2025-01-01T00:00:00.000Z"
            assert len(set(seen.ids)) == 4

    platform.run(work())


def test_an_event_looks_as_in_the_list(platform: Platform, project: Project) -> None:
    async def work() -> list[dict[str, Any]]:
        async with serving(platform) as (_, url), listening(project, url) as seen:
            await store(project, event("a", "ann\n: x", AT, text="line\nbreak\r\n\r\nid: 5"))
            return (await seen.until(lambda seen: len(seen.events) == 1)).events

    assert platform.run(work()) == project.get("events").json()["results"]


def test_everybody_gets_what_they_want_from_one_look(platform: Platform, project: Project) -> None:
    async def work() -> None:
        async with (
            serving(platform) as (app, url),
            listening(project, url) as all_of_it,
            listening(project, url, event=["a", "b"]) as some,
            listening(project, url, distinct_id="ann") as ann,
            listening(project, url, event="c", distinct_id="ann") as nothing,
        ):
            await store(project, event("a", "ann", AT), event("b", "bob", AT), event("c", "bob", AT))
            await all_of_it.until(lambda seen: len(seen.events) == 3)
            await nothing.until(lambda seen: seen.heartbeats > 1)
            assert (some.names, ann.names, nothing.names) == (["a", "b"], ["a"], [])
            (tail,) = app.state.parts.tails._tails.values()
            assert tail.listeners == 4

    platform.run(work())


def test_whoever_comes_back_missed_nothing(platform: Platform, project: Project) -> None:
    async def work() -> None:
        async with serving(platform) as (_, url):
            async with listening(project, url) as seen:
                begin = seen.ids[0]
                await store(project, event("one", "ann", AT), event("two", "ann", AT))
                await seen.until(lambda seen: len(seen.events) == 2)
                after_one = seen.ids[1]
            await store(project, event("three", "ann", AT))
            async with listening(project, url) as other:  # somebody else keeps the tail going
                await store(project, event("four", "ann", AT))
                await other.until(lambda seen: len(seen.events) == 1)
                for last, names in (
                    (begin, ["one", "two", "three", "four"]),
                    (after_one, ["two", "three", "four"]),
                    (other.ids[-1], []),
                ):
                    async with listening(project, url, last) as again:
                        await store(project, event(f"last {len(names)}", "ann", AT))
                        names = [*names, f"last {len(names)}"]
                        await again.until(lambda seen, names=names: seen.names[-1:] == names[-1:])  # type: ignore[misc]
                        assert [name for name in again.names if not name.startswith("last")] == names[:-1]
                        assert len(again.names) == len(set(again.names))
            async with listening(project, url, last_event_id=after_one) as again:
                await again.until(lambda seen: "last 0" in seen.names)

    platform.run(work())


def insert_late(project: Project, offset: int, ago: int, *rows: dict[str, Any]) -> None:
    """Insert rows that name a time `ago` seconds before as the one of their insert."""
    clickhouse = project.platform.clickhouse
    ((then,),) = clickhouse.fetch(f"SELECT toString(now64(3, 'UTC') - {ago})").rows
    lines = [
        json.dumps({**row, "project_id": project.id, "received_at": row["timestamp"], "inserted_at": then,
                    "log_partition": 9, "log_offset": offset + n})
        for n, row in enumerate(rows)
    ]  # fmt: skip
    clickhouse.insert("analytics.events", [*COLUMNS.split(), "inserted_at"], "\n".join(lines).encode())


def test_an_insert_that_takes_long_is_not_missed_and_a_retry_is_no_event(platform: Platform, project: Project) -> None:
    twice = str(uuid.uuid4())

    async def work() -> None:
        async with serving(platform) as (_, url), listening(project, url) as seen:
            await store(project, event("first", "ann", AT, id=twice))
            await seen.until(lambda seen: seen.names == ["first"])
            await asyncio.to_thread(insert_late, project, 5, 10, event("late", "ann", AT), event("later", "ann", AT))
            await seen.until(lambda seen: seen.names == ["first", "late", "later"])
            await asyncio.to_thread(insert_late, project, 7, 12, event("latest", "ann", AT))
            await store(project, event("first", "ann", AT, id=twice))
            await seen.until(lambda seen: seen.names == ["first", "late", "later", "latest"])
            await store(project, event("end", "ann", AT))
            await seen.until(lambda seen: seen.names[-1] == "end")
            assert len(seen.events) == 5

    platform.run(work())


def test_too_much_is_left_out_and_counted(platform: Platform, project: Project) -> None:
    async def work() -> None:
        pace = Pace(look=0.1, heartbeat=0.3, per_second=50)
        async with serving(platform, pace=pace) as (_, url), listening(project, url) as seen:
            many = [event(f"e{n}", "ann", AT) for n in range(MAX_ARRIVALS + 100)]
            await store(project, *many)
            await seen.until(lambda seen: len(seen.events) + seen.skipped == len(many))
            assert seen.names == [row["event"] for row in many[-5:]]
            await seen.until(lambda seen: seen.heartbeats > 0)
            await store(project, event("end", "ann", AT))
            await seen.until(lambda seen: seen.names[-1] == "end")
            assert len(seen.events) + seen.skipped == len(many) + 1

    platform.run(work())


def test_nobody_looks_when_nobody_listens(platform: Platform, project: Project) -> None:
    async def work() -> None:
        async with serving(platform) as (app, url):
            async with listening(project, url):
                (tail,) = app.state.parts.tails._tails.values()
                assert (tail.listeners, tail._following is None) == (1, False)
            for _ in range(200):
                if not tail.listeners:
                    break
                await asyncio.sleep(0.02)
            assert (tail.listeners, tail._following) == (0, None)

    platform.run(work())


def test_streams_end_when_the_service_drains_and_when_they_are_old(platform: Platform, project: Project) -> None:
    async def work() -> None:
        readiness = Readiness({})
        async with serving(platform, readiness=readiness) as (_, url), listening(project, url) as seen:
            readiness.draining = True
            await seen.until(lambda seen: seen.has_ended)
        pace = Pace(look=0.1, heartbeat=0.1, end=0.3)
        async with serving(platform, pace=pace) as (_, url), listening(project, url) as seen:
            await seen.until(lambda seen: seen.has_ended)

    platform.run(work())


@given(
    st.builds(
        Position,
        st.integers(0, 10**13),
        st.dictionaries(st.integers(0, 2**16 - 1), st.integers(0, 2**63 - 1), max_size=5),
    )
)
def test_a_position_can_be_read_again(position: Position) -> None:
    assert read_position(str(position)) == position


@pytest.mark.parametrize("text", ["x", "1.2", "-1", "1.70000-1", "1.1-99999999999999999999", "1" * 15, "1.1-2.", "é"])
def test_what_is_no_position(platform: Platform, project: Project, text: str) -> None:
    with pytest.raises(ValueError, match="id of an event"):
        read_position(text)
    answer = project.get("stream", last_event_id=text)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (400, ["header", "Last-Event-ID"])


def test_who_may_listen(platform: Platform, project: Project) -> None:
    other = platform.project()
    operator = derive_token(SECRET, "operator")
    for token, parameters, status in (
        (None, {}, 401),
        (project.write_key, {}, 401),
        (project.read_key, {"project_id": other.id}, 404),
        (operator, {}, 400),
        (project.read_key, {"evnt": "x"}, 400),
    ):
        assert platform.call("GET", "/api/stream", token, params=parameters).status_code == status
