"""The live stream over HTTP: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from footfall_core.errors import (
    BadRequest,
    FieldError,
    NotFound,
    TooExpensive,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    problem_responses,
)
from footfall_query.deps import PartsDep, ReaderDep
from footfall_query.documents import EventName, ProjectId
from footfall_query.filters import Document
from footfall_query.stream.position import Position, read_position
from footfall_query.stream.tail import Listener, Sent, Wanted

RETRY_MS = 2_000
EXAMPLE = """id: 1795000000000.0-41
data: {"uuid": "…", "event": "signup", "distinct_id": "ann", …}

event: skipped
data: {"skipped": 120}
"""

router = APIRouter(
    prefix="/api",
    tags=["events"],
    responses=problem_responses(
        BadRequest, Unauthorized, NotFound, TooLarge, TooExpensive, TooManyRequests, Unavailable
    ),
)


class StreamQuery(Document):
    """What to listen to."""

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    event: list[EventName] = Field(default=[], max_length=100, description="Any of these names; default: all.")
    distinct_id: Annotated[str, Field(max_length=1_000)] | None = None
    last_event_id: Annotated[str, Field(max_length=20_000)] | None = Field(
        default=None, description="As the header `Last-Event-ID`, for those who cannot send headers."
    )


class EventStream(StreamingResponse):
    """Sends what a listener has, until the client leaves."""

    media_type = "text/event-stream"

    def __init__(self, listener: Listener, messages: AsyncIterator[Sent]) -> None:
        super().__init__(
            (encode(message) async for message in messages),
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._listener = listener

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listener.close()


@router.get(
    "/stream",
    status_code=200,
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}}}},
    summary="What arrives now.",
)
async def stream_events(
    query: Annotated[StreamQuery, Query()],
    parts: PartsDep,
    reader: ReaderDep,
    last_event_id: Annotated[str | None, Header(description="The id of the last event that was seen.")] = None,
) -> EventStream:
    """`data` is an event as `GET /api/events` shows it. An event of the type `skipped` says how many were left out."""
    project = await reader.project(query.project_id)
    since = _read_since(last_event_id or query.last_event_id)
    listener = await parts.tails.listen(project, Wanted(frozenset(query.event), query.distinct_id), since)
    return EventStream(listener, listener.sent(parts.draining))


def encode(message: Sent) -> str:
    """A message as the text of a server-sent event."""
    head = f"id: {message.id}\n" if message.id else ""
    if message.arrival is not None:
        return f"{head}data: {message.arrival.event.model_dump_json()}\n\n"
    if message.skipped:
        return f'{head}event: skipped\ndata: {{"skipped": {message.skipped}}}\n\n'
    return f"retry: {RETRY_MS}\n{head}\n" if head else ": \n\n"


def _read_since(text: str | None) -> Position | None:
    if not text:
        return None
    try:
        return read_position(text)
    except ValueError as error:
        found = [FieldError(loc=["header", "Last-Event-ID"], msg=str(error))]
        raise BadRequest(f"Last-Event-ID: {error}", errors=found) from error
