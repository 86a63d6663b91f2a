"""One event's way to a record: each rule about each field."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_capture.accept import Facts, accept
from footfall_capture.decode import Envelope, decode
from footfall_core.events import REJECTION_REASONS, EventRecord, RawEventRecord, decode_raw_record

UUID = "0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01"
NOW = 1_793_527_200_000
FACTS = Facts(7, "ffw_key", NOW, "203.0.113.7", "Browser/1", lambda: "00000000-0000-7000-8000-000000000001")


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


async def test_an_event_becomes_a_record(service: Any) -> None:
    record, properties = await service.take(
        {
            "event": "purchase",
            "distinct_id": "ann",
            "uuid": UUID.upper(),
            "timestamp": "2026-11-01T09:00:00Z",
            "properties": {"amount": 12.5, "$session_id": "s1"},
            "unknown": {"is": "ignored"},
        }
    )

    assert properties == {"amount": 12.5, "$session_id": "s1"}
    assert record == RawEventRecord(
        project_id=7,
        uuid=UUID,
        event="purchase",
        distinct_id="ann",
        timestamp=NOW - 3_600_000,
        received_at=NOW,
        properties=record.properties,
        oldest_at=NOW - 3_600_000,
        session_id="s1",
        ip="203.0.113.7",
        user_agent=record.user_agent,
    )
    assert record.user_agent.startswith("python-httpx/")
    assert [each.key for each in service.log.records] == [b"7:ann"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"event": None}, "missing_event_name"),
        ({"event": ""}, "missing_event_name"),
        ({"event": " \t"}, "missing_event_name"),
        ({"event": 7}, "invalid_event"),
        ({"event": ["a"]}, "invalid_event"),
        ({"event": "é" * 201}, "event_name_too_long"),
        ({"distinct_id": None}, "missing_distinct_id"),
        ({"distinct_id": ""}, "missing_distinct_id"),
        ({"distinct_id": " "}, "invalid_distinct_id"),
        ({"distinct_id": "a\0b"}, "invalid_distinct_id"),
        ({"distinct_id": nested(65)}, "invalid_distinct_id"),
        ({"uuid": "7"}, "invalid_uuid"),
        ({"uuid": 7}, "invalid_uuid"),
        ({"uuid": UUID + "0"}, "invalid_uuid"),
        ({"uuid": "{" + UUID + "}"}, "invalid_uuid"),
        ({"properties": []}, "invalid_properties"),
        ({"properties": "{}"}, "invalid_properties"),
        ({"properties": False}, "invalid_properties"),
        ({"properties": nested(65)}, "properties_too_deep"),
        ({"properties": {"a": [nested(63)]}}, "properties_too_deep"),
        ({"$set": nested(64)}, "properties_too_deep"),
        ({"properties": {str(n): n for n in range(1_001)}}, "too_many_properties"),
    ],
)
async def test_what_cannot_be_stored_is_recorded_with_its_reason(
    service: Any, event: dict[str, Any], reason: str
) -> None:
    event = {"event": "a", "distinct_id": "d", **event}
    answer = await service.send(event)

    assert answer.status_code == 400
    [record] = service.log.rejected
    assert record.reason == reason
    assert record.reason in REJECTION_REASONS
    assert record.detail == answer.json()["detail"]
    assert json.loads(record.payload) == event
    assert (record.project_id, record.source, record.received_at) == (7, "capture", NOW)
    assert service.metric("footfall_capture_events_rejected_total", reason=reason) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"distinct_id": "ann"}, "ann"),
        ({"$distinct_id": "ann"}, "ann"),
        ({"properties": {"distinct_id": "ann"}}, "ann"),
        ({"properties": {"$distinct_id": "ann"}}, "ann"),
        ({"distinct_id": "ann", "$distinct_id": "b", "properties": {"distinct_id": "c"}}, "ann"),
        ({"distinct_id": "", "$distinct_id": None, "properties": {"distinct_id": "ann"}}, "ann"),
        ({"distinct_id": 17}, "17"),
        ({"distinct_id": 1.5}, "1.5"),
        ({"distinct_id": True}, "true"),
        ({"distinct_id": 0}, "0"),
        ({"distinct_id": {"id": ["ann", 1]}}, '{"id":["ann",1]}'),
        ({"distinct_id": 10**30}, "1" + "0" * 30),
        ({"distinct_id": " ann "}, " ann "),
    ],
)
async def test_distinct_id_may_stand_in_four_places_and_have_any_type(
    service: Any, fields: dict[str, object], expected: str
) -> None:
    record, _ = await service.take({"event": "a", **fields})

    assert record.distinct_id == expected


async def test_a_long_distinct_id_is_cut(service: Any) -> None:
    record, properties = await service.take({"event": "a", "distinct_id": "é" * 201})

    assert record.distinct_id == "é" * 200
    assert properties == {"$ingestion_warnings": ["distinct_id_cut"]}


@pytest.mark.parametrize("given", [UUID, UUID.upper(), UUID.replace("-", ""), f" {UUID} "])
async def test_a_uuid_is_kept_in_its_usual_form(service: Any, given: str) -> None:
    record, _ = await service.take({"event": "a", "distinct_id": "d", "uuid": given})

    assert record.uuid == UUID


@pytest.mark.parametrize("given", [None, "", "00000000-0000-0000-0000-000000000000", "0" * 32])
async def test_without_a_uuid_the_server_makes_one(service: Any, given: object) -> None:
    record, _ = await service.take({"event": "a", "distinct_id": "d", "uuid": given})

    assert uuid.UUID(record.uuid).version == 7
    assert record.uuid == str(uuid.UUID(record.uuid))


async def test_an_event_twice_in_a_body_is_kept_once(service: Any) -> None:
    event = {"event": "a", "distinct_id": "d", "uuid": UUID}
    others = [{**event, "event": "b"}, {**event, "distinct_id": "e"}, {**event, "uuid": None}]
    answer = await service.send([event, {**event, "uuid": UUID.upper()}, *others, {**event, "uuid": ""}])

    assert answer.json() == {"status": "ok", "accepted": 6, "rejected": []}
    assert [(record.event, record.distinct_id) for record in service.log.events] == [
        ("a", "d"),
        ("b", "d"),
        ("a", "e"),
        ("a", "d"),
        ("a", "d"),
    ]


async def test_a_repetition_of_a_rejected_event_is_rejected(service: Any) -> None:
    deep = {"event": "a", "distinct_id": "d", "uuid": UUID, "properties": nested(65)}
    answer = await service.send([deep, deep, {**deep, "properties": None}])

    assert answer.json()["accepted"] == 1
    assert [each["index"] for each in answer.json()["rejected"]] == [0, 1]


async def test_what_stands_beside_the_properties_is_merged_into_them(service: Any) -> None:
    _, properties = await service.take(
        {
            "event": "a",
            "distinct_id": "d",
            "$set": {"plan": "pro", "name": "Ann"},
            "$set_once": {"first": 1},
            "$unset": ["old"],
            "$groups": {"company": "acme"},
            "$group_type": None,
            "$settings": "ignored",
            "properties": {"$set": {"plan": "free", "city": "Bonn"}, "$unset": ["older"], "$group_type": "x"},
        }
    )

    assert properties == {
        "$set": {"plan": "pro", "name": "Ann", "city": "Bonn"},
        "$set_once": {"first": 1},
        "$unset": ["old"],
        "$groups": {"company": "acme"},
        "$group_type": "x",
    }


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (b'{"a":null}', {"a": None}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"":1,"a.b":2,"`":3,"a\\u0000b":"\\u0000"}', {"": 1, "a.b": 2, "`": 3, "a\0b": "\0"}),
        (b'{"n":123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
        (b'{"n":1e-400,"m":-0.0}', {"n": 0.0, "m": -0.0}),
        (b"null", {}),
        (b"{}", {}),
    ],
)
async def test_properties_come_through(service: Any, text: bytes, stored: dict[str, object]) -> None:
    await service.send(b'{"event":"a","distinct_id":"d","properties":' + text + b"}")

    assert json.loads(bytes(service.log.events[-1].properties)) == stored


async def test_64_levels_and_1000_properties_are_taken(service: Any) -> None:
    _, properties = await service.take({"event": "a", "distinct_id": "d", "properties": nested(64)})
    assert properties == nested(64)
    many = {str(number): number for number in range(1_000)}
    _, properties = await service.take({"event": "a", "distinct_id": "d", "properties": many})
    assert properties == many


@pytest.mark.parametrize(
    ("session", "expected"), [("s1", "s1"), ("s" * 200, "s" * 200), ("s" * 201, ""), (17, ""), (None, "")]
)
async def test_a_session_id_is_a_short_string(service: Any, session: object, expected: str) -> None:
    event = {"event": "a", "distinct_id": "d", "properties": {"$session_id": session}}
    record, properties = await service.take(event)

    assert record.session_id == expected
    assert properties == {"$session_id": session}


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("nowhere", "203.0.113.7"),
        ("1" * 100_000, "203.0.113.7"),
        (17, "203.0.113.7"),
        ([], "203.0.113.7"),
        (None, "203.0.113.7"),
    ],
)
async def test_an_ip_among_the_properties_wins(service: Any, ip: object, expected: str) -> None:
    record, _ = await service.take({"event": "a", "distinct_id": "d", "properties": {"$ip": ip}})

    assert record.ip == expected


names = st.sampled_from(["event", "distinct_id", "uuid", "timestamp", "offset", "properties", "$set", "token"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | names, inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(names, values | st.text(min_size=1, max_size=9)) | values, max_size=5))
def test_each_event_is_accepted_or_has_a_reason(events: list[object]) -> None:
    outcome = accept(Envelope(events, {}), FACTS)
    records = [decode_raw_record(record.value) for record in outcome.records]

    assert outcome.accepted + len(outcome.rejections) == len(events)
    assert [type(record) for record in records].count(EventRecord) <= outcome.accepted
    for rejection in outcome.rejections:
        assert rejection.reason in REJECTION_REASONS
    for record in records:
        if isinstance(record, EventRecord):
            properties = json.loads(bytes(record.properties), parse_constant=pytest.fail)
            assert isinstance(properties, dict)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["ann", "bob", "cyd"]), min_size=1, max_size=30), st.booleans())
def test_the_events_of_one_person_keep_their_order(people: list[str], lenient: bool) -> None:
    events = [{"event": str(number), "distinct_id": person} for number, person in enumerate(people)]
    body = json.dumps({"batch": events, "mend": float("nan") if lenient else 0}).encode()
    records = accept(decode(body), FACTS).records

    for person in set(people):
        of_person = [decode_raw_record(record.value) for record in records if record.key == f"7:{person}".encode()]
        assert [int(record.event) for record in of_person if isinstance(record, EventRecord)] == [
            number for number, each in enumerate(people) if each == person
        ]
