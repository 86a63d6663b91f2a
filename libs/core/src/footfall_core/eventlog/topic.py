"""Makes and checks the topic behind a `kafka://` event log, so that it cannot lose what nobody has read.

Kafka deletes records when they are too old, read or not. So the retention is long by default, never shortened
below what a group may still need, and looked at each time (`footfall migrate`, `footfall doctor`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from footfall_core.eventlog import LogRefused, LogUnavailable, Prepared
from footfall_core.eventlog.kafka import REQUEST_SECONDS, Browser, Options, checking_properties, parse_url, reporting

PARTITIONS: Final = 6
"""Of a new topic: the most Consumers that can share it."""
RETENTION_HOURS: Final = 7 * 24.0
"""Of a new topic: how long the Consumers may be away."""
SAFE_SHARE: Final = 0.5
"""The oldest unread record may have this share of the retention as its age, before it is in danger."""
MOST_REPLICAS: Final = 3
NO_FLUSH: Final = 2**63 - 1
"""Kafka's own `flush.messages`: the operating system decides."""
MESSAGE_BYTES: Final = 4 << 20
"""An event has at most 1 MiB; the rest is room for its envelope."""


def prepare_topic(url: str, group: str, *, change: bool = True) -> Prepared:
    """See `prepare_event_log`."""
    options = parse_url(url)
    properties: dict[str, Any] = {"logger": logging.getLogger(__name__), **options.client}
    with checking_properties():
        admin = AdminClient(properties)
    with reporting():
        cluster = admin.list_topics(timeout=REQUEST_SECONDS)
    brokers = len(cluster.brokers)
    if (options.replication or 1) > brokers:
        raise LogRefused(f"replication={options.replication} needs as many brokers; this Kafka has {brokers}")
    topic = cluster.topics.get(options.topic)
    if topic is None or not topic.partitions:
        if not change:
            raise LogRefused(f"there is no topic {options.topic}. Run `footfall migrate`")
        return _create(admin, options, brokers)
    replication = min(len(partition.replicas) for partition in topic.partitions.values())
    config = _read_config(admin, options.topic)
    if "compact" in config["cleanup.policy"]:
        raise LogRefused(
            f"topic {options.topic} is compacted: it would keep one event a person. Set its cleanup.policy to delete"
        )
    unread = _oldest_unread_seconds(options, group)
    done = [
        *_set_config(admin, options.topic, config, _mended(options, config, replication, unread), change=change),
        *_add_partitions(admin, options, len(topic.partitions), change=change),
    ]
    return Prepared(done, list(_warnings(options.topic, config, replication, brokers, unread)))


def _create(admin: AdminClient, options: Options, brokers: int) -> Prepared:
    partitions = options.partitions or PARTITIONS
    replication = options.replication or min(MOST_REPLICAS, brokers)
    hours = options.retention_hours or RETENTION_HOURS
    config = {
        "cleanup.policy": "delete",
        "retention.ms": str(int(hours * 3_600_000)),
        "retention.bytes": "-1",
        **_required(replication),
    }
    new = NewTopic(options.topic, partitions, replication, config=config)
    _wait(lambda: admin.create_topics([new], operation_timeout=REQUEST_SECONDS)[options.topic])
    words = f"created topic {options.topic}: {partitions} partitions, {replication} replicas, {hours:g} hours"
    return Prepared([words], list(_warnings(options.topic, config, replication, brokers, None)))


def _required(replication: int) -> dict[str, str]:
    """Properties without which an acknowledged event could be lost or refused."""
    return {
        # By the brokers' clock: a Capture API whose clock is years behind must not make records old at once.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MESSAGE_BYTES),
        # What a broker acknowledges is in its memory only. With three replicas another one has it too; with fewer,
        # none may, as two cannot both be demanded without refusing events whenever one is away.
        **({"min.insync.replicas": "2"} if replication > 2 else {"flush.messages": "1"}),
    }


