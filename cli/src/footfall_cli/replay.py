"""`footfall replay`: what the Consumer set aside goes into the event log again, byte for byte."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
import typer

from footfall_cli.connection import find_clickhouse, read_settings
from footfall_cli.options import DataDir, Json
from footfall_cli.output import Failed, print_json, write
from footfall_core.clickhouse import ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.eventlog import LogUnavailable, Record, open_event_log
from footfall_core.events import log_key, read_payload

REASONS: Final = ("unreadable_record", "refused_by_clickhouse")
"""Of what the Consumer sets aside. What the Capture API rejects is no record: it has to be mended and sent."""
PAGE: Final = 100
"""Records at once: each has up to 4 MiB."""


class _Whose(msgspec.Struct):
    project_id: int = 0
    distinct_id: str = ""


def replay(
    reason: Annotated[
        list[str] | None, typer.Option("--reason", help=f"Only this one of {', '.join(REASONS)}; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only what was set aside since then (ISO 8601, UTC).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and append nothing.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Append the records that the Consumer set aside to the event log again, after their cause was mended.

    Works where the services run: it takes their settings from the environment. Repeating it does no harm: what became
    an event is one event.
    """
    for each in reason or ():
        if each not in REASONS:
            raise Failed(f"--reason {each!r}: must be one of {', '.join(REASONS)}")
    settings = read_settings(data_dir)
    clickhouse = ClickHouse(find_clickhouse(settings, os.environ))
    try:
        pages = _pages(clickhouse, reason or REASONS, _read_time(since))
        if dry_run:
            count = sum(len(page) for page in pages)
        else:
            count = asyncio.run(_append(settings.event_log_url, pages))
    except (ClickHouseUnavailable, ClickHouseRefused) as error:
        raise Failed(f"ClickHouse did not tell what was set aside: {error}") from error
    except (LogUnavailable, ValueError) as error:
        raise Failed(f"The event log does not take records: {error}. Run it again; nothing is stored twice") from error
    finally:
        clickhouse.close()
    if json:
        print_json({"records": count, "appended": not dry_run})
    else:
        write(f"{count:,} records {'would be' if dry_run else 'were'} appended again.")


def _read_time(text: str | None) -> str:
    try:
        return datetime.fromisoformat(text or "1970-01-01").strftime("%Y-%m-%d %H:%M:%S.%f")
    except ValueError:
        raise Failed(f"--since {text!r}: must be a day or a time, such as 2026-11-01T10:00:00") from None


async def _append(url: str, pages: Iterator[Sequence[bytes]]) -> int:
    log, count = open_event_log(url), 0
    try:
        for page in pages:
            await log.append([Record(_key(value), value) for value in page])
            count += len(page)
    finally:
        await log.close()
    return count


def _key(value: bytes) -> bytes:
    """The key that it had, if it can still be told."""
    try:
        whose = msgspec.json.decode(value, type=_Whose)
    except msgspec.MsgspecError:
        whose = _Whose()
    return log_key(whose.project_id, whose.distinct_id)


def _pages(clickhouse: ClickHouse, reasons: Sequence[str], since: str) -> Iterator[Sequence[bytes]]:
    """The records that are set aside now, those from `since` on."""
    now = clickhouse.fetch("SELECT toString(now64(3))").rows[0][0]
    last: Sequence[object] = ("1900-01-01 00:00:00.000", 0, 0)
    while True:
        rows = clickhouse.fetch(
            """
            SELECT toString(received_at), log_partition, log_offset, payload FROM analytics.rejected_events FINAL
            WHERE source = 'consumer' AND reason IN {reasons:Array(String)}
                AND inserted_at >= {since:DateTime64(6)} AND inserted_at < {now:DateTime64(3)}
                AND (received_at, log_partition, log_offset)
                    > ({time:DateTime64(3)}, {partition:UInt16}, {offset:UInt64})
            ORDER BY received_at, log_partition, log_offset
            LIMIT {page:UInt16}
            """,
            {
                "reasons": list(reasons), "since": since, "now": now,
                "time": last[0], "partition": last[1], "offset": last[2], "page": PAGE,
            },
            {"session_timezone": "UTC"},
        ).rows  # fmt: skip
        if not rows:
            return
        yield [read_payload(row[3]) for row in rows]
        last = rows[-1][:3]
