"""What happens on the connection itself, seen by a client that writes and reads raw HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

BODY = json.dumps({"event": "a", "distinct_id": "d"}).encode()
MIB = 1024 * 1024


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split()[1]), headers, body)

    async def is_closed(self) -> bool:
        return await self.reader.read() == b""


Connect = Callable[[], Awaitable[Connection]]


@asynccontextmanager
async def serving(service: Any) -> AsyncIterator[Connect]:
    """The service on a free port, on uvicorn as in production."""
    config = uvicorn.Config(service.app, port=0, log_config=None, access_log=False, proxy_headers=False)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened: list[Connection] = []

    async def connect() -> Connection:
        opened.append(Connection(*await asyncio.open_connection("127.0.0.1", port)))
        return opened[-1]

    try:
        yield connect
    finally:
        for connection in opened:
            connection.writer.close()
        server.should_exit = True
        await running


def head(service: Any, *lines: str) -> bytes:
    named = ["POST /capture HTTP/1.1", "host: capture", f"x-api-key: {service.key}", *lines]
    return "\r\n".join([*named, "", ""]).encode()


async def test_a_connection_is_kept_for_the_next_request(service: Any) -> None:
    async with serving(service) as connect:
        connection = await connect()
        for body in (BODY, b"nonsense", gzip.compress(BODY)):
            await connection.send(head(service, f"content-length: {len(body)}") + body)
            assert (await connection.answer()).status == (400 if body == b"nonsense" else 200)
    assert [record.ip for record in service.log.events] == ["127.0.0.1"] * 2


async def test_a_body_may_come_in_pieces(service: Any) -> None:
    async with serving(service) as connect:
        connection = await connect()
        await connection.send(head(service, "transfer-encoding: chunked"))
        for byte in BODY:
            await connection.send(b"1\r\n%c\r\n" % byte)
        await connection.send(b"0\r\n\r\n")
        assert (await connection.answer()).status == 200


async def test_too_long_a_body_is_refused_before_it_is_sent(service: Any) -> None:
    async with serving(service) as connect:
        connection = await connect()
        await connection.send(head(service, f"content-length: {20 * MIB + 1}", "expect: 100-continue"))
        answer = await connection.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert answer.headers["content-type"] == "application/problem+json"
        assert await connection.is_closed()


async def test_a_client_that_sends_too_much_can_finish_and_read_why(service: Any) -> None:
    async with serving(service) as connect:
        declared, streamed = await connect(), await connect()
        await declared.send(head(service, f"content-length: {25 * MIB}") + b" " * (25 * MIB))
        await streamed.send(head(service, "transfer-encoding: chunked"))
        for _ in range(25):
            await streamed.send(b"%x\r\n%s\r\n" % (MIB, b" " * MIB))
        await streamed.send(b"0\r\n\r\n")
        for connection in (declared, streamed):
            answer = await connection.answer()
            assert answer.status == 413
            assert json.loads(answer.body)["detail"] == "The body is larger than 20971520 bytes."
            assert await connection.is_closed()
    assert service.metric("footfall_capture_requests_total", status="413") == 2


async def test_a_client_is_told_to_send_the_body_it_announced(service: Any) -> None:
    async with serving(service) as connect:
        connection = await connect()
        await connection.send(head(service, f"content-length: {len(BODY)}", "expect: 100-continue"))
        assert (await connection.answer()).status == 100
        await connection.send(BODY)
        assert (await connection.answer()).status == 200


@pytest.mark.parametrize("sent", [b"", BODY[:5]])
async def test_a_body_that_stalls_is_a_408(new_service: Callable[..., Any], sent: bytes) -> None:
    service = new_service(capture_body_idle_seconds=0.1)
    async with serving(service) as connect:
        connection = await connect()
        await connection.send(head(service, f"content-length: {len(BODY)}") + sent)
        answer = await connection.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert json.loads(answer.body)["detail"] == f"The body did not arrive in time: {len(sent)} bytes came."


async def test_a_body_that_trickles_is_a_408_in_the_end(new_service: Callable[..., Any]) -> None:
    service = new_service(capture_body_idle_seconds=5, capture_body_total_seconds=0.3)
    async with serving(service) as connect:
        connection = await connect()
        await connection.send(head(service, "content-length: 1000000"))
        answering = asyncio.create_task(connection.answer())
        while not answering.done():
            await connection.send(b" ")
            await asyncio.sleep(0.01)
        assert (await answering).status == 408


async def test_a_client_that_goes_away_is_nobodys_error(service: Any) -> None:
    async with serving(service) as connect:
        connection = await connect()
        await connection.send(head(service, f"content-length: {len(BODY)}") + BODY[:5])
        connection.writer.close()
        while not service.metric("footfall_capture_requests_total", status="disconnected"):
            await asyncio.sleep(0.005)
    assert service.log.appends == []


async def test_bodies_that_fill_the_memory_are_put_off(new_service: Callable[..., Any]) -> None:
    service = new_service(capture_buffer_bytes=32 * MIB)
    async with serving(service) as connect:
        first, second, third = await connect(), await connect(), await connect()
        await first.send(head(service, f"content-length: {18 * MIB}") + b" " * (17 * MIB))
        sending = asyncio.create_task(second.send(head(service, f"content-length: {18 * MIB}") + b" " * (18 * MIB)))
        answer = await second.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        await sending
        await first.send(b" " * MIB)
        assert (await first.answer()).status == 400
        await third.send(head(service, f"content-length: {len(BODY)}") + BODY)
        assert (await third.answer()).status == 200


async def test_requests_under_way_are_answered_before_it_stops(new_service: Callable[..., Any]) -> None:
    service = new_service()
    taking, durable = asyncio.Event(), asyncio.Event()
    append = service.log.append

    class SlowLog:
        async def append(self, records: Any) -> None:
            taking.set()
            await durable.wait()
            await append(records)

        async def check(self) -> None: ...
        async def close(self) -> None:
            assert len(service.log.appends) == 1

    slow = new_service(SlowLog())
    async with serving(slow) as connect:
        connection = await connect()
        await connection.send(head(slow, f"content-length: {len(BODY)}") + BODY)
        await taking.wait()
        asyncio.get_running_loop().call_later(0.1, durable.set)
        answering = asyncio.create_task(connection.answer())
        await asyncio.sleep(0)
        answer = await answering
    assert answer.status == 200
