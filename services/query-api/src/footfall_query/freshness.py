"""What tells that events have arrived since an answer was computed, or that people became others. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from footfall_query.filters import bind_time, where
from footfall_query.properties import EVENTS
from footfall_query.scope import EARLIEST, LATEST, UTC_ZONE, Scope, Span
from footfall_query.sql import Fragment, Params, Sql

INSERTED: Final = Fragment("inserted_at")
PERSON_IDS: Final = Fragment("analytics.person_ids")
WRITTEN: Final = Fragment("written_at")
MARGIN_MS: Final = 300_000
"""How long an insert may take from the moment that its rows name to that in which they can be seen."""
SETTLING_MS: Final = 60_000
"""How long it may take until queries see that ids belong to another person."""


class Mark(NamedTuple):
    """How many events had been inserted since a Unix millisecond of ClickHouse's clock, and when the last id came to
    another person. The same for the same `since` means that no event has arrived, none was found to be a duplicate,
    and people are who they were."""

    since: int
    events: int
    people: int

    @property
    def is_settled(self) -> bool:
        """Whether queries see people as they are, for a mark that was made without `since`."""
        return self.people < self.since + MARGIN_MS - SETTLING_MS


def build_mark(project_id: int, until: int, now: datetime, since: int | None = None) -> Sql:
    """One row, a `Mark` of the events before the Unix millisecond `until`. Without `since` it begins a little before
    now, so that the mark also covers what is being inserted at this moment.

    It asks for the time of the insert and for no start of the range: questions look at events before theirs as well,
    and the newest parts are all that the engine has to read.
    """
    p = Params()
    scope = Scope(project_id, Span(EARLIEST if since is None else since, LATEST), UTC_ZONE, "sunday", now)
    start = Fragment(f"toUnixTimestamp64Milli(now64(3)) - {MARGIN_MS}" if since is None else p(since, "Int64"))
    more = [
        Fragment("inserted_at >= fromUnixTimestamp64Milli(since, 'UTC')"),
        Fragment(f"timestamp < {bind_time(until, p)}"),
    ]
    ever = Scope(project_id, Span(EARLIEST, LATEST), UTC_ZONE, "sunday", now)
    return Sql(
        f"""WITH {start} AS since
SELECT since, count(), (
    SELECT max(toUnixTimestamp64Milli({WRITTEN})) FROM {PERSON_IDS}
    {where(ever, [], p, time=WRITTEN)}
)
FROM {EVENTS}
{where(scope, [], p, *more, time=INSERTED)}""",
        p.values,
    )
