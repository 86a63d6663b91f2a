"""What the host program sees, and what leaves it, with a transport in memory."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import footfall
from footfall import AsyncClient, Client, Limits
from footfall.events import make_uuid
from footfall.retries import Response, find_delay, judge, read_retry_after

OK = Response(200, body=b'{"status":"ok","accepted":1,"rejected":[]}')


@dataclass
class Network:
    """A transport that remembers, answers in order, and can be made to hang."""

    answers: list[Response | OSError] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def __call__(self, body: bytes) -> Response:
        self.open.wait(10)
        self.bodies.append(json.loads(body))
        answer = self.answers.pop(0) if self.answers else OK
        if isinstance(answer, OSError):
            raise answer
        return answer

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body["batch"]]


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def new_client(network: Network) -> Any:
    clients: list[Client] = []

    def make(**options: Any) -> Client:
        clients.append(Client("ffw_test", transport=network, **options))
        return clients[-1]

    yield make
    network.open.set()
    for client in clients:
        client.shutdown(1)


def test_payloads_are_what_they_were(new_client: Callable[..., Client], network: Network) -> None:
    """A snapshot: whoever changes what travels changes this too."""
    client = new_client()
    when = datetime(2026, 11, 1, 11, 0, tzinfo=timezone(timedelta(hours=1)))
    id = "0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01"
    client.capture("signup", "ann", {"plan": "pro"}, timestamp=when, uuid=id)
    client.identify("ann", {"name": "Ann"}, set_once={"first": 1}, anonymous_id="visitor")
    client.alias("old", "ann")
    client.set("ann", {"seats": 5})
    client.set("ann", {"seats": 5}, once=True)
    assert client.flush()

    common = {"$lib": "footfall-python", "$lib_version": footfall.__version__, "$geoip_disable": True}
    [body] = network.bodies
    assert list(body) == ["sent_at", "batch"]
    assert body["batch"][0] == {
        "event": "signup",
        "distinct_id": "ann",
        "uuid": id,
        "timestamp": "2026-11-01T10:00:00.000Z",
        "properties": {**common, "plan": "pro"},
    }
    assert [(event["event"], event["distinct_id"], event["properties"]) for event in body["batch"][1:]] == [
        ("$identify", "ann",
         {**common, "$set": {"name": "Ann"}, "$set_once": {"first": 1}, "$anon_distinct_id": "visitor"}),
        ("$create_alias", "ann", {**common, "alias": "old"}),
        ("$set", "ann", {**common, "$set": {"seats": 5}}),
        ("$set", "ann", {**common, "$set_once": {"seats": 5}}),
    ]  # fmt: skip


def test_the_public_api_is_what_it_was() -> None:
    """A snapshot of every name and signature that a host program may use."""
    found = {name: str(inspect.signature(getattr(footfall, name))) for name in footfall.__all__ if name[0].islower()}
    methods = {
        f"{cls.__name__}.{name}": str(inspect.signature(member))
        for cls in (Client, AsyncClient)
        for name, member in vars(cls).items()
        if callable(member) and (not name.startswith("_") or name == "__init__")
    }
    snapshot = json.loads((Path(__file__).parent / "public_api.json").read_text("utf-8"))
    assert {"names": sorted(footfall.__all__), **found, **methods} == snapshot


class Colour(Enum):
    RED = "red"


class Stubborn:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_values_that_json_has_no_form_for_become_text(new_client: Callable[..., Client], network: Network) -> None:
    client = new_client()
    given = {"when": datetime(2026, 11, 1, tzinfo=UTC), "day": date(2026, 11, 1), "colour": Colour.RED,
             "id": uuid.UUID(int=1), "set": {1}, "half": "\ud83d", 7: "seven"}  # fmt: skip
    client.capture("a", "ann", given)  # type: ignore[arg-type]
    assert client.flush()

    properties = network.events[0]["properties"]
    assert {name: properties[name] for name in ("when", "day", "colour", "id", "set", "half", "7")} == {
        "when": "2026-11-01T00:00:00+00:00",
        "day": "2026-11-01",
        "colour": "red",
        "id": str(uuid.UUID(int=1)),
        "set": [1],
        "half": "?",
        "7": "seven",
    }


def circle() -> dict[str, Any]:
    properties: dict[str, Any] = {}
    properties["self"] = properties
    return properties


@pytest.mark.parametrize(
    "arguments",
    [("", "ann"), (None, "ann"), ("a", ""), ("a", None), ("a", " "), ("a", "ann", circle()),
     ("a", "ann", {"x": Stubborn()}),
     ("a", "ann", 7), ("a", "ann", {(1, 2): 3})],
)  # fmt: skip
def test_nothing_that_is_passed_raises(new_client: Callable[..., Client], arguments: Any) -> None:
    client = new_client()

    assert client.capture(*arguments) is None
    assert client.stats.dropped == {"invalid": 1}


@pytest.mark.parametrize(
    "arguments", [("",), (None,), ("ffw_x", "footfall.example"), ("ffw_x", "ftp://x"), ("ffw_x", "http://")]
)
def test_a_client_that_cannot_work_is_not_made(arguments: Any) -> None:
    with pytest.raises(ValueError):
        Client(*arguments)


def test_before_send_may_change_and_drop(new_client: Callable[..., Client], network: Network) -> None:
    def hook(event: footfall.Event) -> footfall.Event | None:
        if event["event"] == "broken":
            raise RuntimeError
        event["properties"].pop("card", None)
        return None if event["event"] == "secret" else event

    client = new_client(before_send=hook)
    client.capture("pay", "ann", {"card": "4111", "amount": 5})
    assert client.capture("secret", "ann") is None
    assert client.capture("broken", "ann") is None
    assert client.flush()

    assert [event["event"] for event in network.events] == ["pay"]
    assert "card" not in network.events[0]["properties"]
    assert client.stats.dropped == {"before_send": 2}


def test_a_call_never_waits_for_the_network(new_client: Callable[..., Client], network: Network) -> None:
    network.open.clear()
    client = new_client(limits=Limits(queue_events=500, batch_events=10))
    began = time.monotonic()
    for _ in range(2_000):
        client.capture("a", "ann")

    assert time.monotonic() - began < 2
    assert client.stats.queued == 500
    assert client.stats.dropped == {"queue_full": 1500}
    network.open.set()
    assert client.flush()
    assert client.stats.sent == len(network.events) == 500


def test_the_queue_is_bounded_in_bytes_too(new_client: Callable[..., Client], network: Network) -> None:
    network.open.clear()
    client = new_client(limits=Limits(queue_bytes=10_000, flush_seconds=60))
    for _ in range(5):
        client.capture("a", "ann", {"fill": "x" * 3_000})

    assert client.stats.queued == 3
    assert client.stats.dropped == {"queue_full": 2}
    network.open.set()
    assert client.flush()


def test_many_threads_lose_nothing(new_client: Callable[..., Client], network: Network) -> None:
    client = new_client()
    threads = [threading.Thread(target=lambda: [client.capture("a", "ann") for _ in range(200)]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush()

    assert len({event["uuid"] for event in network.events}) == 2_000
    assert max(len(body["batch"]) for body in network.bodies) <= 100


def test_the_drops_are_told(new_client: Callable[..., Client], network: Network, caplog: Any) -> None:
    told: list[tuple[str, int]] = []
    network.answers = [Response(400), Response(400)]
    client = new_client(on_drop=lambda reason, count: told.append((reason, count)), limits=Limits(batch_events=1))
    with caplog.at_level(logging.WARNING, "footfall"):
        client.capture("a", "ann", {"secret": "do not log"})
        client.capture("b", "ann")
        assert client.flush()

    assert told == [("refused", 1), ("refused", 1)]
    assert caplog.text.count("events dropped: refused") == 1
    assert "do not log" not in caplog.text
    assert "ffw_test" not in caplog.text


def test_an_on_drop_that_fails_harms_nothing(new_client: Callable[..., Client], network: Network) -> None:
    network.answers = [Response(400)]
    client = new_client(on_drop=lambda *_: 1 / 0, limits=Limits(batch_events=1))
    client.capture("a", "ann")
    client.capture("b", "ann")

    assert client.flush()
    assert client.stats.sent == 1


def test_a_mistake_of_ours_costs_one_batch(new_client: Callable[..., Client], network: Network) -> None:
    network.answers = [Response("strange")]  # type: ignore[arg-type]
    client = new_client(limits=Limits(batch_events=1))
    client.capture("a", "ann")
    client.capture("b", "ann")

    assert client.flush()
    assert (client.stats.sent, client.stats.dropped) == (1, {"internal": 1})


def test_it_gives_up_in_the_end(new_client: Callable[..., Client], network: Network) -> None:
    network.answers = [OSError()] * 50
    client = new_client(limits=Limits(retry_seconds=0.1))
    client.capture("a", "ann")

    assert client.flush()
    assert client.stats.dropped == {"gave_up": 1}


def test_shutdown_is_bounded_and_counts_what_is_left(new_client: Callable[..., Client], network: Network) -> None:
    network.answers = [OSError()] * 50
    client = new_client(limits=Limits(batch_events=2))
    for name in "abc":
        client.capture(name, "ann")
    began = time.monotonic()

    assert client.shutdown(0.3) is False or client.stats.dropped
    assert time.monotonic() - began < 1.5
    assert client.stats.dropped["shutdown"] == 3
    assert client.capture("d", "ann") is None
    assert client.stats.dropped["shutdown"] == 4
    assert client.stats.queued == 0


def test_flush_does_not_wait_for_ever(new_client: Callable[..., Client], network: Network) -> None:
    network.open.clear()
    client = new_client()
    client.capture("a", "ann")

    assert client.flush(0.2) is False
    network.open.set()
    assert client.flush() is True


def test_disabled_means_nothing_happens(new_client: Callable[..., Client], network: Network) -> None:
    client = new_client(enabled=False)

    assert client.capture("a", "ann") is None
    assert client.flush()
    assert (client.stats.sent, client.stats.dropped, network.bodies) == (0, {}, [])


async def test_asyncio_goes_on_while_it_flushes(new_client: Callable[..., Client], network: Network) -> None:
    network.open.clear()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1
            if ticks == 5:
                network.open.set()

    ticking = asyncio.create_task(tick())
    async with AsyncClient(new_client()) as client:
        client.capture("a", "ann")
        assert await client.flush()
    ticking.cancel()

    assert ticks >= 5
    assert [event["event"] for event in network.events] == ["a"]


def test_the_module_has_one_client(network: Network, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.delenv("FOOTFALL_WRITE_KEY", raising=False)
    with caplog.at_level(logging.WARNING, "footfall"):
        assert footfall.capture("a", "ann") is None
        assert footfall.capture("a", "ann") is None
    assert caplog.text.count("no events are sent") == 1
    assert footfall.flush()

    footfall.configure("ffw_test", transport=network)
    assert footfall.capture("a", "ann")
    assert footfall.identify("ann", {"name": "Ann"})
    assert footfall.alias("old", "ann")
    assert footfall.set("ann", {"seats": 5})
    assert footfall.flush()
    assert [event["event"] for event in network.events] == ["a", "$identify", "$create_alias", "$set"]
    assert footfall.shutdown()


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=30, check=False
    )


SCRIPT = """
import json, os, sys, threading, time, warnings
from footfall import Client, Limits
from footfall.retries import Response
def send(body):
    time.sleep(0.1)
    names = [event["event"] for event in json.loads(body)["batch"]]
    os.write(1, json.dumps([os.getpid() == parent, names]).encode() + b"\\n")
    return Response(200)
