"""The queue and the thread that empties it."""

from __future__ import annotations

import json
import logging
import multiprocessing
import multiprocessing.util
import os
import random
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from footfall.events import MAX_EVENT_BYTES, format_time, make_body
from footfall.retries import Response, find_delay, judge, read_retry_after
from footfall.transport import Transport

logger = logging.getLogger("footfall")

DropReason = Literal[
    "queue_full", "too_large", "invalid", "before_send", "refused", "rejected", "gave_up", "shutdown", "internal"
]
"""Why an event was not sent. README.md explains each."""

OnDrop = Callable[[DropReason, int], object]
"""Told how many events were dropped, and why."""

EXIT_SECONDS: Final = 5.0
"""How long the end of a process waits for events that are still queued."""
_WARN_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept and sent at once. Seconds and bytes."""

    queue_events: int = 10_000
    queue_bytes: int = 64 * 1024 * 1024
    batch_events: int = 100
    batch_bytes: int = 1024 * 1024
    flush_seconds: float = 1.0
    retry_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of the events so far. `dropped` by reason."""

    queued: int
    sent: int
    dropped: dict[str, int] = field(default_factory=dict)


class Sender:
    """Takes encoded events from any thread and sends them from its own, in order, in batches."""

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        *,
        on_drop: OnDrop | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._on_drop = on_drop
        self._random = random
        self._warned: dict[str, float] = {}
        self._start_afresh()
        _senders.add(self)

    def _start_afresh(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[tuple[float, bytes]] = deque()
        self._queue_bytes = 0
        self._taken = 0  # events that the thread holds
        self._added = 0  # events that were ever queued
        self._done = 0  # and those of them that were sent or dropped
        self._flush_to = 0
        self._deadline: float | None = None  # set once it stops
        self._thread: threading.Thread | None = None
        self._sent = 0
        self._dropped: Counter[str] = Counter()

    def add(self, event: bytes) -> bool:
        """Queue an event. False if it was dropped. Never waits for the network."""
        if len(event) > MAX_EVENT_BYTES:
            self.drop("too_large")
            return False
        with self._changed:
            if self._deadline is not None:
                reason: DropReason = "shutdown"
            elif (
                len(self._queue) + self._taken >= self._limits.queue_events
                or self._queue_bytes + len(event) > self._limits.queue_bytes
            ):
                reason = "queue_full"
            else:
                self._queue.append((time.monotonic(), event))
                self._queue_bytes += len(event)
                self._added += 1
                if self._thread is None:
                    self._begin()
                if len(self._queue) == 1 or self._is_due(time.monotonic()):
                    self._changed.notify_all()
                return True
        self.drop(reason)
        return False

    def drop(self, reason: DropReason, count: int = 1) -> None:
        """Count events that will not be sent, and say so: to the log once a minute, to `on_drop` each time."""
        with self._changed:
            self._dropped[reason] += count
            total = self._dropped[reason]
            now = time.monotonic()
            is_news = now - self._warned.get(reason, -_WARN_EVERY) >= _WARN_EVERY
            if is_news:
                self._warned[reason] = now
        if is_news:
            logger.warning("events dropped: %s (%d so far)", reason, total)
        if self._on_drop is not None:
            try:
                self._on_drop(reason, count)
            except Exception:
                logger.exception("on_drop failed")

    @property
    def stats(self) -> Stats:
        """What became of the events so far."""
        with self._changed:
            return Stats(self._added - self._done, self._sent, dict(self._dropped))

    def flush(self, timeout: float) -> bool:
        """Send what is queued now, and wait at most `timeout` seconds. Whether none of it is left."""
        with self._changed:
            target = self._flush_to = self._added
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= target, timeout)

    def stop(self, timeout: float) -> bool:
        """Send what is queued and end the thread within `timeout` seconds; what is left then is dropped.

        Whether everything was sent or was dropped before.
        """
        with self._changed:
            if self._deadline is None:
                self._deadline = time.monotonic() + timeout
            self._changed.notify_all()
            thread = self._thread
        if thread is None:  # none was started, or none could be
            self._run()
        elif thread.is_alive() and thread is not threading.current_thread():
            # A request that is under way cannot be cut short; the thread is a daemon and ends with the process.
            thread.join(timeout + 0.1)
        with self._changed:
            left = self._added - self._done
            self._done = self._added
            self._queue.clear()
            self._queue_bytes = 0
            self._changed.notify_all()
        if left:
            self.drop("shutdown", left)
        return not left

    def after_fork(self) -> None:
        """In a child process: its parent sends what was queued, and the child begins with nothing."""
        self._start_afresh()

    # The thread

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name="footfall-sender", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends, or there are too many threads; the next event tries again
            return
        self._thread = thread
        if multiprocessing.parent_process() is not None:
            # Such a process ends without the functions of `atexit`, but with these.
            multiprocessing.util.Finalize(self, self.stop, args=(EXIT_SECONDS,), exitpriority=10)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._is_due(time.monotonic()):
                    if self._deadline is not None and not self._queue:
                        return
                    self._changed.wait(self._wait_seconds(time.monotonic()))
                batch = self._take()
            try:
                sent = self._deliver(batch)
            except Exception:
                logger.exception("sending failed in a way that it should not")
                self.drop("internal", len(batch))
                sent = 0
            with self._changed:
                self._taken = 0
                if self._done + len(batch) <= self._added:  # else `stop` gave them up meanwhile
                    self._done += len(batch)
                    self._sent += sent
                self._changed.notify_all()

    def _is_due(self, now: float) -> bool:
        if not self._queue:
            return False
        return (
            len(self._queue) >= self._limits.batch_events
            or self._queue_bytes >= self._limits.batch_bytes
            or self._done + self._taken < self._flush_to
            or self._deadline is not None
            or now - self._queue[0][0] >= self._limits.flush_seconds
        )

    def _wait_seconds(self, now: float) -> float | None:
        return max(0.0, self._queue[0][0] + self._limits.flush_seconds - now) if self._queue else None

    def _take(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while self._queue and len(batch) < self._limits.batch_events:
            size += len(self._queue[0][1])
            if batch and size > self._limits.batch_bytes:
                break
            batch.append(self._queue.popleft()[1])
        self._queue_bytes -= sum(map(len, batch))
        self._taken = len(batch)
        return batch

    def _deliver(self, batch: Sequence[bytes]) -> int:
        """Send a batch, in halves if it must be. How many of its events were sent; the others were dropped."""
        attempt = 0
        began = time.monotonic()
        while True:
            response = self._try(batch)
            match judge(response):
                case "sent":
                    assert response is not None
                    rejected = _count_rejected(response, len(batch))
                    if rejected:
                        self.drop("rejected", rejected)
                    return len(batch) - rejected
                case "split" if len(batch) > 1:
                    half = len(batch) // 2
                    return self._deliver(batch[:half]) + self._deliver(batch[half:])
                case "split":
                    self.drop("too_large")
                    return 0
                case "refused":
                    assert response is not None
                    logger.error("Footfall refused a batch with %d; it is not sent again", response.status)
                    self.drop("refused", len(batch))
                    return 0
            attempt += 1
            asked = read_retry_after(response.retry_after if response else None, datetime.now(UTC))
            delay = find_delay(attempt, asked, self._random)
            if time.monotonic() + delay - began > self._limits.retry_seconds:
                self.drop("gave_up", len(batch))
                return 0
            if not self._sleep(delay):
                self.drop("shutdown", len(batch))
                return 0

    def _try(self, batch: Sequence[bytes]) -> Response | None:
        try:
            return self._transport(make_body(batch, format_time(None)))
        except OSError as error:
            logger.debug("no answer from Footfall: %s", error)
            return None

    def _sleep(self, seconds: float) -> bool:
        """Wait before another try. False if there is no time for one any more."""
        until = time.monotonic() + seconds
        with self._changed:
            while (now := time.monotonic()) < until:
                if self._deadline is not None and until > self._deadline:
                    return False
                self._changed.wait(until - now)
        return True


def _count_rejected(response: Response, most: int) -> int:
    """How many events of a batch Footfall could not store. It keeps them, with the reason, as rejected events."""
    try:
        rejected = json.loads(response.body)["rejected"]
    except (ValueError, TypeError, KeyError):
        return 0
    return min(len(rejected), most) if isinstance(rejected, list) else 0


_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for sender in list(_senders):
        sender.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
