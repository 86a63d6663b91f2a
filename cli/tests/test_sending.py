"""Bringing batches to a Capture API that misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from footfall_cli.importing.sending import Delivery, Rejection, Sender, deliver
from footfall_cli.output import Failed


def event(number: int, name: str = "e") -> bytes:
    return json.dumps({"uuid": f"uuid-{number}", "event": name, "distinct_id": "ann"}).encode()


def batch(count: int) -> list[bytes]:
    return [event(number) for number in range(count)]


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def notices() -> list[tuple[str, float]]:
    return []


@pytest.fixture
def sender(capture: Any, stopping: threading.Event, notices: list[Any]) -> Iterator[Sender]:
    def notice(reason: str, seconds: float) -> None:
        notices.append((reason, seconds))

    with httpx.Client(base_url=capture.url) as client:
        yield Sender(client, "ffw_key", stopping, notice=notice, first_patience=3.0, patience=3.0)


@pytest.mark.parametrize("fault", [429, 500, 502, 503, 504, 408, "cut", "lost"])
def test_what_may_pass_is_tried_again(sender: Sender, capture: Any, notices: list[Any], fault: int | str) -> None:
    capture.faults = [fault, fault]

    assert sender.send(batch(3)) == Delivery(3, [])
    assert (len(capture.events), capture.requests, len(notices)) == (3, 3, 2)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(sender: Sender, capture: Any, notices: list[Any], status: int) -> None:
    capture.faults, capture.retry_after = [status], "1"
    began = time.monotonic()

    assert sender.send(batch(1)).accepted == 1
    assert time.monotonic() - began >= 1.0
    assert notices == [(f"the Capture API answers {status}: fault {status}", 1.0)]


def test_retry_after_may_be_a_date(sender: Sender, capture: Any, notices: list[Any]) -> None:
    capture.faults, capture.retry_after = [503], "Wed, 21 Oct 2015 07:28:00 GMT"

    assert sender.send(batch(1)).accepted == 1
    assert notices[0][1] < 1.0


def test_it_gives_up_after_a_while(sender: Sender, capture: Any) -> None:
    capture.faults = [503] * 100

    with pytest.raises(Failed, match="Gave up after 3 seconds: the Capture API answers 503"):
        sender.send(batch(1))


def test_when_nothing_runs_it_says_so_soon(capture: Any, stopping: threading.Event) -> None:
    capture.close()
    with httpx.Client(base_url=capture.url) as client:
        sender = Sender(client, "ffw_key", stopping, first_patience=0.5)
        with pytest.raises(Failed, match="does not answer"):
            sender.send(batch(1))


def test_stopping_ends_the_waiting(sender: Sender, capture: Any, stopping: threading.Event) -> None:
    capture.faults, capture.retry_after = [503] * 9, "2"
    threading.Timer(0.1, stopping.set).start()
    began = time.monotonic()

    with pytest.raises(Failed, match="Stopped while"):
        sender.send(batch(1))
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_what_will_not_pass_is_not_tried_again(sender: Sender, capture: Any, status: int) -> None:
    capture.faults = [status]

    with pytest.raises(Failed, match=f"fault {status}") as failed:
        sender.send(batch(1))
    assert (failed.value.status, capture.requests) == (status, 1)


def test_rejected_events_keep_their_place(sender: Sender, capture: Any) -> None:
    capture.reject = lambda event: "missing_event_name" if not event["event"] else None

    delivery = sender.send([event(0), event(1, ""), event(2), event(3, "")])

    detail = "missing_event_name, it says."
    assert delivery == Delivery(
        2, [Rejection(1, "missing_event_name", detail), Rejection(3, "missing_event_name", detail)]
    )


def test_a_batch_without_a_usable_event(sender: Sender, capture: Any) -> None:
    """The 400 names the reasons of the first 100."""
    capture.reject = lambda event: "missing_event_name"

    delivery = sender.send(batch(120))

    assert (delivery.accepted, len(delivery.rejected)) == (0, 120)
    assert delivery.rejected[99] == Rejection(99, "missing_event_name", "missing_event_name, it says.")
    assert delivery.rejected[119] == Rejection(119, "invalid_event", "None is usable.")


def test_a_batch_that_is_too_large_is_halved(sender: Sender, capture: Any) -> None:
    capture.max_events = 3
    capture.reject = lambda event: "missing_event_name" if event["uuid"] == "uuid-6" else None

    delivery = sender.send(batch(10))

    assert delivery.accepted == 9
    assert [each.index for each in delivery.rejected] == [6]
    assert len(capture.events) == 9


def test_an_event_that_is_too_large_alone_is_rejected(sender: Sender, capture: Any) -> None:
    capture.max_events = 0

    delivery = sender.send(batch(2))

    assert [(each.index, each.reason) for each in delivery.rejected] == [
        (0, "event_too_large"),
        (1, "event_too_large"),
    ]


@pytest.mark.parametrize("answer", [b"<html>hello</html>", b"{}", b'{"accepted": 7, "rejected": []}', b"[]"])
def test_another_kind_of_server_is_noticed(stopping: threading.Event, answer: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))
    with httpx.Client(base_url="http://somewhere", transport=transport) as client:
        sender = Sender(client, "ffw_key", stopping)
        with pytest.raises(Failed, match="is it the right address"):
            sender.send(batch(1))


def test_nothing_is_sent_for_no_events(sender: Sender, capture: Any) -> None:
    assert sender.send([]) == Delivery()
    assert capture.requests == 0


def test_batches_are_delivered_at_once_and_answered_in_order(stopping: threading.Event) -> None:
    together = threading.Barrier(3, timeout=5)

    def send(number: int) -> Delivery:
        if number < 3:
            together.wait()
        if number % 3 == 0:
            time.sleep(0.02)
        return Delivery(number)

    answers = list(deliver(range(20), send, connections=3, stopping=stopping))

    assert answers == [(number, Delivery(number)) for number in range(20)]


def test_a_failure_ends_the_delivery(stopping: threading.Event) -> None:
    sent: list[int] = []

    def send(number: int) -> Delivery:
        sent.append(number)
        if number == 3:
            raise Failed("no")
        return Delivery(1)

    answered = []
    with pytest.raises(Failed, match="no"):
        for number, _ in deliver(range(1_000), send, connections=2, stopping=stopping):
            answered.append(number)

    assert answered == [0, 1, 2]
    assert len(sent) < 10
    assert stopping.is_set()
