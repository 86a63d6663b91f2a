"""Each event is in the table exactly once, whatever happens. Always counted without FINAL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_consumer.rows import Row, to_row
from footfall_consumer.store import Store
from footfall_core.clickhouse import ClickHouseUnavailable
from footfall_core.eventlog import AssignmentLost, LogRecord, LogUnavailable
from footfall_core.events import EventRecord, RejectedRecord

MakeEvent = Callable[..., EventRecord]
DAY = 86_400_000
YEAR = 365 * DAY

FAULTS = ["before", "after", "half"]


def keys(events: list[EventRecord]) -> list[tuple[str, str, str]]:
    return sorted((event.event, event.distinct_id, event.uuid) for event in events)


def test_events_are_stored_and_committed(bench: Any, event: MakeEvent) -> None:
    events = [event(distinct_id=name) for name in ("ann", "bob", "cid")]
    bench.log.append(*events)
    bench.consume()
    assert bench.stored() == keys(events)
    assert bench.log.positions == {0: len(bench.log.values[0]), 1: len(bench.log.values[1])}
    assert bench.metric("events_stored_total") == 3


@pytest.mark.parametrize("fault", FAULTS)
def test_an_insert_that_may_have_been_applied_is_looked_at_before_it_is_repeated(
    bench: Any, event: MakeEvent, fault: str
) -> None:
    # Three months in one batch: "half" leaves one of them in the table and two out.
    events = [event(distinct_id=f"u{n}", at=event().timestamp - n % 3 * 31 * DAY) for n in range(30)]
    before = [event(distinct_id="ann"), event(distinct_id="bob")]
    bench.log.append(*before)
    bench.consume()
    bench.log.append(*events)
    bench.clickhouse.fault = fault
    bench.consume()
    assert bench.stored() == keys(before + events)
    assert bench.metric("duplicates_dropped_total", tier="log") == {"before": 0, "half": 10, "after": 30}[fault]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crash_between_insert_and_commit_stores_nothing_twice(bench: Any, event: MakeEvent, fault: str) -> None:
    # A minute apart, so that most would pass for certainly new after the restart.
    start = event().timestamp - 1_200_000
    events = [
        event(distinct_id=f"u{n}", at=start + n * 60_000 - n % 2 * 40 * DAY, received_at=start + n * 60_000 + 9)
        for n in range(20)
    ]
    bench.log.append(*events)
    bench.clickhouse.fault = fault
    with pytest.raises(ClickHouseUnavailable):
        bench.consumer.turn()
    bench.restart()
    later = [event(distinct_id="u3"), event(distinct_id="u4")]
    bench.log.append(*later)
    bench.consume()
    assert bench.stored() == keys(events + later)


@pytest.mark.parametrize(
    "fault", [AssignmentLost(frozenset({0, 1})), LogUnavailable("the disk is full")], ids=["lost", "away"]
)
def test_a_commit_that_fails_after_the_insert_stores_nothing_twice(
    bench: Any, event: MakeEvent, fault: Exception
) -> None:
    events = [event(distinct_id=f"u{n}") for n in range(10)]
    bench.log.append(*events)
    bench.reader.fault_on_commit = fault
    bench.consume()
    assert bench.stored() == keys(events)


@pytest.mark.parametrize("hours", [20, -20])
def test_a_clock_that_jumped_before_a_crash_stores_nothing_twice(bench: Any, event: MakeEvent, hours: int) -> None:
    moved = event().received_at + hours * 3_600_000
    events = [event(distinct_id=f"u{n}", at=moved, received_at=moved) for n in range(20)]
    bench.log.append(*events[:12])
    bench.reader.fault_on_commit = LogUnavailable("the disk is full")
    with pytest.raises(LogUnavailable):
        bench.consumer.turn()
    bench.restart()
    bench.log.append(*events[12:])  # so that it is another INSERT, which ClickHouse does not know
    bench.consume()
    assert bench.stored() == keys(events)
    assert bench.metric("duplicates_dropped_total", tier="log") == 12


def test_a_log_that_was_made_anew_is_not_skipped(bench: Any, event: MakeEvent) -> None:
    before = [event() for _ in range(5)]
    bench.log.append(*before)
    bench.consume()
    bench.log.values = {0: [], 1: []}
    bench.log.positions = {0: 0, 1: 0}
    bench.restart()
    after = [event() for _ in range(5)]
    bench.log.append(*after)
    bench.consume()
    assert bench.stored() == keys(before + after)


def test_a_group_that_starts_again_from_the_beginning_stores_nothing_twice(bench: Any, event: MakeEvent) -> None:
    first = event()
    events = [first, *(event() for _ in range(10))]
    bench.log.append(*events, first, b"garbage")
    bench.consume()
    bench.log.positions = {0: 0, 1: 0}
    bench.restart()
    bench.consume()
    assert bench.stored() == keys(events)
    assert len(bench.rejected()) == 1


def test_a_clients_retry_is_dropped_in_the_same_batch_and_in_a_later_one(bench: Any, event: MakeEvent) -> None:
    sent = event()
    bench.log.append(sent, sent)
    bench.consume()
    bench.log.append(sent)
    bench.consume()
    assert bench.stored() == keys([sent])
    assert bench.metric("duplicates_dropped_total", tier="batch") == 1
    assert bench.metric("duplicates_dropped_total", tier="table") == 1


def test_twins_in_a_batch_that_is_certainly_new_are_one_event(bench: Any, event: MakeEvent) -> None:
    long_ago = event().timestamp - 3_000_000
    sent = event()
    bench.log.append(event(at=long_ago, received_at=long_ago))
    bench.consume()
    bench.log.append(sent, event(), sent)
    bench.consume()
    assert len(bench.stored()) == 3
    assert bench.metric("duplicates_dropped_total", tier="batch") == 1
    assert bench.metric("events_stored_total") == 3


def test_a_retry_whose_clock_is_corrected_otherwise_is_the_same_event(bench: Any, event: MakeEvent) -> None:
    midnight = event().timestamp // DAY * DAY
    sent = event(at=midnight - 5)
    bench.log.append(sent)
    bench.consume()
    bench.restart()
    bench.log.append(event(uuid=sent.uuid, at=midnight + 5, oldest_at=midnight - 5))
    bench.consume()
    assert bench.stored() == keys([sent])


def test_a_retry_after_a_restart_is_dropped(bench: Any, event: MakeEvent) -> None:
    sent = event()
    bench.log.append(sent)
    bench.consume()
    bench.restart()
    received_at = sent.received_at + 3_600_000
    bench.log.append(event(received_at=received_at, at=received_at), sent)
    bench.consume()
    assert len(bench.stored()) == 2


def test_an_import_that_is_sent_again_a_year_later_changes_nothing(bench: Any, event: MakeEvent) -> None:
    events = [
        event(distinct_id=f"u{n % 7}", at=event().timestamp - YEAR - n * 3_600_000, received_at=event().received_at)
        for n in range(100)
    ]
    bench.log.append(*events)
    bench.consume()
    bench.restart()
    new = event(at=event().timestamp - YEAR)
    bench.log.append(*events, new)
    bench.consume()
    assert bench.stored() == keys([*events, new])
    assert bench.metric("duplicates_dropped_total", tier="table") == 100


def test_an_event_from_the_future_is_asked_for(bench: Any, event: MakeEvent) -> None:
    sent = event(at=event().received_at + 3_600_000)
    bench.log.append(sent)
    bench.consume()
    bench.restart()
    bench.log.append(event(at=sent.received_at, received_at=sent.received_at), sent)
    bench.consume()
    assert len(bench.stored()) == 2


def test_the_same_uuid_with_another_event_person_or_project_is_another_event(bench: Any, event: MakeEvent) -> None:
    sent = event()
    others = [
        event(uuid=sent.uuid, name="login"),
        event(uuid=sent.uuid, distinct_id="bob"),
        event(uuid=sent.uuid, project_id=2),
    ]
    bench.log.append(sent, *others)
    bench.log.append(sent, *others)
    bench.consume()
    assert bench.stored("project_id, event, distinct_id") == [
        (1, "login", "ann"),
        (1, "signup", "ann"),
        (1, "signup", "bob"),
        (2, "signup", "ann"),
    ]


def test_rejected_events_are_stored_once_too(bench: Any, event: MakeEvent) -> None:
    rejected = RejectedRecord(7, "missing_event_name", "`event` is empty.", "{}", event().received_at)
    bench.log.append(rejected, b"\xff\x00garbage", event())
    bench.reader.fault_on_commit = LogUnavailable("away")
    bench.consume()
    assert bench.rejected("project_id, reason, detail, source, payload") == [
        (0, "unreadable_record", bench.rejected("detail")[0][0], "consumer", "base64:/wBnYXJiYWdl"),
        (7, "missing_event_name", "`event` is empty.", "capture", "{}"),
    ]
    assert len(bench.stored()) == 1
    assert bench.metric("events_rejected_total", reason="missing_event_name") == 1


def test_an_event_that_outlives_the_recent_window_is_still_known(bench: Any, event: MakeEvent) -> None:
    bench.recent_events = 1_000
    bench.restart()
    sent = event()
    bench.log.append(sent)
    bench.consume()
    now = sent.received_at
    for _ in range(4):
        now += 60_000
        bench.log.append(*(event(at=now, received_at=now) for _ in range(900)))
        bench.consume()
    bench.log.append(sent)
    bench.consume()
    assert len(bench.stored()) == 3601


def test_the_place_lookup_reads_the_newest_parts_only(bench: Any, event: MakeEvent) -> None:
    bench.clickhouse.command("SYSTEM STOP MERGES analytics.events")
    try:
        for _ in range(4):
            bench.log.append(*(event() for _ in range(500)))
            bench.consume()
        bench.log.append(*(event() for _ in range(50)))
        rows = [
            row
            for offset, value in enumerate(bench.log.values[sum(b"ann") % 2])
            if isinstance(row := to_row(LogRecord(sum(b"ann") % 2, offset, value), (), 0), Row)
        ]
        store = Store(bench.clickhouse)
        assert len(store.held(rows)) == 2_000
        assert store.held(rows[-50:]) == set()
        assert bench.clickhouse.rows_read == 0
        assert store.held(rows[-150:]) == {row.place for row in rows[-150:-50]}
        assert bench.clickhouse.rows_read == 500
    finally:
        bench.clickhouse.command("SYSTEM START MERGES analytics.events")


FIRST_OF_EVENTS = """
SELECT project_id, person_id, min(timestamp) FROM analytics.events GROUP BY ALL ORDER BY ALL
"""

# What a run of the world consists of. Numbers choose among the events sent so far, for the client's retries.
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 30)),
        st.tuples(st.just("resend"), st.integers(0, 1000)),
        st.tuples(st.just("turn"), st.sampled_from([*FAULTS, "lost", "log", "none", "none"])),
        st.tuples(st.just("crash"), st.sampled_from(FAULTS)),
        st.tuples(st.just("reassign"), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings=happenings, take=st.sampled_from([3, 50]))
def test_any_interleaving_stores_what_was_sent_once(
    bench: Any, event: MakeEvent, happenings: list[tuple[str, Any]], take: int
) -> None:
    bench.clickhouse.command("TRUNCATE TABLE analytics.events")
    bench.clickhouse.command("TRUNCATE TABLE analytics.first_seen")
    bench.log.values, bench.log.positions = {0: [], 1: []}, {0: 0, 1: 0}
    bench.pace = type(bench.pace)(batch_events=take, flush=0, idle=0)
    bench.restart()
    sent: list[EventRecord] = []

    def turn(fault: str) -> None:
        if fault in FAULTS:
            bench.clickhouse.fault = fault
        elif fault == "lost":
            bench.reader.fault_on_commit = AssignmentLost(frozenset({0, 1}))
        elif fault == "log":
            bench.reader.fault_on_commit = LogUnavailable("away")
        try:
            bench.consumer.turn()
        except (ClickHouseUnavailable, AssignmentLost, LogUnavailable):
            bench.reader.rewind()
        bench.clickhouse.fault, bench.reader.fault_on_commit = "", None

    for what, how in happenings:
        if what == "send":
            first = len(sent)
            sent += [
                event(distinct_id=f"u{n % 5}", at=event().timestamp - n % 3 * 40 * DAY)
                for n in range(first, first + how)
            ]
            bench.log.append(*sent[first:])
        elif what == "resend" and sent:
            bench.log.append(sent[how % len(sent)])
        elif what == "turn":
            turn(how)
        elif what == "crash":
            turn(how)
            bench.restart()
        elif what == "reassign":
            bench.reader.take_over()
    bench.consume()
    assert Counter(bench.stored()) == Counter(keys(sent))
    assert bench.first_seen() == bench.clickhouse.fetch(FIRST_OF_EVENTS).rows
