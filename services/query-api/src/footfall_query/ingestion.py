"""Where an event is that was accepted and cannot be found yet. Pure, as the insights are.

The lag is the whole platform's, because one log carries every project's events; the rest is the project's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from pydantic import BaseModel, Field

from footfall_query.documents import Answer, Meta, ProjectId
from footfall_query.events import utc
from footfall_query.filters import Document, where
from footfall_query.freshness import INSERTED
from footfall_query.properties import EVENTS
from footfall_query.scope import Scope
from footfall_query.sql import Fragment, Params, Sql
from footfall_query.tables import Format

RECENT_SECONDS: Final = 300
"""How long ago an event may have been stored to count for what is going on now."""
SILENT_SECONDS: Final = 20.0
"""Without a report for so long, the Consumer is silent. It gives one every 5 seconds."""


class IngestionQuery(Document):
    """Whose events."""

    project_id: ProjectId | None = Field(default=None, description="May be left out with a read key, which has one.")
    debug: bool = Field(default=False, description="Admins of the project get the SQL with the answer.")
    format: Format | None = None
    # It is always about now, by ClickHouse's clock.
    date_from: ClassVar[str] = "all"
    date_to: ClassVar[str | None] = None
    timezone: ClassVar[str | None] = None


class Freshness(BaseModel):
    """Seconds from an event's receipt to its storage."""

    p50: float
    p95: float


class IngestionAnswer(Answer):
    """How the way from the Capture API to an answer is doing."""

    waiting_events: int | None = Field(
        description="Accepted events of all projects that were not stored yet at the last report; null without one."
    )
    oldest_waiting_seconds: float | None = Field(
        description="For how long the oldest of them has waited by now; null when none waits."
    )
    reported_at: str | None = Field(description="When the Consumer reported last; null: never.")
    silent_seconds: float | None = Field(
        description=f"Time since the last report, once it is more than {SILENT_SECONDS:g} s: nobody reads the log."
    )
    events_per_second: float = Field(
        description=f"The project's events that were stored in the last {RECENT_SECONDS} seconds."
    )
    freshness: Freshness | None = Field(description="Of these events; null when there are none.")


def build(_: IngestionQuery, scope: Scope) -> Sql:
    """One row: now in Unix milliseconds; the last report, if any, as a list of (records, oldest's Unix millisecond,
    report's Unix millisecond); events stored lately, median and 95th percentile of milliseconds until they were."""
    p = Params()
    recent = Fragment(f"{INSERTED} >= now64(3) - toIntervalSecond({RECENT_SECONDS})")
    return Sql(
        f"""SELECT toUnixTimestamp64Milli(now64(3)),
    (
        SELECT groupArray((
            records, toUnixTimestamp64Milli(oldest_appended_at), toUnixTimestamp64Milli(reported_at)))
        FROM (SELECT * FROM analytics.log_lag ORDER BY reported_at DESC LIMIT 1)
    ),
    count(), quantiles(0.5, 0.95)(dateDiff('millisecond', received_at, {INSERTED}))
FROM {EVENTS}
{where(scope, [], p, recent, time=INSERTED)}""",
        p.values,
    )


def shape(_: IngestionQuery, __: Scope, rows: Sequence[Sequence[Any]], meta: Meta) -> IngestionAnswer:
    """The answer. Times that would lie ahead, by clocks that differ, are now."""
    ((now, reports, stored, (p50, p95)),) = rows
    ((waiting, oldest, reported),) = reports or [(None, None, None)]
    silent = None if reported is None else _seconds(now - reported)
    return IngestionAnswer(
        waiting_events=waiting,
        oldest_waiting_seconds=None if oldest is None else _seconds(now - oldest),
        reported_at=None if reported is None else utc(reported),
        silent_seconds=None if silent is None or silent <= SILENT_SECONDS else silent,
        events_per_second=stored / RECENT_SECONDS,
        freshness=None if math.isnan(p50) else Freshness(p50=_seconds(p50), p95=_seconds(p95)),
        meta=meta,
    )


def _seconds(milliseconds: float) -> float:
    return max(0.0, round(milliseconds / 1000, 3))
