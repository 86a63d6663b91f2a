"""Consumer groups of the embedded event log: who is a member, who owns which partition, who has died.

A member holds a lease, which its polls renew, and an operating system's lock on a file of its own. The lock
tells at once that its process is gone, however it went; the lease tells that a living process no longer
polls. While a member is well only it gives up its partitions, so a partition has one owner at a time; and a
commit names the owner, so a member that was taken for dead cannot commit any more.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from footfall_core.eventlog.sqlite.file import connect, parse_url, reporting, transaction


@dataclass(frozen=True, slots=True)
class Share:
    """What a member has of its group after `rebalance`."""

    positions: Mapping[int, int]  # its partitions, each with the next offset to read
    excess: int  # partitions to give up, so that others get their share
    generation: int


class Member:
    """One member of a group, alive as long as its process holds the lock."""

    def __init__(self, path: Path, group: str) -> None:
        self.id = secrets.token_hex(8)
        self.group = group
        self.joined = False
        self._log = path
        self._lock = os.open(lock_file(path, self.id), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Let the lock go."""
        lock_file(self._log, self.id).unlink(missing_ok=True)
        os.close(self._lock)


def lock_file(path: Path, member: str) -> Path:
    """The file that `member` keeps locked while it lives."""
    return path.with_name(f"{path.name}-member-{member}")


def is_dead(path: Path, member: str) -> bool:
    """Whether the process of `member` is gone for certain."""
    try:
        lock = os.open(lock_file(path, member), os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(lock)


def fair_shares(owned: Mapping[str, int], partitions: int) -> dict[str, int]:
    """How many partitions each member may own, given how many it owns now.

    The shares differ by one at most; whoever owns most keeps the odd ones, so that few partitions move.
    """
    least, odd = divmod(partitions, len(owned))
    ranked = sorted(owned, key=lambda member: (-owned[member], member))
    return {member: least + (rank < odd) for rank, member in enumerate(ranked)}


def register(connection: sqlite3.Connection, group: str, partitions: int) -> None:
    """Make `group` known, from the oldest record on; from then on the log keeps what it has not read."""
    connection.execute("INSERT OR IGNORE INTO groups (name) VALUES (?)", (group,))
    connection.executemany(
        "INSERT OR IGNORE INTO positions (group_name, partition, next_offset) VALUES (?, ?, "
        "coalesce((SELECT min(base_offset) FROM batches WHERE partition = ?), 0))",
        [(group, partition, partition) for partition in range(partitions)],
    )


def rebalance(
    connection: sqlite3.Connection,
    path: Path,
    member: Member,
    partitions: int,
    now: float,
    session_seconds: float,
) -> Share | None:
    """Renew the lease of `member`, evict the dead, take free partitions up to the fair share.

    To be called in a transaction. None means that others took `member` for dead: it must begin anew.
    """
    group = member.group
    register(connection, group, partitions)
    leases: dict[str, float] = dict(
        connection.execute("SELECT id, expires_at FROM members WHERE group_name = ?", (group,)).fetchall()
    )
    if member.joined and member.id not in leases:
        return None
    dead = [
        other
        for other, expires_at in leases.items()
        if other != member.id and (expires_at < now or is_dead(path, other))
    ]
    for other in dead:
        connection.execute("DELETE FROM members WHERE id = ?", (other,))
        connection.execute("UPDATE positions SET owner = NULL WHERE owner = ?", (other,))
        lock_file(path, other).unlink(missing_ok=True)
    connection.execute(
        "INSERT OR REPLACE INTO members (id, group_name, expires_at) VALUES (?, ?, ?)",
        (member.id, group, now + session_seconds),
    )
    positions = connection.execute(
        "SELECT partition, next_offset, owner FROM positions WHERE group_name = ?", (group,)
    ).fetchall()
    owned = Counter(dict.fromkeys({*leases, member.id} - set(dead), 0))
    owned.update(owner for _, _, owner in positions if owner is not None)
    share = fair_shares(owned, partitions)[member.id]
    mine = {partition: position for partition, position, owner in positions if owner == member.id}
    free = [(partition, position) for partition, position, owner in positions if owner is None]
    taken = dict(free[: max(0, share - len(mine))])
    connection.executemany(
        "UPDATE positions SET owner = ? WHERE group_name = ? AND partition = ?",
        [(member.id, group, partition) for partition in taken],
    )
    if dead or taken or member.id not in leases:
        announce(connection, group)
    return Share(mine | taken, max(0, len(mine) - share), generation(connection, group))


def release(connection: sqlite3.Connection, member: Member, partitions: Iterable[int]) -> None:
    """Give partitions up, for others to take. To be called in a transaction."""
    connection.executemany(
        "UPDATE positions SET owner = NULL WHERE group_name = ? AND partition = ? AND owner = ?",
        [(member.group, partition, member.id) for partition in partitions],
    )
    announce(connection, member.group)


def leave(connection: sqlite3.Connection, member: Member) -> None:
    """Give up every partition and the membership. To be called in a transaction."""
    connection.execute("UPDATE positions SET owner = NULL WHERE owner = ?", (member.id,))
    connection.execute("DELETE FROM members WHERE id = ?", (member.id,))
    announce(connection, member.group)


def announce(connection: sqlite3.Connection, group: str) -> None:
    """Tell the members of `group` to rebalance."""
    connection.execute("UPDATE groups SET generation = generation + 1 WHERE name = ?", (group,))


def generation(connection: sqlite3.Connection, group: str) -> int:
    """How often ownership in `group` has changed; -1 for a group that the log does not know."""
    rows = connection.execute("SELECT generation FROM groups WHERE name = ?", (group,)).fetchall()
    return int(rows[0][0]) if rows else -1


def peers(connection: sqlite3.Connection, member: Member) -> list[str]:
    """The other members of the group of `member`."""
    rows = connection.execute(
        "SELECT id FROM members WHERE group_name = ? AND id <> ?", (member.group, member.id)
    ).fetchall()
    return [other for (other,) in rows]


def forget_group(url: str, group: str) -> None:
    """Delete `group` and its positions, so that the log no longer keeps for it what it has not read.

    Raises ValueError if the log at `url` knows no such group, or if a member of it is alive.
    """
    path = Path(parse_url(url).path)
    connection = connect(path)
    try:
        with reporting(path), transaction(connection):
            known = [name for (name,) in connection.execute("SELECT name FROM groups ORDER BY name").fetchall()]
            if group not in known:
                raise ValueError(f"{path} knows no group {group!r}, only {known}")
            members = connection.execute("SELECT id FROM members WHERE group_name = ?", (group,)).fetchall()
            if not all(is_dead(path, member) for (member,) in members):
                raise ValueError(f"group {group!r} of {path} has a living member: stop it first")
            for table, column in (("positions", "group_name"), ("members", "group_name"), ("groups", "name")):
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (group,))
    finally:
        connection.close()
