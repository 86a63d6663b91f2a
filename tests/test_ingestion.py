"""Where accepted events are while the Consumer cannot store them, and while there is no Consumer that could."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import Platform, wait_until


@contextmanager
def nothing_is_stored(platform: Platform) -> Iterator[None]:
    """The Consumer lacks a table, which it waits for."""
    platform.clickhouse("RENAME TABLE analytics.first_seen TO analytics.elsewhere")
    try:
        yield
    finally:
        platform.clickhouse("RENAME TABLE analytics.elsewhere TO analytics.first_seen")


@pytest.mark.slow
def test_an_event_that_is_not_there_yet_is_accounted_for(platform: Platform) -> None:
    project_id, write_key, read_key = platform.make_project("Ingestion")

    def ingestion() -> Any:
        return platform.get(read_key, "/api/ingestion")

    wait_until(lambda: ingestion()["waiting_events"] == 0, 15, "the Consumer reports that nothing waits")
    with nothing_is_stored(platform):
        events = [{"event": "visit", "distinct_id": f"waits-{n}"} for n in range(5)]
        assert platform.capture(write_key, events).status_code == 200
        wait_until(lambda: ingestion()["waiting_events"] == 5, 15, "five events wait")
        assert 0 < ingestion()["oldest_waiting_seconds"] < 20
        assert ingestion()["silent_seconds"] is None
        with platform.frozen("consumer"):
            wait_until(lambda: ingestion()["silent_seconds"] is not None, 30, "the Consumer is silent")
            found = ingestion()
            assert found["silent_seconds"] > 20
            assert (found["waiting_events"], found["freshness"]) == (5, None)
            assert found["oldest_waiting_seconds"] >= found["silent_seconds"]
    wait_until(lambda: platform.stored(project_id) == (5, 5), 40, "all five are stored")
    wait_until(lambda: ingestion()["waiting_events"] == 0, 15, "nothing waits any more")
    assert ingestion()["freshness"]["p50"] > 20
