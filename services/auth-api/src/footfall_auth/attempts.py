"""How often something may be tried: signing in, registering. Counted in Redis when there is one, so that several
processes count together; in this process's memory otherwise, and while Redis is away."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import Final, TypeVar

import structlog
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from footfall_core.errors import TooManyRequests

logger = structlog.get_logger(__name__)

T = TypeVar("T")

REDIS_SECONDS: Final = 0.5
"""How long Redis may take to answer before memory counts instead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Attempts in windows, each as `5/minute`. When all of a window's are used, it has to end first."""

    password: str = "5/minute;10/15 minutes;20/2 hours;50/day"  # noqa: S105
    """Wrong passwords for one account from one address: each pause is several times as long as the one before."""
    sign_in: str = "100/minute;1000/hour"
    """Sign-ins from one address, whatever the account."""
    register: str = "10/hour"
    """Registrations from one address."""


class Attempts:
    """Counts attempts by what they are and whose they are. Thread-safe."""

    def __init__(self, redis_url: str = "", limits: Limits = Limits()) -> None:
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._shared = FixedWindowRateLimiter(_open_redis(redis_url)) if redis_url else self._memory
        self._is_away = False
        self._password = parse_many(limits.password)
        self._sign_in = parse_many(limits.sign_in)
        self._register = parse_many(limits.register)

    def sign_in(self, account: str, address: str) -> None:
        """Before the password of a sign-in is looked at. Raises `TooManyRequests`."""
        self._take(self._sign_in, "sign-in", _place(address))
        self.password(account, address)

    def password(self, account: str, address: str) -> None:
        """Before a password is looked at. Raises `TooManyRequests`.

        An account is only ever locked for the address that guesses at it, so nobody can lock out somebody else.
        """
        self._take(self._password, "password", _digest(account), _place(address))

    def right(self, account: str, address: str) -> None:
        """The password was right: forget the wrong ones."""

        def forget(limiter: FixedWindowRateLimiter) -> None:
            for item in self._password:
                limiter.clear(item, "password", _digest(account), _place(address))

        self._ask(forget)

    def register(self, address: str) -> None:
        """Before a registration. Raises `TooManyRequests`."""
        self._take(self._register, "register", _place(address))

    def _take(self, items: Sequence[RateLimitItem], *names: str) -> None:
        """Count an attempt in every window, unless one of them is used up: who waits loses nothing by asking."""

        def wait(limiter: FixedWindowRateLimiter) -> float | None:
            full = [item for item in items if not limiter.test(item, *names)]
            if not full:
                full = [item for item in items if not limiter.hit(item, *names)]
            ends = [limiter.get_window_stats(item, *names).reset_time for item in full]
            return max(ends) - time.time() if ends else None

        if (seconds := self._ask(wait)) is not None:
            raise TooManyRequests("Too many attempts. Wait before you try again.", retry_after=seconds)

    def _ask(self, question: Callable[[FixedWindowRateLimiter], T]) -> T:
        try:
            answer = question(self._shared)
        except StorageError as error:
            if not self._is_away:
                logger.warning("Redis is away; attempts are counted in memory", reason=str(error.storage_error))
            self._is_away = True
            return question(self._memory)
        self._is_away = False
        return answer


def _open_redis(url: str) -> RedisStorage:
    return RedisStorage(
        url,
        wrap_exceptions=True,
        key_prefix="footfall-auth",
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
    )


def _digest(account: str) -> str:
    """Addresses of people do not belong into Redis, and may hold what separates the parts of a key."""
    return hashlib.sha256(account.encode()).hexdigest()


def _place(address: str) -> str:
    """Whom an address belongs to: of IPv6, a customer has a whole /64."""
    try:
        network = ip_network(address)
    except ValueError:
        return "unknown"
    if isinstance(network.network_address, IPv6Address):
        network = ip_network((network.network_address, 64), strict=False)
    return str(network.network_address)