parent = os.getpid()
client = Client("ffw_test", transport=send, limits=Limits(flush_seconds=60))
"""


def test_the_end_of_the_program_sends_what_is_queued() -> None:
    done = run(SCRIPT + 'client.capture("a", "ann"); client.capture("b", "ann")')

    assert (done.returncode, done.stdout, done.stderr) == (0, '[true, ["a", "b"]]\n', "")


def test_an_exception_in_the_program_does_not_stop_that() -> None:
    done = run(SCRIPT + 'client.capture("a", "ann"); raise SystemExit(3)')

    assert (done.returncode, done.stdout) == (3, '[true, ["a"]]\n')


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_sends_its_own_events_and_not_its_parents() -> None:
    done = run(
        SCRIPT
        + """
warnings.simplefilter("ignore")  # Python 3.12 warns of every fork in a program with threads
client.capture("parent", "ann")
if os.fork() == 0:
    client.capture("child", "ann")
    client.flush()
    os._exit(0)
os.wait()
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == ['[false, ["child"]]', '[true, ["parent"]]']


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_process_of_multiprocessing_sends_at_its_end() -> None:
    done = run(
        SCRIPT
        + """
warnings.simplefilter("ignore")
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=lambda: client.capture("child", "ann"))
process.start(); process.join()
"""
    )

    assert (done.returncode, done.stdout) == (0, '[false, ["child"]]\n'), done.stderr


