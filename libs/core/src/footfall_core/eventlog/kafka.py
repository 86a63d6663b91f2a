"""The event log in Apache Kafka, by confluent_kafka (the extra `kafka`).

`kafka://host:port,…/topic?name=value&…`: a parameter is a field of `Options` or any property of librdkafka, such
as `security.protocol=SASL_SSL`. The topic itself is made by `topic`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from footfall_core.eventlog import AssignmentLost, Batch, Lag, LogRecord, LogUnavailable, Record

REQUEST_SECONDS = 10.0  # that a question to the brokers, or the delivery of a record, may take
CHECK_SECONDS = 2.0  # that brokers may take to answer `check`
RECONNECT_MS = 1000  # between tries to reach a broker, at most; by default 10 s
RECORD_OVERHEAD = 64  # bytes of memory that a queued record takes besides its value
N = TypeVar("N", int, float)
CHUNK = 1000  # records taken from the client at a time

LOST = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError._ASSIGNMENT_LOST,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What an event log URL with the scheme `kafka` says."""

    topic: str
    session_seconds: float  # without a poll, until a member's partitions pass to others
    queue_bytes: int  # that may wait for the brokers, before appends are refused
    partitions: int | None  # that the topic is to have
    replication: int | None  # copies of each partition that the topic is made with
    retention_hours: float | None  # that records stay, read or not
    client: Mapping[str, Any]  # properties for librdkafka


def parse_url(url: str) -> Options:
    """Read an event log URL. Raises ValueError that names what is wrong."""
    parts = urlsplit(url)
    topic = parts.path[1:]
    if not parts.netloc or not topic or "/" in topic or "@" in parts.netloc:
        raise ValueError(f"FOOTFALL_EVENT_LOG_URL: {url!r} must look like kafka://host:9092,host:9092/topic")
    client: dict[str, Any] = dict(parse_qsl(parts.query))
    try:
        session_seconds = float(client.pop("session_seconds", 30))
        queue_bytes = int(client.pop("queue_bytes", 64 << 20))
        partitions, replication = (_positive(client.pop(name, None), int) for name in ("partitions", "replication"))
        retention_hours = _positive(client.pop("retention_hours", None), float)
    except ValueError as error:
        raise ValueError(f"FOOTFALL_EVENT_LOG_URL: {error}") from None
    client["bootstrap.servers"] = parts.netloc
    return Options(topic, session_seconds, queue_bytes, partitions, replication, retention_hours, client)


def _positive(text: str | None, kind: type[N]) -> N | None:
    if text is None:
        return None
    if not (number := kind(text)) > 0:
        raise ValueError(f"{text} must be more than 0")
    return number


def unavailable(error: KafkaError | KafkaException | BufferError) -> LogUnavailable:
    """What a refusal of Kafka's means to whoever uses the log."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    return LogUnavailable(f"Kafka: {cause.str() if isinstance(cause, KafkaError) else cause}")


@contextmanager
def reporting() -> Iterator[None]:
    """Turn what Kafka says into `LogUnavailable`."""
    try:
        yield
    except (KafkaException, BufferError) as error:
        raise unavailable(error) from error


@contextmanager
def checking_properties() -> Iterator[None]:
    """Turn what librdkafka says of its properties into ValueError."""
    try:
        yield
    except KafkaException as error:
        raise ValueError(f"FOOTFALL_EVENT_LOG_URL: {error.args[0].str()}") from None


class Delivery:
    """One call of `append`: counts its records until the brokers have told about each."""

    def __init__(self, count: int, size: int, loop: asyncio.AbstractEventLoop) -> None:
        self.missing = count
        self.bytes = size
        self.error: LogUnavailable | None = None
        self.loop = loop
        self.done = loop.create_future()

    def note(self, error: KafkaError | None, _: Message | None = None) -> None:
        """Called by the polling thread for each record."""
        self.missing -= 1
        if error is not None:
            self.error = unavailable(error)
        if not self.missing:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self.loop.call_soon_threadsafe(self.resolve)

    def resolve(self) -> None:
        """Called in the event loop's thread."""
        if self.done.done():
            return
        if self.error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(self.error)


