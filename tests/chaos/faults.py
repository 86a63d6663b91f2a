"""What is broken on purpose. Each fault harms a platform under load, heals it, and says what an operator saw.

A fault gets the rig, the load, a seeded `random.Random` and how many seconds to go on. It asserts what metrics and
logs must show; that nothing was lost is checked after it, the same way for all.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime

import httpx
from chaos.rig import CONNECTIONS, SESSION_SECONDS, Instance, Load, Rig, require_everything_stored_once
from conftest import wait_until
from sending import make_batch, read_metric, send

from footfall_core.eventlog import Record, open_event_log

Harm = Callable[[Rig, Load, random.Random, float], str]


@dataclass(frozen=True)
class Fault:
    """`harm` returns what an operator saw. `short`: the sets on which it is part of `make test`."""

    name: str
    harm: Harm
    short: frozenset[str]
    sets: frozenset[str]
    needs_machine: bool
    """Whether it needs a disk or a clock of its own, which not every user may have."""


FAULTS: list[Fault] = []
BOTH = "embedded real"


def fault(short: str = "", sets: str = BOTH, *, needs_machine: bool = False) -> Callable[[Harm], Harm]:
    """Register a fault under its function's name."""

    def register(harm: Harm) -> Harm:
        FAULTS.append(Fault(harm.__name__, harm, frozenset(short.split()), frozenset(sets.split()), needs_machine))
        return harm

    return register


