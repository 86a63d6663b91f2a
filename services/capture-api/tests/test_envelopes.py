"""What a body may look like, and what is said about one that may not."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import brotli
import pytest

from footfall_capture.decompress import zstd
from footfall_core.events import MAX_EVENT_BYTES, MAX_REJECTED_PAYLOAD

ANN = {"event": "signup", "distinct_id": "ann"}
BOB = {"event": "login", "distinct_id": "bob"}
OK_1 = {"status": "ok", "accepted": 1, "rejected": []}


def raw_deflate(text: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(text) + stream.flush()


@pytest.mark.parametrize(
    "body",
    [
        ANN,
        [ANN],
        {"batch": [ANN]},
        {"batch": [ANN], "sent_at": "2026-11-01T10:00:00Z", "historical_migration": True},
        {"batch": [ANN], "event": "not one", "anything": [1]},
        b'\xef\xbb\xbf {"event":"signup","distinct_id":"ann"}\n',
        b'\t[ {"event":"signup","distinct_id":"ann"} ]',
    ],
)
async def test_an_event_comes_alone_in_an_array_or_in_an_envelope(service: Any, body: object) -> None:
    answer = await service.send(body)

    assert (answer.status_code, answer.json()) == (200, OK_1)
    assert [(record.event, record.distinct_id) for record in service.log.events] == [("signup", "ann")]


@pytest.mark.parametrize("path", ["/capture", "/capture/"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "nonsense", ""])
async def test_neither_slash_nor_content_type_matters(service: Any, path: str, content_type: str) -> None:
    headers = {"authorization": f"Bearer {service.key}", "content-type": content_type}
    answer = await service.client.post(path, content=json.dumps(ANN), headers=headers)

    assert (answer.status_code, answer.json()) == (200, OK_1)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"", 400, "The body is empty."),
        (b" \n", 400, "The body is empty."),
        (b"[]", 400, "The body holds no events."),
        (b"hello", 400, "The body is not JSON: no object or array begins at byte 0."),
        (b"17", 400, "The body must be an event, an array of events, or an object with a `batch` of them."),
        (b'"a"', 400, "The body must be an event, an array of events, or an object with a `batch` of them."),
        (b'{"batch": []}', 400, "`batch` is empty."),
        (b'{"batch": {"event": "a"}}', 400, "`batch` must be an array of events."),
        (b'{"batch": null}', 400, "`batch` must be an array of events."),
        (b'{"batch": [{"event": "a"', 400, "The body is not JSON: it ends at byte 24 in the middle of a value."),
        (b'{"batch": [{"event": "a]}', 400, "The body is not JSON: it ends at byte 25 in the middle of a value."),
        (b'[{"event": "a"}] x', 400, "The body is not JSON: it goes on after its end at byte 16."),
        (b'[{"event": "a"}}', 400, "The body is not JSON: } at byte 15 closes nothing."),
        (
            b'{"batch": [NaN], 7: 8}',
            400,
            "The body is not JSON: a name of a field is missing or damaged before byte 18.",
        ),
        (b'{"event": "a", "distinct_id": }', 400, "Not JSON: Expecting value at byte 30 of the body."),
        (b"\xff\xfe{\x00}\x00", 400, "The body is not JSON: no object or array begins at byte 0."),
    ],
)
async def test_a_body_without_events_is_told_what_is_wrong(service: Any, body: bytes, status: int, detail: str) -> None:
    answer = await service.send(body)

    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.log.events == []


async def test_good_events_are_kept_when_others_are_bad(service: Any) -> None:
    answer = await service.send({"batch": [ANN, {"distinct_id": "x"}, 7, BOB, {"event": "a"}, None]})

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "accepted": 2,
        "rejected": [
            {"index": 1, "reason": "missing_event_name", "detail": "`event` is missing."},
            {"index": 2, "reason": "invalid_event", "detail": "The event is not a JSON object."},
            {"index": 4, "reason": "missing_distinct_id", "detail": "`distinct_id` is missing."},
            {"index": 5, "reason": "invalid_event", "detail": "The event is not a JSON object."},
        ],
    }
    assert [record.distinct_id for record in service.log.events] == ["ann", "bob"]
    assert [(record.project_id, record.reason, record.payload) for record in service.log.rejected] == [
        (7, "missing_event_name", '{"distinct_id":"x"}'),
        (7, "invalid_event", "7"),
        (7, "missing_distinct_id", '{"event":"a"}'),
        (7, "invalid_event", "null"),
    ]
    assert len(service.log.appends) == 1


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"distinct_id": "x"}, ["event"]),
        ([{"distinct_id": "x"}], [0, "event"]),
        ({"batch": [{"distinct_id": "x"}]}, ["batch", 0, "event"]),
    ],
)
async def test_no_usable_event_is_a_400_that_names_the_place(service: Any, body: object, loc: list[object]) -> None:
    answer = await service.send(body)

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"loc": loc, "msg": "missing_event_name: `event` is missing."}]
    assert [record.reason for record in service.log.rejected] == ["missing_event_name"]


async def test_a_400_lists_a_hundred_events_and_records_all(service: Any) -> None:
    answer = await service.send([{}] * 150)

    assert answer.status_code == 400
    assert answer.json()["detail"] == "None of the 150 events is usable. The first one: `event` is missing."
    assert len(answer.json()["errors"]) == 100
    assert len(service.log.rejected) == 150


async def test_a_bad_event_costs_none_of_its_neighbours(service: Any) -> None:
    hostile = [
        b'{"event":"deep","distinct_id":"d","properties":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
        b'{"event":"unclosed","distinct_id":tru}',
        b"",
        b'{"event":"nan","distinct_id":"d","properties":{"a":NaN,"b":-Infinity,"c":1e400,"d":-1e999}}',
        b'{"event":"half","distinct_id":"\\ud83d","properties":{"\\udc00":"x\\ud800y","ok":"\\ud83d\\ude00"}}',
        b'{"event":"latin","distinct_id":"d","properties":{"city":"M\xfcnchen"}}',
        b'{"event":"long","distinct_id":"d","properties":{"n":' + b"9" * 5_000 + b"}}",
        b'{"event":"tab","distinct_id":"d","properties":{"a":"x\ty"}}',
    ]
    good = json.dumps(ANN).encode()

    answer = await service.send(b'{"sent_at":null,"batch":[' + good + b"," + b",".join(hostile) + b"," + good + b"]}")

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 7
    assert [(each["index"], each["reason"]) for each in answer.json()["rejected"]] == [
        (1, "properties_too_deep"),
        (2, "invalid_event"),
        (3, "invalid_event"),
    ]
    assert answer.json()["rejected"][1]["detail"].startswith("Not JSON: Expecting value at byte ")
    kept = {record.event: (record.distinct_id, json.loads(bytes(record.properties))) for record in service.log.events}
    assert kept == {
        "signup": ("ann", {}),
        "nan": (
            "d",
            {
                "a": "NaN",
                "b": "-Infinity",
                "c": "1e400",
                "d": "-1e999",
                "$ingestion_warnings": ["number_out_of_range"],
            },
        ),
        "half": ("�", {"�": "x�y", "ok": "😀", "$ingestion_warnings": ["text_replaced"]}),
        "latin": ("d", {"city": "M�nchen", "$ingestion_warnings": ["text_replaced"]}),
        "long": ("d", {"n": "9" * 5_000, "$ingestion_warnings": ["number_out_of_range"]}),
        "tab": ("d", {"a": "x\ty"}),
    }


async def test_only_the_event_over_a_mebibyte_is_rejected(service: Any) -> None:
    def event_of(size: int) -> bytes:
        empty = b'{"event":"big","distinct_id":"d","properties":{"a":""}}'
        return empty[:-3] + b"x" * (size - len(empty)) + empty[-3:]

    answer = await service.send(b"[" + event_of(MAX_EVENT_BYTES) + b"," + event_of(MAX_EVENT_BYTES + 1) + b"]")

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"] == [
        {"index": 1, "reason": "event_too_large", "detail": f"The event has {MAX_EVENT_BYTES + 1} bytes."}
    ]
    assert len(service.log.rejected[0].payload) == MAX_REJECTED_PAYLOAD


async def test_a_body_of_one_event_over_a_mebibyte_is_a_413(service: Any) -> None:
    answer = await service.send({**ANN, "properties": {"a": "x" * MAX_EVENT_BYTES}})

    assert answer.status_code == 413
    assert [record.reason for record in service.log.rejected] == ["event_too_large"]


async def test_an_event_that_grows_beyond_what_a_record_may_hold_is_rejected(service: Any) -> None:
    # A number of five bytes as it is sent, of 19 as it is written.
    numbers = b"[" + b"1e15," * 200_000 + b"1]"
    body = b'{"event":"signup","distinct_id":"ann","properties":{"a":' + numbers + b"}}"
    assert len(body) < MAX_EVENT_BYTES

    answer = await service.send(body)

    assert answer.status_code == 413
    assert [record.reason for record in service.log.rejected] == ["event_too_large"]


async def test_more_than_100000_events_are_too_many(service: Any) -> None:
    for body in (b"[" + b"0," * 100_000 + b"0]", b"[" + b"0," * 1_000_000 + b"0]", b"[NaN" + b",0" * 100_000 + b"]"):
        answer = await service.send(body)

        assert (answer.status_code, answer.json()["detail"]) == (413, "The body holds more than 100000 events.")
    assert service.log.appends == []


COMPRESSIONS = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "zlib": zlib.compress,
    "deflate": raw_deflate,
    "br": brotli.compress,
}


@pytest.mark.parametrize(
    ("compression", "content_encoding"),
    [
        ("gzip", "gzip"),
        ("gzip", "x-gzip"),
        ("gzip", "GZIP"),
        ("gzip", "identity, gzip"),
        ("gzip", ""),
        ("gzip", "lz64"),
        ("gzip", "br"),
        ("zstd", "zstd"),
        ("zstd", ""),
        ("zlib", "deflate"),
        ("zlib", ""),
        ("deflate", "deflate"),
        ("br", "br"),
    ],
)
async def test_bodies_may_be_compressed(service: Any, compression: str, content_encoding: str) -> None:
    body = COMPRESSIONS[compression](json.dumps([ANN, BOB]).encode())

    answer = await service.send(body, content_encoding=content_encoding)

    assert (answer.status_code, answer.json()["accepted"]) == (200, 2), answer.text


@pytest.mark.parametrize("content_encoding", ["gzip", "zstd", "br", "deflate", "utf-8", "identity"])
async def test_a_body_that_a_proxy_unpacked_is_taken_as_it_is(service: Any, content_encoding: str) -> None:
    answer = await service.send([ANN], content_encoding=content_encoding)

    assert (answer.status_code, answer.json()) == (200, OK_1)


GZIPPED = gzip.compress(b"[]", mtime=0)
"""The same at every start, as it names tests."""


@pytest.mark.parametrize(
    ("body", "content_encoding", "detail"),
    [
        (GZIPPED[:-9], "", "The body ends in the middle of its gzip data."),
        (GZIPPED + b"x", "", "1 bytes follow the end of the body's gzip data."),
        (GZIPPED * 2, "", f"{len(GZIPPED)} bytes follow the end of the body's gzip data."),
        (gzip.compress(GZIPPED, mtime=0), "", "The body is not JSON: no object or array begins at byte 0."),
        (GZIPPED, "gzip, br", None),
        (b"[]", "gzip, gzip", "Compress the body once, not as gzip, gzip."),
        (b"hello", "gzip", "Content-Encoding says gzip, and the body does not begin as gzip does."),
        (b"hello", "zstd", "Content-Encoding says zstd, and the body does not begin as zstd does."),
        (zstd.compress(b"[]")[:-1], "", "The body ends in the middle of its zstd data."),
        (brotli.compress(b"[1]" * 100)[:-1], "br", "The body ends in the middle of its br data."),
    ],
)
async def test_damaged_compression_is_named(
    service: Any, body: bytes, content_encoding: str, detail: str | None
) -> None:
    answer = await service.send(body, content_encoding=content_encoding)

    assert answer.status_code == 400
    assert detail is None or answer.json()["detail"] == detail


@pytest.mark.parametrize(
    ("compression", "name"), [("gzip", ""), ("zstd", ""), ("zlib", ""), ("deflate", "deflate"), ("br", "br")]
)
async def test_a_bomb_is_a_413_and_never_unpacked(service: Any, compression: str, name: str) -> None:
    body = COMPRESSIONS[compression](b"[" + b" " * (20 * 1024 * 1024))
    answer = await service.send(body, content_encoding=name)

    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "The body is larger than 20971520 bytes when unpacked.",
    )
