"""What the embedded event log promises beyond the contract: file, group commit, limits, retention, groups."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_core.eventlog import (
    AssignmentLost,
    LogReader,
    LogRecord,
    LogUnavailable,
    Record,
    open_event_log,
    open_log_reader,
)
from footfall_core.eventlog.sqlite import SqliteEventLog, forget_group
from footfall_core.eventlog.sqlite.file import Options, connect, parse_url
from footfall_core.eventlog.sqlite.group import fair_shares

MEBIBYTE = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.log.db"


@asynccontextmanager
async def opened(url: str, clock: Callable[[], float] = time.time) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog.open(url, clock)
    try:
        yield log
    finally:
        await log.close()


@contextmanager
def reading(url: str, group: str = "consumer") -> Iterator[LogReader]:
    reader = open_log_reader(url, group)
    try:
        yield reader
    finally:
        reader.close()


async def append(url: str, *values: bytes) -> None:
    async with opened(url) as log:
        await log.append([Record(b"key", value) for value in values])


def read(reader: LogReader, count: int, seconds: float = 10) -> list[LogRecord]:
    records: list[LogRecord] = []
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        records += reader.poll(count, 1 << 30, 0.1).records
    return records


def commit_all(reader: LogReader) -> None:
    """Read and commit what is there."""
    while reader.poll(100_000, 1 << 30, 0.05).records:
        pass
    reader.commit(reader.end_offsets())


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.02)


# The URL and the file


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite://events.db", "sqlite:///path/to/file"),
        ("sqlite:///", "sqlite:///path/to/file"),
        ("sqlite:///events.db#1", "sqlite:///path/to/file"),
        ("sqlite:///events.db?partition=4", "partition"),
        ("sqlite:///events.db?path=4", "path"),
        ("sqlite:///events.db?partitions=four", "partitions"),
        ("sqlite:///events.db?partitions=0", "partitions"),
        ("sqlite:///events.db?partitions=257", "partitions"),
        ("sqlite:///events.db?max_bytes=", "max_bytes"),
        ("sqlite:///events.db?retention_hours=-1", "retention_hours"),
        ("sqlite:///events.db?session_seconds=0", "session_seconds"),
    ],
)
def test_wrong_url_is_explained(url, complaint):
    with pytest.raises(ValueError, match=f"FOOTFALL_EVENT_LOG_URL: .*{complaint}"):
        open_event_log(url)


def test_url_names_relative_and_absolute_paths_and_settings():
    options = parse_url("sqlite:////data/a%20b%3F.db?partitions=8&retention_hours=0.5")

    assert (options.path, options.partitions, options.retention_hours) == ("/data/a b?.db", 8, 0.5)
    assert parse_url("sqlite:///data/events.db").path == "data/events.db"


def test_every_parameter_is_documented():
    page = (Path(__file__).parents[4] / "docs" / "event-log.md").read_text()

    assert [name for name in Options.__struct_fields__ if f"| `{name}` |" not in page] == ["path"]


async def test_number_of_partitions_is_fixed_when_the_file_is_created(path):
    await append(f"sqlite:///{path}?partitions=7", b"value")

    with pytest.raises(ValueError, match="has 7 partitions, which cannot be changed to 8"):
        open_event_log(f"sqlite:///{path}?partitions=8")
    with reading(f"sqlite:///{path}") as reader:
        reader.poll(1, 1, 0)
        assert len(reader.lag()) == 7


async def test_many_partitions(path):
    url = f"sqlite:///{path}?partitions=256"
    async with opened(url) as log:
        await log.append([Record(b"%d" % number, b"%d" % number) for number in range(5000)])
    with reading(url) as reader:
        records = read(reader, 5000)
    assert sorted(int(record.value) for record in records) == list(range(5000))
    assert {record.partition for record in records} == set(range(256))


def make_text(path: Path) -> None:
    path.write_text("not a database\n" * 1000)


def make_empty(path: Path) -> None:
    path.touch()


def make_other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE log (partitions)")
    connection.close()


def make_newer_log(path: Path) -> None:
    asyncio.run(append(f"sqlite:///{path}", b"value"))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=2")
    connection.close()


def make_orphaned_wal(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(b"acknowledged records")


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (make_text, "is not a Footfall event log"),
        (make_empty, "is not a Footfall event log"),
        (make_other_database, "is not a Footfall event log"),
        (make_newer_log, "has format 2 and this version of Footfall reads format 1"),
        (make_orphaned_wal, "is left of a log that is gone"),
    ],
)
def test_alien_file_is_refused_and_left_alone(path, make, complaint):
    make(path)
    before = path.read_bytes() if path.exists() else None

    with pytest.raises(ValueError, match=complaint):
        open_event_log(f"sqlite:///{path}")
    with pytest.raises(ValueError, match=complaint):
        open_log_reader(f"sqlite:///{path}", "consumer")

    assert (path.read_bytes() if path.exists() else None) == before


async def test_log_is_its_owners_alone_and_leaves_nothing_behind(path):
    url = f"sqlite:///{path.parent}/new/folder/{path.name}"
    await append(url, b"value")
    with reading(url) as reader:
        read(reader, 1)

    files = list((path.parent / "new/folder").iterdir())
    assert [file.name for file in files] == [path.name]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


async def test_file_that_cannot_be_opened_is_unavailable(path):
    path.mkdir()
    with pytest.raises(LogUnavailable, match="unable to open"):
        open_event_log(f"sqlite:///{path}")


async def test_commits_wait_for_the_disk(path):
    """Without a power cut no test could see the difference."""
    await append(f"sqlite:///{path}", b"value")
    connection = connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert connection.execute("PRAGMA synchronous").fetchall() == [(2,)]
    connection.close()


async def test_damaged_batch_is_named_and_not_skipped(path):
    url = f"sqlite:///{path}?partitions=1"
    async with opened(url) as log:
        for number in range(3):
            await log.append([Record(b"key", b"%d" % number * 1000)])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE batches SET payload = substr(payload, 1, 20) WHERE base_offset = 1")
    connection.commit()
    connection.close()

    with reading(url) as reader:
        for _ in range(2):
            with pytest.raises(LogUnavailable, match="partition 0, offset 1 is damaged"):
                reader.poll(10, MEBIBYTE, 1)
        assert reader.poll(1, MEBIBYTE, 1).records == [LogRecord(0, 0, b"0" * 1000)]


async def test_damaged_file_is_unavailable(path):
    url = f"sqlite:///{path}"
    await append(url, *(random.Random(1).randbytes(1000) for _ in range(1000)))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(LogUnavailable, match="malformed"):
        open_event_log(url)
    with pytest.raises(LogUnavailable, match="malformed"):
        open_log_reader(url, "consumer")


async def test_replaced_file_is_noticed(path):
    url = f"sqlite:///{path}"
    async with opened(url) as log:
        with reading(url) as reader:
            await log.append([Record(b"key", b"value")])
            read(reader, 1)
            path.rename(path.with_name("moved"))
            await eventually(lambda: refuses(log))
            with pytest.raises(LogUnavailable, match="removed or replaced"):
                await log.append([Record(b"key", b"value")])
            with pytest.raises(LogUnavailable, match="removed or replaced"):
                reader.poll(1, 1, 2)


def refuses(log: SqliteEventLog) -> bool:
    """Whether the log's check fails now."""
    coroutine = log.check()
    try:
        coroutine.send(None)
    except StopIteration:
        return False
    except LogUnavailable:
        return True
    raise AssertionError("check does not wait for anything")


