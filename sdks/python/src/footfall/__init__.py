"""Send events to Footfall: `footfall.configure("ffw_…", "https://footfall.example")`, then `footfall.capture(…)`.

These functions use one client for the whole program. `Client` makes others, `AsyncClient` is for asyncio.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime
from typing import Any

from footfall.aio import AsyncClient
from footfall.client import DEFAULT_HOST, BeforeSend, Client, Properties
from footfall.events import VERSION, Event
from footfall.sender import EXIT_SECONDS, DropReason, Limits, OnDrop, Stats

__all__ = [
    "AsyncClient",
    "BeforeSend",
    "Client",
    "DropReason",
    "Event",
    "Limits",
    "OnDrop",
    "Properties",
    "Stats",
    "__version__",
    "alias",
    "capture",
    "configure",
    "flush",
    "identify",
    "set",
    "shutdown",
]

__version__ = VERSION

_logger = logging.getLogger("footfall")
_lock = threading.Lock()
_default: Client | None = None
_warned = False


def configure(write_key: str, host: str = DEFAULT_HOST, **options: Any) -> Client:
    """Make the program's client, in place of an earlier one. The arguments are those of `Client`."""
    global _default
    client = Client(write_key, host, **options)
    with _lock:
        before, _default = _default, client
    if before is not None:
        before.shutdown()
    return client


def _client() -> Client | None:
    """The program's client; made from FOOTFALL_WRITE_KEY and FOOTFALL_HOST if `configure` was not called."""
    global _default, _warned
    if _default is not None:
        return _default
    with _lock:
        if _default is None:
            try:
                _default = Client(
                    os.environ.get("FOOTFALL_WRITE_KEY", ""), os.environ.get("FOOTFALL_HOST", DEFAULT_HOST)
                )
            except ValueError as error:
                if not _warned:
                    _warned = True
                    _logger.warning("no events are sent: %s. Call footfall.configure, or set FOOTFALL_WRITE_KEY", error)
        return _default


def capture(
    event: str,
    distinct_id: str,
    properties: Properties | None = None,
    *,
    timestamp: datetime | str | None = None,
    uuid: str | None = None,
) -> str | None:
    """As `Client.capture`."""
    client = _client()
    return client.capture(event, distinct_id, properties, timestamp=timestamp, uuid=uuid) if client else None


def identify(
    distinct_id: str,
    properties: Properties | None = None,
    *,
    set_once: Properties | None = None,
    anonymous_id: str | None = None,
) -> str | None:
    """As `Client.identify`."""
    client = _client()
    return client.identify(distinct_id, properties, set_once=set_once, anonymous_id=anonymous_id) if client else None


def alias(previous_id: str, distinct_id: str) -> str | None:
    """As `Client.alias`."""
    client = _client()
    return client.alias(previous_id, distinct_id) if client else None


def set(distinct_id: str, properties: Properties, *, once: bool = False) -> str | None:  # noqa: A001
    """As `Client.set`."""
    client = _client()
    return client.set(distinct_id, properties, once=once) if client else None


def flush(timeout: float = 10.0) -> bool:
    """As `Client.flush`; true when there is no client."""
    return _default.flush(timeout) if _default else True


def shutdown(timeout: float = EXIT_SECONDS) -> bool:
    """As `Client.shutdown`. A later `configure` begins anew."""
    return _default.shutdown(timeout) if _default else True


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held the old one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
