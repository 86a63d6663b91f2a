"""The client: events in, nothing back, and never an exception."""

from __future__ import annotations

import atexit
import functools
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from footfall.events import Event, encode_event, make_event
from footfall.sender import EXIT_SECONDS, Limits, OnDrop, Sender, Stats
from footfall.transport import Transport, make_transport

logger = logging.getLogger("footfall")

DEFAULT_HOST: Final = "http://127.0.0.1:8000"

Properties = Mapping[str, Any]
BeforeSend = Callable[[Event], Event | None]
"""Sees every event before it is queued; returns it, changed or not, or None to drop it."""


class Client:
    """Sends events to one project of Footfall, from a thread of its own. Use it from any thread.

    The constructor raises ValueError for arguments that cannot work. Nothing else raises: what goes wrong is
    logged under `footfall` and counted in `stats`.
    """

    def __init__(
        self,
        write_key: str,
        host: str = DEFAULT_HOST,
        *,
        path: str = "/capture",
        limits: Limits | None = None,
        before_send: BeforeSend | None = None,
        on_drop: OnDrop | None = None,
        compress: bool = True,
        timeout: float = 10.0,
        enabled: bool = True,
        transport: Transport | None = None,
    ) -> None:
        """`host` is where the Capture API answers, `path` where on it; `timeout` in seconds, for one request.

        Without `enabled`, nothing is queued or sent: for tests and development.
        """
        if not write_key or not isinstance(write_key, str):
            raise ValueError("write_key is missing")
        parts = urlsplit(host)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"host must be an http or https address, not {host!r}")
        url = host.rstrip("/") + "/" + path.lstrip("/")
        self._before_send = before_send
        self._enabled = enabled
        self._sender = Sender(
            transport or make_transport(url, write_key.strip(), compress=compress, timeout=timeout),
            limits or Limits(),
            on_drop=on_drop,
        )
        # The sender, not this client: events that are queued outlive the last reference to it.
        self._at_exit = functools.partial(self._sender.stop, EXIT_SECONDS)
        atexit.register(self._at_exit)

    def capture(
        self,
        event: str,
        distinct_id: str,
        properties: Properties | None = None,
        *,
        timestamp: datetime | str | None = None,
        uuid: str | None = None,
    ) -> str | None:
        """Queue an event. Its uuid, or None if it was dropped.

        Give a `uuid` of your own if the same event may be captured again, after a crash for instance: it counts
        once. `timestamp` is now unless given.
        """
        if not self._enabled:
            return None
        try:
            made = make_event(event, distinct_id, properties, timestamp=timestamp, uuid=uuid)
        except Exception as error:  # noqa: BLE001  an event is never worth the host's request
            logger.warning("an event was dropped: %s", error)
            self._sender.drop("invalid")
            return None
        return self._queue(made)

    def identify(
        self,
        distinct_id: str,
        properties: Properties | None = None,
        *,
        set_once: Properties | None = None,
        anonymous_id: str | None = None,
    ) -> str | None:
        """Say who somebody is: what is known of them, and the `anonymous_id` that they had before."""
        given: dict[str, Any] = {"$set": properties, "$set_once": set_once, "$anon_distinct_id": anonymous_id}
        return self.capture("$identify", distinct_id, {name: value for name, value in given.items() if value})

    def alias(self, previous_id: str, distinct_id: str) -> str | None:
        """`previous_id` and `distinct_id` are the same person, from the beginning."""
        return self.capture("$create_alias", distinct_id, {"alias": previous_id})

    def set(self, distinct_id: str, properties: Properties, *, once: bool = False) -> str | None:
        """Set properties of a person; `once` keeps those that they have."""
        return self.capture("$set", distinct_id, {"$set_once" if once else "$set": properties})

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what is queued, and wait at most `timeout` seconds. Whether none of it is left."""
        return self._sender.flush(timeout)

    def shutdown(self, timeout: float = EXIT_SECONDS) -> bool:
        """Send what is queued, and stop. What is left after `timeout` seconds is dropped. Whether nothing was.

        The end of the program does this by itself. Events that are captured later are dropped.
        """
        atexit.unregister(self._at_exit)
        return self._sender.stop(timeout)

    @property
    def stats(self) -> Stats:
        """How many events are queued, were sent, and were dropped for which reason."""
        return self._sender.stats

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.shutdown()

    def _queue(self, event: Event) -> str | None:
        if self._before_send is not None:
            try:
                kept = self._before_send(event)
            except Exception:
                # It may be there to take secrets out, so nothing goes without it.
                logger.exception("before_send failed; the event was dropped")
                kept = None
            if kept is None:
                self._sender.drop("before_send")
                return None
            event = kept
        try:
            encoded = encode_event(event)
            uuid = str(event["uuid"])
        except Exception as error:  # noqa: BLE001  whatever the properties' own methods raise
            logger.warning("an event was dropped: %s cannot become JSON: %s", type(error).__name__, error)
            self._sender.drop("invalid")
            return None
        return uuid if self._sender.add(encoded) else None