# Appending


async def test_concurrent_appends_become_few_transactions(path):
    url = f"sqlite:///{path}"
    async with opened(url) as log:
        await asyncio.gather(*(log.append([Record(b"key", b"%d" % number)]) for number in range(500)))
        # Of one key, so each transaction left one batch.
        assert ask(path, "SELECT sum(count) FROM batches") == [(500,)]
        assert ask(path, "SELECT count(*) FROM batches")[0][0] < 50

        for number in range(5):
            await log.append([Record(b"key", b"%d" % number)])
        assert ask(path, "SELECT sum(count) FROM batches") == [(505,)]


async def test_append_under_way_when_its_caller_is_cancelled_harms_nobody(path):
    url = f"sqlite:///{path}"
    async with opened(url) as log:
        first = asyncio.create_task(log.append([Record(b"key", b"first")]))
        second = asyncio.create_task(log.append([Record(b"key", b"second")]))
        await asyncio.sleep(0)
        first.cancel()
        await second
        await log.append([Record(b"key", b"third")])
        with reading(url) as reader:
            assert {record.value for record in read(reader, 3, 1)} >= {b"second", b"third"}


async def test_full_queue_refuses_and_recovers(path):
    url = f"sqlite:///{path}?queue_bytes=3000"
    async with opened(url) as log:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        appends = [asyncio.create_task(log.append([Record(b"key", b"x" * 1000)])) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(LogUnavailable, match="wait for the disk already"):
            await log.append([Record(b"key", b"x" * 1000)])
        other.execute("ROLLBACK")
        other.close()
        await asyncio.gather(*appends)
        await log.append([Record(b"key", b"x" * 1000)])
    with reading(url) as reader:
        assert len(read(reader, 3)) == 3


async def test_log_full_of_unconsumed_records_refuses_until_they_are_consumed(path):
    url = f"sqlite:///{path}?max_bytes=2000000&retention_hours=24"
    accepted = []
    async with opened(url) as log:
        with reading(url) as reader:
            with pytest.raises(LogUnavailable, match="max_bytes=2000000 are taken by records not consumed"):
                for number in range(1000):
                    value = b"%d " % number + os.urandom(10_000)
                    await log.append([Record(b"%d" % number, value)])
                    accepted.append(value)
            assert 100 < len(accepted) < 200
            await eventually(lambda: refuses(log))

            records = read(reader, len(accepted))
            assert refuses(log), "what is not committed is not consumed"
            reader.commit(reader.end_offsets())
            await eventually(lambda: not refuses(log))

            await log.append([Record(b"key", b"and on")])
            accepted.append(b"and on")
            records += read(reader, 1)
            assert sorted(record.value for record in records) == sorted(accepted)
    assert path.stat().st_size < 2_500_000


async def test_full_disk_refuses(path):
    free = shutil.disk_usage(path.parent).free
    async with opened(f"sqlite:///{path}?min_free_bytes={free * 2}") as log:
        with pytest.raises(LogUnavailable, match=f"min_free_bytes={free * 2}"):
            await log.append([Record(b"key", b"value")])
        with pytest.raises(LogUnavailable, match="bytes left on its disk"):
            await log.check()


WRITE_UNTIL_THE_SYSTEM_REFUSES = """
import asyncio, os, resource, sys
from footfall_core.eventlog import LogUnavailable, Record, open_event_log

async def main(url):
    log = open_event_log(url)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    done = 0
    try:
        while True:
            await log.append([Record(b"%d" % done, b"%d " % done + os.urandom(10_000))])
            done += 1
    except LogUnavailable as refusal:
        assert "disk" in refusal.reason, refusal.reason
    try:
        await log.check()
    except LogUnavailable:
        pass
    else:
        raise AssertionError("it must not call itself ready")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while True:  # without an append it finds out by itself
        try:
            await log.check()
            break
        except LogUnavailable:
            await asyncio.sleep(0.02)
    await log.append([Record(b"key", b"%d again" % done)])
    await log.close()
    print(done)

asyncio.run(main(sys.argv[1]))
"""


def test_disk_that_refuses_to_write_is_survived(path):
    url = f"sqlite:///{path}"
    done = subprocess.run(
        [sys.executable, "-c", WRITE_UNTIL_THE_SYSTEM_REFUSES, url],
        check=True,
        capture_output=True,
        timeout=60,
    )
    count = int(done.stdout)
    assert count > 10
    with reading(url) as reader:
        numbers = sorted(int(record.value.split(b" ")[0]) for record in read(reader, count + 1))
    # The append that was refused may or may not be there.
    assert numbers in ([*range(count), count], [*range(count), count, count])


# Retention


async def test_retention_deletes_only_what_is_old_and_committed_by_every_group(path):
    url = f"sqlite:///{path}?partitions=1&retention_hours=1"
    async with opened(url) as log:
        for number in range(10):
            await log.append([Record(b"key", b"%d" % number)])
    with reading(url, "fast") as fast, reading(url, "slow") as slow:
        commit_all(fast)
        read(slow, 10)
        slow.commit({0: 4})

        async with opened(url) as log:  # nothing is old
            await log.append([Record(b"key", b"10")])
            await asyncio.sleep(1.2)
            assert ask(path, "SELECT min(base_offset) FROM batches") == [(0,)]

        async with opened(url, lambda: time.time() + 3601):
            await eventually(lambda: ask(path, "SELECT min(base_offset) FROM batches") != [(0,)])
        assert ask(path, "SELECT min(base_offset), max(base_offset) FROM batches") == [(4, 10)]
    with reading(url, "new") as new:
        assert [record.offset for record in read(new, 7)] == [4, 5, 6, 7, 8, 9, 10]


async def test_retention_waits_for_groups_without_members_until_they_are_forgotten(path):
    url = f"sqlite:///{path}?partitions=1&retention_hours=0"
    with reading(url, "gone"), reading(url, "here") as here:
        async with opened(url) as log:
            for number in range(10):
                await log.append([Record(b"key", b"%d" % number)])
            commit_all(here)
            with pytest.raises(ValueError, match=r"no group 'other', only \['gone', 'here'\]"):
                forget_group(url, "other")
            with pytest.raises(ValueError, match=r"'here' .* has a living member"):
                forget_group(url, "here")
            await asyncio.sleep(1.2)
            assert ask(path, "SELECT count(*) FROM batches") == [(10,)]

            forget_group(url, "gone")
            await eventually(lambda: ask(path, "SELECT count(*) FROM batches") == [(1,)])


async def test_nothing_is_deleted_before_there_is_a_group(path):
    url = f"sqlite:///{path}?partitions=1&retention_hours=0"
    async with opened(url) as log:
        for number in range(5):
            await log.append([Record(b"key", b"%d" % number)])
        await asyncio.sleep(1.2)
    with reading(url) as reader:
        assert len(read(reader, 5)) == 5


async def test_offsets_go_on_after_everything_was_deleted(path):
    url = f"sqlite:///{path}?partitions=1&retention_hours=0"
    with reading(url) as reader:
        async with opened(url) as log:
            for number in range(20):
                await log.append([Record(b"key", b"%d" % number)])
            commit_all(reader)
            await eventually(lambda: ask(path, "SELECT count(*) FROM batches") == [(1,)])
        await append(url, b"next")
        assert read(reader, 1) == [LogRecord(0, 20, b"next")]


async def test_file_shrinks_and_its_wal_stays_small(path):
    url = f"sqlite:///{path}?retention_hours=0"
    wal = path.with_name(path.name + "-wal")
    largest = 0
    async with opened(url) as log:
        with reading(url) as reader:
            for _ in range(30):
                await log.append([Record(b"%d" % number, os.urandom(MEBIBYTE // 8)) for number in range(12)])
                reader.poll(5, MEBIBYTE, 0)
                largest = max(largest, wal.stat().st_size)
            assert path.stat().st_size + largest > 40 * MEBIBYTE
            commit_all(reader)
            await eventually(lambda: path.stat().st_size < 25 * MEBIBYTE)
    assert largest < 30 * MEBIBYTE


# Groups


@given(
    owned=st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 9), min_size=1, max_size=8),
    partitions=st.integers(1, 20),
)
def test_shares_are_fair_and_complete(owned, partitions):
    shares = fair_shares(owned, partitions)

    assert shares.keys() == owned.keys()
    assert sum(shares.values()) == partitions
    assert max(shares.values()) - min(shares.values()) <= 1
    assert all(shares[a] >= shares[b] for a in owned for b in owned if owned[a] > owned[b])


async def test_fair_shares_do_not_move_again(path):
    url = f"sqlite:///{path}?partitions=5"
    with reading(url) as first, reading(url) as second:
        for _ in range(20):
            first.poll(1, 1, 0.02)
            second.poll(1, 1, 0.02)
        assert sorted((len(first.end_offsets()), len(second.end_offsets()))) == [2, 3]
        owned = set(first.end_offsets())
        for _ in range(20):
            assert first.poll(1, 1, 0.01).assigned == second.poll(1, 1, 0.01).assigned == {}
        assert set(first.end_offsets()) == owned


async def test_partition_moves_only_when_what_was_returned_is_committed(path):
    url = f"sqlite:///{path}?partitions=4&session_seconds=5"
    async with opened(url) as log:
        await log.append([Record(b"%d" % number, b"%d" % number) for number in range(100)])
    with reading(url) as first, reading(url) as second:
        records = read(first, 100)
        for _ in range(10):
            assert second.poll(100, MEBIBYTE, 0.02).records == []
            assert first.poll(100, MEBIBYTE, 0.02).records == []

        first.commit(first.end_offsets())
        for _ in range(10):
            assert second.poll(100, MEBIBYTE, 0.02).records == []
            assert first.poll(100, MEBIBYTE, 0.02).records == []
        assert [len(first.end_offsets()), len(second.end_offsets())] == [2, 2]
        assert len(records) == 100


async def test_commit_keeps_what_is_still_owned(path):
    url = f"sqlite:///{path}?partitions=4"
    with reading(url) as first, reading(url) as second:
        first.poll(1, 1, 0)
        for reader in (second, first, second):
            reader.poll(1, 1, 0)
        async with opened(url) as log:
            await log.append([Record(b"%d" % number, b"%d" % number) for number in range(100)])
        kept, moved = set(first.end_offsets()), set(second.end_offsets())
        ends = {**first.end_offsets(), **second.end_offsets()}
        assert (len(kept), len(moved)) == (2, 2)

        with pytest.raises(AssignmentLost) as lost:
            first.commit(ends)
        assert lost.value.partitions == moved
        assert {partition for partition, lag in first.lag().items() if not lag.records} == kept


async def test_member_that_never_commits_gives_up_partitions_in_the_end(path):
    url = f"sqlite:///{path}?partitions=4&session_seconds=0.6"
    async with opened(url) as log:
        await log.append([Record(b"%d" % number, b"%d" % number) for number in range(100)])
    with reading(url) as first, reading(url) as second:
        read(first, 100)
        moved: list[LogRecord] = []
        deadline = time.monotonic() + 5
        while len(second.end_offsets()) < 2 and time.monotonic() < deadline:
            first.poll(100, MEBIBYTE, 0.02)
            moved += second.poll(100, MEBIBYTE, 0.02).records
        assert len(second.end_offsets()) == 2
        moved += read(second, 100, 0.3)
        assert {record.partition for record in moved} == set(second.end_offsets())


POLL_FOR_EVER = """
import sys
from footfall_core.eventlog import open_log_reader
reader = open_log_reader(sys.argv[1], "consumer")
while True:
    for record in reader.poll(100, 1 << 20, 1).records:
        print(record.value.decode(), flush=True)
"""


async def test_partitions_of_a_killed_process_pass_on_at_once(path):
    url = f"sqlite:///{path}?session_seconds=3600"
    await append(url, b"value")
    with subprocess.Popen([sys.executable, "-c", POLL_FOR_EVER, url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"value\n"
        with reading(url) as reader:
            assert reader.poll(1, 1, 0.3).records == [], "its owner lives"
        process.send_signal(signal.SIGKILL)
    with reading(url) as reader:
        start = time.monotonic()
        assert [record.value for record in read(reader, 1)] == [b"value"]
        assert time.monotonic() - start < 1
    assert list(path.parent.iterdir()) == [path]


async def test_survivor_takes_over_from_a_killed_process(path):
    url = f"sqlite:///{path}?session_seconds=3600"
    with subprocess.Popen([sys.executable, "-c", POLL_FOR_EVER, url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        await append(url, b"value")
        process.stdout.readline()
        with reading(url) as reader:
            reader.poll(1, 1, 0.1)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert [record.value for record in read(reader, 1, 5)] == [b"value"]


# Waiting


async def test_records_are_seen_soon_and_waiting_costs_little(path):
    url = f"sqlite:///{path}"
    async with opened(url) as log:
        with reading(url) as reader:
            reader.poll(1, 1, 0)
            cpu = time.process_time()
            assert (await asyncio.to_thread(reader.poll, 1, 1, 1.0)).records == []
            assert time.process_time() - cpu < 0.1

            delays = []
            for _ in range(5):
                seen = asyncio.create_task(asyncio.to_thread(reader.poll, 1, 1, 5.0))
                await asyncio.sleep(0.3)
                await log.append([Record(b"key", b"value")])
                appended = time.monotonic()
                assert len((await seen).records) == 1
                delays.append(time.monotonic() - appended)
    assert min(delays) < 0.06
