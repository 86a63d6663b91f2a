"""Footfall is killed and is away for a while; both SDKs wait, and what they captured is stored, once.

`make test` waits a few seconds, `make chaos` a minute.
"""

from __future__ import annotations

import threading
import time

import pytest
from conftest import Platform, wait_until
from running import running_capture, running_page

import footfall


class Host(threading.Thread):
    """A program that captures all the time, and notes what it captured."""

    def __init__(self, client: footfall.Client) -> None:
        super().__init__()
        self.client = client
        self.captured: list[str | None] = []
        self.longest = 0.0
        """Seconds that a call took."""
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.02):
            began = time.monotonic()
            self.captured.append(self.client.capture("tick", "server"))
            self.longest = max(self.longest, time.monotonic() - began)

    def end(self) -> None:
        self._ended.set()
        self.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    "seconds",
    [5, pytest.param(60, marks=[pytest.mark.chaos, pytest.mark.timeout(240)])],
)
def test_nothing_that_was_captured_while_footfall_was_away_is_lost(platform: Platform, seconds: int) -> None:
    project, write_key, _ = platform.make_project(f"away for {seconds}")
    with (
        running_capture(platform) as capture,
        running_page(
            src=f"{platform.capture_url}/footfall.js",
            data_key=write_key,
            data_host=capture.url,
            data_pageviews="false",
        ) as page,
        footfall.Client(write_key, capture.url) as client,
    ):
        page("open", "/")
        page("keepCapturing")
        host = Host(client)
        host.start()
        wait_until(lambda: platform.stored(project)[0] >= 50, 20, "both have sent something")
        capture.kill()
        time.sleep(seconds / 2)
        page("stopCapturing")
        page("open", "/next")  # what waits is the next page's now
        page("keepCapturing")
        time.sleep(seconds / 2)
        capture.start()
        time.sleep(0.5)
        host.end()
        in_page = page("stopCapturing")

        assert client.flush(60)
        assert page("flush", 60)
        assert (client.stats.dropped, page("stats")["dropped"]) == ({}, {})
        assert page("errors") == []
    sent = {*in_page, *host.captured}
    assert len(in_page) > seconds * 3
    assert len(host.captured) > seconds * 10
    assert len(sent) == len(in_page) + len(host.captured)
    assert host.longest < 1
    wait_until(lambda: platform.stored(project)[0] >= len(sent), 20, "everything is stored")
    rows = platform.select(
        f"SELECT toString(uuid), count() FROM analytics.events WHERE project_id = {project} GROUP BY 1"
    )
    assert {uuid: int(count) for uuid, count in rows} == dict.fromkeys(sent, 1)
