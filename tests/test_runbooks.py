"""Procedures of docs/RUNBOOKS.md, done as they are written, and the whole platform on Kafka while at it."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from conftest import Platform, platform_environment, running_platform, wait_until
from sending import lag_of, read_metric

from brokers import Kafka
from footfall_core.events import EventRecord, encode_record, write_payload

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "RUNBOOKS.md").read_text("utf-8")
SOURCES = [path for folder in ("libs", "services", "cli", "tests") for path in (ROOT / folder).glob("**/*.py")]
TESTS = "\n".join(path.read_text("utf-8") for path in SOURCES if "tests" in path.parts)


def executed() -> Iterator[str]:
    """What the page names as doing a procedure."""
    for words in re.findall(r"\*\*Executed\*\*(.*?)(?:\n\n|\*\*not|\*\*Not|\Z)", PAGE, re.DOTALL):
        yield from re.findall(r"`([\w./]+)`", words)


@pytest.mark.parametrize("name", sorted(set(executed())))
def test_what_is_called_executed_is_there(name: str) -> None:
    if "/" in name:
        assert (ROOT / name).exists()
    else:
        assert f"def {name}(" in TESTS


def test_every_procedure_says_whether_it_was_executed() -> None:
    for section in PAGE.split("\n## ")[1:]:
        assert re.search(r"\*\*(not )?executed|\| Executed", section, re.IGNORECASE), section.splitlines()[0]


def test_statements_about_disk_and_merges(platform: Platform) -> None:
    section = PAGE.split("\n## ClickHouse disk and merges")[1].split("\n## ")[0]
    statements = re.findall(r"^    (SELECT .*)$", section, re.MULTILINE)

    tables = {row[0] for row in platform.select(statements[0])}
    platform.select(statements[1])

    assert len(statements) == 2
    assert "migrations" in tables


def test_mended_payloads_of_rejected_events_are_sent_again(platform: Platform) -> None:
    project, write_key, read_key = platform.make_project("replay")
    bad = [{"event": "signup", "properties": {"n": n}} for n in range(3)]
    answer = platform.capture(write_key, [{"event": "fine", "distinct_id": "ann"}, *bad]).json()
    [reason] = {each["reason"] for each in answer["rejected"]}
    sql = f"SELECT payload FROM analytics.rejected_events WHERE project_id = {project} AND reason = '{reason}'"
    wait_until(lambda: len(platform.select(sql)) == 3, 20, "the rejected events are stored")

    payloads = [json.loads(payload) for (payload,) in platform.select(sql)]
    mended = [
        {**payload, "distinct_id": "unknown", "uuid": f"00000000-0000-4000-8000-{n:012d}"}
        for n, payload in enumerate(payloads)
    ]
    for _ in range(2):  # repeating it changes nothing
        assert platform.capture(write_key, mended).json()["accepted"] == 3
        wait_until(lambda: platform.stored(project) == (4, 4) and lag_of(platform) == 0, 20, "they are events now")

    assert platform.ask(read_key, "trends", series=[{"event": "signup"}])["series"][0]["total"] == 3


def test_records_that_the_consumer_set_aside_are_replayed(platform: Platform) -> None:
    project, _, _ = platform.make_project("set aside")
    large = "x" * 100_000
    record = EventRecord(project, str(uuid.uuid4()), "late", "ann", 1_790_000_000_000, 1_790_000_000_000, {"n": large})
    # As an older Consumer leaves what a newer Capture API wrote, and a broken program what is no record at all.
    set_aside = [encode_record(record), b"\xff\x00no record"]
    rows = [
        {"project_id": project, "reason": "unreadable_record", "detail": "?", "source": "consumer",
         "payload": write_payload(value), "received_at": "2026-11-01 10:00:00", "log_offset": offset}
        for offset, value in enumerate(set_aside)
    ]  # fmt: skip
    platform.clickhouse("INSERT INTO analytics.rejected_events FORMAT JSONEachRow\n" + "\n".join(map(json.dumps, rows)))
    payloads = f"""SELECT payload FROM analytics.rejected_events
        WHERE project_id IN (0, {project}) AND payload = '{write_payload(set_aside[1])}'"""

    counted = json.loads(platform.footfall("replay", "--dry-run", "--json").stdout)
    assert (counted["appended"], counted["records"] >= 2) == (False, True)
    for times in (1, 2):  # repeating it makes no second event
        platform.footfall("replay", "--reason", "unreadable_record")
        wait_until(lambda: len(platform.select(payloads)) > times, 20, "what is no record is set aside again, whole")  # noqa: B023
        wait_until(lambda: platform.stored(project) == (1, 1) and lag_of(platform) == 0, 20, "the other is an event")
    assert platform.footfall("replay", "--reason", "invalid_uuid", check=False).returncode == 1


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_on_kafka_a_copy_goes_on_and_the_log_can_be_read_again(tmp_path: Path, kafka: Kafka) -> None:
    topic = "runbook"
    environment = platform_environment(
        FOOTFALL_EVENT_LOG_URL=f"kafka://{kafka.addresses}/{topic}?partitions=3&session_seconds=6",
        FOOTFALL_CONSUMER_GROUP=topic,
    )
    events: list[dict[str, Any]] = [
        {"event": "signup", "distinct_id": f"user-{n}", "uuid": f"00000000-0000-4000-8000-{n:012d}"} for n in range(500)
    ]
    with running_platform(tmp_path / "data", environment) as platform:
        project, write_key = platform.project_id, platform.write_key
        assert platform.capture(write_key, events[:400]).status_code == 200
        wait_until(lambda: platform.stored(project) == (400, 400), 30, "everything is stored")
        [log] = [
            each for each in json.loads(platform.footfall("doctor", "--json").stdout)["checks"]
            if each["part"] == "event log"
        ]  # fmt: skip
        assert log["status"] == "ok", log
    # A backup of one machine: stopped, copied with its symbolic links, started.
    shutil.copytree(tmp_path / "data", tmp_path / "copy", symlinks=True)
    shutil.rmtree(tmp_path / "data")
    _begin_again(kafka, topic)

    with running_platform(tmp_path / "copy", environment) as platform:
        assert platform.capture(write_key, events[300:]).status_code == 200
        wait_until(lambda: platform.stored(project)[1] == 500 and lag_of(platform) == 0, 60, "everything is read again")
        consumer = f"http://127.0.0.1:{environment['FOOTFALL_CONSUMER_PORT']}"
        dropped = read_metric(consumer, "footfall_consumer_duplicates_dropped_total")

        assert platform.stored(project) == (500, 500)
        assert dropped == 500  # 400 from the log, 100 that were sent again


def _begin_again(kafka: Kafka, topic: str) -> None:
    """What `kafka-consumer-groups.sh --reset-offsets --to-earliest` does."""
    admin = AdminClient({"bootstrap.servers": kafka.addresses})
    places = [TopicPartition(topic, partition, 0) for partition in range(3)]
    request = ConsumerGroupTopicPartitions(topic, places)
    admin.alter_consumer_group_offsets([request])[topic].result(10)
