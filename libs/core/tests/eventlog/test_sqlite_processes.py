"""The embedded event log under several processes at once, some of which are killed in the middle of it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from footfall_core.eventlog import LogRecord, open_log_reader

APPENDER = str(Path(__file__).with_name("appender.py"))


@dataclass
class Process:
    """A process and the file that it prints to."""

    process: subprocess.Popen[bytes]
    output: Path

    def wait_for_output(self) -> None:
        deadline = time.monotonic() + 30
        while not self.output.stat().st_size:
            assert time.monotonic() < deadline, "it printed nothing"
            time.sleep(0.01)

    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def kill_after(self, seconds: float) -> list[int]:
        """Kill it some time after its first append; return the numbers of those that returned."""
        self.wait_for_output()
        time.sleep(seconds)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return [int(line) for line in self.lines()]


def start(output: Path, *command: str) -> Process:
    with output.open("wb") as file:
        return Process(subprocess.Popen([sys.executable, *command], stdout=file), output)


def read_everything(url: str) -> list[LogRecord]:
    reader = open_log_reader(url, "check")
    records: list[LogRecord] = []
    while batch := reader.poll(50_000, 16 << 20, 0.2).records:
        records += batch
    reader.close()
    return records


@pytest.mark.parametrize("seed", range(3))
def test_killed_appenders_lose_nothing_they_were_promised(tmp_path, seed):
    """Two processes append, two consume, and each is killed at a random moment, three times over."""
    chance = random.Random(seed)
    url = f"sqlite:///{tmp_path}/events.log.db?partitions=3"
    promised: set[tuple[str, int]] = set()
    for life in range(3):
        size = chance.choice(["10", "5000"])
        appenders = {name: start(tmp_path / name, APPENDER, url, name, "20", size) for name in (f"{life}a", f"{life}b")}
        for name, appender in appenders.items():
            promised |= {(name, number) for number in appender.kill_after(chance.uniform(0, 0.4))}

    offsets = defaultdict(list)
    found: Counter[tuple[str, int]] = Counter()
    for record in read_everything(url):
        offsets[record.partition].append(record.offset)
        name, number, _ = record.value.split(b" ", 2)
        found[name.decode(), int(number)] += 1

    assert len(promised) > 50
    assert promised <= found.keys()
    assert set(found.values()) == {3}, "an append is wholly there or not at all"
    assert offsets == {partition: list(range(len(seen))) for partition, seen in offsets.items()}


READ_AND_COMMIT = """
import signal, sys
from footfall_core.eventlog import AssignmentLost, open_log_reader
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
reader = open_log_reader(sys.argv[1], "consumer")
while not stopped:
    records = reader.poll(200, 1 << 20, 0.2).records
    positions = {record.partition: record.offset + 1 for record in records}
    try:
        reader.commit(positions)
    except AssignmentLost as lost:
        records = [record for record in records if record.partition not in lost.partitions]
    for record in records:
        print(record.partition, record.offset, *record.value.decode("latin1").split(" ", 2)[:2])
    sys.stdout.flush()
reader.close()
"""


def test_several_processes_append_and_read_at_once(tmp_path):
    """Members come and leave while others append; what was committed once is not returned again."""
    url = f"sqlite:///{tmp_path}/events.log.db?partitions=3&session_seconds=60"
    appenders = {name: start(tmp_path / name, APPENDER, url, name, "10", "200") for name in "ab"}
    readers = []
    for number in range(3):
        readers.append(start(tmp_path / f"reader-{number}", "-c", READ_AND_COMMIT, url))
        readers[-1].wait_for_output()
    readers[0].process.terminate()
    promised = {(name, number) for name in appenders for number in appenders[name].kill_after(0.3)}
    observer = open_log_reader(url, "consumer")
    deadline = time.monotonic() + 30
    while sum(lag.records for lag in observer.lag().values()) and time.monotonic() < deadline:
        time.sleep(0.05)  # the two readers that are left read on
    observer.close()
    for reader in readers[1:]:
        reader.process.terminate()
    assert [reader.process.wait(10) for reader in readers] == [0, 0, 0]

    lines = [line.split() for reader in readers for line in reader.lines()]
    places = Counter((int(partition), int(offset)) for partition, offset, _, _ in lines)
    found = Counter((name, int(number)) for _, _, name, number in lines)
    assert set(places.values()) == {1}
    assert promised <= found.keys()
    assert set(found.values()) == {3}
