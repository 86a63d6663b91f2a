"""How fast questions are answered, against two others in the same run of the same engine.

    python benchmarks/questions.py [--events 10000000] [--people 500000] [--repeat 3]

*scan*: the same rows and columns, only read. *peer*: the statement that the leading product makes of the same
question, over its own table: properties as a JSON text, ordered by project, day, event and hashed id. Times are the
best of `--repeat`; ratios within one run say something on any machine, times alone little on a busy one.
"""

from __future__ import annotations

import argparse
import os
import platform as machine
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from footfall_core.clickhouse import ClickHouse
from footfall_core.migrate import migrate
from footfall_embedded.testing import running_bridge
from footfall_query.runner import INSIGHTS, SETTINGS
from footfall_query.scope import UTC_ZONE, make_scope

PROJECT, OTHERS = 1, 9
NOW = datetime(2026, 11, 18, tzinfo=UTC)
DAYS = 60
FIRST = NOW - timedelta(days=DAYS)
CHUNK = 1_000_000
RANGE = {"date_from": "2026-10-19", "date_to": "2026-11-17"}
SPAN = "timestamp >= toDateTime64('2026-10-19 00:00:00', 3, 'UTC') AND timestamp < toDateTime64('2026-11-18', 3, 'UTC')"
DAY = "toStartOfDay(timestamp, 'UTC')"

EVENTS = f"""SELECT if(number % 2 = 0, {PROJECT}, {PROJECT} + 1 + number % {OTHERS}) AS project_id,
    generateUUIDv4(number) AS uuid,
    ['$pageview', '$pageview', '$pageview', 'open', 'open', 'signup', 'pay'][1 + cityHash64(number, 1) % 7] AS event,
    concat('person-', toString(cityHash64(number, 2) % PEOPLE)) AS distinct_id,
    addMilliseconds(toDateTime64('{FIRST:%Y-%m-%d}', 3, 'UTC'), cityHash64(number, 3) % {DAYS * 86_400_000})
        AS timestamp,
    format(concat('{{{{"$current_url": "https://shop.example/products/{{0}}?ref=mail", "plan": "{{1}}", ',
        '"amount": {{2}}, "$browser": "{{3}}", "country": "{{4}}", "beta": {{5}}, "referrer": "https://search.example/q?{{6}}"}}}}'),
        toString(cityHash64(number, 4) % 50), ['free', 'free', 'pro', 'team'][1 + cityHash64(number, 5) % 4],
        toString((cityHash64(number, 6) % 10000) / 100), ['Chrome', 'Firefox', 'Safari'][1 + cityHash64(number, 7) % 3],
        ['DE', 'FR', 'US', 'BR', 'IN'][1 + cityHash64(number, 8) % 5], if(number % 3 = 0, 'true', 'false'),
        toString(cityHash64(number, 9) % 100000)) AS text
FROM numbers(OFFSET, COUNT)"""

PEER = """CREATE TABLE peer
(
    team_id Int64, uuid UUID, event String, distinct_id String, person_id UUID, person_created_at DateTime64(3),
    timestamp DateTime64(6, 'UTC'), properties String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))"""


def read(name: str) -> str:
    """A property as the peer reads it from its JSON text."""
    raw = f"JSONExtractRaw(properties, '{name}')"
    return f"""nullIf(nullIf(replaceRegexpAll({raw}, '^"|"$', ''), ''), 'null')"""


@dataclass(frozen=True)
class Case:
    """A question, the columns that it needs, and the peer's statement for it."""

    name: str
    kind: str
    document: Mapping[str, Any]
    columns: str
    peer: str
    reads_property: bool = False


def peer(columns: str, where: str, rest: str = "") -> str:
    return f"SELECT {columns} FROM peer WHERE team_id = {PROJECT} AND {SPAN} AND {where} {rest}"


