"""Reading bodies whole or event by event comes to the same, and neither breaks on anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_capture.decode import Envelope, Mended, Unreadable, decode, is_deeper
from footfall_core.errors import AppError
from footfall_core.events import MAX_EVENT_BYTES

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(['"', "\\", '\\"', "{", "}", "[", "]", ",", ":", '":{', "\\\\", "é", "😀", "\x00", "\x7f"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)
events = st.lists(values, min_size=1, max_size=5)
spaces = st.sampled_from(["", " ", "\n\t\r "])


def envelope_or_error(body: bytes) -> Envelope | AppError:
    try:
        return decode(body)
    except AppError as error:
        return error


def read(body: bytes) -> tuple[list[Any], dict[str, Any], object]:
    """What `decode` makes of a body, with mended events as their values."""
    envelope = decode(body)
    items = [item.value if isinstance(item, Mended) else item for item in envelope.events]
    fields = {name: value for name, value in envelope.fields.items() if name not in ("batch", "slow")}
    return items, fields, envelope.path


# Something that the fast parser refuses sends the whole body the slow way. One that is too large does so too.
SLOW = {
    "no number": "NaN",
    "a large text": '"' + "x" * MAX_EVENT_BYTES + '"',
    "a deep array": "[" * 5_000 + "]" * 5_000,
    "a large number": "1e999",
    "half a character": '"\\udead"',
}


@settings(max_examples=50, deadline=None)
@given(events, st.dictionaries(st.text(max_size=5), values, max_size=3), spaces, spaces, st.booleans())
def test_both_ways_of_reading_agree(
    items: list[Any], fields: dict[str, Any], space: str, other: str, escaped: bool
) -> None:
    fields = {name: value for name, value in fields.items() if name not in ("batch", "slow")}
    text = json.dumps(
        {**fields, "batch": items}, ensure_ascii=escaped, separators=(other + "," + space, space + ":" + other)
    )
    expected = (items, fields, ("batch",))

    assert read(f"{space}{text}{other}".encode("utf-8", "replace")) == expected
    for slow in SLOW.values():
        body = f'{space}{text[:-1]},{other}"slow"{space}:{slow}}}{other}'
        assert read(body.encode("utf-8", "replace")) == expected


@settings(max_examples=50, deadline=None)
@given(events, st.sampled_from(list(SLOW)))
def test_an_array_is_read_event_by_event_in_order(items: list[Any], kind: str) -> None:
    text = json.dumps(items, ensure_ascii=False).encode("utf-8", "replace")
    envelope = decode(text[:-1] + b"," + SLOW[kind].encode() + b"]")

    assert envelope.events[:-1] == items
    assert isinstance(envelope.events[-1], Mended | Unreadable)


json_texts = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only, allow_nan=True).encode("utf-8", "replace"),
    values | st.dictionaries(st.sampled_from(["batch", "event", "properties"]), values) | st.floats(),
    st.booleans(),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """JSON with bytes missing, doubled or exchanged."""
    text = bytearray(draw(json_texts))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 3))
        text[at:end] = draw(st.binary(max_size=2) | st.sampled_from([b'"', b"[", b"}", b"\\", b",", b":", b"NaN"]))
    return bytes(text)


@settings(max_examples=200, deadline=None)
@given(damaged() | st.binary(max_size=60))
def test_any_bytes_are_events_or_an_error_with_words(body: bytes) -> None:
    envelope = envelope_or_error(body)
    if isinstance(envelope, AppError):
        assert envelope.status == 400
        assert envelope.detail
        return
    assert envelope.events
    for event in envelope.events:
        if isinstance(event, Unreadable):
            assert event.detail
        elif isinstance(event, Mended):
            json.dumps(event.value, allow_nan=False).encode()


@settings(max_examples=150, deadline=None)
@given(damaged())
def test_what_is_json_is_never_refused(body: bytes) -> None:
    """Whatever the standard library takes strictly, we take, and understand in the same way."""
    try:
        document = json.loads(body.decode(), parse_constant=pytest.fail)
    except (ValueError, pytest.fail.Exception):
        return
    if not isinstance(document, dict | list):
        return
    batch = document.get("batch", document) if isinstance(document, dict) else document
    if not batch or not (isinstance(batch, list) or batch is document):
        return
    items, _, path = read(body)
    if "inf" in repr(document) or "\\ud" in repr(document):
        return  # numbers beyond a double and halves of characters are mended
    assert items == (batch if isinstance(batch, list) else [document])
    assert (path is None) == (batch is document and isinstance(document, dict))


def test_a_body_that_is_all_brackets_is_refused_at_once() -> None:
    with pytest.raises(AppError, match="nests too much"):
        decode(b"[" * (20 * 1024 * 1024))


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 3_000_000, b'["' + b"\\" * 6_000_001, b"[" + b'"' * 3_000_001])
def test_strings_that_do_not_end_take_no_longer(text: bytes) -> None:
    with pytest.raises(AppError):
        decode(text)


@pytest.mark.parametrize(
    ("value", "levels", "deeper"),
    [
        (1, 0, False),
        ({}, 0, True),
        ({}, 1, False),
        ({"a": 1, "b": [1]}, 1, True),
        ({"a": 1, "b": [1]}, 2, False),
        ([[[]], []], 2, True),
        ([[[]], []], 3, False),
    ],
)
def test_depth_counts_arrays_and_objects(value: object, levels: int, deeper: bool) -> None:
    assert is_deeper(value, levels) is deeper
