"""A body's JSON → an `Envelope` of events.

Most bodies go through one call of a fast parser. What it does not take, and every body so large that an event
in it could be too large, is cut into its events first, and each is read by itself: so a bad event costs none
but itself, and what lenient JSON writers produce (NaN, numbers beyond a double, halves of characters, bytes
that are not UTF-8) is mended and marked rather than lost.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from footfall_core.errors import BadRequest, TooLarge
from footfall_core.events import MAX_DEPTH, MAX_EVENT_BYTES, MAX_REJECTED_PAYLOAD

MAX_EVENTS: Final = 100_000
"""Events in one body."""

# An event's own object and whatever else stands beside its properties.
_MAX_EVENT_DEPTH: Final = MAX_DEPTH + 1
# Longer integers are not read as numbers; the fast parser refuses them too.
_MAX_INTEGER_DIGITS: Final = 300
# Cutting takes a step for each bracket. Real bodies have one in a hundred bytes; this bounds the others.
_MAX_BRACKETS: Final = 2_000_000
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


_decode_json: Final = msgspec.json.Decoder().decode
_NOT_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Mended:
    """An event that was not quite JSON, as what it most likely means. `warnings` are words of
    `accept.WARNINGS`."""

    value: object
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that cannot be read. `reason` is a word of `REJECTION_REASONS`, `payload` the event, cut."""

    reason: str
    detail: str
    payload: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body's events, and what stood beside them.

    `events` holds JSON values of any type, or `Mended` or `Unreadable` in place of one. `fields` are those of
    the outermost object, which may be the event itself, and none if the body is an array. `path` is where
    the events stand in the body: `("batch",)`, or `()` for an array; None for a lone event.
    """

    events: list[Any]
    fields: dict[str, Any]
    path: tuple[str, ...] | None = ()


def decode(body: bytes) -> Envelope:
    """Read a body. Raises `BadRequest` if it is not JSON or holds no events, `TooLarge` for too many."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body.strip():
        raise BadRequest("The body is empty.")
    if len(body) > MAX_EVENT_BYTES:
        return _decode_apart(body)
    try:
        document = _decode_json(body)
    except _NOT_JSON:
        return _decode_apart(body)
    return _check(_envelope(document))


def _envelope(document: object) -> Envelope:
    if isinstance(document, list):
        return Envelope(document, {})
    if not isinstance(document, dict):
        raise BadRequest("The body must be an event, an array of events, or an object with a `batch` of them.")
    if "batch" not in document:
        return Envelope([document], document, None)
    events = document["batch"]
    if not isinstance(events, list):
        raise _batch_error("must be an array of events")
    return Envelope(events, document, ("batch",))


def _check(envelope: Envelope) -> Envelope:
    if not envelope.events:
        if envelope.path:
            raise _batch_error("is empty")
        raise BadRequest("The body holds no events.")
    if len(envelope.events) > MAX_EVENTS:
        raise _too_many_events()
    return envelope


def _batch_error(what: str) -> BadRequest:
    return BadRequest(f"`batch` {what}.", errors=[{"loc": ["batch"], "msg": what}])


def _too_many_events() -> TooLarge:
    return TooLarge(f"The body holds more than {MAX_EVENTS} events.")


# Bodies that are read event by event


def _decode_apart(body: bytes) -> Envelope:
    if body.count(b"[") + body.count(b"{") > _MAX_BRACKETS:
        raise BadRequest("The body nests too much to be read event by event: send fewer events at once.")
    outer = _cut(body, 0)
    if body[outer.end :].strip():
        raise BadRequest(f"The body is not JSON: it goes on after its end at byte {outer.end}.")
    if not outer.is_object:
        return _check(Envelope([_decode_event(body, start, end) for _, start, end in outer.members], {}))
    places = {name: (start, end) for name, start, end in outer.members}
    if "batch" not in places:
        event = _decode_event(body, 0, len(body))
        value = event.value if isinstance(event, Mended) else event
        return Envelope([event], value if isinstance(value, dict) else {}, None)
    start, end = places.pop("batch")
    batch = outer.batch
    if batch is None or body[batch.end : end].strip():
        raise _batch_error("must be an array of events")
    fields = {name: _decode_field(body[start:end]) for name, (start, end) in places.items()}
    events = [_decode_event(body, start, end) for _, start, end in batch.members]
    return _check(Envelope(events, fields, ("batch",)))