def peer_funnel(conditions: list[str]) -> str:
    """Window functions over the sorted events of each person, one level for each step."""
    steps = range(len(conditions))
    events = " OR ".join(f"({condition})" for condition in conditions)
    flags = ", ".join(f"if({c}, 1, 0) AS step_{n}, if(step_{n} = 1, timestamp, NULL) AS latest_{n}"
                      for n, c in enumerate(conditions))  # fmt: skip
    table = f"SELECT person_id, timestamp, {flags} FROM peer WHERE team_id = {PROJECT} AND {SPAN} AND ({events})"
    for depth in range(1, len(conditions)):
        latest = ", ".join(
            f"latest_{n}"
            if n < depth
            else f"min(latest_{n}) OVER (PARTITION BY person_id ORDER BY timestamp DESC "
            f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest_{n}"
            for n in steps
        )
        kept = ", ".join(f"step_{n}" for n in steps)
        table = f"SELECT person_id, timestamp, {kept}, {latest} FROM ({table})"
    reached = "1"
    cases = []
    for n in range(1, len(conditions)):
        reached += f" AND latest_{n - 1} < latest_{n} AND latest_{n} <= latest_0 + INTERVAL 14 DAY"
        cases.insert(0, f"{reached}, {n + 1}")
    times = ", ".join(
        f"if(isNotNull(latest_{n}), dateDiff('second', latest_{n - 1}, latest_{n}), NULL) AS took_{n}"
        for n in range(1, len(conditions))
    )
    table = f"SELECT *, multiIf({', '.join(cases)}, 1) AS steps, {times} FROM ({table}) WHERE step_0 = 1"
    took = ", ".join(f"avg(took_{n}) AS avg_{n}, median(took_{n}) AS median_{n}" for n in range(1, len(conditions)))
    table = (
        f"SELECT person_id, steps, max(steps) OVER (PARTITION BY person_id) AS most, "
        f"{', '.join(f'took_{n}' for n in range(1, len(conditions)))} FROM ({table})"
    )
    table = f"SELECT person_id, steps, {took} FROM ({table}) WHERE steps = most GROUP BY person_id, steps"
    counts = ", ".join(f"countIf(steps = {n + 1})" for n in steps)
    means = ", ".join(f"avg(avg_{n}), median(median_{n})" for n in range(1, len(conditions)))
    return f"SELECT {counts}, {means} FROM ({table})"


