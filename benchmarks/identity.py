"""What it costs that people have several ids: questions over the same events with 0, 1% and 20% of ids linked to
another, against the same statements without identity at all.

    python benchmarks/identity.py [events] [runs]

The variants take turns, and of each the cheapest of several runs counts, by the CPU that the engine took: so the ratios
say something on any machine, also on one that does other things at the same time.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psutil

from footfall_core.clickhouse import ClickHouse
from footfall_core.migrate import migrate
from footfall_embedded.testing import start_bridge
from footfall_query.insights import funnels, trends
from footfall_query.runner import SETTINGS
from footfall_query.scope import UTC_ZONE, Scope, make_scope
from footfall_query.sql import Sql

START = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
EVENTS_OF_AN_ID = 50
SHARES = (0.0, 0.01, 0.2)
RUNS = 5
REPEATED = 3
"""Times that a statement runs to be measured once: an operating system counts CPU in hundredths of a second."""

QUESTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "trends, unique users, one event, by day": (
        trends,
        {"series": [{"event": "view", "math": "unique_users"}]},
    ),
    "trends, unique users, any event, by week": (
        trends,
        {"series": [{"math": "unique_users"}], "interval": "week"},
    ),
    "trends, unique users, by plan": (
        trends,
        {"series": [{"event": "view", "math": "unique_users"}], "breakdown": {"property": "plan"}},
    ),
    "funnel, three steps": (
        funnels,
        {"steps": [{"event": "view"}, {"event": "signup"}, {"event": "purchase"}]},
    ),
}


def make_statements(project_scope: Scope) -> dict[str, Sql]:
    statements = {}
    for name, (insight, document) in QUESTIONS.items():
        kind = insight.TrendsQuery if insight is trends else insight.FunnelQuery
        statements[name] = insight.build(kind.model_validate(document), project_scope)
    return statements


NONE: Final = {"none": "person_id", "none, 64 bits": "reinterpretAsUInt64(person_id)"}
"""Each id as a person of its own: by its whole id, and by the half of it that `person` is."""


def without_identity(sql: Sql, person: str) -> Sql:
    """The same statement with another expression for the person."""
    text, named = re.subn(r"\bperson AS person\b", f"{person} AS person", sql.text)
    return Sql(text if named else re.sub(r"\bperson\b", person, text), sql.parameters)


def store_events(clickhouse: ClickHouse, count: int) -> None:
    """Half of them views, in the order in which such events come: by time."""
    ids = max(count // EVENTS_OF_AN_ID, 1)
    for begin in range(0, count, 1_000_000):
        clickhouse.command(
            f"""
            INSERT INTO analytics.events (project_id, uuid, event, distinct_id, timestamp, properties, session_id,
                received_at, log_partition, log_offset)
            SELECT 1, generateUUIDv4(), ['view', 'view', 'signup', 'purchase'][1 + cityHash64(number, 1) % 4],
                concat('user-', toString(cityHash64(number, 2) % {ids})),
                fromUnixTimestamp64Milli(toInt64({int(START.timestamp() * 1000)} + number * {DAYS * 86_400_000} / {count})) AS at,
                concat('{{"plan":"', ['free', 'pro', 'team'][1 + number % 3], '"}}')::JSON, '', at, 0, number
            FROM numbers({begin}, {min(1_000_000, count - begin)})
            """  # noqa: E501
        )
    clickhouse.command("OPTIMIZE TABLE analytics.events FINAL")


def link(clickhouse: ClickHouse, ids: int, share: float) -> float:
    """Make each of this share of the ids part of its neighbour's person. Returns the seconds of the reload."""
    clickhouse.command("TRUNCATE TABLE analytics.person_ids")
    if share:
        clickhouse.command(
            f"""
            INSERT INTO analytics.person_ids (project_id, distinct_id, root_id, joined_at, version)
            SELECT 1, concat('user-', toString(number)), concat('user-', toString(number + 1)), 0, 1
            FROM numbers({ids}) WHERE number % {round(1 / share)} = 0
            """
        )
    began = time.perf_counter()
    clickhouse.command("SYSTEM RELOAD DICTIONARY analytics.person_of")
    return time.perf_counter() - began


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    ids = max(count // EVENTS_OF_AN_ID, 1)
    with ExitStack() as stack:
        process, url = start_bridge(stack.enter_context(tempfile.TemporaryDirectory(prefix="footfall-bench-")))
        stack.callback(process.wait)
        stack.callback(process.terminate)
        engine = psutil.Process(process.pid)
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=0)
        store_events(clickhouse, count)
        scope = make_scope(
            1,
            date_from="2026-10-01",
            date_to="2026-10-30",
            zone=UTC_ZONE,
            week_start="monday",
            now=START + timedelta(days=DAYS),
        )
        statements = make_statements(scope)
        best: dict[tuple[str, str], float] = {}
        reloads: dict[float, float] = {}

        def measure(name: str, variant: str, sql: Sql) -> None:
            began = engine.cpu_times()
            for _ in range(REPEATED):
                clickhouse.fetch(sql.text, sql.parameters, {**SETTINGS, "max_execution_time": 600})
            ended = engine.cpu_times()
            taken = (ended.user + ended.system - began.user - began.system) / REPEATED
            best[name, variant] = min(taken, best.get((name, variant), taken))

        for _ in range(runs):
            for share in SHARES:
                reloads[share] = min(link(clickhouse, ids, share), reloads.get(share, 1e9))
                for name, sql in statements.items():
                    for variant, person in NONE.items():
                        measure(name, variant, without_identity(sql, person))
                    measure(name, f"{share:.0%}", sql)
        clickhouse.close()
    print(f"{count:,} events, {ids:,} ids; milliseconds of CPU, and the ratio to no identity at all\n")
    variants = ["none, 64 bits", *(f"{share:.0%}" for share in SHARES)]
    print(f"| Question | none | {' | '.join(variants)} |\n|---|---|{'---|' * len(variants)}")
    for name in statements:
        base = best[name, "none"]
        cells = [f"{best[name, variant] * 1000:.0f} ({best[name, variant] / base:.2f}×)" for variant in variants]
        print(f"| {name} | {base * 1000:.0f} | {' | '.join(cells)} |")
    print(f"\nReloading the dictionary: {', '.join(f'{s:.0%} {t * 1000:.0f} ms' for s, t in reloads.items())}")


if __name__ == "__main__":
    main()
