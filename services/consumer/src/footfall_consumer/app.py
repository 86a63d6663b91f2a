"""Puts the Consumer together: the thread that the loop runs in, who watches it, health and metrics."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Final

import httpx
import structlog
from fastapi import FastAPI
from maxminddb import open_database
from prometheus_client import CollectorRegistry

from footfall_consumer.consume import Consumer, Pace, Progress
from footfall_consumer.erase import AUTH_SECONDS, ask_deleted, keep_erasing
from footfall_consumer.metrics import Metrics
from footfall_consumer.recent import Recent
from footfall_consumer.report import REPORT_SECONDS, TIMEOUT_SECONDS, keep_reporting
from footfall_consumer.settings import ConsumerSettings
from footfall_consumer.steps import make_steps
from footfall_consumer.store import Store
from footfall_core.auth import derive_token
from footfall_core.clickhouse import AsyncClickHouse, ClickHouse
from footfall_core.eventlog import LogReader, LogUnavailable, open_log_reader
from footfall_core.web import Check, Readiness, make_app

logger = structlog.get_logger(__name__)

CLICKHOUSE_SECONDS: Final = 60.0
"""How long one statement may take. Then its connection is cut, and the loop looks what came of it."""
PING_SECONDS: Final = 3.0
DRAIN_SECONDS: Final = 25.0
"""How long the batch in hand may take at the end."""
GRACE_SECONDS: Final = 2.0
"""Between becoming unready for good and the end, so that whoever routes or alerts can see it."""

Work = Callable[[threading.Event], None]
"""Runs until the event is set."""


class Thread:
    """The loop's thread and its watchdog."""

    def __init__(
        self,
        work: Work,
        progress: Progress,
        *,
        stall_seconds: float,
        give_up: Callable[[], None],
        grace_seconds: float = GRACE_SECONDS,
        drain_seconds: float = DRAIN_SECONDS,
        look_seconds: float = 0.25,
    ) -> None:
        """`give_up` is called once, when the loop is dead or stalled, and is to end the process."""
        self._work = work
        self._progress = progress
        self._stall_seconds = stall_seconds
        self._give_up = give_up
        self._grace_seconds = grace_seconds
        self._drain_seconds = drain_seconds
        self._look_seconds = look_seconds
        self._stop = threading.Event()
        self.failed = False
        """Whether the process should end with a failure."""

    def trouble(self) -> str | None:
        """Why the loop will store nothing any more; None while it is well or only waits."""
        if self._progress.ended is not None:
            return self._progress.ended
        still = self._progress.still_for()
        return f"the loop has not moved for {still:.0f} seconds" if still > self._stall_seconds else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the loop; at the end let it finish its batch."""
        self._progress.beat()
        # In a copy of this context, so that what the loop logs names the service too.
        thread = threading.Thread(target=copy_context().run, args=(self._run,), name="consume", daemon=True)
        thread.start()
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            self._stop.set()
            patience = 0.0 if self.failed else self._drain_seconds
            await asyncio.to_thread(thread.join, patience)
            if thread.is_alive():
                logger.error("the batch in hand was not finished in time; it will be read again")
                self.failed = True

    def _run(self) -> None:
        try:
            self._work(self._stop)
        except Exception as error:
            logger.exception("the loop ended")
            self._progress.ended = f"the loop ended: {type(error).__name__}: {error}"
        else:
            self._progress.ended = "the loop has finished"

    async def _watch(self) -> None:
        while True:
            if (trouble := self.trouble()) is not None:
                break
            await asyncio.sleep(self._look_seconds)
        logger.critical("giving up, to be started again", reason=trouble)
        self.failed = True
        await asyncio.sleep(self._grace_seconds)
        self._give_up()


def make_consumer_app(
    thread: Thread, progress: Progress, ping: Check, *, registry: CollectorRegistry, beside: Sequence[Work] = ()
) -> tuple[FastAPI, Readiness]:
    """The application around the loop. `ping` raises when ClickHouse does not answer; what is `beside` the loop runs in
    threads of its own."""

    async def check_loop() -> None:
        if (trouble := thread.trouble()) is not None:
            raise RuntimeError(trouble)

    async def check_storing() -> None:
        if progress.waiting_for is not None:
            raise RuntimeError(progress.waiting_for)

    async def check_clickhouse() -> None:
        async with asyncio.timeout(PING_SECONDS):
            await ping()

    readiness = Readiness({"loop": check_loop, "storing": check_storing, "clickhouse": check_clickhouse})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with thread.running(), _running(beside):
            yield

    app = make_app("Footfall Consumer", registry=registry, readiness=readiness, lifespan=lifespan)
    return app, readiness


@asynccontextmanager
async def _running(beside: Sequence[Work]) -> AsyncIterator[None]:
    """Run each in a thread of its own, which is not waited for at the end: it may be cut off anywhere."""
    stop = threading.Event()
    for work in beside:
        threading.Thread(target=work, args=(stop,), name="beside", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def compose(settings: ConsumerSettings, registry: CollectorRegistry) -> tuple[FastAPI, Readiness, Thread]:
    """Everything that `settings` say. Raises ValueError that names a setting that cannot be used."""
    metrics = Metrics(registry)
    progress = Progress()
    try:
        lookup = open_database(settings.geoip_db).get if settings.geoip_db else None
    except (OSError, ValueError, RuntimeError) as error:  # InvalidDatabaseError is a RuntimeError
        raise ValueError(f"FOOTFALL_GEOIP_DB: {error}") from error
    steps = make_steps(store_ip=settings.store_ip, lookup=lookup)
    pace = Pace(
        batch_events=settings.consumer_batch_events,
        batch_bytes=settings.consumer_batch_bytes,
        flush=settings.consumer_flush_ms / 1000,
    )

    def work(stop: threading.Event) -> None:
        reader = _open_reader(settings, progress, stop)
        if reader is None:
            return
        clickhouse = ClickHouse(settings.clickhouse_url, timeout=CLICKHOUSE_SECONDS)
        try:
            Consumer(
                reader,
                Store(clickhouse),
                Recent(settings.consumer_recent_events),
                steps,
                metrics=metrics,
                progress=progress,
                pace=pace,
            ).run(stop)
        finally:
            clickhouse.close()
            reader.close()

    thread = Thread(
        work,
        progress,
        stall_seconds=settings.consumer_stall_seconds,
        give_up=lambda: os.kill(os.getpid(), signal.SIGTERM),
    )
    metrics.ready.set_function(lambda: float(thread.trouble() is None and progress.waiting_for is None))
    clickhouse = AsyncClickHouse(settings.clickhouse_url, timeout=PING_SECONDS)
    beside = [_make_reporting(settings, progress, metrics), *_make_erasing(settings)]
    app, readiness = make_consumer_app(thread, progress, clickhouse.ping, registry=registry, beside=beside)
    return app, readiness, thread


def _make_reporting(settings: ConsumerSettings, progress: Progress, metrics: Metrics) -> Work:
    """Tells ClickHouse how far the loop is behind."""

    def work(stop: threading.Event) -> None:
        clickhouse = ClickHouse(settings.clickhouse_url, timeout=TIMEOUT_SECONDS)
        keep_reporting(lambda: progress.lags, clickhouse, metrics.reports_failed, seconds=REPORT_SECONDS, stop=stop)
        clickhouse.close()

    return work


def _make_erasing(settings: ConsumerSettings) -> Sequence[Work]:
    """Removes the events of deleted projects. Needs the secret key, to be answered by the Auth API."""
    if not settings.secret_key.get_secret_value():
        logger.warning("FOOTFALL_SECRET_KEY is not set, so the events of deleted projects are not removed")
        return ()
    token = derive_token(settings.require_secret_key(), "internal")

    def work(stop: threading.Event) -> None:
        headers = {"authorization": f"Bearer {token}"}
        clickhouse = ClickHouse(settings.clickhouse_url)
        with httpx.Client(base_url=settings.auth_url, headers=headers, timeout=AUTH_SECONDS) as auth:
            keep_erasing(
                lambda: ask_deleted(auth),
                clickhouse,
                seconds=settings.consumer_erase_seconds,
                stop=stop,
                cluster=settings.clickhouse_cluster,
            )
        clickhouse.close()

    return (work,)


def _open_reader(settings: ConsumerSettings, progress: Progress, stop: threading.Event) -> LogReader | None:
    """The log to read from, as soon as it is there; None if the Consumer is to stop before."""
    while not stop.is_set():
        progress.beat()
        try:
            return open_log_reader(settings.event_log_url, settings.consumer_group)
        except LogUnavailable as error:
            progress.waiting_for = error.reason
            stop.wait(min(error.retry_after, 5.0))
    return None
