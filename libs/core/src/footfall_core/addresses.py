"""Where a request comes from: the client's address, behind the proxies that are trusted."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network

_MAX_FORWARDED: Final = 1_000  # characters of X-Forwarded-For that are looked at, from its end


class ClientAddress:
    """Finds the address of the client behind the proxies of `trusted` networks."""

    def __init__(self, trusted: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)
        self._find = lru_cache(4096)(self._walk)

    def __call__(self, peer: str, forwarded_for: str) -> str:
        """The client's address, given who connected and the X-Forwarded-For header (empty if none).

        The header counts only as far as trusted proxies wrote it: from its end to the first address that is
        not theirs. Empty if the peer has no IP address.
        """
        return self._find(peer, forwarded_for[-_MAX_FORWARDED:])

    def _walk(self, peer: str, forwarded_for: str) -> str:
        client = _parse(peer)
        if client is None:
            return ""
        for hop in reversed(forwarded_for.split(",")) if forwarded_for else ():
            if not self._is_trusted(client):
                break
            address = _parse(hop)
            if address is None:
                break
            client = address
        return str(client)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also with a port or in brackets; IPv4 in IPv6 becomes IPv4. None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