def cases() -> Iterator[Case]:
    opened = {"event": "open"}
    pro = {"property": "plan", "value": "pro"}
    people = "event, timestamp, person_id"
    yield Case("trends, total", "trends", {"series": [opened]}, "event, timestamp",
               peer(f"{DAY} AS day, count()", "event = 'open'", "GROUP BY day"))  # fmt: skip
    yield Case("trends, unique users", "trends", {"series": [{**opened, "math": "unique_users"}]}, people,
               peer(f"{DAY} AS day, count(DISTINCT person_id)", "event = 'open'", "GROUP BY day"))  # fmt: skip
    yield Case("trends, breakdown", "trends", {"series": [opened], "breakdown": {"property": "$browser"}},
               "event, timestamp, properties.`$browser`",
               peer(f"{DAY} AS day, {read('$browser')} AS value, count()", "event = 'open'", "GROUP BY day, value"),
               reads_property=True)  # fmt: skip
    yield Case("trends, filter", "trends", {"series": [{**opened, "filters": [pro]}]},
               "event, timestamp, properties.plan",
               peer(f"{DAY} AS day, count()", f"event = 'open' AND {read('plan')} = 'pro'", "GROUP BY day"),
               reads_property=True)  # fmt: skip
    yield Case("trends, sum", "trends",
               {"series": [{"event": "pay", "math": "sum", "math_property": "amount"}]},
               "event, timestamp, properties.amount",
               peer(f"{DAY} AS day, sum(accurateCastOrNull({read('amount')}, 'Float64'))", "event = 'pay'",
                    "GROUP BY day"), reads_property=True)  # fmt: skip
    active = f"""SELECT day, count(DISTINCT person_id) FROM (
        SELECT toDate('2026-10-19') + number AS day FROM numbers(30)) AS days CROSS JOIN (
        SELECT person_id, toDate(timestamp) AS seen FROM peer WHERE team_id = {PROJECT} AND event = 'open'
            AND timestamp >= toDateTime64('2026-10-13', 3, 'UTC') AND timestamp < toDateTime64('2026-11-18', 3, 'UTC')
        GROUP BY person_id, seen) AS seen
        WHERE seen <= day AND seen > day - 7 GROUP BY day"""
    yield Case("trends, weekly active", "trends", {"series": [{**opened, "math": "weekly_active_users"}]}, people,
               active)  # fmt: skip
    yield Case("funnel", "funnels", {"steps": [{"event": name} for name in ("signup", "open", "pay")]}, people,
               peer_funnel(["event = 'signup'", "event = 'open'", "event = 'pay'"]))  # fmt: skip
    yield Case("funnel, filter", "funnels",
               {"steps": [{"event": "signup"}, {**opened, "filters": [pro]}, {"event": "pay"}]},
               f"{people}, properties.plan",
               peer_funnel(["event = 'signup'", f"event = 'open' AND {read('plan')} = 'pro'", "event = 'pay'"]),
               reads_property=True)  # fmt: skip
    yield Case("retention", "retention", {"start": {"event": "signup"}, "return": opened}, people,
               f"""SELECT start, n, count(DISTINCT person_id) FROM (
        SELECT person_id, arrayJoin(starts) AS start, arrayJoin(arrayMap(d -> dateDiff('day', start, d), returns)) AS n
        FROM (SELECT person_id, groupUniqArrayIf({DAY}, event = 'signup') AS starts,
            groupUniqArrayIf({DAY}, event = 'open') AS returns
            FROM peer WHERE team_id = {PROJECT} AND {SPAN} AND event IN ('signup', 'open') GROUP BY person_id))
        WHERE n BETWEEN 0 AND 7 GROUP BY start, n""")  # fmt: skip
    yield Case("lifecycle", "lifecycle", opened, people,
               f"""SELECT bucket, status, count() FROM (
        SELECT person_id, arraySort(groupUniqArray({DAY})) AS days, toStartOfDay(min(person_created_at)) AS born,
            arrayMap((d, p, n) -> (d, multiIf(d = born, 'new', p = d - INTERVAL 1 DAY, 'returning', 'resurrecting')),
                days, arrayPushFront(arrayPopBack(days), toDateTime('1970-01-01', 'UTC')), days) AS alive,
            arrayMap(d -> (d + INTERVAL 1 DAY, 'dormant'), arrayFilter((d, n) -> n != d + INTERVAL 1 DAY, days,
                arrayPushBack(arrayPopFront(days), toDateTime('1970-01-01', 'UTC')))) AS gone,
            arrayJoin(arrayConcat(alive, gone)) AS change, change.1 AS bucket, change.2 AS status
        FROM peer WHERE team_id = {PROJECT} AND {SPAN} AND event = 'open' GROUP BY person_id)
        GROUP BY bucket, status""")  # fmt: skip
    yield Case("stickiness", "stickiness", {"series": [opened]}, people,
               "SELECT days, count() FROM (" + peer(f"person_id, count(DISTINCT {DAY}) AS days", "event = 'open'",
               "GROUP BY person_id") + ") GROUP BY days")  # fmt: skip
    yield Case("paths", "paths", {"include": ["$pageview"]}, f"{people}, properties.`$current_url`",
               f"""SELECT link.1 AS source, link.2 AS target, count(), avg(link.3) FROM (
        SELECT arrayJoin(arraySplit((v, gap) -> gap > 1800, visits, arrayDifference(arrayMap(v -> v.1, visits))))
            AS path, arraySlice(arrayCompact(v -> v.2, path), 1, 5) AS short,
            arrayJoin(arrayMap((n, a, b) -> (concat(toString(n), '_', a.2), concat(toString(n + 1), '_', b.2),
                b.1 - a.1), arrayEnumerate(arrayPopBack(short)), arrayPopBack(short), arrayPopFront(short))) AS link
        FROM (SELECT person_id, arraySort(groupArray((toUnixTimestamp(timestamp),
            replaceRegexpAll(ifNull({read("$current_url")}, ''), '(.)/$', '\\\\1')))) AS visits
            FROM peer WHERE team_id = {PROJECT} AND {SPAN} AND event = '$pageview' GROUP BY person_id))
        GROUP BY source, target ORDER BY count() DESC LIMIT 50""", reads_property=True)  # fmt: skip


