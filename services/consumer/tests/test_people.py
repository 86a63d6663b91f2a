"""Who is who in ClickHouse: the same people whatever the order, the number of Consumers, and where one is killed."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from footfall_consumer.changes import AFTER_ALL, BEFORE_ALL, Change, gather_changes
from footfall_consumer.consume import Consumer, Pace, Progress
from footfall_consumer.metrics import Metrics
from footfall_consumer.people import People
from footfall_consumer.recent import Recent
from footfall_consumer.store import Store
from footfall_core.clickhouse import ClickHouse, ClickHouseUnavailable, Fetched, Format
from footfall_core.eventlog import LogReader, Record, open_event_log, open_log_reader
from footfall_core.events import EventRecord, encode_record, log_key

MakeEvent = Callable[..., EventRecord]
projects = itertools.count(1_000)
"""One for each history, so that nothing needs to be emptied."""

WAYS = {"identify": "$anon_distinct_id", "create_alias": "alias", "merge_dangerously": "alias"}


class Told(msgspec.Struct, frozen=True):
    """One event that links: `source` joins `target`, `at` seconds after the beginning."""

    at: int
    way: str
    source: str
    target: str


def as_event(event: MakeEvent, told: Told, project_id: int) -> EventRecord:
    properties = msgspec.json.encode({WAYS[told.way]: told.source})
    at = event().timestamp - 100_000 + told.at * 1000
    return event(
        f"${told.way}", distinct_id=told.target, project_id=project_id, at=at, oldest_at=1, properties=properties
    )


def brute_force(history: Iterable[Told]) -> set[frozenset[str]]:
    """Union-find in the order of time; a link whose source stands in an earlier one does not count."""
    links = sorted({(told.at, told.way == "merge_dangerously", told.source, told.target) for told in history})
    parents: dict[str, str] = {}

    def find(id: str) -> str:
        while parents[id] != id:
            id = parents[id]
        return id

    for _, is_forced, source, target in links:
        is_known = source in parents
        for id in (source, target):
            parents.setdefault(id, id)
        if is_forced or not is_known:
            parents[find(source)] = find(target)
    return {frozenset(id for id in parents if find(id) == root) for root in set(map(find, parents))}


def people(clickhouse: ClickHouse, project_id: int) -> set[frozenset[str]]:
    rows = clickhouse.fetch(
        "SELECT groupArray(distinct_id) FROM analytics.person_ids FINAL WHERE project_id = {p:UInt32} GROUP BY root_id",
        {"p": project_id},
    ).rows
    return {frozenset(ids) for (ids,) in rows}


def people_of_events(clickhouse: ClickHouse, project_id: int) -> set[frozenset[str]]:
    """As every question sees them: by the events' own column."""
    rows = clickhouse.fetch(
        "SELECT groupUniqArray(distinct_id) FROM analytics.events WHERE project_id = {p:UInt32} GROUP BY person",
        {"p": project_id},
    ).rows
    return {frozenset(ids) for (ids,) in rows}


ids = st.sampled_from("abcdefghij")
tellings = st.builds(Told, st.integers(0, 20), st.sampled_from(sorted(WAYS)), ids, ids).filter(
    lambda told: told.source != told.target
)


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(tellings, min_size=1, max_size=16), st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_order_any_number_of_times_and_any_number_of_writers_give_the_same_people(
    clickhouse: ClickHouse, event: MakeEvent, history: list[Told], writers: int, chance: random.Random
) -> None:
    project_id = next(projects)
    deliveries = history + chance.choices(history, k=chance.randrange(6))
    chance.shuffle(deliveries)
    shares: list[list[Told]] = [[] for _ in range(writers)]
    for told in deliveries:
        chance.choice(shares).append(told)

    def write(share: list[Told]) -> None:
        mine = People(clickhouse)
        while share:
            size = chance.randrange(1, 5)
            batch, share = share[:size], share[size:]
            mine.store([as_event(event, told, project_id) for told in batch])

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, shares))
    assert people(clickhouse, project_id) == brute_force(history)


