"""What every event log promises. Each test runs against each implementation that conftest.py knows."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence

import pytest

from footfall_core.eventlog import AssignmentLost, EventLog, Lag, LogRecord, LogUnavailable, Record

KEYS = [b"1:person-%d" % number for number in range(20)]
MEBIBYTE = 1 << 20


def numbered(count: int, first: int = 0) -> list[tuple[bytes, bytes]]:
    """Records whose values tell their key and their number."""
    return [(KEYS[n % len(KEYS)], KEYS[n % len(KEYS)] + b" %d" % n) for n in range(first, first + count)]


def sent(pairs: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    return sorted(value for _, value in pairs)


def received(records: Sequence[LogRecord]) -> list[bytes]:
    return sorted(record.value for record in records)


def next_offsets(records: Sequence[LogRecord]) -> dict[int, int]:
    """What to commit after these records."""
    positions: dict[int, int] = {}
    for record in records:
        positions[record.partition] = record.offset + 1
    return positions


async def test_records_of_one_key_keep_their_order(logs):
    log = logs.log()
    for start in range(0, 300, 30):
        await log.append([Record(key, value) for key, value in numbered(30, start)])

    by_key = defaultdict(list)
    partitions = defaultdict(set)
    for record in logs.read(logs.reader(), count=300):
        key, number = record.value.split(b" ")
        by_key[key].append(int(number))
        partitions[key].add(record.partition)

    assert dict(by_key) == {key: list(range(index, 300, 20)) for index, key in enumerate(KEYS)}
    assert all(len(partitions_of_key) == 1 for partitions_of_key in partitions.values())
    assert len(set.union(*partitions.values())) == logs.PARTITIONS


async def test_offsets_count_from_zero_without_gaps(logs):
    log = logs.log()
    for start in range(0, 100, 7):
        await log.append([Record(key, value) for key, value in numbered(7, start)])

    offsets = defaultdict(list)
    for record in logs.read(logs.reader(), count=105):
        offsets[record.partition].append(record.offset)

    assert offsets == {partition: list(range(len(found))) for partition, found in offsets.items()}


async def test_records_survive_reopening(logs):
    await logs.append(*numbered(50))
    await logs.append(*numbered(50, 50))

    assert received(logs.read(logs.reader(), count=100)) == sent(numbered(100))


async def test_group_resumes_where_it_committed(logs):
    await logs.append(*[(b"key", b"%d" % number) for number in range(10)])
    first = logs.reader()
    records = logs.read(first, count=10)
    first.commit({records[0].partition: records[3].offset + 1})
    first.close()

    second = logs.reader()
    assert [record.value for record in logs.read(second, count=6)] == [b"4", b"5", b"6", b"7", b"8", b"9"]
    assert second.poll(10, MEBIBYTE, 0.1).records == []


async def test_poll_continues_without_commit_but_a_successor_begins_again(logs):
    await logs.append(*numbered(60))
    first = logs.reader()
    assert received(logs.read(first, count=60)) == sent(numbered(60))
    assert first.poll(60, MEBIBYTE, 0.1).records == []
    first.close()

    assert received(logs.read(logs.reader(), count=60)) == sent(numbered(60))


async def test_rewind_returns_to_the_committed_positions(logs):
    await logs.append(*numbered(40))
    reader = logs.reader()
    first = logs.read(reader, count=40)
    reader.commit(next_offsets(first))
    await logs.append(*numbered(40, 40))
    second = logs.read(reader, count=40)

    reader.rewind()
    again = logs.read(reader, count=40)

    assert received(second) == received(again) == sent(numbered(40, 40))


async def test_rewind_in_the_middle_of_a_batch(logs):
    await logs.append(*[(b"key", b"%d" % number) for number in range(10)])
    reader = logs.reader()
    assert [record.value for record in logs.read(reader, count=3)] == [b"0", b"1", b"2"]

    reader.rewind()

    assert [record.value for record in logs.read(reader, count=10)] == [b"%d" % n for n in range(10)]


async def test_each_group_reads_everything(logs):
    await logs.append(*numbered(50))
    one, other = logs.reader("one"), logs.reader("other")

    assert received(logs.read(one, count=50)) == sent(numbered(50))
    one.commit(one.end_offsets())

    assert received(logs.read(other, count=50)) == sent(numbered(50))


async def test_assigned_tells_new_partitions_and_where_they_start(logs):
    await logs.append(*numbered(100))
    first = logs.reader()
    records: list[LogRecord] = []
    assigned: dict[int, int] = {}
    while len(records) < 100:
        batch = first.poll(100, MEBIBYTE, 1)
        records += batch.records
        assigned |= batch.assigned
    assert assigned == dict.fromkeys(range(logs.PARTITIONS), 0)
    assert first.poll(100, MEBIBYTE, 0.05).assigned == {}
    positions = next_offsets(records)
    first.commit(positions)
    first.close()

    second = logs.reader()
    resumed: dict[int, int] = {}
    while len(resumed) < logs.PARTITIONS:
        resumed |= second.poll(100, MEBIBYTE, 0.2).assigned
    assert resumed == positions


async def test_two_members_share_the_partitions(logs):
    await logs.append(*numbered(1))
    first = logs.reader()
    first.commit(next_offsets(logs.read(first, count=1)))
    second = logs.reader()
    owned = logs.share(first, second)
    assert [len(partitions) for partitions in owned] == [2, 2]

    await logs.append(*numbered(200))
    records = logs.read(first, second, count=200)

    assert received(records) == sent(numbered(200))
    assert first.poll(1, MEBIBYTE, 0).records == second.poll(1, MEBIBYTE, 0).records == []


async def test_partitions_of_a_closed_member_pass_on_at_once(logs):
    first, second = logs.reader(), logs.reader()
    logs.share(first, second)
    await logs.append(*numbered(100))

    start = time.monotonic()
    first.close()
    records = logs.read(second, count=100)

    assert received(records) == sent(numbered(100))
    assert time.monotonic() - start < 5


async def test_partitions_of_a_silent_member_pass_on_and_it_cannot_commit(logs):
    silent = logs.reader()
    await logs.append(*numbered(50))
    records = logs.read(silent, count=50)
    time.sleep(logs.session_seconds * 1.2)

    heir = logs.reader()
    inherited = logs.read(heir, count=50)
    assert received(inherited) == sent(numbered(50))

    with pytest.raises(AssignmentLost) as lost:
        silent.commit(next_offsets(records))
    assert lost.value.partitions == frozenset(next_offsets(records))
    heir.commit(next_offsets(inherited))
    assert all(lag == Lag(0, None) for lag in heir.lag().values())


async def test_silent_member_comes_back(logs):
    silent = logs.reader()
    logs.share(silent)
    time.sleep(logs.session_seconds * 1.2)
    other = logs.reader()
    logs.share(other)

    assert [len(partitions) for partitions in logs.share(silent, other)] == [2, 2]


async def test_lag_counts_what_is_not_committed(logs):
    before = time.time()
    await logs.append(*[(b"key", b"%d" % number) for number in range(5)])
    after = time.time()
    await asyncio.sleep(0.01)
    await logs.append(*[(b"key", b"%d" % number) for number in range(5)])
    reader = logs.reader()
    records = logs.read(reader, count=10)
    partition = records[0].partition
    nothing = {other: Lag(0, None) for other in range(logs.PARTITIONS)}

    lag = reader.lag()
    assert {**lag, partition: Lag(0, None)} == nothing
    assert lag[partition].records == 10
    assert before - 0.002 <= lag[partition].oldest_appended_at <= after

    reader.commit({partition: 6})
    lag = reader.lag()
    assert lag[partition].records == 4
    assert lag[partition].oldest_appended_at >= after

    reader.commit({partition: 10})
    assert reader.lag() == nothing


async def test_end_offsets_of_owned_partitions(logs):
    reader = logs.reader()
    assert reader.end_offsets() == {}
    logs.share(reader)
    assert reader.end_offsets() == dict.fromkeys(range(logs.PARTITIONS), 0)

    await logs.append(*numbered(100))

    assert reader.end_offsets() == next_offsets(logs.read(reader, count=100))


async def test_concurrent_appends(logs):
    log = logs.log()

    async def append(number: int) -> None:
        await log.append([Record(key, value) for key, value in numbered(3, number * 3)])

    await asyncio.gather(*map(append, range(300)))

    assert received(logs.read(logs.reader(), count=900)) == sent(numbered(900))


async def test_large_batches(logs):
    log = logs.log()
    pairs = [(key, value + b"." * 300) for key, value in numbered(20_000)]
    await log.append([Record(key, value) for key, value in pairs])

    reader = logs.reader()
    records = []
    while len(records) < 20_000:
        batch = reader.poll(50_000, 2 * MEBIBYTE, 5).records
        assert sum(len(record.value) for record in batch) <= 2 * MEBIBYTE
        records += batch

    assert received(records) == sent(pairs)


async def test_large_values(logs):
    pairs = [(KEYS[n], bytes([n]) * (MEBIBYTE - 100)) for n in range(5)]
    await logs.append(*pairs)

    assert received(logs.read(logs.reader(), count=5)) == sent(pairs)


async def test_values_are_any_bytes(logs):
    some = [b"", b"\x00", bytes(range(256)), "ключ".encode(), b"\xff" * 2000]
    await logs.append(*[(key, value) for key in (b"", b"\x00\xff", b"key") for value in some])

    assert received(logs.read(logs.reader(), count=15)) == sorted(some * 3)


async def test_appending_nothing_appends_nothing(logs):
    log = logs.log()
    await log.append([])
    await log.append([Record(b"key", b"something")])

    reader = logs.reader()
    assert [record.value for record in logs.read(reader, count=1)] == [b"something"]
    assert reader.poll(1, MEBIBYTE, 0.1).records == []


async def test_poll_keeps_to_its_bounds(logs):
    await logs.append(*[(key, b"x" * 100) for key, _ in numbered(50)])
    reader = logs.reader()
    logs.read(reader, count=1)
    reader.rewind()

    assert len(reader.poll(7, MEBIBYTE, 5).records) == 7
    few = len(reader.poll(50, 450, 5).records)
    assert 1 <= few <= 4
    assert len(reader.poll(50, 1, 5).records) == 1  # else a large record could never be read
    left = 50 - 7 - few - 1
    while left > 0:
        batch = reader.poll(11, MEBIBYTE, 5).records
        assert 1 <= len(batch) <= 11
        left -= len(batch)
    assert left == 0
    assert reader.poll(11, MEBIBYTE, 0.2).records == []


async def test_poll_waits_for_a_record_no_longer_than_it_may(logs):
    reader = logs.reader()
    logs.share(reader)
    start = time.monotonic()
    assert reader.poll(10, MEBIBYTE, 0.3).records == []
    assert 0.25 <= time.monotonic() - start < 1.5

    append = asyncio.create_task(logs.append(*numbered(1)))
    batch = await asyncio.to_thread(reader.poll, 10, MEBIBYTE, 10)
    await append

    assert received(batch.records) == sent(numbered(1))
    assert time.monotonic() - start < 5


async def test_close_finishes_the_appends_under_way(logs):
    log = logs.log()
    appends = [asyncio.create_task(log.append([Record(key, value)])) for key, value in numbered(50)]
    await asyncio.sleep(0)
    await log.close()
    await asyncio.gather(*appends)

    assert received(logs.read(logs.reader(), count=50)) == sent(numbered(50))


async def test_closed_log_refuses(logs):
    log = logs.log()
    await log.close()
    await log.close()

    with pytest.raises(LogUnavailable, match="closed"):
        await log.append([Record(b"key", b"value")])
    with pytest.raises(LogUnavailable, match="closed"):
        await log.check()


async def test_closed_reader_refuses(logs):
    reader = logs.reader()
    reader.close()
    reader.close()

    for call in (
        lambda: reader.poll(1, 1, 0),
        lambda: reader.commit({0: 0}),
        reader.rewind,
        reader.end_offsets,
        reader.lag,
    ):
        with pytest.raises(RuntimeError, match="closed"):
            call()


async def test_commit_of_nothing_and_of_what_was_never_owned(logs):
    reader = logs.reader()
    reader.commit({})
    with pytest.raises(AssignmentLost) as lost:
        reader.commit({0: 1})
    assert lost.value.partitions == {0}


async def test_usable_log_passes_its_check(logs):
    await logs.log().check()


async def test_unusable_log_says_so(logs):
    log: EventLog = logs.log(logs.unusable_url)

    with pytest.raises(LogUnavailable) as refusal:
        await log.append([Record(b"key", b"value")])
    assert refusal.value.reason
    assert refusal.value.retry_after > 0
    with pytest.raises(LogUnavailable):
        await log.check()


@pytest.mark.parametrize("scheme", ["", "http", "sqlite3"])
def test_unknown_scheme_is_named(scheme):
    from footfall_core.eventlog import open_event_log, open_log_reader

    with pytest.raises(ValueError, match=f"unknown scheme '{scheme}'"):
        open_event_log(f"{scheme}://host/path")
    with pytest.raises(ValueError, match=f"unknown scheme '{scheme}'"):
        open_log_reader(f"{scheme}://host/path", "group")
