"""`footfall import`, from the command line to the events that the Capture API got."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from footfall_cli.importing.progress import Progress, open_journal

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)

WriteRows = Callable[..., Path]


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    """A file of rows `event,distinct_id,timestamp,amount`, of yesterday unless `day` says otherwise."""

    def write_rows(count: int, *, name: str = "rows.csv", day: str = f"{TODAY:%Y-%m-%d}", extra: str = "") -> Path:
        lines = [
            f"purchase,person-{n % 7},{day} {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02},{n}" for n in range(count)
        ]
        path = tmp_path / name
        text = "\n".join(["event,distinct_id,timestamp,amount", *lines]) + "\n" + extra
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write_rows


def amounts(capture: Any) -> list[int]:
    return sorted(event["properties"]["amount"] for event in capture.events.values())


def test_an_import_says_what_became_of_it(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    path = write_rows(1_200)

    ran = footfall("import", path, "--json")

    assert (ran.code, ran.err) == (0, "")
    summary = ran.json
    assert summary.pop("seconds") > 0
    assert summary.pop("rows_per_second") > 0
    assert summary.pop("finished_at").startswith("20")
    assert summary == {
        "file": str(path),
        "project_id": platform.project_id,
        "rows": 1_200,
        "accepted": 1_200,
        "rejected": 0,
        "rejected_reasons": {},
        "already_done": 0,
        "rejected_file": None,
    }
    assert amounts(capture) == list(range(1_200))
    assert (capture.requests, capture.received) == (3, 1_200)


def test_people_get_sentences(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    capture.reject = lambda event: "missing_event_name" if event["properties"]["amount"] == 3 else None
    path = write_rows(10, extra="purchase,ann\n")

    ran = footfall("import", path)

    assert ran.code == 0
    assert "Imported" in ran.out
    assert "         9 accepted" in ran.out
    assert "         2 rejected" in ran.out
    assert "missing_event_name: `event` is missing or empty." in ran.out
    assert "wrong_column_count: The row has more or fewer columns than the header." in ran.out
    assert "The rejected rows, with their numbers and reasons, are in" in ran.out


def test_running_it_twice_changes_nothing(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    path = write_rows(600)
    footfall("import", path)

    ran = footfall("import", path, "--json")

    assert (ran.code, ran.json["accepted"], ran.json["already_done"]) == (0, 600, 600)
    assert capture.received == 600
    assert "All 600 rows were imported before" in footfall("import", path).out

    assert footfall("import", path, "--restart", "--json").json["already_done"] == 0
    assert (capture.received, len(capture.events)) == (1_200, 600)


def test_plain_and_gzipped_are_the_same_import(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows
) -> None:
    footfall("import", write_rows(50))
    footfall("import", write_rows(50, name="rows.csv.gz"))

    assert (capture.received, len(capture.events)) == (100, 50)


def test_a_file_may_grow_under_a_name(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    footfall("import", write_rows(50), "--source", "orders")
    footfall("import", write_rows(80), "--source", "orders")

    assert (capture.received, amounts(capture)) == (130, list(range(80)))


def test_the_same_content_under_another_name_is_another_import(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows
) -> None:
    path = write_rows(5)
    for arguments in ((), ("--source", "monday"), ("--source", "tuesday"), ("--source", "monday")):
        assert footfall("import", path, *arguments, "--json").json["accepted"] == 5

    assert (capture.received, len(capture.events)) == (15, 15)


def test_two_projects_get_different_events(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    path = write_rows(10)
    other = footfall("projects", "create", "Other", "--json").json
    capture.write_keys.add(other["write_key"])

    footfall("import", path)
    ran = footfall("import", path, "--project", other["id"], "--json")

    assert ran.json["project_id"] == other["id"]
    assert len(capture.events) == 20


@pytest.mark.parametrize("faults", [[503] * 5, ["cut", 429, "lost", 500], ["lost"] * 4])
def test_faults_lose_and_double_nothing(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows, faults: list[int | str]
) -> None:
    capture.faults = list(faults)

    ran = footfall("import", write_rows(2_000), "--batch-rows", 100, "--json")

    assert (ran.code, ran.json["accepted"], capture.faults) == (0, 2_000, [])
    assert amounts(capture) == list(range(2_000))


def test_rejected_rows_are_written_down(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows, tmp_path: Path
) -> None:
    def reject(event: dict[str, Any]) -> str | None:
        return "invalid_distinct_id" if event["properties"].get("amount", 0) % 50 == 7 else None

    capture.reject = reject
    path = write_rows(120, extra="purchase,ann,not a time,1\n")
    rejected_to = tmp_path / "rejected.jsonl"

    ran = footfall("import", path, "--rejected-to", rejected_to, "--batch-rows", 20, "--json")

    assert ran.code == 0
    assert ran.json["rejected_file"] == str(rejected_to)
    assert ran.json["rejected_reasons"] == {"invalid_distinct_id": 3, "invalid_timestamp": 1}
    rejected = [json.loads(line) for line in rejected_to.read_text().splitlines()]
    assert [(each["row"], each["line"], each["reason"]) for each in rejected] == [
        (8, 9, "invalid_distinct_id"),
        (58, 59, "invalid_distinct_id"),
        (108, 109, "invalid_distinct_id"),
        (121, 122, "invalid_timestamp"),
    ]
    assert rejected[0]["detail"] == "invalid_distinct_id, it says."
    assert rejected[3]["values"] == {
        "event": "purchase",
        "distinct_id": "ann",
        "timestamp": "not a time",
        "amount": "1",
    }


def test_when_no_row_is_accepted_it_has_failed(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows
) -> None:
    capture.reject = lambda event: "invalid_distinct_id"

    ran = footfall("import", write_rows(5), "--json")

    assert (ran.code, ran.json["accepted"], ran.json["rejected"]) == (1, 0, 5)


def test_a_refused_key_stops_it(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    capture.write_keys = set()

    ran = footfall("import", write_rows(5_000), "--batch-rows", 10, "--json")

    assert ran.code == 1
    assert ran.error["status"] == 401
    assert "refuses the write key" in ran.error["error"]
    assert "0 of 5,000 rows were answered for" in ran.error["error"]
    assert capture.requests < 20


def test_it_goes_on_after_being_killed(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows, tmp_path: Path
) -> None:
    path = write_rows(6_000, extra="purchase,ann\n")
    capture.delay = 0.05
    capture.reject = lambda event: "invalid_distinct_id" if event["properties"]["amount"] % 100 == 0 else None
    arguments = ["import", str(path), "--batch-rows", "50", "--data-dir", str(platform.data_dir), "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    process = subprocess.Popen([sys.executable, "-m", "footfall_cli", *arguments], env=environment)
    try:
        while not list((platform.data_dir / "imports").glob("*[!l].json")):
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    capture.delay = 0.0
    before = capture.received
    assert 0 < before < 5_940

    rejected_to = tmp_path / "rejected.jsonl"
    ran = footfall(*arguments, "--rejected-to", rejected_to)

    assert ran.code == 0, ran.err
    done = ran.json["already_done"]
    assert 0 < done < 6_000
    assert (ran.json["accepted"], ran.json["rejected"]) == (5_940, 61)
    assert amounts(capture) == [n for n in range(6_000) if n % 100]
    # What was under way when it was killed may still have arrived.
    assert capture.received - before <= 6_000 - done + 8 * 50
    rows = [json.loads(line)["row"] for line in rejected_to.read_text().splitlines()]
    assert rows == [*range(1, 6_001, 100), 6_001]


def test_ctrl_c_stops_it_in_order(platform: Any, capture: Any, write_rows: WriteRows) -> None:
    path = write_rows(6_000)
    capture.delay = 0.05
    command = [sys.executable, "-m", "footfall_cli", "import", str(path), "--batch-rows", "50", "--json"]
    with subprocess.Popen([*command, "--data-dir", str(platform.data_dir)], stderr=subprocess.PIPE) as process:
        while not capture.requests:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "of 6,000 rows were answered for; run the same command again" in json.loads(err)["error"]
    (journal,) = (platform.data_dir / "imports").glob("*.json")
    assert 0 <= json.loads(journal.read_text())["done"] <= len(capture.events) < 6_000


def test_the_same_import_does_not_run_twice_at_once(footfall: Any, platform: Any, write_rows: WriteRows) -> None:
    path = write_rows(10)
    footfall("import", path)
    (journal,) = (platform.data_dir / "imports").glob("*.json")

    with open_journal(journal.parent, journal.stem, Progress("", 0, 0), restart=False):
        ran = footfall("import", path)

    assert ran.code == 1
    assert "running already" in ran.err


def test_damaged_progress_means_starting_again(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows
) -> None:
    path = write_rows(10)
    footfall("import", path)
    (journal,) = (platform.data_dir / "imports").glob("*.json")
    journal.write_text("{")

    assert footfall("import", path, "--json").json["already_done"] == 0
    assert (capture.received, len(capture.events)) == (20, 10)


# Rows that ClickHouse would delete


OLD = f"{TODAY - timedelta(days=91):%Y-%m-%d}"


def test_rows_older_than_the_ttl_are_asked_about(
    footfall: Any, platform: Any, capture: Any, clickhouse_url: str, write_rows: WriteRows
) -> None:
    platform.save(clickhouse_url=clickhouse_url)
    path = write_rows(10, day=OLD, extra=f"purchase,ann,{TODAY:%Y-%m-%d},5\n")

    for arguments in ((), ("--json",)):
        ran = footfall("import", path, *arguments)
        words = ran.error["error"] if arguments else ran.err
        assert ran.code == 1
        assert "10 of 11 rows are older than 90 days and would be deleted" in words
        assert "FOOTFALL_EVENTS_TTL_DAYS=0" in words
        assert "--yes" in words
    assert capture.requests == 0

    assert footfall("import", path, "--yes", "--json").json["accepted"] == 11


def test_where_events_are_kept_long_enough_nothing_is_asked(
    footfall: Any, platform: Any, clickhouse_url: str, write_rows: WriteRows, clickhouse_ttl: Callable[[int], None]
) -> None:
    platform.save(clickhouse_url=clickhouse_url)
    clickhouse_ttl(120)
    assert footfall("import", write_rows(5, day=OLD)).code == 0
    clickhouse_ttl(0)
    assert footfall("import", write_rows(5, day="1997-01-01")).code == 0


def test_when_clickhouse_cannot_be_asked_the_setting_counts(
    footfall: Any, platform: Any, write_rows: WriteRows
) -> None:
    ran = footfall("import", write_rows(5, day=OLD))
    assert ran.code == 1
    assert "older than 90 days (the default; ClickHouse could not be asked)" in ran.err

    ran = footfall("import", write_rows(5, day=OLD), env={"FOOTFALL_EVENTS_TTL_DAYS": "0"})
    assert ran.code == 0


# Before anything is sent


def test_a_dry_run_sends_nothing(footfall: Any, platform: Any, capture: Any, write_rows: WriteRows) -> None:
    path = write_rows(5, extra="purchase,ann\n")

    ran = footfall("import", path, "--dry-run", "--json")

    assert ran.code == 0
    plan = ran.json
    events = plan.pop("events")
    assert [event["properties"] for event in events] == [{"amount": 0}, {"amount": 1}, {"amount": 2}]
    assert plan == {
        "file": str(path),
        "format": "csv",
        "columns": ["event", "distinct_id", "timestamp", "amount"],
        "project_id": platform.project_id,
        "timezone": "America/New_York",
        "rows": 6,
        "oldest": events[0]["timestamp"],
        "newest": f"{events[0]['timestamp'][:17]}04.000+00:00",
        "older_than_ttl": 0,
        "unreadable": 1,
        "types": {"amount": "integer"},
    }
    assert "purchase" in footfall("import", path, "--dry-run").out
    assert capture.requests == 0


def test_a_file_without_readable_times_is_refused_at_once(
    footfall: Any, platform: Any, capture: Any, write_rows: WriteRows
) -> None:
    ran = footfall("import", write_rows(50, day="31/12/2025"))

    assert ran.code == 1
    assert "No row can be imported" in ran.err
    assert "--timestamp-format" in ran.err
    assert capture.requests == 0


def test_a_file_with_only_a_header_has_nothing_to_do(footfall: Any, platform: Any, write_rows: WriteRows) -> None:
    ran = footfall("import", write_rows(0), "--json")

    assert (ran.code, ran.json["rows"], ran.json["accepted"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("missing.csv",), 1, "There is no file missing.csv"),
        (("rows.csv", "-m", "event"), 2, "is not field=column"),
        (("rows.csv", "-m", "distinct_id=nobody"), 1, "no column 'nobody'"),
        (("rows.csv", "--format", "xml"), 2, "--format is csv or jsonl"),
        (("rows.csv", "--timezone", "Mars/Base"), 2, "no IANA time zone"),
        (("rows.csv", "--project", "4711"), 1, "no project 4711"),
        (("rows.csv", "--connections", "0"), 2, "--connections"),
        (("rows.csv", "--delimiter", "ab"), 1, "one character"),
        ((), 2, "Missing argument"),
    ],
)
def test_mistakes_are_named(
    footfall: Any, platform: Any, write_rows: WriteRows, arguments: tuple[str, ...], code: int, words: str
) -> None:
    write_rows(5)

    ran = footfall("import", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err

    ran = footfall("import", *arguments, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.error["error"]


def test_a_write_key_is_enough_elsewhere(footfall: Any, capture: Any, write_rows: WriteRows, tmp_path: Path) -> None:
    path = write_rows(5)
    environment = {"FOOTFALL_CAPTURE_URL": capture.url}

    ran = footfall("import", path, "--write-key", "ffw_other", "--json", env=environment)

    assert (ran.code, ran.json["accepted"], ran.json["project_id"]) == (0, 5, None)
    assert list((tmp_path / "state" / "footfall" / "imports").glob("rows.csv-*.json"))
    assert not (tmp_path / "data").exists()


def test_a_project_without_a_write_key_is_named(footfall: Any, platform: Any, write_rows: WriteRows) -> None:
    with httpx.Client(
        base_url=platform.local["auth_url"],
        headers={"authorization": f"Bearer {platform.local['operator_token']}"},
    ) as auth:
        keys = auth.get(f"/projects/{platform.project_id}/keys").json()["results"]
        for key in keys:
            auth.delete(f"/projects/{platform.project_id}/keys/{key['id']}").raise_for_status()

    ran = footfall("import", write_rows(5))

    assert ran.code == 1
    assert "footfall keys create --type write" in ran.err