def test_a_link_takes_effect_on_past_events_in_every_answer(bench: Any, event: MakeEvent) -> None:
    project_id = next(projects)
    bench.log.append(
        event("view", distinct_id="laptop", project_id=project_id),
        event("buy", distinct_id="ann", project_id=project_id),
        event("buy", distinct_id="phone", project_id=project_id),
    )
    bench.consume()
    assert people_of_events(bench.clickhouse, project_id) == {frozenset({id}) for id in ("laptop", "ann", "phone")}
    bench.log.append(as_event(event, Told(1, "identify", "laptop", "ann"), project_id))
    bench.consume()
    assert people_of_events(bench.clickhouse, project_id) == {frozenset({"laptop", "ann"}), frozenset({"phone"})}
    bench.log.append(as_event(event, Told(2, "identify", "phone", "ann"), project_id))
    bench.consume()
    time.sleep(0.5)
    bench.consumer.turn()  # it may have waited, not to reload all the time
    assert people_of_events(bench.clickhouse, project_id) == {frozenset({"laptop", "ann", "phone"})}


def test_an_event_whose_link_is_refused_is_stored_and_the_refusal_counted(bench: Any, event: MakeEvent) -> None:
    project_id = next(projects)
    bench.log.append(as_event(event, Told(1, "identify", "null", "ann"), project_id))
    bench.consume()
    assert len(bench.stored()) == 1
    assert bench.metric("links_refused_total", reason="illegal_id") == 1
    assert people(bench.clickhouse, project_id) == set()


def test_a_web_that_is_too_large_stays_as_it_is_and_holds_up_nobody(clickhouse: ClickHouse, event: MakeEvent) -> None:
    project_id = next(projects)
    mine = People(clickhouse, most_links=20)
    hub = [as_event(event, Told(n, "identify", f"anon{n}", "admin"), project_id) for n in range(21)]
    assert not any(mine.store(hub[:20]).values())
    before = people(clickhouse, project_id)
    assert [len(ids) for ids in before] == [21]
    more = as_event(event, Told(99, "identify", "anon99", "ann"), project_id)
    assert mine.store([hub[20], more]) == {"too_many": 1}
    assert people(clickhouse, project_id) == before | {frozenset({"anon99", "ann"})}
    joining = as_event(event, Told(100, "merge_dangerously", "admin", "ann"), project_id)
    assert mine.store([joining]) == {"too_many": 1}
    assert people(clickhouse, project_id) == before | {frozenset({"anon99", "ann"})}


def test_what_is_said_again_costs_nothing(bench: Any, event: MakeEvent) -> None:
    project_id = next(projects)
    mine = People(bench.clickhouse)
    mine.store([as_event(event, Told(1, "identify", "laptop", "ann"), project_id)])
    before = bench.clickhouse.rows_read
    bench.clickhouse.rows_read = -1
    mine.store([as_event(event, Told(2, "identify", "laptop", "ann"), project_id)])
    assert (bench.clickhouse.rows_read, before >= 0) == (-1, True)


def test_when_an_id_was_seen_first_is_the_earliest_of_its_events_in_any_order(bench: Any, event: MakeEvent) -> None:
    ids = {"ann": [5, 3, 8], "bob": [2], "cid": [9, 9]}
    for distinct_id, days in ids.items():
        for day in days:
            bench.log.append(event(distinct_id=distinct_id, at=day * 86_400_000))
            bench.consume()
    firsts = [at.day - 1 for _, _, at in bench.first_seen()]
    assert sorted(firsts) == sorted(min(days) for days in ids.values())


def test_an_id_that_is_known_is_not_told_again(bench: Any, event: MakeEvent) -> None:
    for _ in range(3):
        bench.log.append(event(distinct_id="ann"), event(distinct_id="ann"))
        bench.consume()
    assert bench.clickhouse.fetch("SELECT count() FROM analytics.first_seen").rows == [(1,)]


