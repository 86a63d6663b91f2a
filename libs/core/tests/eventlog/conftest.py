"""The logs that the contract is checked against, and what the tests of the event log share."""

from __future__ import annotations

import ctypes
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from brokers import Kafka
from footfall_core.eventlog import (
    EventLog,
    LogReader,
    LogRecord,
    Record,
    open_event_log,
    open_log_reader,
    prepare_event_log,
)


class Logs:
    """One new log, which a test opens as often as it likes; everything is closed when the test ends."""

    PARTITIONS = 4

    def __init__(self, url: str, unusable_url: str, session_seconds: float) -> None:
        self.url = url
        self.unusable_url = unusable_url
        self.session_seconds = session_seconds
        self._logs: list[EventLog] = []
        self._readers: list[LogReader] = []

    def log(self, url: str | None = None) -> EventLog:
        """Another opening of the log, to append to."""
        self._logs.append(open_event_log(url or self.url))
        return self._logs[-1]

    def reader(self, group: str = "consumer") -> LogReader:
        """Another member of a group."""
        self._readers.append(open_log_reader(self.url, group))
        return self._readers[-1]

    async def append(self, *records: tuple[bytes, bytes]) -> None:
        """Append (key, value) pairs, by an opening that is closed again."""
        log = open_event_log(self.url)
        await log.append([Record(key, value) for key, value in records])
        await log.close()

    def read(self, *readers: LogReader, count: int, seconds: float = 20) -> list[LogRecord]:
        """What members return, polled in turn until they have returned `count` records together."""
        records: list[LogRecord] = []
        deadline = time.monotonic() + seconds
        while len(records) < count and time.monotonic() < deadline:
            for reader in readers:
                records += reader.poll(count, 1 << 30, 0.05).records
        return records

    def share(self, *readers: LogReader, seconds: float = 20) -> list[set[int]]:
        """Poll members in turn until they own all partitions, evenly; return what each one owns."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for reader in readers:
                assert not reader.poll(1, 1, 0.02).records
            owned = [set(reader.end_offsets()) for reader in readers]
            fair = {len(partitions) == self.PARTITIONS // len(readers) for partitions in owned} == {True}
            if fair and set.union(*owned) == set(range(self.PARTITIONS)):
                return owned
        raise AssertionError(f"{owned} is not a fair share")

    async def close(self) -> None:
        for reader in self._readers:
            reader.close()
        for log in self._logs:
            await log.close()


class MockBrokers:
    """A Kafka cluster inside librdkafka, which the tests of librdkafka itself use."""

    def __init__(self) -> None:
        spec = find_spec("confluent_kafka")
        found = spec and spec.origin and list(Path(spec.origin).parents[1].glob("confluent_kafka.libs/librdkafka*"))
        if not found:
            pytest.skip("needs confluent-kafka with its own librdkafka")
        library = ctypes.CDLL(str(found[0]))
        library.rd_kafka_new.restype = ctypes.c_void_p
        library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        self._library = library
        error = ctypes.create_string_buffer(512)
        self._client = ctypes.c_void_p(library.rd_kafka_new(0, None, error, len(error)))
        self._cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(self._client, 1))
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.addresses: str = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create_topic(self, name: str, partitions: int) -> None:
        self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


@pytest.fixture(scope="session")
def mock_brokers() -> Iterator[MockBrokers]:
    brokers = MockBrokers()
    yield brokers
    brokers.close()


@pytest.fixture(params=["sqlite", "kafka-mock", "kafka"])
async def logs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Logs]:
    """Each implementation of the event log in turn."""
    topic = f"events-{uuid.uuid4()}"
    match request.param:
        case "sqlite":
            logs = Logs(
                f"sqlite:///{tmp_path}/events.log.db?partitions=4&session_seconds=0.6",
                f"sqlite:///{tmp_path}/full.log.db?max_bytes=1",
                session_seconds=0.6,
            )
        case "kafka-mock":
            brokers: MockBrokers = request.getfixturevalue("mock_brokers")
            brokers.create_topic(topic, Logs.PARTITIONS)
            logs = Logs(
                f"kafka://{brokers.addresses}/{topic}?session_seconds=1.5",
                f"kafka://127.0.0.1:1/{topic}?message.timeout.ms=1000",
                session_seconds=1.5,
            )
        case _:
            kafka: Kafka = request.getfixturevalue("kafka")
            url = f"kafka://{kafka.addresses}/{topic}?session_seconds=1.5"
            prepare_event_log(f"{url}&partitions={Logs.PARTITIONS}")
            logs = Logs(url, f"kafka://127.0.0.1:1/{topic}?message.timeout.ms=1000", session_seconds=1.5)
    yield logs
    await logs.close()