def fill(clickhouse: ClickHouse, events: int, people: int) -> None:
    """Half of the events in one project, the other half in others; the same ones in the peer's table."""
    clickhouse.command(PEER)
    for offset in range(0, 2 * events, CHUNK):
        count = min(CHUNK, 2 * events - offset)
        rows = EVENTS.replace("PEOPLE", str(people)).replace("OFFSET", str(offset)).replace("COUNT", str(count))
        clickhouse.command(
            "INSERT INTO analytics.events (project_id, uuid, event, distinct_id, timestamp, properties, received_at) "
            f"SELECT project_id, uuid, event, distinct_id, timestamp, text::JSON(max_dynamic_paths = 512), timestamp "
            f"FROM ({rows})"
        )
        clickhouse.command(
            "INSERT INTO analytics.first_seen (project_id, distinct_id, at) "
            f"SELECT project_id, distinct_id, min(timestamp) FROM ({rows}) GROUP BY ALL"
        )
        clickhouse.command(
            "INSERT INTO peer SELECT project_id, uuid, event, distinct_id, "
            "reinterpretAsUUID(sipHash128(toUInt32(project_id), distinct_id)), "
            f"addDays(toDateTime64('{FIRST:%Y-%m-%d}', 3), cityHash64(distinct_id) % {DAYS}), timestamp, text "
            f"FROM ({rows})"
        )


def measure(clickhouse: ClickHouse, sql: str, parameters: Mapping[str, Any], repeat: int) -> float:
    """Seconds of the fastest run."""
    best = float("inf")
    for _ in range(repeat):
        began = time.perf_counter()
        clickhouse.fetch(sql, parameters, {**SETTINGS, "max_execution_time": 300, "max_memory_usage": 8_000_000_000})
        best = min(best, time.perf_counter() - began)
    return best


def compare(clickhouse: ClickHouse, case: Case, repeat: int) -> str:
    """A row of the table."""
    insight = INSIGHTS[case.kind]
    query = insight.document.model_validate({**case.document, **RANGE})
    interval = getattr(query, "interval", None)
    scope = make_scope(PROJECT, **RANGE, zone=UTC_ZONE, week_start="sunday", now=NOW, interval=interval)
    sql = insight.build(query, scope)
    names = {"trends": "'open', 'pay'", "funnels": "'signup', 'open', 'pay'", "retention": "'signup', 'open'"}
    named = {"trends, sum": "'pay'", "paths": "'$pageview'"}.get(case.name, names.get(case.kind, "'open'"))
    if case.kind == "trends" and case.name != "trends, sum":
        named = "'open'"
    scan = (
        f"SELECT count() FROM analytics.events WHERE project_id = {PROJECT} AND {SPAN} AND event IN ({named}) "
        f"AND NOT ignore({case.columns})"
    )
    ours = measure(clickhouse, sql.text, sql.parameters, repeat)
    bare = measure(clickhouse, scan, {}, repeat)
    theirs = measure(clickhouse, case.peer, {}, repeat)
    reads = "yes" if case.reads_property else ""
    return (
        f"| {case.name} | {reads} | {ours * 1000:,.0f} | {bare * 1000:,.0f} | {theirs * 1000:,.0f} "
        f"| {ours / bare:.1f} | {theirs / ours:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000, help="of the project, and as many of others")
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    memory = psutil.virtual_memory().total / 2**30
    with running_bridge() as url:
        clickhouse = ClickHouse(url)
        migrate(clickhouse, events_ttl_days=0)
        began = time.perf_counter()
        fill(clickhouse, options.events, options.people)
        version = clickhouse.fetch("SELECT version()").rows[0][0]
        print(
            f"{options.events:,} events of {options.people:,} people, and as many of other projects, stored in "
            f"{time.perf_counter() - began:,.0f} s. ClickHouse {version}, {os.cpu_count()} cores, {memory:.0f} GiB, "
            f"{machine.system()}. Load average {os.getloadavg()[0]:.1f}.\n"
        )
        print("| Question | Reads a property | ours, ms | scan, ms | peer, ms | ours / scan | peer / ours |")
        print("|---|---|---|---|---|---|---|")
        for case in cases():
            print(compare(clickhouse, case, options.repeat), flush=True)
        clickhouse.close()


if __name__ == "__main__":
    main()
