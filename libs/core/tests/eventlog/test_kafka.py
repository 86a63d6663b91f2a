"""What only Kafka promises: the topic that `footfall migrate` makes, and brokers that go away."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from brokers import Kafka, free_ports, make_kafka
from footfall_core.eventlog import (
    EventLog,
    LogReader,
    LogRecord,
    LogRefused,
    LogUnavailable,
    Record,
    open_event_log,
    open_log_reader,
    prepare_event_log,
)

HOUR_MS = 3_600_000


@pytest.fixture
def url(kafka: Kafka) -> str:
    """A topic that does not exist yet."""
    return f"kafka://{kafka.addresses}/events-{uuid.uuid4()}"


@pytest.fixture
def admin(kafka: Kafka) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka.addresses})


def topic_of(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def config_of(admin: AdminClient, url: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic_of(url))
    deadline = time.monotonic() + 20
    while True:
        try:
            found = admin.describe_configs([resource])[resource].result(10)
        except KafkaException as error:  # a broker that has not heard of a topic so new
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return {name: entry.value for name, entry in found.items()}


async def append(url: str, *values: bytes, key: bytes = b"key") -> None:
    log = open_event_log(url)
    await log.append([Record(key, value) for value in values])
    await log.close()


def read(reader: LogReader, count: int, seconds: float = 20) -> tuple[list[LogRecord], int]:
    """Records until there are `count`, and how many the log said it had deleted before them."""
    records: list[LogRecord] = []
    deleted = 0
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        batch = reader.poll(count, 1 << 30, 0.1)
        records += batch.records
        deleted += sum(batch.deleted.values())
    return records, deleted


def read_all(reader: LogReader, seconds: float = 30) -> set[bytes]:
    """The values of all records up to where the log ends, of which some may be there twice."""
    values: set[bytes] = set()
    positions: dict[int, int] = {}
    deadline = time.monotonic() + seconds
    while not positions or positions != reader.end_offsets():
        assert time.monotonic() < deadline, f"read up to {positions} of {reader.end_offsets()}"
        batch = reader.poll(10_000, 1 << 30, 0.1)
        positions |= batch.assigned | {record.partition: record.offset + 1 for record in batch.records}
        values |= {record.value for record in batch.records}
    return values


def test_migrate_creates_the_topic_once(url: str, admin: AdminClient) -> None:
    first = prepare_event_log(f"{url}?partitions=3&retention_hours=48")

    assert first.done == [f"created topic {topic_of(url)}: 3 partitions, 1 replicas, 48 hours"]
    assert prepare_event_log(f"{url}?partitions=3&retention_hours=48").done == []
    assert prepare_event_log(url).done == []
    config = config_of(admin, url)
    names = ("cleanup.policy", "retention.ms", "retention.bytes", "message.timestamp.type", "flush.messages")
    assert [config[name] for name in names] == ["delete", str(48 * HOUR_MS), "-1", "LogAppendTime", "1"]
    assert len(admin.list_topics(topic_of(url)).topics[topic_of(url)].partitions) == 3


def test_migrate_mends_a_topic_that_somebody_made(url: str, admin: AdminClient) -> None:
    admin.create_topics([NewTopic(topic_of(url), 1, 1, config={"max.message.bytes": "1000"})])[topic_of(url)].result(10)

    looked = prepare_event_log(f"{url}?partitions=2", change=False).done
    assert {line.split(" ")[1] for line in looked} == {
        "message.timestamp.type",
        "max.message.bytes",
        "flush.messages",
        "partitions",
    }
    assert len(prepare_event_log(f"{url}?partitions=2").done) == 4
    assert prepare_event_log(f"{url}?partitions=2").done == []
    assert config_of(admin, url)["max.message.bytes"] == str(4 << 20)


def test_what_cannot_be_is_refused(url: str, admin: AdminClient) -> None:
    with pytest.raises(LogRefused, match="no topic"):
        prepare_event_log(url, change=False)
    with pytest.raises(LogRefused, match="replication=2 needs as many brokers; this Kafka has 1"):
        prepare_event_log(f"{url}?replication=2")
    prepare_event_log(f"{url}?partitions=2")
    with pytest.raises(LogRefused, match="has 2 partitions, and Kafka cannot take any away"):
        prepare_event_log(f"{url}?partitions=1")
    with pytest.raises(ValueError, match="-1 must be more than 0"):
        prepare_event_log(f"{url}?retention_hours=-1")
    compacted = f"{url}-compacted"
    admin.create_topics([NewTopic(topic_of(compacted), 1, 1, config={"cleanup.policy": "compact"})])[
        topic_of(compacted)
    ].result(10)
    with pytest.raises(LogRefused, match="it would keep one event a person"):
        prepare_event_log(compacted)


async def test_retention_is_not_shortened_below_what_nobody_has_read(url: str, admin: AdminClient) -> None:
    prepare_event_log(f"{url}?partitions=1")
    await append(url, b"a", b"b")
    await asyncio.sleep(1.1)  # the records' age
    half_a_second = 0.5 / 3600

    with pytest.raises(LogRefused, match="would soon delete what nobody has read"):
        prepare_event_log(f"{url}?retention_hours={half_a_second}")
    assert config_of(admin, url)["retention.ms"] == str(7 * 24 * HOUR_MS)

    reader = open_log_reader(url, "consumer")
    records, _ = read(reader, 2)
    reader.commit({0: records[-1].offset + 1})
    reader.close()
    assert len(prepare_event_log(f"{url}?retention_hours=1").done) == 1
    assert config_of(admin, url)["retention.ms"] == str(HOUR_MS)


async def test_lag_near_the_retention_and_a_limit_of_size_are_warned_of(url: str, admin: AdminClient) -> None:
    config = {"retention.ms": "2000", "retention.bytes": "1000000"}
    admin.create_topics([NewTopic(topic_of(url), 1, 1, config=config)])[topic_of(url)].result(10)
    await append(url, b"a")
    await asyncio.sleep(1.2)

    size, age = prepare_event_log(url, change=False).warnings

    assert "retention.bytes=1000000" in size
    assert "Raise retention_hours now" in age


async def test_records_deleted_unread_are_told_once(url: str, admin: AdminClient) -> None:
    prepare_event_log(f"{url}?partitions=1")
    await append(url, b"0", b"1", b"2", b"3")
    reader = open_log_reader(url, "consumer")
    records, deleted = read(reader, 4)
    assert deleted == 0
    reader.commit({0: 1})
    reader.close()
    place = TopicPartition(topic_of(url), 0, 3)
    admin.delete_records([place])[place].result(10)  # as the retention does

    reader = open_log_reader(url, "consumer")
    records, deleted = read(reader, 1)
    assert ([record.value for record in records], deleted) == ([b"3"], 2)
    reader.rewind()
    records, deleted = read(reader, 1)
    assert ([record.value for record in records], deleted) == ([b"3"], 0)
    reader.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, kafka_is_there: None) -> Iterator[Kafka]:
    """Three brokers of which tests break one at a time."""
    made = make_kafka(tmp_path_factory.mktemp("kafka"), 3)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.mark.chaos
async def test_an_fsync_for_each_append_only_where_no_other_broker_must_have_it(cluster: Kafka) -> None:
    admin = AdminClient({"bootstrap.servers": cluster.addresses})
    await until(lambda: len(admin.list_topics(timeout=5).brokers) == 3)
    found = {}
    for replication in (1, 2, 3):
        url = f"kafka://{cluster.addresses}/events-{uuid.uuid4()}"
        prepare_event_log(f"{url}?replication={replication}&partitions=1")
        config = config_of(admin, url)
        found[replication] = config["flush.messages"] == "1"
    assert found == {1: True, 2: True, 3: False}
    assert config["min.insync.replicas"] == "2"
    change = ConfigEntry("flush.messages", "1", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic_of(url), incremental_configs=[change])
    admin.incremental_alter_configs([resource])[resource].result(10)
    await until(lambda: any("flush.messages=1" in words for words in prepare_event_log(url).warnings))


@pytest.fixture
async def log(cluster: Kafka) -> AsyncIterator[tuple[str, EventLog]]:
    admin = AdminClient({"bootstrap.servers": cluster.addresses})
    await until(lambda: len(admin.list_topics(timeout=5).brokers) == 3)
    url = f"kafka://{cluster.addresses}/events-{uuid.uuid4()}?session_seconds=6"
    prepare_event_log(f"{url}&partitions=3")
    log = open_event_log(url)
    await log.append([Record(b"key", b"first")])
    await until(lambda: in_sync(admin, topic_of(url)) and in_sync(admin, "__consumer_offsets", least=0))
    yield url, log
    await log.close()


def in_sync(admin: AdminClient, topic: str, least: int = 1) -> bool:
    """Whether each partition has a leader and three replicas that are up to date."""
    partitions = admin.list_topics(topic, timeout=5).topics[topic].partitions.values()
    return len(partitions) >= least and all(len(each.isrs) == 3 for each in partitions)


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except KafkaException:
            pass
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


@pytest.mark.chaos
@pytest.mark.parametrize("harm", [pytest.param(signal.SIGKILL, id="killed"), pytest.param(signal.SIGSTOP, id="frozen")])
async def test_nothing_acknowledged_is_lost_when_the_leader_goes(
    cluster: Kafka, log: tuple[str, EventLog], harm: signal.Signals
) -> None:
    url, writer = log
    acknowledged: list[bytes] = []
    stop = False

    async def write(client: int) -> None:
        number = 0
        while not stop:
            value = b"%d-%d" % (client, number)
            try:
                await writer.append([Record(b"key-%d" % client, value)])
            except LogUnavailable:
                await asyncio.sleep(0.1)
                continue  # the same one again: it may be there twice, and must be there once
            acknowledged.append(value)
            number += 1
            await asyncio.sleep(0.005)

    writers = [asyncio.create_task(write(client)) for client in range(8)]
    await asyncio.sleep(1)
    found = AdminClient({"bootstrap.servers": cluster.addresses}).list_topics(topic_of(url)).topics[topic_of(url)]
    victim = cluster.brokers[found.partitions[0].leader - 1]
    victim.signal(harm)
    before = len(acknowledged)
    await asyncio.sleep(1)
    began = time.monotonic()
    while len(acknowledged) < before + 1_000 and time.monotonic() < began + 40:
        await asyncio.sleep(0.1)
    stop = True
    await asyncio.gather(*writers)

    assert len(acknowledged) >= before + 1_000, "the two others did not go on"
    reader = open_log_reader(url, "consumer")
    stored = await asyncio.to_thread(read_all, reader)
    reader.close()
    assert set(acknowledged) - stored == set()
    if harm == signal.SIGKILL:
        victim.start()
    else:
        victim.signal(signal.SIGCONT)
    victim.wait()


@pytest.mark.chaos  # `make test` has a log that is away in the contract
async def test_without_brokers_appends_are_refused_in_time_and_go_on_by_themselves(
    tmp_path: Path, kafka: Kafka
) -> None:
    [port] = free_ports(1)
    single = make_kafka(tmp_path, 1, port=port)
    try:
        single.start()
        url = f"kafka://{single.addresses}/events?message.timeout.ms=2000&queue_bytes=5000"
        prepare_event_log(url)
        log = open_event_log(url)
        await log.append([Record(b"key", b"before")])
        single.kill()

        began = time.monotonic()
        with pytest.raises(LogUnavailable):
            await log.append([Record(b"key", b"during")])
        assert time.monotonic() - began < 5
        with pytest.raises(LogUnavailable):
            await log.check()
        first = asyncio.create_task(log.append([Record(b"key", b"x" * 4000)]))
        await asyncio.sleep(0)
        with pytest.raises(LogUnavailable, match="wait for the brokers already"):
            await log.append([Record(b"key", b"x" * 4000)])
        with pytest.raises(LogUnavailable):
            await first

        single.start()
        single.brokers[0].wait()
        deadline = time.monotonic() + 30
        while True:
            try:
                await log.append([Record(b"key", b"after")])
                break
            except LogUnavailable:
                assert time.monotonic() < deadline
        await log.close()
        reader = open_log_reader(url, "consumer")
        values = await asyncio.to_thread(read_all, reader)
        reader.close()
        assert {b"before", b"after"} <= values <= {b"before", b"after", b"during", b"x" * 4000}
    finally:
        single.kill()
