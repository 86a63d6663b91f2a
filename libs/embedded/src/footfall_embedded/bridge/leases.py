"""Connections on loan: to one request, or to a session for as long as it lives.

A connection keeps settings, a current database and temporary tables, so what one request puts in force must
be taken out before the next. A request's own settings are known and undone; whatever could leave more
behind (SET, USE, any DDL, an error) ends the connection.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from footfall_embedded.bridge.engine import CARRIER, Connection, Engine
from footfall_embedded.bridge.errors import EngineError, refuse

_MOST_SESSIONS = 1000
_EXPIRE_EVERY_SECONDS = 10.0
# Settings that forbid changing settings, or change others along with them: such a connection is only used
# again by requests that want exactly the same.
_STICKY = frozenset({"readonly", "allow_ddl", "compatibility", "profile"})


@dataclass(slots=True, eq=False)
class Lease:
    """A connection and what is in force on it.

    `name` is the connection's own, and shows in `system.processes` (see `engine.CARRIER`). `own`: the
    settings beneath the requests': those of a new connection, and what SET has changed in a session.
    `applied`: the settings of the last request, still in force. The first `prepare` opens the connection.
    """

    name: str
    is_session: bool = False
    connection: Connection | None = None
    own: dict[str, str] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)
    database: str = "default"
    database_in_use: str = "default"

    def prepare(self, engine: Engine, settings: dict[str, str]) -> Connection:
        """The connection with exactly these settings in force. Raises EngineError; may block."""
        if self.connection is None:
            self.connection = engine.connect({**settings, CARRIER: self.name})
            self.applied = dict(settings)
            self.database_in_use = self.applied.pop("database", self.database)
        elif not self.has(settings):
            self._change(self.connection, settings)
        return self.connection

    def has(self, settings: dict[str, str]) -> bool:
        """Whether exactly these settings are in force."""
        database = settings.get("database", self.database)
        if database != self.database_in_use:
            return False
        return self.applied == {name: value for name, value in settings.items() if name != "database"}

    def _change(self, connection: Connection, settings: dict[str, str]) -> None:
        wanted = dict(settings)
        database = wanted.pop("database", self.database)
        change: dict[str, str | None] = {name: self.own.get(name) for name in self.applied if name not in wanted}
        change.update((name, value) for name, value in wanted.items() if self.applied.get(name) != value)
        try:
            connection.set(change)
        except EngineError:
            # A SET of several stops at the bad one. Take all of them out, so that nothing stays by accident.
            for name in {*self.applied, *wanted}:
                with suppress(EngineError):
                    connection.set({name: self.own.get(name)})
            self.applied = {}
            raise
        self.applied = wanted
        if database != self.database_in_use:
            connection.use(database)
            self.database_in_use = database

    def keep(self, verb: bytes) -> None:
        """Learn what a SET or USE has made of the connection, if a session goes on with it."""
        if self.connection is None or not self.is_session:
            return
        if verb == b"USE":
            self.database = self.database_in_use = self.connection.database()
        elif verb == b"SET":
            changed = self.connection.changed_settings()
            for name, value in self.applied.items():
                if changed.get(name) == value:  # the URL's, not the statement's
                    del changed[name]
                    if name in self.own:
                        changed[name] = self.own[name]
            self.own = changed

    def close(self) -> None:
        """End the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@dataclass(slots=True, eq=False)
class _Session:
    lease: Lease
    expires: float = 0.0
    locked: bool = True


class Leases:
    """All connections of the bridge. Only the event loop calls it."""

    def __init__(self, engine: Engine, spare: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`spare`: how many unused connections to keep."""
        self._engine = engine
        self._spare = spare
        self._clock = clock
        self._numbers = itertools.count(1)
        self._unused: list[Lease] = []
        self._sessions: dict[str, _Session] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def take(self, settings: dict[str, str]) -> Lease:
        """A connection for one request, one that already has these settings if possible."""
        for lease in reversed(self._unused):
            if lease.has(settings):
                self._unused.remove(lease)
                return lease
        if not _STICKY & settings.keys():
            for lease in self._unused:
                if not _STICKY & lease.applied.keys():
                    self._unused.remove(lease)
                    return lease
        return self._make("c")

    def _make(self, kind: str) -> Lease:
        name = f"{kind}{next(self._numbers)}"
        return Lease(name, is_session=kind == "s", own=dict(self._engine.base_settings))

    def give_back(self, lease: Lease, reusable: bool) -> None:
        """Keep it for later, or end it."""
        if not reusable or lease.connection is None:
            lease.close()
            return
        self._unused.append(lease)
        if len(self._unused) > self._spare:
            self._unused.pop(0).close()

    def take_session(self, session_id: str, must_exist: bool) -> Lease:
        """The session's connection, locked; a new session's too. Raises EngineError 372 or 373."""
        self.expire()
        session = self._sessions.get(session_id)
        if session is None:
            if must_exist:
                raise refuse("SESSION_NOT_FOUND", f"Session {session_id} not found.")
            if len(self._sessions) >= _MOST_SESSIONS:
                self._drop_oldest_session()
            session = self._sessions[session_id] = _Session(self._make("s"))
        elif session.locked:
            raise refuse("SESSION_IS_LOCKED", f"Session {session_id} is locked by a concurrent client.")
        session.locked = True
        return session.lease

    def give_back_session(self, session_id: str, timeout: float, close: bool) -> None:
        """Unlock it for `timeout` seconds to live, or close it."""
        session = self._sessions[session_id]
        session.locked = False
        session.expires = self._clock() + timeout
        if close:
            del self._sessions[session_id]
            session.lease.close()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EXPIRE_EVERY_SECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self.expire()
        self._timer = None
        if self._sessions:
            self._timer = asyncio.get_running_loop().call_later(_EXPIRE_EVERY_SECONDS, self._on_timer)

    def expire(self) -> None:
        """Close the sessions that nobody used for their time to live."""
        now = self._clock()
        for session_id, session in list(self._sessions.items()):
            if not session.locked and session.expires <= now:
                del self._sessions[session_id]
                session.lease.close()

    def _drop_oldest_session(self) -> None:
        idle = [(session.expires, session_id) for session_id, session in self._sessions.items() if not session.locked]
        if idle:
            self._sessions.pop(min(idle)[1]).lease.close()

    def close(self) -> None:
        """End all connections."""
        if self._timer is not None:
            self._timer.cancel()
        for lease in (*self._unused, *(session.lease for session in self._sessions.values())):
            lease.close()
        self._unused.clear()
        self._sessions.clear()