class KafkaEventLog:
    """`EventLog` in a topic. librdkafka sends in its own threads; another one hears what the brokers say."""

    def __init__(self, options: Options) -> None:
        self._options = options
        with checking_properties():
            self._producer = Producer(
                {
                    "enable.idempotence": True,  # implies acks=all, and order despite retries
                    "compression.type": "lz4",
                    "linger.ms": 2,
                    "partitioner": "consistent",  # CRC32, as in the embedded log
                    "message.timeout.ms": int(REQUEST_SECONDS * 1000),
                    "message.max.bytes": 8 << 20,  # the topic's own limit decides
                    "queue.buffering.max.messages": 10_000_000,  # `queue_bytes` is what limits
                    "queue.buffering.max.kbytes": max(1024, options.queue_bytes // 1024 * 2),
                    "reconnect.backoff.max.ms": RECONNECT_MS,
                    "logger": logging.getLogger(__name__),
                    **options.client,
                }
            )
        self._queued_bytes = 0  # only the event loop's thread touches it
        self._closed = False
        self._thread = threading.Thread(target=self._poll, name="event-log-delivery", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, url: str) -> KafkaEventLog:
        """The log at `url`. Raises ValueError for a wrong URL; `check` tells whether brokers answer."""
        return cls(parse_url(url))

    async def append(self, records: Sequence[Record]) -> None:
        """See `EventLog.append`."""
        if not records:
            return
        if self._closed:
            raise LogUnavailable("the log is closed")
        size = sum(len(record.value) + RECORD_OVERHEAD for record in records)
        if self._queued_bytes and self._queued_bytes + size > self._options.queue_bytes:
            raise LogUnavailable(f"Kafka: {self._queued_bytes} bytes wait for the brokers already")
        delivery = Delivery(len(records), size, asyncio.get_running_loop())
        produce, topic, note = self._producer.produce, self._options.topic, delivery.note
        self._queued_bytes += size
        try:
            with reporting():
                for record in records:
                    produce(topic, record.value, record.key, on_delivery=note)
            await delivery.done
        finally:
            self._queued_bytes -= size

    async def check(self) -> None:
        """See `EventLog.check`."""
        if self._closed:
            raise LogUnavailable("the log is closed")
        with reporting():
            known = await asyncio.to_thread(self._producer.list_topics, self._options.topic, CHECK_SECONDS)
        error = known.topics[self._options.topic].error
        if error is not None:
            raise unavailable(error)

    async def close(self) -> None:
        """See `EventLog.close`."""
        self._closed = True
        await asyncio.to_thread(self._thread.join)

    def _poll(self) -> None:
        while not self._closed or len(self._producer):
            self._producer.poll(0.1)


@dataclass(slots=True)
class Owned:
    """What a member knows of a partition that it owns."""

    committed: int
    next: int  # the offset of the next record to return
    deleted_below: int = 0  # what is missing below this offset was told already


class Browser:
    """Looks at a topic and at what a group has committed, without being a member of it."""

    def __init__(self, options: Options, group: str) -> None:
        self._topic = options.topic
        with checking_properties():
            self._consumer = Consumer(
                {
                    "group.id": group,
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 50,
                    "logger": logging.getLogger(__name__),
                    **options.client,
                }
            )

    def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset there is, and the next one to be given."""
        with reporting():
            bounds: tuple[int, int] | None = self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=REQUEST_SECONDS
            )
        if bounds is None:
            raise LogUnavailable(f"Kafka: no answer about partition {partition} in {REQUEST_SECONDS} s")
        return bounds

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """The group's position in each partition, negative where it has none."""
        asked = [TopicPartition(self._topic, partition) for partition in partitions]
        with reporting():
            return {found.partition: found.offset for found in self._consumer.committed(asked, REQUEST_SECONDS)}

    def lag(self) -> dict[int, Lag]:
        """See `LogReader.lag`."""
        with reporting():
            topic = self._consumer.list_topics(self._topic, REQUEST_SECONDS).topics[self._topic]
        lags: dict[int, Lag] = {}
        for partition, position in self.committed(sorted(topic.partitions)).items():
            first, end = self.bounds(partition)
            records = end - max(first, position)
            lags[partition] = Lag(records, self._appended_at(partition, end - records) if records else None)
        return lags

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def _appended_at(self, partition: int, offset: int) -> float | None:
        """When a record was appended, if it can be had quickly."""
        with reporting():
            self._consumer.assign([TopicPartition(self._topic, partition, offset)])
            message = self._consumer.poll(1.0)
            self._consumer.unassign()
        return None if message is None or message.error() is not None else message.timestamp()[1] / 1000


class KafkaLogReader:
    """`LogReader` of a topic. The brokers assign partitions, by callbacks inside `poll` and `close`."""

    def __init__(self, options: Options, group: str) -> None:
        self._topic = options.topic
        session = int(options.session_seconds * 1000)
        properties = {
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": min(session, 10_000),
            "heartbeat.interval.ms": min(session, 10_000) // 4,
            "max.poll.interval.ms": session,
            "fetch.wait.max.ms": 50,  # an idle fetch holds up the one that follows a rewind
            "reconnect.backoff.max.ms": RECONNECT_MS,
            "logger": logging.getLogger(__name__),
            **options.client,
        }
        with checking_properties():
            self._consumer = Consumer(
                {**properties, "group.id": group, "partition.assignment.strategy": "cooperative-sticky"}
            )
        self._browser = Browser(options, group)
        self._owned: dict[int, Owned] = {}
        self._assigned: dict[int, int] = {}  # not told yet
        self._waiting: list[LogRecord] = []  # taken from the client, but not returned yet
        self._closed = False
        self._consumer.subscribe([self._topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)

    @classmethod
    def open(cls, url: str, group: str) -> KafkaLogReader:
        """The log at `url`, to read as a member of `group`. Raises ValueError for a wrong URL."""
        return cls(parse_url(url), group)

    def poll(self, max_records: int, max_bytes: int, timeout: float) -> Batch:
        """See `LogReader.poll`."""
        self._require_open()
        deadline = time.monotonic() + timeout
        records: list[LogRecord] = []
        size = 0
        while len(records) < max_records and size < max_bytes:
            if not self._waiting:
                self._take(None if records else deadline)
            count, taken = fitting(self._waiting, max_records - len(records), max_bytes - size, not records)
            records += self._waiting[:count]
            size += taken
            self._waiting = self._waiting[count:]
            if not count and (records or time.monotonic() >= deadline):
                break
        # Taking more may have let a partition go whose records were at hand already.
        records = [record for record in records if record.partition in self._owned]
        try:
            self._place()
        except LogUnavailable:
            self._waiting = records + self._waiting
            raise
        deleted = self._move_on(records)
        assigned, self._assigned = self._assigned, {}
        return Batch(records, assigned, deleted)

    def commit(self, positions: Mapping[int, int]) -> None:
        """See `LogReader.commit`."""
        self._require_open()
        kept = {partition: position for partition, position in positions.items() if partition in self._owned}
        lost = set(positions.keys() - kept.keys())
        if kept:
            try:
                results = self._consumer.commit(offsets=self._at(kept), asynchronous=False)
            except KafkaException as error:
                if error.args[0].code() not in LOST:
                    raise unavailable(error) from error
                lost = set(positions)
            else:
                for result in results:
                    if result.error is not None and result.error.code() not in LOST:
                        raise unavailable(result.error)
                    if result.error is not None:
                        lost.add(result.partition)
        for partition in kept.keys() - lost:
            self._owned[partition].committed = positions[partition]
        if lost:
            self._doubt(lost)
            raise AssignmentLost(frozenset(lost))

    def rewind(self) -> None:
        """See `LogReader.rewind`."""
        self._require_open()
        self._waiting = []
        with reporting():
            for partition, owned in self._owned.items():
                self._consumer.seek(TopicPartition(self._topic, partition, owned.committed))
                owned.next = owned.committed

    def end_offsets(self) -> Mapping[int, int]:
        """See `LogReader.end_offsets`."""
        self._require_open()
        return {partition: self._browser.bounds(partition)[1] for partition in sorted(self._owned)}

    def lag(self) -> Mapping[int, Lag]:
        """See `LogReader.lag`."""
        self._require_open()
        return self._browser.lag()

    def close(self) -> None:
        """See `LogReader.close`."""
        if not self._closed:
            self._closed = True
            self._consumer.close()
            self._browser.close()

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the reader is closed")

    def _at(self, positions: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, position) for partition, position in positions.items()]

    def _take(self, deadline: float | None) -> None:
        """Take what the client has fetched; wait for the first record until the deadline, if there is one."""
        # `consume` returns when it has all that it may take, so only one record can be waited for.
        count, wait = (CHUNK, 0.0) if deadline is None else (1, max(0.0, deadline - time.monotonic()))
        with reporting():
            messages = self._consumer.consume(count, wait)
        for message in messages:
            partition, offset, error = message.partition(), message.offset(), message.error()
            if error is not None:
                # Having polled too late, the client joins anew by itself.
                if len(messages) == 1 and error.code() != KafkaError._MAX_POLL_EXCEEDED:
                    raise unavailable(error)
            elif partition in self._owned and offset is not None:
                self._waiting.append(LogRecord(partition, offset, message.value() or b""))

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        for found in partitions:
            self._owned[found.partition] = Owned(-1, -1)

    def _place(self) -> None:
        """Find out where newly assigned partitions start."""
        new = [partition for partition, owned in self._owned.items() if owned.committed < 0]
        if not new:
            return
        for partition, committed in self._browser.committed(new).items():
            position = committed if committed >= 0 else self._browser.bounds(partition)[0]
            self._owned[partition] = Owned(position, position)
            self._assigned[partition] = position

    def _move_on(self, records: Iterable[LogRecord]) -> dict[int, int]:
        """Note that these records were returned. How many, by partition, are gone that stood before them.

        Nothing else makes gaps: the topic is not compacted, and nobody writes transactions to it.
        """
        deleted: dict[int, int] = {}
        for record in records:
            owned = self._owned[record.partition]
            if record.offset > max(owned.next, owned.deleted_below):
                gone = record.offset - max(owned.next, owned.deleted_below)
                deleted[record.partition] = deleted.get(record.partition, 0) + gone
                owned.deleted_below = record.offset
            owned.next = record.offset + 1
        return deleted

    def _revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {found.partition for found in partitions}
        self._drop(gone)
        consumer.incremental_unassign(partitions)

    def _drop(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self._owned.pop(partition, None)
            self._assigned.pop(partition, None)
        self._waiting = [record for record in self._waiting if record.partition in self._owned]

    def _doubt(self, partitions: Iterable[int]) -> None:
        """Begin anew with partitions that may stay this member's when the brokers have redistributed them."""
        for partition in partitions:
            if partition in self._owned:
                owned = self._owned[partition]
                self._waiting = [record for record in self._waiting if record.partition != partition]
                with suppress(KafkaException):
                    self._consumer.seek(TopicPartition(self._topic, partition, owned.committed))
                owned.next = self._assigned[partition] = owned.committed


def fitting(records: Sequence[LogRecord], max_records: int, max_bytes: int, at_least_one: bool) -> tuple[int, int]:
    """How many of `records` fit the limits, and how many bytes these are."""
    size = 0
    for count, record in enumerate(records[:max_records]):
        if size + len(record.value) > max_bytes and (count or not at_least_one):
            return count, size
        size += len(record.value)
    return min(len(records), max_records), size