def _decode_name(name: bytes, at: int) -> str:
    try:
        text = json.loads(name.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        text = None
    if not isinstance(text, str):
        raise BadRequest(f"The body is not JSON: a name of a field is missing or damaged before byte {at}.")
    return text


def _decode_field(text: bytes) -> object:
    """A field beside the batch; None when it cannot be read, as none of them is worth losing events for."""
    try:
        return _decode_json(text)
    except _NOT_JSON:
        return None


def _decode_event(body: bytes, start: int, end: int) -> Any:
    """One event's value, or `Mended` or `Unreadable`."""
    text = body[start:end]
    if len(text) > MAX_EVENT_BYTES:
        return Unreadable("event_too_large", f"The event has {len(text)} bytes.", _show(text))
    try:
        return _decode_json(text)
    except _NOT_JSON:
        pass
    try:
        return _mend(text)
    except RecursionError:
        detail = f"The event nests deeper than {_MAX_EVENT_DEPTH} levels."
        return Unreadable("properties_too_deep", detail, _show(text))
    except json.JSONDecodeError as error:
        at = start + len(error.doc[: error.pos].encode())
        return Unreadable("invalid_event", f"Not JSON: {error.msg} at byte {at} of the body.", _show(text))


def _show(text: bytes) -> str:
    return text[: 4 * MAX_REJECTED_PAYLOAD].decode("utf-8", "replace")[:MAX_REJECTED_PAYLOAD]


def _mend(text: bytes) -> Mended:
    """Read what the fast parser refused. Raises `JSONDecodeError`, or `RecursionError` when too deep."""
    warnings: list[str] = []

    def read_integer(digits: str) -> int | str:
        if len(digits) <= _MAX_INTEGER_DIGITS:
            return int(digits)
        warnings.append("number_out_of_range")
        return digits

    def read_float(digits: str) -> float | str:
        number = float(digits)
        if math.isfinite(number):
            return number
        warnings.append("number_out_of_range")
        return digits

    def read_constant(word: str) -> str:
        warnings.append("number_out_of_range")
        return word

    readable = text.decode("utf-8", "replace")
    if readable.encode() != text:
        warnings.append("text_replaced")
    value = json.loads(
        readable, parse_int=read_integer, parse_float=read_float, parse_constant=read_constant, strict=False
    )
    if is_deeper(value, _MAX_EVENT_DEPTH):
        raise RecursionError
    if _HALF_ESCAPE.search(readable):
        value, replaced = _replace_halves(value)
        if replaced:
            warnings.append("text_replaced")
    return Mended(value, tuple(dict.fromkeys(warnings)))


_HALF_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_HALF: Final = re.compile("[\ud800-\udfff]")


def _replace_halves(value: Any) -> tuple[Any, bool]:
    """`value` with U+FFFD for every half of a surrogate pair, and whether there was one."""
    replaced = False

    def replace(value: Any) -> Any:
        nonlocal replaced
        if isinstance(value, str):
            text, count = _HALF.subn("\ufffd", value)
            replaced = replaced or count > 0
            return text
        if isinstance(value, dict):
            return {replace(name): replace(item) for name, item in value.items()}
        if isinstance(value, list):
            return [replace(item) for item in value]
        return value

    return replace(value), replaced


def is_deeper(value: object, levels: int) -> bool:
    """Whether arrays and objects nest deeper than `levels` in `value`, itself included."""
    layer = [value]
    for _ in range(levels + 1):
        containers = [item for item in layer if isinstance(item, (dict, list))]
        if not containers:
            return False
        layer = [
            item
            for container in containers
            for item in (container.values() if isinstance(container, dict) else container)
        ]
    return True


# Cutting: where the members of an array or object stand, found without recursion and without reading them

_STRING: Final = rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)'
_NEXT_OUTSIDE: Final = re.compile(rb'[^"\[\]{},:]*+(?:' + _STRING + rb'[^"\[\]{},:]*+)*+([\[\]{},:]|\Z)', re.DOTALL)
_NEXT_INSIDE: Final = re.compile(rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+([\[\]{}]|\Z)', re.DOTALL)
_SPACE: Final = re.compile(rb"\s*+")
_PAIRS: Final = {b"[": b"]", b"{": b"}"}


@dataclass(slots=True)
class _Cut:
    """An array or object: where its members stand, `(name, start, end)`, and where it ends. What the members hold
    is not looked at beyond matching brackets, but for an array named `batch`, which is cut too."""

    is_object: bool
    members: list[tuple[str, int, int]]
    end: int
    batch: _Cut | None = None


def _cut(body: bytes, start: int) -> _Cut:
    """Cut the array or object that begins at `start`. Raises `BadRequest` if none does, or it does not end."""
    at = _skip_space(body, start)
    opening = body[at : at + 1]
    if opening not in _PAIRS:
        raise BadRequest(f"The body is not JSON: no object or array begins at byte {at}.")
    cut = _Cut(opening == b"{", [], 0)
    name, depth, begin, position = "", 1, at + 1, at + 1
    is_named = False
    while depth:
        found = (_NEXT_OUTSIDE if depth == 1 else _NEXT_INSIDE).match(body, position)
        assert found is not None  # both match at any place
        mark, at, position = found[1], found.start(1), found.end()
        match mark:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
            case b":" if cut.is_object and not is_named:
                name, is_named, begin = _decode_name(body[begin:at], at), True, position
                inside = _skip_space(body, position)
                if name == "batch" and body[inside : inside + 1] == b"[":
                    cut.batch = _cut(body, inside)
                    position = cut.batch.end
            case b"":
                raise BadRequest(f"The body is not JSON: it ends at byte {len(body)} in the middle of a value.")
        if mark == b"," or (depth == 0 and (cut.members or is_named or body[begin:at].strip())):
            if cut.is_object and not is_named:
                raise BadRequest(f"The body is not JSON: a field before byte {at} has no name.")
            cut.members.append((name, begin, at))
            if len(cut.members) > MAX_EVENTS:
                raise _too_many_events()
            is_named, begin = False, position
    if mark != _PAIRS[opening]:
        raise BadRequest(f"The body is not JSON: {mark.decode()} at byte {at} closes nothing.")
    cut.end = position
    return cut


def _skip_space(body: bytes, start: int) -> int:
    found = _SPACE.match(body, start)
    assert found is not None
    return found.end()
