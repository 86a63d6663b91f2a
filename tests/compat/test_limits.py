"""A limit on requests makes other people's SDKs wait, and costs none of their events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from conftest import Platform
from programs import Run, chromium
from proxy import Project, Proxy, running_proxy
from running import CaptureProcess, running_capture


@pytest.fixture(scope="module")
def limited(platform: Platform) -> Iterator[CaptureProcess]:
    with running_capture(platform, FOOTFALL_CAPTURE_KEY_RATE="1") as capture:
        yield capture


def use_up(capture: CaptureProcess, write_key: str) -> None:
    """Send until the key has met its limit, and will for more than a second."""
    with httpx.Client(base_url=capture.url, headers={"authorization": f"Bearer {write_key}"}) as client:
        while True:
            # No usable event: the request counts, and nothing is stored.
            answer = client.post("/capture", json=[{}])
            if answer.status_code == 429:
                seconds = int(answer.headers["retry-after"])
                if seconds > 2:
                    return
                time.sleep(seconds)


@pytest.mark.slow
def test_browser_and_python_lose_nothing_to_a_limit(
    platform: Platform, limited: CaptureProcess, run_node: Run, run_python: Run
) -> None:
    """posthog-js, which never sends again after a 4xx, and version 1 of posthog-python, which does not after a 429."""
    projects = {name: Project(platform, *platform.make_project(f"limited {name}")) for name in ("browser", "python")}
    said: dict[str, Any] = {}
    with running_proxy(limited.url) as to_browser, running_proxy(limited.url) as to_python:
        to_browser.before = partial(use_up, limited, projects["browser"].write_key)
        to_python.before = partial(use_up, limited, projects["python"].write_key)

        def browse() -> None:
            options = json.dumps({"request_queue_config": {"flush_interval_ms": 250}})
            key = projects["browser"].write_key
            said["browser"] = run_node("posthog-browser.mjs", chromium(), to_browser.url, key, options, RETRY="1")

        browsing = threading.Thread(target=browse)
        browsing.start()
        said["python"] = run_python("posthog_v0.py", to_python.url, projects["python"].write_key, MODE="v1")
        browsing.join(90)
    check_waited(to_browser, "/e/")
    check_waited(to_python, "/i/v1/analytics/events")

    assert said["python"]["errors"] == []
    assert {name: event.uuid for name, event in projects["python"].stored(6).items()} == said["python"]["uuids"]
    own = {"$pageview", "$autocapture", "$pageleave", "$identify", "$groupidentify", "$create_alias"}
    assert set(projects["browser"].stored(8)) == own | {"signup", "last words"}


def check_waited(proxy: Proxy, path: str) -> None:
    """The limit was met, as a 503, and what came after it was taken."""
    statuses = proxy.statuses(path)
    assert set(statuses) == {503, 200}, statuses
    assert statuses[0] == 503