@pytest.mark.parametrize(
    "statement", ["first_seen", "person_links", "person_ids", "person_properties", "events", "commit"]
)
def test_a_crash_between_any_two_writes_is_made_good(bench: Any, event: MakeEvent, statement: str) -> None:
    project_id = next(projects)
    linking = as_event(event, Told(1, "identify", "laptop", "ann"), project_id)
    linking.properties = msgspec.Raw(b'{"$anon_distinct_id":"laptop","$set":{"plan":"pro"}}')
    bench.log.append(event("view", distinct_id="laptop", project_id=project_id), linking)
    if statement == "commit":
        bench.reader.fault_on_commit = ClickHouseUnavailable("killed")
    else:
        bench.consumer._store = Store(Dying(bench.clickhouse, statement))
    with pytest.raises(ClickHouseUnavailable):
        bench.consumer.turn()
    bench.restart()
    bench.consume()
    assert people_of_events(bench.clickhouse, project_id) == {frozenset({"laptop", "ann"})}
    assert len(bench.first_seen()) == 2
    assert told(bench.clickhouse, project_id) == [("ann", "plan", linking.timestamp, '"pro"')]
    assert len(bench.stored()) == 2


class Dying(ClickHouse):
    """Dies before it writes to a table."""

    def __init__(self, clickhouse: Any, table: str) -> None:
        self._other = clickhouse
        self._table = table

    def fetch(self, *arguments: Any, **more: Any) -> Fetched:
        return self._other.fetch(*arguments, **more)

    def command(self, *arguments: Any, **more: Any) -> Any:
        return self._other.command(*arguments, **more)

    def insert(
        self, table: str, columns: Sequence[str], data: bytes, settings: Any = None, format: Format = "JSONEachRow"
    ) -> None:
        if table == f"analytics.{self._table}":
            raise ClickHouseUnavailable("killed")
        self._other.insert(table, columns, data, settings, format)


class Killed(BaseException):
    """The process ends here."""