def saw(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> str:
    """Wait until metrics or logs show it."""
    wait_until(condition, seconds, f"an operator sees: {what}")
    return what


def kill_again_and_again(rig: Rig, seed: random.Random, seconds: float, part: str) -> None:
    kills, until = 0, time.monotonic() + seconds
    while not kills or time.monotonic() < until:
        kills += rig.platform.kill(part)
        time.sleep(seed.uniform(0.3, 2.0))


def restarted(rig: Rig, part: str, before: float) -> str:
    """Wait until the service is ready, in another process than the one that started at `before`."""
    wait_until(lambda: not rig.missing(part), 40, f"{part} is ready again")
    assert rig.process_started(part) > before
    return "`process_start_time_seconds` is another one"


@fault()
def capture_killed(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    started = rig.process_started("capture")
    kill_again_and_again(rig, seed, seconds, "capture")
    return restarted(rig, "capture", started)


@fault()
def consumer_killed(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    started = rig.process_started("consumer")
    kill_again_and_again(rig, seed, seconds, "consumer")
    return restarted(rig, "consumer", started)


@fault()
def auth_and_query_killed(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    before, auth, query = load.failures, rig.process_started("auth"), rig.process_started("query")
    kill_again_and_again(rig, seed, seconds / 2, "auth")
    kill_again_and_again(rig, seed, seconds / 2, "query")
    assert load.failures == before, "keys that are known go on working"
    restarted(rig, "auth", auth)
    return restarted(rig, "query", query)


@fault()
def clickhouse_killed(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    before = load.failures
    time.sleep(seed.uniform(0.2, 1.0))
    rig.engine.kill()
    seen = saw(lambda: "storing" in rig.missing("consumer"), "`/readyz` of the Consumer: `storing`")
    time.sleep(seconds / 2)
    rig.engine.start()
    assert load.failures == before, "clients do not notice"
    return seen


@fault()
def clickhouse_refuses(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """For long: six times as long as the others."""
    before, failed = load.failures, rig.metric("consumer", "failures_total", cause="clickhouse")
    rig.to_engine.refusing = True
    rig.to_engine.cut()
    saw(lambda: rig.metric("consumer", "ready") == 0, "`footfall_consumer_ready` is 0")
    began = time.monotonic()
    while time.monotonic() < began + seconds * (6 if seconds > 10 else 1):
        time.sleep(0.5)
    age = rig.metric("consumer", "oldest_event_age_seconds")
    assert rig.metric("consumer", "failures_total", cause="clickhouse") > failed
    assert age >= seconds / 2, "the age of the oldest event grows"
    assert load.failures == before, "clients do not notice"
    waiting = [line for line in rig.platform.log_of("consumer").splitlines() if '"event": "waiting"' in line]
    said = json.loads(waiting[-1])
    assert (said["service"], said["batch"] > 0) == ("consumer", True)
    assert "ClickHouse does not answer" in said["reason"]
    rig.to_engine.heal()
    return '`footfall_consumer_ready` 0, `…_failures_total{cause="clickhouse"}` and `…_oldest_event_age_seconds` grow'


@fault(short="real")
def clickhouse_cuts_after_the_insert(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    dropped = rig.metric("consumer", "duplicates_dropped_total", tier="log")
    rig.to_engine.cut_after = b"query_id=footfall-consumer"  # only the INSERTs of events have one
    rig.to_engine.answers_to_cut = 2 if seconds < 10 else int(seconds)
    saw(lambda: not rig.to_engine.answers_to_cut, "connections are cut", 30 + seconds * 8)
    return saw(
        lambda: rig.metric("consumer", "duplicates_dropped_total", tier="log") > dropped,
        '`footfall_consumer_duplicates_dropped_total{tier="log"}` grows',
    )


@fault()
def clickhouse_flaps(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    failed, until = rig.metric("consumer", "failures_total", cause="clickhouse"), time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(seed.uniform(0.05, 0.8))
        rig.to_engine.cut()

    def is_counted() -> bool:
        rig.to_engine.cut()  # few INSERTs are under way on a slow machine: until one of them was met
        return rig.metric("consumer", "failures_total", cause="clickhouse") > failed

    return saw(is_counted, '`footfall_consumer_failures_total{cause="clickhouse"}` grows', 60.0)


@fault()
def clickhouse_slow(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    before = rig.metric("consumer", "seconds_sum", phase="insert")
    rig.to_engine.delay = 0.5
    time.sleep(seconds)
    seen = saw(
        lambda: rig.metric("consumer", "seconds_sum", phase="insert") > before + seconds / 4,
        '`footfall_consumer_seconds{phase="insert"}` grows',
    )
    rig.to_engine.heal()
    return seen


@fault()
def clickhouse_silent(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    rig.to_engine.silent = True
    time.sleep(seconds)
    seen = saw(lambda: "clickhouse" in rig.missing("consumer"), "`/readyz` of the Consumer: `clickhouse`")
    rig.to_engine.heal()
    return seen


@fault()
def log_down(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    refused = rig.metric("capture", "requests_total", status="503")
    if rig.kafka is None:
        # As a tool does that holds the file: the log waits for five seconds before it refuses.
        path = rig.log_url.removeprefix("sqlite:///").partition("?")[0]
        with sqlite3.connect(f"/{path.lstrip('/')}", isolation_level=None) as held:
            held.execute("BEGIN IMMEDIATE")
            seen = _sees_503(rig, refused)
            time.sleep(seconds / 4)
            held.execute("ROLLBACK")
        held.close()
        return seen
    rig.kafka.kill()
    seen = _sees_503(rig, refused)
    saw(lambda: "event log" in rig.missing("capture"), "`/readyz` of the Capture API: `event log`")
    time.sleep(seconds / 4)
    rig.kafka.start()
    return f"{seen}; `/readyz` of the Capture API: `event log`"


def _sees_503(rig: Rig, before: float) -> str:
    return saw(
        lambda: rig.metric("capture", "requests_total", status="503") > before,
        '`footfall_capture_requests_total{status="503"}` grows',
        40,
    )


@fault(sets="real")
def broker_killed(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """With three brokers the two others take over."""
    assert rig.kafka is not None
    victim = seed.choice(rig.kafka.brokers)
    victim.signal(signal.SIGKILL)
    time.sleep(seconds)
    taken = rig.metric("capture", "events_accepted_total")
    if len(rig.kafka.brokers) > 1:
        saw(lambda: rig.metric("capture", "events_accepted_total") > taken + 500, "events are accepted", 40)
    seen = saw(
        lambda: f"127.0.0.1:{rig.to_kafka[victim.node - 1].port}" in rig.platform.log_of("capture"),
        "the broker's address in the Capture API's log",
    )
    victim.start()
    victim.wait()
    return seen


@fault(sets="real")
def broker_frozen(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    assert rig.kafka is not None
    slow = rig.metric("capture", "append_seconds_count") - rig.metric("capture", "append_seconds_bucket", le="1.0")
    victim = seed.choice(rig.kafka.brokers)
    victim.signal(signal.SIGSTOP)
    time.sleep(max(seconds, 12.0))
    victim.signal(signal.SIGCONT)
    return saw(
        lambda: (
            rig.metric("capture", "append_seconds_count") - rig.metric("capture", "append_seconds_bucket", le="1.0")
            > slow
        ),
        "`footfall_capture_append_seconds` over 1 s",
    )


@fault(sets="real")
def log_connections_cut_and_slow(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    before, until = rig.metric("capture", "append_seconds_sum"), time.monotonic() + seconds
    while time.monotonic() < until:
        for proxy in rig.to_kafka:
            proxy.delay = seed.choice((0.0, 0.05, 0.3))
            if seed.random() < 0.3:
                proxy.cut()
        time.sleep(seed.uniform(0.2, 0.8))
    for proxy in rig.to_kafka:
        proxy.heal()
    return saw(
        lambda: rig.metric("capture", "append_seconds_sum") > before + 0.5, "`footfall_capture_append_seconds` grows"
    )


@fault()
def consumer_frozen(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """Longer than its session, while another one takes its partitions over; then it wakes and believes it has them."""
    stored = rig.metric("consumer", "events_stored_total")
    assigned = rig.platform.log_of("consumer").count('"assigned"')
    with rig.another("consumer"):
        time.sleep(3.0)
        with rig.platform.frozen("consumer"):
            time.sleep(max(seconds, SESSION_SECONDS + 4))
            assert read_metric(rig.url("consumer"), "process_start_time_seconds") is None
        saw(lambda: rig.platform.log_of("consumer").count('"assigned"') > assigned, "`assigned` in its log")
    return saw(
        lambda: rig.metric("consumer", "events_stored_total") > stored and rig.metric("consumer", "ready") == 1,
        "`up` is 0 while it hangs; `assigned` in both logs, then `footfall_consumer_ready` 1",
        40,
    )


@fault()
def rebalance_storm(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """Consumers come and go, some politely and some not, while another one stays."""
    assigned = rig.platform.log_of("consumer").count('"assigned"')
    until, rounds = time.monotonic() + seconds * 2, 0
    while not rounds or time.monotonic() < until:
        with rig.another("consumer") as more:
            wait_until(lambda: '"assigned"' in more.log.read_text(), 60, "the new one takes partitions over")
            time.sleep(seed.uniform(0.0, 3.0))
            if seed.random() < 0.4:
                more.kill()
        rounds += 1
        time.sleep(seed.uniform(0.0, 1.5))
    saw(lambda: rig.platform.log_of("consumer").count('"assigned"') > assigned, "`assigned` in its log")
    return f"`assigned` in the Consumers' logs ({rounds} came and went)"


@fault(short="real")
def poison(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """Records in the middle of good ones that are none."""
    count = 30
    before = rig.metric("consumer", "events_rejected_total", reason="unreadable_record")

    async def append() -> None:
        log = open_event_log(rig.log_url)
        for number in range(count):
            await log.append([Record(b"%d:poison" % load.project, seed.randbytes(seed.randrange(1, 400)))])
            if number % 10 == 0:
                await asyncio.sleep(seconds / 10)
        await log.close()

    asyncio.run(append())
    seen = saw(
        lambda: rig.metric("consumer", "events_rejected_total", reason="unreadable_record") >= before + count,
        '`footfall_consumer_events_rejected_total{reason="unreadable_record"}` grows; each is in `rejected_events`',
        30,
    )
    sql = "SELECT count() FROM analytics.rejected_events WHERE reason = 'unreadable_record'"
    assert int(rig.platform.select(sql)[0][0]) >= count
    return seen


@fault(short="embedded")
def sent_twice_and_out_of_order(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    time.sleep(seconds / 2)
    again = list(load.sent)
    seed.shuffle(again)
    with httpx.Client(base_url=rig.platform.capture_url, timeout=20) as client:
        for batch in again[:200]:
            send(client, load.write_key, seed.sample(batch, len(batch)))
    return saw(
        lambda: rig.metric("consumer", "duplicates_dropped_total", tier="table") > 0,
        '`footfall_consumer_duplicates_dropped_total{tier="table"}` grows',
    )


@fault()
def clients_clocks_jump(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """The same event from a clock that is days wrong, sent again after it was set right."""
    time.sleep(seconds / 4)
    again = list(load.sent)[:60]
    with httpx.Client(base_url=rig.platform.capture_url, timeout=20) as client:
        for batch in again:
            wrong = time.time() + seed.uniform(-30, 30) * 86_400
            for event in batch:
                event["timestamp"] = _iso(wrong - 1)
            send(client, load.write_key, batch, sent_at=_iso(wrong))
    since = "timestamp BETWEEN now() - 900 AND now() + 60"
    sql = f"SELECT count(), countIf({since}) FROM analytics.events WHERE project_id = {load.project}"
    count, right = rig.platform.select(sql)[0]
    assert count == right, "timestamps are corrected by what `sent_at` tells"
    return "nothing: `timestamp - sent_at` corrects it"


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


@fault()
def auth_frozen(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    before = load.failures
    with rig.platform.frozen("auth"):
        time.sleep(seconds)
        assert read_metric(rig.url("auth"), "process_start_time_seconds") is None
    assert load.failures == before, "keys that are known go on working"
    return "`up` of the Auth API is 0; clients do not notice"


@fault(sets="real", short="real")
def postgres_down(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    assert rig.to_postgres is not None
    before = load.failures
    rig.to_postgres.refusing = True
    rig.to_postgres.cut()
    seen = saw(lambda: bool(rig.missing("auth")), "`/readyz` of the Auth API names its database")
    time.sleep(seconds)
    rig.to_postgres.heal()
    assert load.failures == before, "keys that are known go on working"
    wait_until(lambda: not rig.missing("auth"), 30, "the Auth API is ready again")
    return seen


@fault(sets="real", short="real")
def redis_down(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    assert rig.to_redis is not None
    before = load.failures
    warned = rig.platform.log_of("capture").count("Redis is away")
    rig.to_redis.refusing = True
    rig.to_redis.cut()
    time.sleep(seconds)
    answer = rig.platform.ask(load.read_key, "trends", series=[{"event": None}], date_from="-1d")
    assert answer["series"]
    saw(lambda: rig.platform.log_of("capture").count("Redis is away") > warned, "`Redis is away` in the log")
    rig.to_redis.heal()
    assert load.failures == before, "everything works without Redis"
    return "`Redis is away` in the Capture API's log; everything works without it"


@fault()
def instances_killed_and_replaced(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """Two of each: Capture APIs behind a front, Consumers in a group, Query APIs. One of each dies and comes back."""
    with rig.another("capture") as capture, rig.another("consumer") as consumer, rig.another("query") as query:
        more = {"capture": capture, "consumer": consumer, "query": query}
        for instance in more.values():
            instance.wait_ready()
        rig.front.others = [capture.port]
        rig.front.cut()  # clients connect anew, to both
        until, rounds = time.monotonic() + seconds, 0
        while rounds < 2 or time.monotonic() < until:
            for service, instance in seed.sample(list(more.items()), len(more)):
                if rounds % 2:
                    rig.platform.kill(service)  # the supervisor starts it again
                else:
                    instance.kill()
                    time.sleep(seed.uniform(0.1, 1.0))
                    instance.start()
                time.sleep(seed.uniform(0.1, 0.5))
            for service, instance in more.items():
                instance.wait_ready()
                wait_until(lambda: not rig.missing(service), 40, f"{service} is ready again")  # noqa: B023
            rounds += 1
        accepted = rig.metric("capture", "events_accepted_total")
        rig.front.cut()
        saw(lambda: _accepted(capture.url) > 0, "the new Capture API accepts events")
        saw(lambda: rig.metric("capture", "events_accepted_total") > accepted, "the other one too")
        saw(lambda: _stored(consumer.url) > 0, "the new Consumer stores events", 40)
        load.stop()
        require_everything_stored_once(rig, load, 60 + seconds * 2, "replacing instances")
        _require_same_answers(rig, load, query)
        rig.front.others = []
        rig.front.cut()
    return f"`process_start_time_seconds` of each instance is another one ({rounds} rounds)"


def _accepted(url: str) -> float:
    return read_metric(url, "footfall_capture_events_accepted_total") or 0.0


def _stored(url: str) -> float:
    return read_metric(url, "footfall_consumer_events_stored_total") or 0.0


QUESTIONS: dict[str, dict[str, object]] = {
    "trends": {
        "series": [{"event": None}, {"event": "signup", "math": "unique_users"}],
        "breakdown": {"property": "plan"},
    },
    "funnels": {"steps": [{"event": "pageview"}, {"event": "signup"}, {"event": "purchase"}]},
    "retention": {"start": {"event": "signup"}, "return": {"event": "pageview"}, "period": "day", "periods": 2},
}


def _require_same_answers(rig: Rig, load: Load, other: Instance) -> None:
    """Ask both Query APIs the same, computed anew."""
    for kind, question in QUESTIONS.items():
        answers = []
        for url in (rig.url("query"), other.url):
            answer = httpx.post(
                f"{url}/api/{kind}",
                json={**question, "date_from": "-1d", "refresh": True},
                headers={"authorization": f"Bearer {load.read_key}"},
                timeout=30,
            )
            assert answer.status_code == 200, answer.text
            answers.append({name: value for name, value in answer.json().items() if name != "meta"})
        assert answers[0] == answers[1], kind


FLOOD_FRESHNESS_SECONDS = 5.0
"""Within it 99 of 100 events of other projects are stored while one project floods."""
FLOOD_BATCH = 500


@fault()
def a_project_floods(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """It sends as much as is taken, all of it by one person: every record has the same key."""
    project, write_key, _ = rig.platform.make_project("flood")
    until, before, load.slowest = time.monotonic() + max(seconds, 5.0), len(load.sent), 0.0
    began = rig.platform.select("SELECT toString(now64(3))")[0][0]

    def flood(number: int) -> int:
        sent, random_ = 0, random.Random(f"{load.project} {number}")
        with httpx.Client(base_url=f"http://127.0.0.1:{rig.front.port}", timeout=20) as client:
            while time.monotonic() < until:
                batch = [{**event, "distinct_id": "everybody"} for event in make_batch(random_, FLOOD_BATCH)]
                send(client, write_key, batch)
                sent += len(batch)
        return sent

    with ThreadPoolExecutor(3) as pool:
        flooded = sum(pool.map(flood, range(3)))
    assert len(load.sent) > before
    wait_until(lambda: rig.platform.stored(project) == (flooded, flooded), 120, "the flood is stored")
    ages = "dateDiff('millisecond', received_at, inserted_at) / 1000"
    sql = f"""SELECT quantileExact(0.99)({ages}), max({ages}) FROM analytics.events
        WHERE project_id = {load.project} AND received_at >= '{began}'"""
    p99, most = rig.platform.select(sql)[0]
    assert p99 <= FLOOD_FRESHNESS_SECONDS, f"others' events are stored {p99} s after they came"
    assert load.slowest <= FLOOD_FRESHNESS_SECONDS, f"others' batches are answered after {load.slowest} s"
    rate = flooded / max(seconds, 5.0)
    return (
        f"`footfall_consumer_freshness_seconds`; others' events stored {p99:.1f} s (99 %) and {most:.1f} s (all) after "
        f"they came, answered within {load.slowest:.1f} s, beside {rate:,.0f} events/s of one person"
    )


@fault(short="embedded", needs_machine=True)
def disk_full_under_the_log(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    refused = rig.metric("capture", "requests_total", status="503")
    _, filler, _ = rig.platform.make_project("filler")
    with rig.full("log"):
        _use_up(rig, filler, seed, refused)
        seen = _sees_503(rig, refused)
        if rig.kafka is not None:
            # A broker whose disk is full ends by itself; whatever supervises it starts it again.
            wait_until(lambda: all(broker.pid is None for broker in rig.kafka.brokers), 60, "the brokers end")  # type: ignore[union-attr]
        time.sleep(seconds / 2)
    if rig.kafka is not None:
        rig.kafka.start()
    return seen


def _use_up(rig: Rig, write_key: str, seed: random.Random, refused: float) -> None:
    """Send what the log's file has room for within itself, on a disk that has none."""
    until = time.monotonic() + 40
    with httpx.Client(base_url=rig.platform.capture_url, timeout=20) as client:
        while rig.metric("capture", "requests_total", status="503") <= refused and time.monotonic() < until:
            batch = [{**event, "properties": {"text": seed.randbytes(10_000).hex()}} for event in make_batch(seed, 50)]
            with suppress(httpx.HTTPError):
                client.post("/capture", json={"api_key": write_key, "batch": batch})


LOST_WRITE_SECONDS = 2.0
"""After so long the bridge has noticed what a merge could not write, and has ended to be started again."""


@fault(short="embedded", needs_machine=True)
def disk_full_under_clickhouse(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    before, failed = load.failures, rig.metric("consumer", "failures_total", cause="clickhouse")
    with rig.full("engine"):
        seen = saw(
            lambda: rig.metric("consumer", "failures_total", cause="clickhouse") > failed,
            '`footfall_consumer_failures_total{cause="clickhouse"}` grows',
        )
        saw(_is_short_of_room(rig), "`/readyz` of the Consumer: `storing`")
        time.sleep(seconds / 2)
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # writes and merges are under way when it gets full
        time.sleep(seed.uniform(0.1, 1.0))
        with rig.full("engine"):
            time.sleep(seed.uniform(0.1, 1.0))
    time.sleep(LOST_WRITE_SECONDS)
    assert load.failures == before, "clients do not notice"
    return seen


def _is_short_of_room(rig: Rig) -> Callable[[], bool]:
    words = ("left on", "not enough space")
    return lambda: any(word in rig.missing("consumer").get("storing", "") for word in words)


@fault(sets="embedded", needs_machine=True)
def disk_full_under_the_metadata(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """Nothing can be made or changed; what there is works."""
    before = load.failures
    with rig.full("metadata"):
        time.sleep(seconds / 2)
        statuses = [_make_project(rig) for _ in range(20)]
    assert load.failures == before, "keys that are known go on working"
    assert statuses[-1] == 503
    assert _make_project(rig) == 201
    return "`503`"


def _make_project(rig: Rig) -> int:
    """The status that the Auth API answers with."""
    return httpx.post(
        f"{rig.platform.auth_url}/projects",
        json={"name": "p" * 100},
        headers={"authorization": f"Bearer {rig.platform.operator_token}"},
        timeout=30,
    ).status_code


@fault(sets="embedded", needs_machine=True)
def every_disk_full(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """As where all of Footfall lies on one disk, its own logs too. Services die meanwhile."""
    refused = rig.metric("capture", "requests_total", status="503")
    _, filler, _ = rig.platform.make_project("filler")
    with ExitStack() as full:
        for disk in rig.disks:
            full.enter_context(rig.full(disk))
        _use_up(rig, filler, seed, refused)
        seen = _sees_503(rig, refused)
        for part in ("consumer", "capture", "auth", "query"):
            before = rig.process_started(part)
            rig.platform.kill(part)
            wait_until(lambda: rig.process_started(part) > before, 40, f"{part} is started again")  # noqa: B023
        time.sleep(seconds / 2)
    time.sleep(LOST_WRITE_SECONDS)
    for part in ("consumer", "capture", "auth", "query"):
        wait_until(lambda: not rig.missing(part), 40, f"{part} is ready again")  # noqa: B023
    return seen


@fault(needs_machine=True)
def clock_jumps(rig: Rig, load: Load, seed: random.Random, seconds: float) -> str:
    """Of everything but ClickHouse, by most of a day, while a Consumer is killed and clients repeat themselves."""
    assert rig.clock is not None
    hours = 20
    again = list(load.sent)
    for moved in (hours, 0, -hours, 0):
        with rig.platform.frozen("consumer"):  # what is in the log now is unread when the clock jumps
            time.sleep(0.5)
            rig.clock.move(moved * 3600)
            enough = len(load.sent) + 3 * CONNECTIONS  # so many that some were begun after the jump
            time.sleep(seconds / 8)
            wait_until(lambda: len(load.sent) > enough, 60, "events arrive by the new clock")  # noqa: B023
        if moved:
            rig.platform.kill("consumer")  # its successor looks for what is stored
        with httpx.Client(base_url=f"http://127.0.0.1:{rig.front.port}", timeout=20) as client:
            for batch in seed.sample(again, min(len(again), 20)):
                send(client, load.write_key, batch)
        time.sleep(seconds / 8)
        wait_until(lambda: not rig.missing("consumer"), 40, "the Consumer is ready again")
    lines = [json.loads(line) for line in rig.platform.log_of("consumer").splitlines() if line.startswith("{")]
    jumps = {round((_seconds(line["timestamp"]) - time.time()) / 3600) for line in lines if "timestamp" in line}
    assert {-hours, 0, hours} <= jumps, jumps
    wait_until(lambda: rig.platform.stored(load.project)[1] > 0, 30, "something is stored")
    sql = f"""SELECT DISTINCT toInt32(round(dateDiff('second', inserted_at, received_at) / 3600)) AS hours
        FROM analytics.events WHERE project_id = {load.project} AND timestamp = received_at ORDER BY hours"""
    wait_until(lambda: [-hours, 0, hours] == [int(row[0]) for row in rig.platform.select(sql)], 30, "times of arrival")
    return "the logs' times"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
