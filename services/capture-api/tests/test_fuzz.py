"""Whatever is sent, however it is packed: never a 5xx, every event accounted for, and the log holds good JSON."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from footfall_capture.accept import WARNINGS
from footfall_capture.decode import decode
from footfall_capture.decompress import decompress, zstd
from footfall_core.events import MAX_DEPTH, REJECTION_REASONS, EventRecord, RejectedRecord, decode_raw_record

HOSTILE_TEXTS = [
    "", " ", "a.b", "a%2Eb", ".", "..", "`", "\\", '"', "'; DROP TABLE events; --", "{p0:String}", "\x00", "\u202e",
    "😀", "\udead", "ß" * 300, "$set", "$ip", "$session_id", "token", "NaN", "1e400", "2026-01-01 00:00:00", "١٢",
]  # fmt: skip
# Parts of JSON texts that no writer of ours makes.
HOSTILE_VALUES = [
    b"NaN", b"-Infinity", b"1e400", b"-1e400", b"1e-400", b"9" * 400, b"9" * 5_000, b"-0", b'"\\ud800"', b'"\\udc00x"',
    b'"\xff\xfe"', b'"\\u0000"', b"[" * 70 + b"]" * 70, b'{"a":' * 2_000 + b"1" + b"}" * 2_000, b"[" * 10_000,
    b"01", b"1.", b"tru", b"'a'", b'"\t"', b'{"a":1,"a":2}', b'{"a.b":1,"a":{"b":2}}', b"",
]  # fmt: skip

texts = st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | texts
    | st.sampled_from([f"@{number}@" for number in range(len(HOSTILE_VALUES))]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
events = st.fixed_dictionaries(
    {},
    optional={
        "event": texts | values,
        "distinct_id": texts | values,
        "uuid": st.uuids().map(str) | st.sampled_from(["0" * 32, "0192f3a8-7b3e-7c44-9a51-3f2a8d9e6c01"]) | values,
        "timestamp": st.datetimes().map(str) | st.integers(-(10**14), 10**14) | values,
        "offset": st.integers() | values,
        "properties": st.dictionaries(texts, values, max_size=5) | values,
        "$set": values,
        "$groups": values,
        "sent_at": values,
    },
)
good = st.fixed_dictionaries({"event": st.just("good"), "distinct_id": st.sampled_from(["ann", "bob"])})
documents = (
    events
    | st.lists(events | good | values, max_size=5)
    | st.fixed_dictionaries({"batch": st.lists(events | good | values, max_size=5) | values, "sent_at": values})
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Documents with hostile parts, sometimes cut, damaged or packed."""
    text = json.dumps(draw(documents), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for number, part in enumerate(HOSTILE_VALUES):
        text = text.replace(b'"@%d@"' % number, part)
    match draw(st.sampled_from(["whole"] * 4 + ["cut", "damaged", "random"])):
        case "cut":
            text = text[: draw(st.integers(0, len(text)))]
        case "damaged":
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
        case "random":
            text = draw(st.binary(max_size=50))
    packed = draw(st.sampled_from([bytes] * 5 + [gzip.compress, zlib.compress, zstd.compress, brotli.compress]))(text)
    return packed[: len(packed) - draw(st.sampled_from([0, 0, 0, 0, 1, 5]))]


def strictly(text: bytes) -> Any:
    """What the strictest reader makes of JSON: no numbers beyond a double, no halves of characters."""
    value = json.loads(text.decode("utf-8", "strict"), parse_constant=pytest.fail)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "strict")
    return value


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies(), encoding=st.sampled_from(["", "", "br", "gzip", "deflate", "zstd"]))
def test_no_body_breaks_anything(runner: asyncio.Runner, service: Any, body: bytes, encoding: str) -> None:
    service.log.appends.clear()
    answer: httpx.Response = runner.run(service.send(body, content_encoding=encoding))

    records = [decode_raw_record(record.value) for record in service.log.records]
    kept = [record for record in records if isinstance(record, EventRecord)]
    rejected = [record for record in records if isinstance(record, RejectedRecord)]
    said = answer.json()
    if answer.status_code == 200:
        assert said["accepted"] >= len(kept) >= 1  # an event that is there twice is kept once
        assert said["accepted"] + len(said["rejected"]) == len(decode(decompress(body, encoding, 10**6)).events)
        assert [each["reason"] for each in said["rejected"]] == [record.reason for record in rejected]
    else:
        assert answer.status_code in {400, 401}
        assert said["detail"]
        assert not kept
        assert len(said.get("errors", [])) in {0, 1, len(rejected)}
    for record in rejected:
        assert record.reason in REJECTION_REASONS
    for record in kept:
        properties = strictly(bytes(record.properties))
        assert depth(properties) <= MAX_DEPTH
        assert set(properties.get("$ingestion_warnings", [])) <= set(WARNINGS) or b"$ingestion_warnings" in body


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def service(new_service: Callable[..., Any]) -> Any:
    return new_service()


def pack_br(text: bytes) -> bytes:
    packed: bytes = brotli.compress(text, quality=1)
    return packed


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstd.compress, pack_br])
def test_a_bomb_takes_bounded_memory(runner: asyncio.Runner, service: Any, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"[" + b" " * (100 * 1024 * 1024))
    runner.run(service.send(b"[]"))
    tracemalloc.start()
    try:
        answer = runner.run(service.send(bomb, content_encoding="br" if pack is pack_br else ""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer.status_code == 413
    assert peak < 64 * 1024 * 1024


@pytest.mark.parametrize("path", ["/capture", "/i/v1/analytics/events", "/v1/batch", "/v1/track"])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_document_tells_the_truth(runner: asyncio.Runner, service: Any, mode: GenerationMode, path: str) -> None:
    """What the OpenAPI document allows is taken, and answers to anything else are those it lists."""
    document = runner.run(service.client.get("/openapi.json")).json()
    operation = schemathesis.openapi.from_dict(document)[path]["POST"]
    # We take more than the document says, so a negative body need not be refused.
    excluded = [negative_data_rejection] if mode is GenerationMode.NEGATIVE else []
    statuses: set[int] = set()

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        request = case.as_transport_kwargs(base_url="http://capture")
        content = json.dumps(without_keys(request["json"])).encode() if "json" in request else b""
        answer = runner.run(
            service.client.post(path, content=content, headers={"authorization": f"Bearer {service.key}"})
        )
        statuses.add(answer.status_code)
        case.validate_response(schemathesis.Response.from_httpx(answer, verify=False), excluded_checks=excluded)

    call()
    if mode is GenerationMode.POSITIVE:
        assert statuses == {200}
    elif path in ("/capture", "/v1/batch"):
        assert 400 in statuses


def without_keys(value: Any) -> Any:
    """A document without keys that nobody can know, so that the header's counts."""
    if isinstance(value, dict):
        keys = ("api_key", "token", "$token", "writeKey")
        return {name: without_keys(inner) for name, inner in value.items() if name not in keys}
    return [without_keys(inner) for inner in value] if isinstance(value, list) else value
