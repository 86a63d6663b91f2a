"""Whose address an event has, given who connected and what proxies said."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_core.addresses import ClientAddress

find = ClientAddress([ip_network("127.0.0.0/8"), ip_network("::1/128"), ip_network("10.0.0.0/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.4", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.4", "198.51.100.4"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.4", "198.51.100.4"),
        ("127.0.0.1", "6.6.6.6,198.51.100.4,10.0.0.3 , 10.0.0.4", "198.51.100.4"),
        ("127.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, unknown, 10.0.0.4", "10.0.0.4"),
        ("127.0.0.1", "198.51.100.4:4711", "198.51.100.4"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.4", "198.51.100.4"),
        ("::1", "198.51.100.4", "198.51.100.4"),
        ("", "198.51.100.4", ""),
        ("testclient", "198.51.100.4", ""),
    ],
)
def test_the_client_is_the_first_that_no_proxy_of_ours_is(peer: str, forwarded_for: str, client: str) -> None:
    assert find(peer, forwarded_for) == client


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60) | st.lists(st.ip_addresses()).map(lambda a: ",".join(map(str, a))))
def test_nothing_that_is_said_breaks_it(peer: str, forwarded_for: str) -> None:
    assert find(peer, forwarded_for) == ""
    assert find("203.0.113.7", forwarded_for) == "203.0.113.7"
    assert find("127.0.0.1", forwarded_for)
