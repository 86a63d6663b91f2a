"""What a newcomer does first: start, send one event, find it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from conftest import Platform, platform_environment, running_platform, wait_until


def test_an_event_is_stored_within_two_seconds(platform: Platform) -> None:
    project, write_key, _ = platform.make_project("first event")

    answer = platform.capture(write_key, [{"event": "signup", "distinct_id": "ann"}])
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "accepted": 1, "rejected": []})

    assert wait_until(lambda: platform.stored(project) == (1, 1), 10, "the event is stored") < 2.0
    sql = f"SELECT event, distinct_id FROM analytics.events WHERE project_id = {project}"
    assert platform.select(sql) == [["signup", "ann"]]


def test_a_rejected_event_can_be_found_with_its_reason(platform: Platform) -> None:
    project, write_key, _ = platform.make_project("rejected")

    answer = platform.capture(write_key, [{"event": "fine", "distinct_id": "ann"}, {"event": "", "distinct_id": "bob"}])
    assert answer.json()["accepted"] == 1
    rejected = [(each["index"], each["reason"]) for each in answer.json()["rejected"]]
    assert rejected == [(1, "missing_event_name")]

    sql = f"SELECT reason FROM analytics.rejected_events WHERE project_id = {project}"
    wait_until(lambda: platform.select(sql) == [["missing_event_name"]], 10, "the rejected event is listed")


@pytest.mark.timeout(240)
def test_everything_survives_a_restart(tmp_path: Path) -> None:
    environment = platform_environment()
    with running_platform(tmp_path / "data", environment) as first:
        assert first.capture(first.write_key, [{"event": "kept", "distinct_id": "ann"}]).status_code == 200
    with running_platform(tmp_path / "data", environment) as second:
        assert (second.write_key, second.read_key) == (first.write_key, first.read_key)
        assert (first.admin is not None, second.admin) == (True, None)
        wait_until(lambda: second.stored(second.project_id) == (1, 1), 10, "the event is still there, once")
        local = tmp_path / "data" / "local.json"
        assert local.stat().st_mode & 0o077 == 0
        assert json.loads(local.read_text())["write_key"] == first.write_key


def test_a_second_platform_on_the_same_data_is_refused(platform: Platform) -> None:
    done = platform.footfall("up", "--data-dir", str(platform.data_dir), "--json", check=False)

    assert done.returncode == 1
    assert "already running" in json.loads(done.stdout)["error"]


def test_the_demo_loads(platform: Platform) -> None:
    demo = json.loads(platform.footfall("demo", "--people", "50", "--json").stdout)

    assert demo["accepted"] > 100
    wait_until(lambda: platform.stored(demo["project_id"])[0] == demo["accepted"], 20, "the demo is stored")


@pytest.mark.timeout(240)
def test_a_revoked_read_key_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    environment = platform_environment()
    with running_platform(tmp_path / "data", environment) as first:
        keys = json.loads(first.footfall("keys", "list", "--json").stdout)
        [read_key] = [key["id"] for key in keys if key["type"] == "read"]
        first.footfall("keys", "revoke", str(read_key))
    with running_platform(tmp_path / "data", environment) as second:
        assert second.read_key != first.read_key
        assert second.get(second.read_key, "/api/events")["results"] == []
        assert second.project_id == first.project_id


def test_an_event_is_in_the_answer_within_two_seconds(platform: Platform) -> None:
    _, write_key, read_key = platform.make_project("first answer")
    platform.capture(write_key, [{"event": "signup", "distinct_id": "ann"}])

    def counted() -> bool:
        return bool(platform.get(read_key, "/api/trends", event="signup")["series"][0]["total"] == 1)

    assert wait_until(counted, 10, "the event is counted") < 2.0
    events = platform.get(read_key, "/api/events")["results"]
    assert [(event["event"], event["distinct_id"]) for event in events] == [("signup", "ann")]


def test_no_project_sees_another(platform: Platform) -> None:
    mine, my_write_key, my_read_key = platform.make_project("mine")
    _, _, their_read_key = platform.make_project("theirs")
    platform.capture(my_write_key, [{"event": "secret", "distinct_id": "ann"}])
    wait_until(lambda: platform.stored(mine)[0] == 1, 10, "the event is stored")

    headers = {"authorization": f"Bearer {their_read_key}"}
    with httpx.Client(base_url=platform.query_url, headers=headers) as api:
        assert api.get("/api/trends", params={"project_id": mine, "event": "secret"}).status_code == 404
        assert api.get("/api/events").json()["results"] == []
        assert api.get("/api/event-names").json()["results"] == []
    assert platform.get(my_read_key, "/api/event-names")["results"][0]["event"] == "secret"
