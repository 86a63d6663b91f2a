"""Tells ClickHouse how far behind the log is, so that whoever misses an event can be told where it is.

The loop looks at the lag anyway; here a thread of its own passes the latest look on, so that neither a slow nor an
absent ClickHouse costs the loop anything. A report is about the whole log: any member of the group may give it, and
when several do, the newest counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog
from prometheus_client import Counter

from footfall_consumer.rows import format_time
from footfall_core.clickhouse import DATABASE, ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.eventlog import Lag

logger = structlog.get_logger(__name__)

LOG_LAG: Final = f"{DATABASE}.log_lag"
REPORT_SECONDS: Final = 5.0
"""Between two reports. The Query API takes it for granted that there is one much more often than every 20 seconds."""
TIMEOUT_SECONDS: Final = 5.0


class _Line(msgspec.Struct):
    records: int
    oldest_appended_at: str | None


def report(clickhouse: ClickHouse, lags: Mapping[int, Lag]) -> None:
    """Store one report of the lag of each partition. Raises `ClickHouseRefused` or `ClickHouseUnavailable`."""
    oldest = min((lag.oldest_appended_at for lag in lags.values() if lag.oldest_appended_at is not None), default=None)
    line = _Line(
        sum(lag.records for lag in lags.values()), None if oldest is None else format_time(round(oldest * 1000))
    )
    clickhouse.insert(LOG_LAG, _Line.__struct_fields__, msgspec.json.encode(line))


def keep_reporting(
    look: Callable[[], Mapping[int, Lag] | None],
    clickhouse: ClickHouse,
    failures: Counter,
    *,
    seconds: float,
    stop: threading.Event,
) -> None:
    """Report every `seconds`, until `stop` is set, what `look` gives: the loop's latest look at the lag, once each.

    So a loop that no longer looks is one that no longer reports.
    """
    told: Mapping[int, Lag] | None = None
    is_failing = False
    while not stop.wait(seconds):
        seen = look()
        if seen is None or seen is told:
            continue
        told = seen
        try:
            report(clickhouse, seen)
            is_failing = False
        except (ClickHouseUnavailable, ClickHouseRefused) as error:
            failures.inc()
            if not is_failing:
                logger.warning("the lag cannot be reported", reason=str(error))
            is_failing = True