class Mortal(ClickHouse):
    """Is killed before or after one of its statements."""

    def __init__(self, url: str, lifetime: int, *, after: bool) -> None:
        super().__init__(url)
        self._left = lifetime
        self._after = after

    def _call(self, call: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            if self._after:
                super()._call(call)
            raise Killed
        return super()._call(call)


def test_several_consumers_on_the_real_log_killed_midway(
    clickhouse: ClickHouse, bridge: str, event: MakeEvent, tmp_path: Path
) -> None:
    """Four partitions, three Consumers at once of which most are killed between two statements; and each link is
    about people whose events come through different partitions."""
    project_id = next(projects)
    chance = random.Random(7)
    names = [f"id{n}" for n in range(60)]
    history = [
        Told(n, chance.choice(["identify", "identify", "identify", "create_alias", "merge_dangerously"]), *pair)
        for n in range(90)
        if (pair := chance.sample(names, 2))
    ]
    told_events = [as_event(event, told, project_id) for told in history]
    events = [event("seen", distinct_id=name, project_id=project_id, oldest_at=1) for name in names]
    deliveries = told_events + chance.sample(told_events, 20) + events
    chance.shuffle(deliveries)
    log_url = f"sqlite:///{tmp_path}/log.db?partitions=4&session_seconds=1.5"

    async def append() -> None:
        log = open_event_log(log_url)
        for start in range(0, len(deliveries), 10):
            batch = deliveries[start : start + 10]
            await log.append([Record(log_key(1, each.distinct_id), encode_record(each)) for each in batch])
            await asyncio.sleep(0.02)
        await log.close()

    stop = threading.Event()
    deaths = Counter[str]()

    def live(lifetime: int) -> None:
        mine = Mortal(bridge, lifetime, after=lifetime % 2 == 0)
        reader: LogReader = open_log_reader(log_url, "consumer")
        try:
            Consumer(
                reader,
                Store(mine),
                Recent(10_000),
                (),
                metrics=Metrics(CollectorRegistry()),
                progress=Progress(),
                pace=Pace(batch_events=15, flush=0.01, idle=0.02, first_pause=0.01),
            ).run(stop)
        except Killed:
            deaths["killed"] += 1
        finally:
            reader.close()
            mine.close()

    def live_on(seed: int) -> None:
        lifetimes = random.Random(seed)
        for _ in range(5):
            live(lifetimes.randrange(4, 25))
        live(1_000_000)

    asyncio.run(append())
    consumers = [threading.Thread(target=live_on, args=(seed,)) for seed in range(3)]
    for consumer in consumers:
        consumer.start()
    wanted = brute_force(history)
    seen = {frozenset(ids) for ids in wanted} | {
        frozenset({name}) for name in names if not any(name in g for g in wanted)
    }
    until = time.monotonic() + 60
    while (found := people_of_events(clickhouse, project_id)) != seen and time.monotonic() < until:
        time.sleep(0.1)
    stop.set()
    for consumer in consumers:
        consumer.join(30)
    assert people(clickhouse, project_id) == wanted
    assert found == seen
    assert deaths["killed"] >= 5
    uuids = clickhouse.fetch("SELECT count(), uniqExact(uuid) FROM analytics.events").rows[0]
    assert tuple(uuids) == (len(history) + len(events), len(history) + len(events))


def told(clickhouse: ClickHouse, project_id: int) -> list[tuple[Any, ...]]:
    rows = clickhouse.fetch(
        "SELECT distinct_id, name, max(last_set).1, max(last_set).2 FROM analytics.person_properties "
        "WHERE project_id = {p:UInt32} GROUP BY distinct_id, name ORDER BY ALL",
        {"p": project_id},
    ).rows
    return [tuple(row) for row in rows]


def saying(event: MakeEvent, at: int, properties: dict[str, Any], name: str = "seen") -> EventRecord:
    return event(name, distinct_id="ann", at=at, properties=msgspec.json.encode(properties))


def read(record: EventRecord) -> EventRecord:
    record.properties = msgspec.json.decode(record.properties)
    return record


def test_what_events_say_of_their_person(event: MakeEvent) -> None:
    events = [
        saying(event, 2, {"$set": {"a": 2, "b": [1.5, None]}, "$set_once": {"a": "x", "c": 3.0}, "$unset": ["d"]}),
        saying(event, 1, {"$set": {"a": 1}, "$set_once": {"a": "y"}, "$unset": {"d": "", "a": ""}}),
    ]
    expected = {
        (1, "a", "ann"): Change((2, "2"), (1, '"y"'), (2, '"x"'), 1),
        (1, "b", "ann"): Change((2, "[1.5,null]")),
        (1, "c", "ann"): Change(first_once=(2, "3"), last_once=(2, "3")),
        (1, "d", "ann"): Change(unset_at=2),
    }
    assert gather_changes(events) == expected  # as they lie in the log
    assert gather_changes(map(read, reversed(events))) == expected
    assert Change() == Change((BEFORE_ALL, ""), (AFTER_ALL, ""), (BEFORE_ALL, ""), BEFORE_ALL)


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("$exception", {"$set": {"a": 1}}),
        ("$$heatmap", {"$set": {"a": 1}}),
        ("seen", {"$set": {"a": 1}, "$process_person_profile": False}),
        ("seen", {"$set": [1], "$set_once": "x", "$unset": 3}),
        ("seen", {"$set": {"": 1}, "$unset": [1, None, ""]}),
        ("seen", {"a": "$set"}),
    ],
)
def test_what_says_nothing(event: MakeEvent, name: str, properties: dict[str, Any]) -> None:
    assert gather_changes([saying(event, 1, properties, name)]) == {}
