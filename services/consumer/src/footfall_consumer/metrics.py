"""What the Consumer tells Prometheus. Each metric's help text is its documentation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from footfall_consumer.people import REFUSALS
from footfall_core.eventlog import Lag

TIERS: Final = {
    "log": "its place in the log is stored already: it was read again after a crash or a failure",
    "batch": "the same event stands earlier in the batch",
    "table": "the table holds the event from another place in the log: a client sent it twice",
}
"""Where a duplicate was found, as the label `tier`."""


class Metrics:
    """All metrics, registered in `registry`."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._clock = clock
        self._oldest: float | None = None
        self.stored = Counter("footfall_consumer_events_stored", "Events stored.", registry=registry)
        self.rejected = Counter(
            "footfall_consumer_events_rejected",
            "Rejected events stored, by reason.",
            ["reason"],
            registry=registry,
        )
        self.duplicates = Counter(
            "footfall_consumer_duplicates_dropped",
            "Deliveries dropped because the event is stored already, by what found it.",
            ["tier"],
            registry=registry,
        )
        for tier in TIERS:
            self.duplicates.labels(tier)
        self.asked = Counter(
            "footfall_consumer_events_asked",
            "Events for which ClickHouse was asked whether it holds them.",
            registry=registry,
        )
        self.links_refused = Counter(
            "footfall_consumer_links_refused",
            "Links that events make and that have no effect, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in REFUSALS:
            self.links_refused.labels(reason)
        self.batch_records = Histogram(
            "footfall_consumer_batch_records",
            "Records of a batch.",
            buckets=[1, 10, 100, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000],
            registry=registry,
        )
        self.seconds = Histogram(
            "footfall_consumer_seconds",
            "Seconds that a batch took, by phase.",
            ["phase"],
            buckets=[0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
            registry=registry,
        )
        for phase in ("to_row", "people", "compare", "first_seen", "insert", "commit"):
            self.seconds.labels(phase)
        self.failures = Counter(
            "footfall_consumer_failures",
            "Batches that failed and were begun again, by what failed.",
            ["cause"],
            registry=registry,
        )
        for cause in ("clickhouse", "log", "assignment", "rows"):
            self.failures.labels(cause)
        self.reports_failed = Counter(
            "footfall_consumer_reports_failed",
            "Reports of the lag that ClickHouse did not take.",
            registry=registry,
        )
        self.deleted = Counter(
            "footfall_consumer_records_deleted_unread",
            "Records that the log deleted before they were read.",
            registry=registry,
        )
        self.lag = Gauge(
            "footfall_consumer_lag_records",
            "Records of the log that are not committed yet, by partition.",
            ["partition"],
            registry=registry,
        )
        oldest = Gauge(
            "footfall_consumer_oldest_event_age_seconds",
            "Age of the oldest record that is not committed yet; 0 when there is none.",
            registry=registry,
        )
        oldest.set_function(lambda: 0.0 if self._oldest is None else max(0.0, self._clock() - self._oldest))
        self.ready = Gauge(
            "footfall_consumer_ready", "1 while the Consumer can do its work, else 0.", registry=registry
        )
        self.freshness = Freshness()
        registry.register(self.freshness)

    def show_lag(self, lags: Mapping[int, Lag]) -> None:
        """Take over how far the group is behind."""
        for partition, lag in lags.items():
            self.lag.labels(str(partition)).set(lag.records)
        times = [lag.oldest_appended_at for lag in lags.values() if lag.oldest_appended_at is not None]
        self._oldest = min(times, default=None)


class Freshness(Collector):
    """A histogram that takes a whole batch at once: prometheus_client's own takes a microsecond an event."""

    BOUNDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

    def __init__(self) -> None:
        self._counts = np.zeros(len(self.BOUNDS) + 1, np.int64)
        self._sum = 0.0

    def observe(self, seconds: Iterable[float]) -> None:
        """Count each of these ages."""
        ages = np.maximum(np.fromiter(seconds, np.float64), 0.0)
        places = np.searchsorted(self.BOUNDS, ages)
        self._counts = self._counts + np.bincount(places, minlength=len(self._counts))
        self._sum += float(ages.sum())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """For Prometheus."""
        labels = [*map(str, self.BOUNDS), "+Inf"]
        totals = np.cumsum(self._counts)
        yield HistogramMetricFamily(
            "footfall_consumer_freshness_seconds",
            "Age of each event when it was stored, from its receipt by the Capture API.",
            buckets=[(label, float(total)) for label, total in zip(labels, totals, strict=True)],
            sum_value=self._sum,
        )
