"""IANA time zone names, the same list on every machine."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files


@cache
def known_timezones() -> frozenset[str]:
    """The names in the tzdata package. The operating system's own list differs from machine to machine and
    has names, such as `localtime`, that mean something else on the next one."""
    names = (files("tzdata") / "zones").read_text("utf-8").split()
    return frozenset(names) - {"Factory"}


def check_timezone(name: str) -> str:
    """`name` if it is a time zone. Raises `ValueError` with the nearest name otherwise."""
    if name in known_timezones():
        return name
    by_lower = {known.lower(): known for known in known_timezones()}
    near = get_close_matches(name.lower()[:64], by_lower, n=1, cutoff=0.6)
    hint = f"; did you mean {by_lower[near[0]]}?" if near else ", such as Europe/Berlin or UTC"
    raise ValueError(f"must be an IANA time zone{hint}")
