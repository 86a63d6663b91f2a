"""The Kafka path in one run: events/s to acknowledged and end to end, beside a bare producer and a bare INSERT.

    python benchmarks/kafka.py [--seconds 5]

Starts one real broker with infrastructure/kafka (Java 17 and Maven), and skips, saying so, where it cannot.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from consumer import BATCH
from consumer import make_records as make_log_records
from event_log import Measurement, append_many, make_records, read_all, with_log
from run import running, send

from footfall_consumer.rows import Row, to_row
from footfall_consumer.steps import make_steps
from footfall_consumer.store import Store
from footfall_core.clickhouse import ClickHouse
from footfall_core.eventlog import Record, prepare_event_log
from footfall_core.eventlog.topic import PARTITIONS
from footfall_core.migrate import migrate
from footfall_embedded.testing import running_bridge

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "infrastructure" / "kafka"))
from brokers import KafkaMissing, running_kafka


def produce_bare(addresses: str, topic: str, records: list[Record], seconds: float) -> Measurement:
    """What librdkafka can do: as safe as ours, with nobody waiting for each acknowledgement."""
    producer = Producer(
        {
            "bootstrap.servers": addresses,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 2,
            "partitioner": "consistent",
        }
    )
    events, start, cpu = 0, time.perf_counter(), time.process_time()
    for record in cycle(records):
        while True:
            try:
                producer.produce(topic, record.value, record.key)
                break
            except BufferError:
                producer.poll(0.01)
        events += 1
        if events % 1000 == 0:
            producer.poll(0)
            if time.perf_counter() - start > seconds:
                break
    producer.flush()
    return Measurement("bare producer", events, time.perf_counter() - start, time.process_time() - cpu)


def make_unflushed(addresses: str, topic: str) -> None:
    """A topic as `footfall migrate` makes it with three replicas: no fsync for each append."""
    admin = AdminClient({"bootstrap.servers": addresses})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(10)


def insert_bare(count: int) -> Measurement:
    """What the engine can do: the Consumer's rows, nothing read, compared or committed."""
    steps = make_steps()
    rows = [row for record in make_log_records(count) if isinstance(row := to_row(record, steps, 0), Row)]
    with running_bridge() as url:
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=0)
        store = Store(clickhouse)
        store.insert(rows[:1000])
        start, cpu = time.perf_counter(), time.process_time()
        for first in range(0, count, BATCH):
            store.insert(rows[first : first + BATCH])
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        clickhouse.close()
    return Measurement(f"bare INSERT, {BATCH:,} rows each", count, wall, cpu)


def show(measured: Measurement) -> None:
    cost = measured.cpu / measured.events * 1e6
    print(f"{measured.name:44} {measured.per_second:>10,.0f} events/s {cost:7.2f} µs CPU/event  {measured.note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each measurement")
    seconds = parser.parse_args().seconds
    records = make_records(20_000)
    try:
        with running_kafka() as kafka:
            url = f"kafka://{kafka.addresses}/events"
            prepare_event_log(f"kafka://{kafka.addresses}/bare")
            prepare_event_log(url)
            show(produce_bare(kafka.addresses, "bare", records, seconds))
            for clients, batch in ((1, 1), (512, 1), (16, 100)):
                show(asyncio.run(with_log(url, lambda log: append_many(log, records, seconds, clients, batch))))  # noqa: B023
            unflushed = f"kafka://{kafka.addresses}/unflushed"
            make_unflushed(kafka.addresses, "unflushed")
            for clients, batch in ((1, 1), (512, 1), (16, 100)):
                append = partial(append_many, records=records, seconds=seconds, clients=clients, batch=batch)
                measured = asyncio.run(with_log(unflushed, append))
                show(replace(measured, name=f"{measured.name}, no fsync"))
            show(read_all(url))
            show(insert_bare(100_000))
            with running(FOOTFALL_EVENT_LOG_URL=f"kafka://{kafka.addresses}/platform") as platform:
                stored = 0
                for connections in (8, 64):  # a single broker syncs each append: few senders only wait for the disk
                    began = time.perf_counter()
                    report = send(platform, seconds=seconds * 2, batch=100, connections=connections)
                    stored += report["events"]
                    platform.wait_stored(stored)
                    end_to_end = report["events"] / (time.perf_counter() - began)
                    name = f"the platform, {connections} connections"
                    times = f"p50 {report['p50_ms']} ms, p99 {report['p99_ms']} ms"
                    print(f"{name + ', acknowledged':44} {report['events_per_second']:>10,.0f} events/s   {times}")
                    print(
                        f"{name + ', until queryable':44} {end_to_end:>10,.0f} events/s   {report['events']:,} events"
                    )
    except KafkaMissing as missing:
        print(f"NOT MEASURED: {missing}")


if __name__ == "__main__":
    main()
