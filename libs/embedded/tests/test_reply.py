"""A result on its way."""

import asyncio
import gzip
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from footfall_embedded.bridge.reply import Headers, Reply, Send


async def no_headers() -> Headers:
    return []


def make_reply(send: Send, folder: Path, *, encoding: str = "", whole: bool = False) -> Reply:
    return Reply(
        send,
        no_headers,
        encoding=encoding,
        level=3,
        buffer_bytes=10,
        stall_seconds=0.05,
        whole=whole,
        folder=folder,
    )


class Client:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.messages: list[MutableMapping[str, Any]] = []

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])


async def test_a_short_result_goes_in_one_piece(tmp_path: Path) -> None:
    client = Client()
    reply = make_reply(client.send, tmp_path)
    await reply.push(b"1234")
    await reply.push(b"567")
    assert client.messages == []
    await reply.finish()
    assert client.headers[b"content-length"] == b"7"
    assert client.messages[1:] == [{"type": "http.response.body", "body": b"1234567", "more_body": False}]


async def test_a_long_result_goes_when_it_is_longer_than_the_buffer(tmp_path: Path) -> None:
    client = Client()
    reply = make_reply(client.send, tmp_path, encoding="gzip")
    await reply.push(b"12345678")
    assert client.messages == []
    await reply.push(b"9abcdef")
    assert client.messages != []
    await reply.push(b"g")
    await reply.finish()
    assert b"content-length" not in client.headers
    assert gzip.decompress(client.body) == b"123456789abcdefg"


async def test_a_whole_result_waits_in_a_file(tmp_path: Path) -> None:
    client = Client()
    reply = make_reply(client.send, tmp_path, whole=True)
    for _ in range(10):
        await reply.push(b"0123456789")
    assert client.messages == []
    await reply.finish()
    reply.close()
    assert client.body == b"0123456789" * 10


async def test_a_client_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    async def never(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    reply = make_reply(never, tmp_path)
    with pytest.raises(TimeoutError):
        await reply.push(b"0" * 100)