def test_it_imports_without_a_warning_and_without_other_packages() -> None:
    done = run("import sys, footfall; assert 'httpx' not in sys.modules and 'requests' not in sys.modules")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "sent"), (202, "sent"), (204, "sent"), (302, "refused"), (400, "refused"), (401, "refused"),
     (403, "refused"),
     (404, "refused"), (408, "retry"), (410, "refused"), (413, "split"), (422, "refused"), (429, "retry"),
     (500, "retry"), (501, "retry"), (502, "retry"), (503, "retry"), (504, "retry")],
)  # fmt: skip
def test_the_table_of_answers(status: int, verdict: str) -> None:
    assert judge(Response(status)) == verdict


def test_no_answer_is_tried_again() -> None:
    assert judge(None) == "retry"


def test_pauses_grow_and_differ_and_honour_what_is_asked() -> None:
    assert [find_delay(n, None, lambda: 1.0) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [find_delay(n, None, lambda: 0.0) for n in range(1, 4)] == [0.25, 0.5, 1]
    assert find_delay(1, 7.0, lambda: 0.0) == 7.0
    assert find_delay(1, 10.0, lambda: 1.0) == 11.0
    assert find_delay(9, 1.0, lambda: 0.0) == 15.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(None, None), ("", None), ("3", 3), ("1.5", 1.5), ("-4", 0), ("9999", 300), ("soon", None), ("nan", None),
     ("Sun, 01 Nov 2026 10:00:09 GMT", 9), ("Sun, 01 Nov 2026 09:00:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, datetime(2026, 11, 1, 10, 0, tzinfo=UTC)) == seconds


def test_uuids_are_in_the_order_of_time() -> None:
    made = [make_uuid() for _ in range(3) if time.sleep(0.002) is None]

    assert made == sorted(made)
    assert {uuid.UUID(each).version for each in made} == {7}
    assert {uuid.UUID(each).variant for each in made} == {uuid.RFC_4122}