def _mended(
    options: Options, config: Mapping[str, str], replication: int, unread: float | None
) -> Iterable[tuple[str, str]]:
    """Properties of an existing topic that are to be set. Raises `LogRefused` for what would delete unread records."""
    for name, value in _required(replication).items():
        number = value.isdecimal()
        too_much = name == "flush.messages"
        if (number and (int(config[name]) > int(value)) == too_much and config[name] != value) or (
            not number and config[name] != value
        ):
            yield name, value
    if options.retention_hours is None:
        return
    wanted, now = int(options.retention_hours * 3_600_000), int(config["retention.ms"])
    if wanted == now:
        return
    shorter = now < 0 or wanted < now
    if shorter and unread is not None and unread * 1000 > wanted * SAFE_SHARE:
        raise LogRefused(
            f"retention_hours={options.retention_hours:g} would soon delete what nobody has read: the oldest record is "
            f"{unread / 3600:.1f} hours old. Let the Consumers catch up first"
        )
    yield "retention.ms", str(wanted)


def _warnings(
    topic: str, config: Mapping[str, str], replication: int, brokers: int, unread: float | None
) -> Iterable[str]:
    milliseconds, size = int(config["retention.ms"]), int(config["retention.bytes"])
    if size >= 0:
        yield (
            f"topic {topic} has retention.bytes={size}: a partition that grows beyond it loses its oldest records, "
            "read or not. Set it to -1"
        )
    if unread is not None and milliseconds >= 0 and unread * 1000 > milliseconds * SAFE_SHARE:
        yield (
            f"the oldest record that nobody has read is {unread / 3600:.1f} hours old, and Kafka deletes it after "
            f"{milliseconds / 3_600_000:g}. Raise retention_hours now, then see why the Consumers are behind"
        )
    if replication > 2 and int(config.get("flush.messages", NO_FLUSH)) < NO_FLUSH:
        yield (
            f"topic {topic} has flush.messages={config['flush.messages']}, which a topic with {replication} replicas "
            "does without: appends wait for disks. Remove it with kafka-configs.sh --delete-config flush.messages"
        )
    if brokers >= MOST_REPLICAS > replication:
        yield (
            f"topic {topic} has {replication} of {MOST_REPLICAS} replicas: an acknowledged event may not survive the "
            "loss of a broker. Add replicas with kafka-reassign-partitions.sh"
        )


def _read_config(admin: AdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    found = _wait(lambda: admin.describe_configs([resource], request_timeout=REQUEST_SECONDS)[resource])
    return {name: str(entry.value) for name, entry in found.items()}


def _set_config(
    admin: AdminClient, topic: str, config: dict[str, str], wanted: Iterable[tuple[str, str]], *, change: bool
) -> Iterable[str]:
    """Set properties, also in `config`; says which."""
    changes = dict(wanted)
    if not changes or not change:
        return [f"{topic}: {name} should be {value}, is {config[name]}" for name, value in changes.items()]
    said = [f"{topic}: {name}={value} (was {config[name]})" for name, value in changes.items()]
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in changes.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    _wait(lambda: admin.incremental_alter_configs([resource], request_timeout=REQUEST_SECONDS)[resource])
    config.update(changes)
    return said


def _add_partitions(admin: AdminClient, options: Options, now: int, *, change: bool) -> Iterable[str]:
    wanted = options.partitions or now
    if wanted < now:
        raise LogRefused(
            f"topic {options.topic} has {now} partitions, and Kafka cannot take any away: partitions={now}"
        )
    if wanted == now:
        return []
    if not change:
        return [f"{options.topic}: partitions should be {wanted}, are {now}"]
    new = NewPartitions(options.topic, wanted)
    _wait(lambda: admin.create_partitions([new], operation_timeout=REQUEST_SECONDS)[options.topic])
    return [f"{options.topic}: {wanted} partitions (were {now}). Restart the Consumers"]


def _oldest_unread_seconds(options: Options, group: str) -> float | None:
    """Age of the oldest record that the group has not committed; None if there is none."""
    browser = Browser(options, group)
    deadline = time.monotonic() + REQUEST_SECONDS
    try:
        while True:
            try:
                times = [lag.oldest_appended_at for lag in browser.lag().values() if lag.oldest_appended_at is not None]
                return max(0.0, time.time() - min(times)) if times else None
            except LogUnavailable:  # a new cluster makes its place for positions when first asked
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
    finally:
        browser.close()


def _wait(ask: Callable[[], Any]) -> Any:
    """The answer to a question of the administrator's client."""
    with reporting():
        try:
            return ask().result(REQUEST_SECONDS + 5)
        except TimeoutError:
            raise LogUnavailable("Kafka does not answer") from None
