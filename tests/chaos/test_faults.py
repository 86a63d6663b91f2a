"""Everything is broken on purpose, under load: what was answered 200 is stored once, and the platform recovers alone.

`make test` runs the short part; `make chaos` runs all of it, for FOOTFALL_CHAOS_SECONDS a fault. The seed decides
what happens when; FOOTFALL_TEST_SEED repeats a run. docs/failure-model.md tells what each fault is.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chaos.faults import FAULTS, Fault
from chaos.rig import Load, Rig, require_everything_stored_once, running_rig

SECONDS = float(os.environ.get("FOOTFALL_CHAOS_SECONDS", "3"))
LONG = "FOOTFALL_CHAOS_SECONDS" in os.environ
SEED = int(os.environ.get("FOOTFALL_TEST_SEED", time.time_ns() % 1_000_000))
PAGE = Path(__file__).resolve().parents[2] / "docs" / "failure-model.md"


@pytest.fixture(scope="module")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Rig]]:
    """Gives the rig of a kind. One runs at a time, for as long as tests ask for the same."""
    running: dict[str, Rig] = {}
    with ExitStack() as stack:

        def get(kind: str) -> Rig:
            if kind not in running:
                running.clear()
                stack.close()
                folder = tmp_path_factory.mktemp(kind)
                running[kind] = stack.enter_context(running_rig(kind, folder, brokers=3 if LONG else 1))
            return running[kind]

        yield get


@pytest.fixture
def rig(kind: str, fault: Fault, rigs: Callable[[str], Rig], request: pytest.FixtureRequest) -> Rig:
    if kind == "real":
        for needed in ("kafka_is_there", "postgres_url", "redis_url"):
            request.getfixturevalue(needed)
    rig = rigs(kind)
    if fault.needs_machine and rig.unavailable:
        if os.environ.get("CI", "").lower() in ("true", "1") and os.geteuid() == 0:
            pytest.fail(f"{rig.unavailable}, and in continuous integration every test has to run")
        pytest.skip(f"NOT TESTED: {rig.unavailable}")
    return rig


def cases() -> Iterator[object]:
    for kind in ("embedded", "real"):
        for fault in FAULTS:
            if kind in fault.sets:
                marks = [] if kind in fault.short else [pytest.mark.chaos]
                yield pytest.param(kind, fault, marks=marks, id=f"{kind}-{fault.name}")


@pytest.mark.slow
@pytest.mark.timeout(180 + SECONDS * 20)
@pytest.mark.parametrize(("kind", "fault"), list(cases()))
def test_fault(kind: str, rig: Rig, fault: Fault) -> None:
    print(f"FOOTFALL_TEST_SEED={SEED}")
    seed = random.Random(f"{SEED} {fault.name}")
    load = Load(rig, random.Random(f"{SEED} load {fault.name}"))
    load.start()
    try:
        time.sleep(1.0)
        began = time.monotonic()
        saw = fault.harm(rig, load, seed, SECONDS)
        lasted = time.monotonic() - began
        time.sleep(0.5)
    finally:
        rig.heal()
        load.stop()
    took = require_everything_stored_once(rig, load, 60 + SECONDS * 2, f"{fault.name}, seed {SEED}")
    print(
        f"RESULT {kind} {fault.name}: {lasted:.0f} s, {sum(load.uuids().values()):,} events stored once, "
        f"{load.failures} tries repeated, all there {took:.1f} s after; seen: {saw}"
    )


def test_every_fault_is_published() -> None:
    table = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)

    assert sorted(table) == sorted(fault.name for fault in FAULTS)
