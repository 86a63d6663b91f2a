"""Which key a request carries. docs/capture.md lists the places in the order in which they count."""

from __future__ import annotations

import base64
from typing import Any, Final

from footfall_capture.decode import Envelope, Mended
from footfall_core.auth import PREFIXES
from footfall_core.errors import Unauthorized

_PLACES: Final = (
    "No write key. Put it into the body as `api_key`, or into the header `Authorization: Bearer …` or `X-API-Key`."
)
_READ_KEY: Final = "This is a read key; capture takes a write key, which begins with ffw_."


_NAMES: Final = frozenset(("api_key", "token", "$token"))
_PREFIXES: Final = tuple(PREFIXES.values())


def find_key(envelope: Envelope, authorization: str, api_key: str) -> str | None:
    """The key of a request, None if it has none. `authorization` and `api_key` are the headers' values.

    Raises `Unauthorized` when what counts most names two keys, or something that can be no write key.
    """
    given = (
        _agreed({name: envelope.fields.get(name) for name in ("api_key", "token", "writeKey")})
        or _agreed(_keys_of_events(envelope.events))
        or _agreed({"Authorization": _credential(authorization)})
        or _agreed({"X-API-Key": api_key})
    )
    if given is not None and given.startswith(PREFIXES["read"]):
        raise read_key_error()
    return given


def no_key_error() -> Unauthorized:
    """The answer to a request without a key: where to put one."""
    return Unauthorized(_PLACES)


def read_key_error() -> Unauthorized:
    """The answer to a request with a key that is for asking."""
    return Unauthorized(_READ_KEY)


def _agreed(places: dict[str, object]) -> str | None:
    """The one key that `places` (where → what stands there) name; None if there is none."""
    keys: dict[str, str] = {}
    for place, value in places.items():
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise Unauthorized(f"The key in {place} is not a string.")
        if key := value.strip():
            keys.setdefault(key, place)
    if len(keys) > 1:
        raise Unauthorized(f"{' and '.join(keys.values())} have different keys. Send one body for each key.")
    return next(iter(keys), None)


def _keys_of_events(events: list[Any]) -> dict[str, object]:
    """Where in the events keys stand, and which: the first place of each."""
    places: dict[str, object] = {}
    seen: set[str] = set()

    def note(place: str, key: object) -> None:
        if not isinstance(key, str):
            places[place] = key
        elif key not in seen:
            seen.add(key)
            places[place] = key

    for index, item in enumerate(events):
        event = item.value if isinstance(item, Mended) else item
        if not isinstance(event, dict):
            continue
        if not _NAMES.isdisjoint(event):
            for name in _NAMES.intersection(event):
                note(f"{name} of event {index}", event[name])
        properties = event.get("properties")
        if isinstance(properties, dict) and "token" in properties:
            key = properties["token"]
            # A product's own property may have this name, so here it must look like a key.
            if isinstance(key, str) and key.startswith(_PREFIXES):
                note(f"properties.token of event {index}", key)
    return places


def _credential(authorization: str) -> str:
    """The token of `Bearer`, or the user of `Basic`, which Segment's SDKs make the key. Empty without either."""
    scheme, _, credential = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credential
        case "basic":
            try:
                user = base64.b64decode(credential, validate=True).decode().partition(":")[0]
            except ValueError:
                return ""
            # Some other user, of a proxy in front of us, is no key.
            return user if user.startswith(_PREFIXES) else ""
        case _:
            return ""
