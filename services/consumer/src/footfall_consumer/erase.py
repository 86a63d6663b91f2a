"""Removes the events and people of deleted projects. The Auth API says which those are; the Consumer alone writes here.

It looks again and again, so what was still in the log when a project was deleted goes too, and a look that failed
is made up for by the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import msgspec
import structlog

from footfall_consumer import people
from footfall_consumer.first_seen import FIRST_SEEN
from footfall_consumer.store import EVENTS, REJECTED_EVENTS
from footfall_core.auth import DeletedProjects
from footfall_core.clickhouse import DATABASE, ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.cluster import local_name, on_cluster

logger = structlog.get_logger(__name__)

TABLES: Final = (EVENTS, REJECTED_EVENTS, FIRST_SEEN, people.LINKS, people.IDS, people.PROPERTIES)
"""All that is stored of a project."""
AUTH_SECONDS: Final = 10.0
"""How long the Auth API may take to answer."""


class AuthUnavailable(Exception):
    """The Auth API does not say which projects are deleted."""


def ask_deleted(client: httpx.Client) -> list[int]:
    """The ids of all projects that were ever deleted. Raises `AuthUnavailable`."""
    try:
        answer = client.get("/internal/projects/deleted").raise_for_status()
        return msgspec.json.decode(answer.content, type=DeletedProjects).project_ids
    except (httpx.HTTPError, msgspec.MsgspecError) as error:
        raise AuthUnavailable(str(error) or type(error).__name__) from error


def erase(clickhouse: ClickHouse, project_ids: Sequence[int], cluster: str = "") -> list[int]:
    """Remove everything of these projects; returns those that had anything.

    Returns when it is gone from the disk too, and changes nothing when there is nothing.
    """
    erased: set[int] = set()
    for table in TABLES:
        found = clickhouse.fetch(
            f"SELECT DISTINCT project_id FROM {table} WHERE project_id IN {{project_ids:Array(UInt32)}}",
            {"project_ids": list(project_ids)},
        )
        owners = [int(row[0]) for row in found.rows]
        if owners:
            local = f"{DATABASE}.{local_name(table.removeprefix(f'{DATABASE}.'), cluster)}"
            clickhouse.command(
                f"ALTER TABLE {local}{on_cluster(cluster)} DELETE WHERE project_id IN {{project_ids:Array(UInt32)}}",
                {"project_ids": owners},
                settings={"mutations_sync": 1},
            )
        if owners and table == people.IDS:
            clickhouse.command(f"SYSTEM RELOAD DICTIONARY {people.DICTIONARY}{on_cluster(cluster)}")
        erased.update(owners)
    return sorted(erased)


def keep_erasing(
    ask: Callable[[], Sequence[int]],
    clickhouse: ClickHouse,
    *,
    seconds: float,
    stop: threading.Event,
    cluster: str = "",
) -> None:
    """Ask and erase every `seconds`, until `stop` is set."""
    trouble: str | None = None
    while not stop.is_set():
        try:
            deleted = ask()
            if deleted and (erased := erase(clickhouse, deleted, cluster)):
                logger.info("deleted projects were removed", project_ids=erased)
            trouble = None
        except (AuthUnavailable, ClickHouseUnavailable, ClickHouseRefused) as error:
            if trouble != (trouble := str(error)):
                logger.warning("events of deleted projects wait to be removed", reason=trouble)
        stop.wait(seconds)
