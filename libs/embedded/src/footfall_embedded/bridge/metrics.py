"""What the bridge counts."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

KINDS = ("read", "insert", "change", "kill")
OUTCOMES = ("ok", "failed", "refused", "cancelled")


@dataclass(frozen=True, slots=True)
class OfKind:
    """The metrics of one kind of statement; `ended` by outcome."""

    running: Gauge
    ended: dict[str, Counter]
    seconds: Histogram


class Metrics:
    """The bridge's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        running = Gauge("footfall_clickhouse_queries_running", "Statements in the engine", ["kind"], registry=registry)
        queries = Counter(
            "footfall_clickhouse_queries", "Statements that ended", ["kind", "outcome"], registry=registry
        )
        seconds = Histogram(
            "footfall_clickhouse_query_seconds",
            "From a statement's start in the engine to the end of its answer",
            ["kind"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self.of_kind = {
            kind: OfKind(
                running.labels(kind),
                {outcome: queries.labels(kind, outcome) for outcome in OUTCOMES},
                seconds.labels(kind),
            )
            for kind in KINDS
        }
        self.insert_rows = Counter("footfall_clickhouse_insert_rows", "Rows that INSERT wrote", registry=registry)
        self.insert_bytes = Counter("footfall_clickhouse_insert_bytes", "Bodies of INSERTs received", registry=registry)
        self.result_bytes = Counter("footfall_clickhouse_result_bytes", "Results before compression", registry=registry)
        self.sessions = Gauge("footfall_clickhouse_sessions", "Open sessions", registry=registry)
