"""A believable shop: people who come back, look, hesitate, buy, and grow a little in number every week.

Pure and seeded: the same seed and the same end give the same events, uuids included, so that loading the demo
twice changes nothing.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

CHANNELS: Final = {"search": 0.34, "direct": 0.26, "newsletter": 0.14, "social": 0.18, "partner": 0.08}
COUNTRIES: Final = {"US": 0.31, "DE": 0.19, "GB": 0.14, "FR": 0.11, "IN": 0.10, "BR": 0.08, "NL": 0.07}
DEVICES: Final = {
    ("Desktop", "Chrome", "Windows"): 0.28,
    ("Desktop", "Chrome", "Mac OS X"): 0.12,
    ("Desktop", "Firefox", "Windows"): 0.06,
    ("Desktop", "Safari", "Mac OS X"): 0.09,
    ("Mobile", "Mobile Safari", "iOS"): 0.23,
    ("Mobile", "Chrome Mobile", "Android"): 0.22,
}
CATEGORIES: Final = {"lamps": 49.0, "chairs": 129.0, "tables": 349.0, "textiles": 24.0, "carpets": 89.0}
PLANS: Final = {"free": 0.72, "plus": 0.23, "studio": 0.05}
LOOKS_WELL: Final = {"search": 1.0, "direct": 1.25, "newsletter": 1.6, "social": 0.6, "partner": 0.9}
"""How likely people of a channel are to go on to the next step, beside those of search."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person and what stays the same about them."""

    visitor_id: str
    """Who a browser takes them for, before they sign up."""
    user_id: str
    arrives: datetime
    channel: str
    country: str
    device: tuple[str, str, str]
    loyalty: float


def make_history(*, end: datetime, days: int = 80, people: int = 5_000, seed: int = 1) -> Iterator[dict[str, Any]]:
    """The events of `days` days before `end` (aware), each ready for `POST /capture`, person by person."""
    choose = random.Random(seed)  # noqa: S311  a story, not a secret
    begin = end - timedelta(days=days)
    for number in range(people):
        shopper = _make_shopper(choose, number, begin, days)
        yield from _live(choose, shopper, end)


def _make_shopper(choose: random.Random, number: int, begin: datetime, days: int) -> Shopper:
    # The square root makes later days busier: the shop grows.
    arrives = begin + timedelta(days=days * math.sqrt(choose.random()))
    return Shopper(
        visitor_id=f"visitor-{number:05d}",
        user_id=f"shopper-{number:05d}",
        arrives=_at_a_human_hour(choose, arrives),
        channel=_pick(choose, CHANNELS),
        country=_pick(choose, COUNTRIES),
        device=_pick(choose, DEVICES),
        loyalty=choose.betavariate(1.3, 2.2),
    )


def _live(choose: random.Random, shopper: Shopper, end: datetime) -> Iterator[dict[str, Any]]:
    """Visits with growing pauses, until the person loses interest or `end` comes."""
    at, signed_up, visit = shopper.arrives, False, 0
    while at < end:
        session = str(uuid.UUID(int=choose.getrandbits(128), version=4))
        for event, seconds, properties in _visit(choose, shopper, signed_up=signed_up, visit=visit):
            at += timedelta(seconds=seconds)
            if at >= end:
                return
            signed_up = signed_up or event == "$identify"
            yield {
                "event": event,
                "distinct_id": shopper.user_id if signed_up else shopper.visitor_id,
                "uuid": str(uuid.UUID(int=choose.getrandbits(128), version=4)),
                "timestamp": at.isoformat(timespec="milliseconds"),
                "properties": {
                    "$session_id": session,
                    "$device_type": shopper.device[0],
                    "$browser": shopper.device[1],
                    "$os": shopper.device[2],
                    "$geoip_country_code": shopper.country,
                    "utm_source": shopper.channel,
                    **properties,
                },
            }
        visit += 1
        if choose.random() > 0.35 + 0.6 * shopper.loyalty:
            return
        at = _at_a_human_hour(choose, at + timedelta(days=choose.expovariate(1 / (2.0 + 1.5 * visit))))


def _visit(
    choose: random.Random, shopper: Shopper, *, signed_up: bool, visit: int
) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """One visit: event, seconds since the one before, properties."""
    eager = LOOKS_WELL[shopper.channel] * (0.8 + 0.5 * shopper.loyalty) * (0.8 if shopper.device[0] == "Mobile" else 1)
    category = choose.choice(list(CATEGORIES))
    yield "$pageview", 0.0, _page("/")
    if choose.random() > 0.75 * eager:
        return
    yield "$pageview", choose.expovariate(1 / 25), _page(f"/{category}")
    for _ in range(1 + int(choose.expovariate(0.9))):
        product = {"category": category, "product": f"{category[:-1]}-{choose.randrange(1, 13)}"}
        yield "product_viewed", choose.expovariate(1 / 40), product
    if choose.random() > 0.45 * eager:
        return
    price = round(CATEGORIES[category] * choose.uniform(0.7, 1.5), 2)
    yield "$pageview", choose.expovariate(1 / 20), _page(f"/{category}/{product['product']}")
    yield "added_to_cart", choose.expovariate(1 / 45), {**product, "price": price}
    if not signed_up and choose.random() < 0.6:
        plan, method = _pick(choose, PLANS), choose.choice(["email", "google"])
        known = {"plan": plan, "country": shopper.country}
        first = {"first_channel": shopper.channel}
        yield (
            "$identify",
            choose.expovariate(1 / 70),
            {"$anon_distinct_id": shopper.visitor_id, "$set": known, "$set_once": first},
        )
        yield "signup", 0.2, {"plan": plan, "method": method}
    if choose.random() > 0.62 * eager:
        return
    yield "$pageview", 1.0, _page("/checkout")
    yield "checkout_started", choose.expovariate(1 / 50), {"price": price}
    if choose.random() > 0.74 * eager:
        return
    quantity = 1 + int(choose.expovariate(1.4))
    yield (
        "purchase",
        choose.expovariate(1 / 90),
        {**product, "quantity": quantity, "amount": round(price * quantity, 2), "first_purchase": visit == 0},
    )


def _page(path: str) -> dict[str, Any]:
    return {"$current_url": f"https://shop.example{path}", "$pathname": path, "$host": "shop.example"}


def _at_a_human_hour(choose: random.Random, at: datetime) -> datetime:
    """Not before `at`, the same day, when people shop: a hump at noon and a higher one in the evening."""
    hour = choose.choice((choose.gauss(12.5, 2.2), choose.gauss(20.0, 1.8), choose.gauss(20.0, 1.8)))
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    moved = midnight + timedelta(hours=min(23.9, max(0.1, hour)), seconds=choose.uniform(0, 300))
    return max(moved, at)


def _pick(choose: random.Random, shares: dict[T, float]) -> T:
    return choose.choices(list(shares), list(shares.values()))[0]
