"""Bounds request bodies before anything reads them, so that no caller can fill the memory.

FastAPI's own `max_body_size` does the same, but answers in plain text instead of a problem document.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from footfall_core.errors import TooLarge
from footfall_core.web import problem


class BodyLimit:
    """Answers 413 to bodies beyond `max_bytes`. Smaller ones are read whole and passed on."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.max_bytes:
                answer = problem(TooLarge(f"The body may have at most {self.max_bytes} bytes"))
                await answer(scope, receive, send)
                return
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_given() -> Message:
            return given.pop() if given else await receive()

        await self.app(scope, receive_given, send)
