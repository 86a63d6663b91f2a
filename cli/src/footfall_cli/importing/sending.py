"""Brings batches of events to the Capture API: several at once, again while that may help, in order of rows."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpx
import msgspec

from footfall_cli.connection import refusal
from footfall_cli.output import Failed

T = TypeVar("T")

RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
FIRST_PATIENCE: Final = 20.0
"""Seconds to try until the first answer: when nothing runs there, say so soon."""
PATIENCE: Final = 600.0
"""Seconds to try a batch again once the Capture API has answered."""
LONGEST_PAUSE: Final = 30.0
LONGEST_RETRY_AFTER: Final = 300.0


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event of a batch that was not taken, by its place in the batch."""

    index: int
    reason: str
    detail: str


@dataclass(slots=True)
class Delivery:
    """What became of a batch."""

    accepted: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class _RejectedEvent(msgspec.Struct):
    index: int
    reason: str
    detail: str = ""


class _Answer(msgspec.Struct):
    accepted: int
    rejected: list[_RejectedEvent]


class _FieldError(msgspec.Struct):
    loc: list[str | int]
    msg: str


class _Problem(msgspec.Struct):
    detail: str = ""
    errors: list[_FieldError] = []


class Sender:
    """Sends batches; one is shared by the threads that do. Times are seconds.

    `notice` is told why and how long a thread waits before it tries again. `stopping` ends all waiting.
    """

    def __init__(
        self,
        client: httpx.Client,
        write_key: str,
        stopping: threading.Event,
        *,
        notice: Callable[[str, float], None] = lambda _reason, _seconds: None,
        first_patience: float = FIRST_PATIENCE,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._headers = {
            "authorization": f"Bearer {write_key}",
            "content-type": "application/json",
            "user-agent": "footfall-cli",
        }
        self._stopping = stopping
        self._notice = notice
        self._first_patience = first_patience
        self._patience = patience
        self._clock = clock
        self._answered = False

    def send(self, events: Sequence[bytes]) -> Delivery:
        """Send until the Capture API has answered for every event.

        Raises `Failed` when it refuses the key, when it cannot be reached for too long, and when stopping.
        """
        if not events:
            return Delivery()
        answer = self._post(events)
        match answer.status_code:
            case 200:
                return _read_answer(answer, len(events))
            case 413 if len(events) > 1:
                half = len(events) // 2
                return _join(self.send(events[:half]), self.send(events[half:]), half)
            case 413:
                return Delivery(0, [Rejection(0, "event_too_large", "The Capture API finds it too large.")])
            case 400:
                return _read_rejections(answer, len(events))
            case 401:
                raise Failed(f"The Capture API refuses the write key: {refusal(answer).message}", status=401)
            case _:
                raise refusal(answer)

    def _post(self, events: Sequence[bytes]) -> httpx.Response:
        """The first answer that is not to be asked for again."""
        # Where these events come from is not where they happened.
        body = b'{"historical_migration":true,"batch":[%s]}' % b",".join(events)
        began, attempt = self._clock(), 0
        while True:
            pause = min(LONGEST_PAUSE, 0.2 * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  jitter
            try:
                answer = self._client.post("/capture", content=body, headers=self._headers)
            except httpx.TransportError as error:
                reason = f"{self._client.base_url} does not answer ({str(error) or type(error).__name__})"
            else:
                self._answered = True
                if answer.status_code not in RETRIED:
                    return answer
                reason = f"the Capture API answers {answer.status_code}: {refusal(answer).message}"
                pause = max(pause, _retry_after(answer))
            patience = self._patience if self._answered else self._first_patience
            if self._clock() + pause - began > patience:
                raise Failed(f"Gave up after {patience:.0f} seconds: {reason}")
            self._notice(reason, pause)
            if self._stopping.wait(pause):
                raise Failed(f"Stopped while {reason}")
            attempt += 1


def deliver(
    batches: Iterable[T],
    send: Callable[[T], Delivery],
    *,
    connections: int,
    stopping: threading.Event,
) -> Iterator[tuple[T, Delivery]]:
    """Send batches on several connections; yield each with what became of it, in their order.

    A batch is yielded after all before it, so that counting rows up to it is counting what was answered for.
    """
    waiting: deque[tuple[T, Future[Delivery]]] = deque()
    with ThreadPoolExecutor(connections, thread_name_prefix="import") as pool:
        try:
            for batch in batches:
                waiting.append((batch, pool.submit(send, batch)))
                while len(waiting) >= 2 * connections or (waiting and waiting[0][1].done()):
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            # Also when the one who asks has had enough: what is under way is not waited for in vain.
            stopping.set()
            for _, future in waiting:
                future.cancel()


def _read_answer(answer: httpx.Response, events: int) -> Delivery:
    try:
        read = msgspec.json.decode(answer.content, type=_Answer)
    except msgspec.MsgspecError:
        read = None
    if read is None or read.accepted + len(read.rejected) != events:
        raise Failed(f"{answer.url} does not answer as a Capture API does; is it the right address?")
    return Delivery(read.accepted, [Rejection(each.index, each.reason, each.detail) for each in read.rejected])


def _read_rejections(answer: httpx.Response, events: int) -> Delivery:
    """A 400 says that no event is usable, and of the first of them why."""
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.MsgspecError:
        raise refusal(answer) from None
    known: dict[int, tuple[str, str]] = {}
    for error in problem.errors:
        index = next((part for part in error.loc if isinstance(part, int)), None)
        if index is not None:
            reason, _, detail = error.msg.partition(": ")
            known[index] = (reason, detail) if detail else ("invalid_event", error.msg)
    if not known:
        raise refusal(answer)
    rest = ("invalid_event", problem.detail)
    return Delivery(0, [Rejection(index, *known.get(index, rest)) for index in range(events)])


def _join(one: Delivery, other: Delivery, offset: int) -> Delivery:
    moved = [Rejection(each.index + offset, each.reason, each.detail) for each in other.rejected]
    return Delivery(one.accepted + other.accepted, [*one.rejected, *moved])


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that the answer asks to wait, given as a number or a date; 0 when it does not."""
    given = answer.headers.get("retry-after", "").strip()
    if given.isdecimal():
        return min(float(given), LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
