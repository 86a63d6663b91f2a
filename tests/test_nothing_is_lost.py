"""Every process is killed at random moments while events pour in: all that was answered 200 is counted once.

The seed decides what is killed and when; set FOOTFALL_TEST_SEED to repeat a run.
"""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import httpx
import pytest
from conftest import Platform, platform_environment, running_platform, wait_until
from sending import lag_of, make_batch, send_all

EVENTS = 200_000
BATCH = 250
ROUNDS = 3
VICTIMS = ("capture", "consumer", "bridge", "auth", "query")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_process_killed_under_load(tmp_path: Path) -> None:
    seed = int(os.environ.get("FOOTFALL_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"FOOTFALL_TEST_SEED={seed}")
    random_ = random.Random(seed)
    batches = [make_batch(random_, BATCH, first) for first in range(0, EVENTS, BATCH)]
    with running_platform(tmp_path / "data", platform_environment()) as platform:
        project, write_key, read_key = platform.make_project("killed")
        sent = threading.Event()
        kills: list[str] = []

        def kill() -> None:
            """Each in turn, in random order at random moments, then all of them at once; three times over."""
            for _ in range(ROUNDS):
                for victim in (*random_.sample(VICTIMS, len(VICTIMS)), "everything"):
                    sent.wait(random_.uniform(0.5, 3.0))
                    if sent.is_set():
                        return
                    struck = [platform.kill(part) for part in (VICTIMS if victim == "everything" else [victim])]
                    if all(struck):
                        kills.append(victim)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            failures = send_all(platform, batches, write_key, pause=0.25)
        finally:
            sent.set()
            killer.join()
        wait_until(lambda: is_stored(platform, project), 90, f"all stored; seed {seed}")
        print(f"{len(kills)} kills ({', '.join(kills)}), {failures} failed tries")
        assert {*VICTIMS, "everything"} <= set(kills)
        assert platform.stored(project) == (EVENTS, EVENTS)

        # Nothing is left in the log that could still come: everything that was appended is committed.
        wait_until(lambda: lag_of(platform) == 0, 30, "the consumer has read everything")
        assert platform.stored(project) == (EVENTS, EVENTS)

        # Sending all of it again changes nothing.
        send_all(platform, batches, write_key)
        wait_until(lambda: lag_of(platform) == 0, 60, "the consumer has read everything again")
        assert platform.stored(project) == (EVENTS, EVENTS)
        answer = platform.ask(read_key, "trends", series=[{"event": None}], date_from="-1d")
        assert answer["series"][0]["total"] == EVENTS


def is_stored(platform: Platform, project: int) -> bool:
    try:
        return platform.stored(project)[1] >= EVENTS
    except (httpx.HTTPError, AssertionError):
        return False
