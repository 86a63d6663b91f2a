"""The steps that enrich an event. Pure.

A step is given an event, whose `properties` nobody else holds yet, and adds to them. What the client sent
itself always stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import ua_parser
from maxminddb import InvalidDatabaseError

from footfall_core.events import EventRecord

REMEMBERED: Final = 16_384
"""User agents, and addresses, that are remembered with what they say."""
MAX_USER_AGENT: Final = 1_000
"""Characters of a user agent that are looked at."""


Step = Callable[[EventRecord], None]

Lookup = Callable[[str], object]
"""What a MaxMind DB has on an address. Raises ValueError for what is no address."""


def make_steps(*, store_ip: bool = True, lookup: Lookup | None = None) -> tuple[Step, ...]:
    """The steps in their order."""
    _describe_browser("Mozilla/5.0")  # reads the rules, which takes a while: better now than at the first event
    steps: list[Step] = [add_browser]
    if lookup is not None:
        steps.append(make_geoip_step(lookup))
    steps.append(add_ip if store_ip else forget_ip)  # last, because the one before needs the address
    return tuple(steps)


# Every browser says one of these, for the sake of 1994; programs that send events say their own name.
_BROWSERS: Final = ("Mozilla/", "Opera/")

# As the web SDKs of the field call them, so that events of both kinds fall into one group.
_BROWSER_NAMES: Final = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chrome Mobile iOS": "Chrome iOS",
    "Edge": "Microsoft Edge",
    "Edge Mobile": "Microsoft Edge",
    "Firefox Mobile": "Firefox",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer Mobile",
    "Opera Mobile": "Opera",
}
_OS_NAMES: Final = dict.fromkeys(
    ("Arch Linux", "CentOS", "Debian", "Fedora", "Gentoo", "Linux Mint", "Red Hat", "SUSE", "Ubuntu"), "Linux"
)


def add_browser(event: EventRecord) -> None:
    """What the user agent says: `$raw_user_agent` if the client sent it, else that of the request.

    Only browsers are taken at their word. A server that sends events names itself in its requests, and it is
    not what its users sit in front of.
    """
    properties = event.properties
    text = properties.get("$raw_user_agent", event.user_agent)
    if isinstance(text, str) and text.startswith(_BROWSERS):
        _add(properties, _describe_browser(text[:MAX_USER_AGENT]))


def _add(properties: dict[str, Any], found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        properties.setdefault(name, value)


@lru_cache(maxsize=REMEMBERED)
def _describe_browser(text: str) -> Mapping[str, Any]:
    parsed = ua_parser.parse(text)
    browser, os, device = parsed.user_agent, parsed.os, parsed.device
    found: dict[str, Any] = {}
    if browser is not None and browser.family:
        found["$browser"] = _BROWSER_NAMES.get(browser.family, browser.family)
        found["$browser_version"] = _version_number(browser.major, browser.minor)
    if os is not None and os.family:
        found["$os"] = _OS_NAMES.get(os.family, os.family)
        found["$os_version"] = ".".join(part for part in (os.major, os.minor, os.patch) if part) or None
    if device is not None and device.family == "Spider":
        found["$device_type"] = "Bot"
    elif "iPad" in text or ("Android" in text and "Mobile" not in text):
        found["$device_type"] = "Tablet"
    elif "Mobi" in text:
        found["$device_type"] = "Mobile"
    elif os is not None:
        found["$device_type"] = "Desktop"
    return _known(found)


def _known(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what nothing is known of."""
    return {name: value for name, value in found.items() if value is not None}


def _version_number(major: str | None, minor: str | None) -> int | float | None:
    """`17.4` for 17, 4 and `126` for 126, 0: a number, as the web SDKs send it."""
    try:
        number = float(f"{major}.{minor or 0}")
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def make_geoip_step(lookup: Lookup) -> Step:
    """A step that adds where the address is, unless `$geoip_disable` is true.

    The address is `$ip` if the client sent it, else that of the request.
    """

    @lru_cache(maxsize=REMEMBERED)
    def find(ip: str) -> Mapping[str, Any]:
        try:
            place = lookup(ip)
        except (ValueError, InvalidDatabaseError):
            place = None  # no address, or one that the database is broken for: both say nothing
        return _known(_describe_place(place)) if isinstance(place, dict) else {}

    def add_geoip(event: EventRecord) -> None:
        properties = event.properties
        ip = properties.get("$ip", event.ip)
        if ip and isinstance(ip, str) and not properties.get("$geoip_disable"):
            _add(properties, find(ip))

    return add_geoip


def _describe_place(place: Mapping[str, Any]) -> dict[str, object]:
    country = place.get("country") or place.get("registered_country") or {}
    subdivisions = place.get("subdivisions") or [{}]
    location = place.get("location") or {}
    return {
        "$geoip_country_code": country.get("iso_code"),
        "$geoip_country_name": country.get("names", {}).get("en"),
        "$geoip_city_name": place.get("city", {}).get("names", {}).get("en"),
        "$geoip_subdivision_1_name": subdivisions[0].get("names", {}).get("en"),
        "$geoip_time_zone": location.get("time_zone"),
        "$geoip_latitude": location.get("latitude"),
        "$geoip_longitude": location.get("longitude"),
    }


def add_ip(event: EventRecord) -> None:
    """The client's address, as `$ip`."""
    if event.ip:
        event.properties.setdefault("$ip", event.ip)


def forget_ip(event: EventRecord) -> None:
    """Take the address out of the event, also where the client put it itself."""
    event.ip = ""
    event.properties.pop("$ip", None)
