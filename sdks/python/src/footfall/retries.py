"""What an answer means for the batch that it answers. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

FIRST_DELAY: Final = 0.5
MAX_DELAY: Final = 30.0
MAX_RETRY_AFTER: Final = 300.0
"""Seconds. A server that asks for more is asked again after this long."""

Verdict = Literal["sent", "retry", "split", "refused"]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `retry_after` is the header's text, if there was one."""

    status: int
    retry_after: str | None = None
    body: bytes = b""


def judge(response: Response | None) -> Verdict:
    """What to do after an answer; None when there was none."""
    if response is None:
        return "retry"
    status = response.status
    if 200 <= status < 300:
        return "sent"
    if status == 413:
        return "split"
    return "retry" if status in (408, 429) or status >= 500 else "refused"


def find_delay(attempt: int, retry_after: float | None, random: Callable[[], float]) -> float:
    """Seconds before the next try, after `attempt` (from 1) failed ones. `random` gives 0 to 1.

    What the server asks for is the least; the rest keeps clients that failed together from coming back together.
    """
    delay: float = min(MAX_DELAY, FIRST_DELAY * 2.0 ** (attempt - 1)) * (0.5 + random() / 2)
    return delay if retry_after is None else max(retry_after * (1 + random() / 10), delay)


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that the header `Retry-After` asks for: a number of them, or a date. None if it says nothing."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if seconds == seconds else None
