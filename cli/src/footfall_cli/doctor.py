"""`footfall doctor`: looks at every part, end to end, and says what to mend."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import httpx
import typer
from rich.text import Text

from footfall_cli.connection import (
    LOCAL_FILE,
    TIMEOUT,
    Connection,
    ask,
    find_connection,
    open_auth,
    open_query,
    read_settings,
)
from footfall_cli.options import DataDir, Json
from footfall_cli.output import Failed, make_console, make_table, print_json
from footfall_core.auth import derive_token
from footfall_core.clickhouse import DATABASE, ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.eventlog import LogRefused, LogUnavailable, open_event_log, prepare_event_log
from footfall_core.migrate import read_migrations, read_ttl
from footfall_core.settings import Settings

Status = Literal["ok", "warning", "failed"]

GIGABYTE: Final = 1024**3
LITTLE_SPACE: Final = 5 * GIGABYTE
TOO_LITTLE_SPACE: Final = 512 * 1024**2
EVENT: Final = "$footfall_doctor"
ARRIVAL_TIMEOUT: Final = 20.0
"""Seconds that a test event may take to be found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. `fix` is what to do about it, empty when all is well."""

    part: str
    status: Status
    detail: str
    fix: str = ""


def doctor(
    send: Annotated[
        bool, typer.Option("--send", help=f"Also send an event {EVENT} and wait until a query finds it.")
    ] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Check every part and say what to mend. Ends with 1 when something is broken."""
    findings = list(examine(data_dir, os.environ, send=send))
    broken = any(finding.status == "failed" for finding in findings)
    if json:
        print_json({"ok": not broken, "checks": [asdict(finding) for finding in findings]})
    else:
        _print_findings(findings)
    if broken:
        raise typer.Exit(1)


def examine(data_dir: Path | None, environment: Mapping[str, str], *, send: bool = False) -> Iterator[Finding]:
    """Look at one part after the other. Never raises for what is broken."""
    try:
        connection = find_connection(data_dir, environment)
    except Failed as error:
        yield Finding("connection", "failed", error.message, "Start Footfall: footfall up")
        return
    settings = read_settings(connection.data_dir)
    yield _look_at_connection(connection)
    yield _look_at_secret(connection, environment)
    yield from _look_at_services(connection, settings)
    yield from _look_at_clickhouse(connection, settings)
    yield _look_at_log(connection, settings)
    yield from _look_at_keys(connection)
    if connection.data_dir is not None:
        yield _look_at_disk(connection.data_dir)
    if send:
        yield _send_event(connection)


def _look_at_connection(connection: Connection) -> Finding:
    if connection.data_dir is None:
        return Finding("connection", "ok", f"addresses and credentials from {connection.origin}")
    path = connection.data_dir / LOCAL_FILE
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return Finding(
            "connection", "failed", f"{path} holds secrets and others can read it (mode {mode:o})", f"chmod 600 {path}"
        )
    return Finding("connection", "ok", str(path))


def _look_at_secret(connection: Connection, environment: Mapping[str, str]) -> Finding:
    """The secret key must be the one that the services run with, or they do not understand each other."""
    secret = environment.get("FOOTFALL_SECRET_KEY", "")
    origin = "FOOTFALL_SECRET_KEY"
    if not secret and connection.data_dir is not None:
        path = connection.data_dir / "secret_key"
        origin = str(path)
        try:
            secret = path.read_text().strip()
            if path.stat().st_mode & 0o077:
                return Finding("secret key", "failed", f"others can read {path}", f"chmod 600 {path}")
        except OSError as error:
            return Finding("secret key", "failed", f"{path} cannot be read: {error.strerror}", "Restart `footfall up`")
    if not secret:
        return Finding("secret key", "warning", "not known here, so it was not checked", "Set FOOTFALL_SECRET_KEY")
    if len(secret) < 32:
        return Finding("secret key", "failed", f"{origin} is shorter than 32 characters", "Use a longer one")
    token = connection.local.operator_token
    if token and token != derive_token(secret, "operator"):
        return Finding(
            "secret key", "failed", f"the operator token does not follow from {origin}", "Restart what uses the old key"
        )
    return Finding("secret key", "ok", origin)


def _look_at_services(connection: Connection, settings: Settings) -> Iterator[Finding]:
    local = connection.local
    consumer = f"http://127.0.0.1:{settings.consumer_port}" if connection.data_dir is not None else ""
    for name, url in (
        ("auth", local.auth_url),
        ("capture", local.capture_url),
        ("consumer", consumer),
        ("query", local.query_url),
    ):
        if url:
            yield _look_at_service(name, url, connection)
        elif name != "consumer":
            yield Finding(name, "warning", "its address is not known", f"Set FOOTFALL_{name.upper()}_URL")


def _look_at_service(name: str, url: str, connection: Connection) -> Finding:
    log = f"Read {connection.data_dir / 'logs' / name}.log" if connection.data_dir else "Read its log"
    try:
        answer = httpx.get(f"{url}/readyz", timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        hint = "Is `footfall up` running? " if connection.data_dir else ""
        reason = str(error) or type(error).__name__
        return Finding(name, "failed", f"{url} does not answer: {reason}", f"{hint}{log}")
    if answer.status_code == 200:
        return Finding(name, "ok", url)
    try:
        missing = answer.json()["missing"]
        detail = "; ".join(f"{what}: {why}" for what, why in missing.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        detail = f"{url}/readyz answers {answer.status_code}; is it a Footfall service?"
    return Finding(name, "failed", detail, log)


def _look_at_clickhouse(connection: Connection, settings: Settings) -> Iterator[Finding]:
    url = connection.local.clickhouse_url
    if not url:
        yield Finding("clickhouse", "warning", "its address is not known", "Set FOOTFALL_CLICKHOUSE_URL")
        return
    shown = httpx.URL(url).copy_with(username=None, password=None)
    clickhouse = ClickHouse(url, timeout=15.0)
    try:
        version = clickhouse.fetch("SELECT version()").rows[0][0]
        yield Finding("clickhouse", "ok", f"{shown}, version {version}")
        yield _look_at_migrations(clickhouse)
        yield _look_at_ttl(clickhouse, settings)
        yield from _look_at_parts(clickhouse)
    except ClickHouseUnavailable as error:
        yield Finding("clickhouse", "failed", f"{shown} does not answer: {error}", "Start it, or mend the address")
    except ClickHouseRefused as error:
        yield Finding("clickhouse", "failed", error.message, "Check the user and password in FOOTFALL_CLICKHOUSE_URL")
    finally:
        clickhouse.close()


def _look_at_migrations(clickhouse: ClickHouse) -> Finding:
    sql = "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'migrations'"
    applied: dict[int, str] = {}
    if clickhouse.fetch(sql, {"database": DATABASE}).rows[0][0]:
        rows = clickhouse.fetch(f"SELECT version, checksum FROM {DATABASE}.migrations FINAL").rows
        applied = {int(version): str(checksum) for version, checksum in rows}
    known = read_migrations()
    missing = [each.name for each in known if each.version not in applied]
    edited = [each.name for each in known if applied.get(each.version, each.checksum) != each.checksum]
    if missing:
        return Finding("migrations", "failed", f"not applied: {', '.join(missing)}", "footfall migrate")
    if edited:
        detail = f"read differently since they were applied: {', '.join(edited)}"
        return Finding("migrations", "failed", detail, "Install the version that applied them, or a newer one")
    if newer := sorted(set(applied) - {each.version for each in known}):
        detail = f"{newer[-1]} is newer than this version of Footfall"
        return Finding("migrations", "warning", detail, "Update Footfall here as well")
    return Finding("migrations", "ok", f"{len(known)} applied")


def _look_at_ttl(clickhouse: ClickHouse, settings: Settings) -> Finding:
    days = read_ttl(clickhouse)
    words = f"events are deleted {days} days after their timestamp" if days else "events are kept forever"
    if settings.events_ttl_days not in (None, days):
        detail = f"{words}, but FOOTFALL_EVENTS_TTL_DAYS is {settings.events_ttl_days}"
        return Finding("retention", "warning", detail, "footfall migrate")
    return Finding("retention", "ok", words)


def _look_at_parts(clickhouse: ClickHouse) -> Iterator[Finding]:
    """What ClickHouse found damaged at its start and set aside, if anything."""
    sql = (
        "SELECT table, count() FROM system.detached_parts "
        "WHERE database = {database:String} AND startsWith(reason, 'broken') GROUP BY table ORDER BY table"
    )
    if rows := clickhouse.fetch(sql, {"database": DATABASE}).rows:
        detail = "; ".join(f"{parts} damaged parts of {table} were set aside" for table, parts in rows)
        yield Finding("parts", "warning", detail, "docs/RUNBOOKS.md (ClickHouse disk and merges) tells how")


def _look_at_log(connection: Connection, settings: Settings) -> Finding:
    if connection.data_dir is None and "FOOTFALL_EVENT_LOG_URL" not in os.environ:
        return Finding(
            "event log", "warning", "its address is not known", "Set FOOTFALL_EVENT_LOG_URL where Capture runs"
        )
    url = settings.event_log_url
    path = Path(url.removeprefix("sqlite:///").partition("?")[0])
    if url.startswith("sqlite:") and not path.exists():
        return Finding("event log", "failed", f"{path} does not exist", "Has `footfall up` been running?")
    try:
        asyncio.run(_check_log(url))
        group = os.environ.get("FOOTFALL_CONSUMER_GROUP") or "consumer"
        found = prepare_event_log(url, group, change=False)
    except (LogUnavailable, LogRefused, ValueError, ImportError, OSError) as error:
        return Finding("event log", "failed", str(error), "Free space, start it, or mend FOOTFALL_EVENT_LOG_URL")
    if found.warnings:
        return Finding("event log", "warning", "; ".join(found.warnings), "docs/RUNBOOKS.md tells how")
    if found.done:
        return Finding("event log", "warning", "; ".join(found.done), "footfall migrate")
    return Finding("event log", "ok", str(path) if url.startswith("sqlite:") else url.partition("?")[0])


async def _check_log(url: str) -> None:
    log = open_event_log(url)
    try:
        await log.check()
    finally:
        await log.close()


def _look_at_keys(connection: Connection) -> Iterator[Finding]:
    local = connection.local
    if local.auth_url and connection.may_administer and local.project_id:
        yield _attempt("project", lambda: _look_at_project(connection))
    if local.query_url and local.read_key:
        yield _attempt("read key", lambda: _look_at_read_key(connection))


def _look_at_project(connection: Connection) -> Finding:
    with open_auth(connection) as auth:
        project = ask(auth, "GET", f"/projects/{connection.local.project_id}")
    if not project["write_key"]:
        return Finding(
            "project", "warning", f"{project['name']} has no write key", "footfall keys create --type write --name NAME"
        )
    return Finding("project", "ok", f"{project['id']} ({project['name']}, {project['timezone']})")


def _look_at_read_key(connection: Connection) -> Finding:
    with open_query(connection, connection.need("read_key")) as api:
        ask(api, "GET", "/api/event-names")
    return Finding("read key", "ok", "answers questions")


def _look_at_disk(data_dir: Path) -> Finding:
    free = shutil.disk_usage(data_dir).free
    words = f"{free / GIGABYTE:.1f} GB free at {data_dir}"
    if free < TOO_LITTLE_SPACE:
        return Finding("disk", "failed", words, "Free some space: Capture refuses events before the disk is full")
    if free < LITTLE_SPACE:
        return Finding("disk", "warning", words, "Free some space, or keep events for fewer days")
    return Finding("disk", "ok", words)


def _send_event(connection: Connection) -> Finding:
    """One event on its whole way, from the Capture API to an answer."""
    return _attempt("test event", lambda: _follow_event(connection))


def _follow_event(connection: Connection) -> Finding:
    name = str(uuid.uuid4())
    event = {
        "event": EVENT,
        "distinct_id": EVENT,
        "uuid": name,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    headers = {"authorization": f"Bearer {connection.need('write_key')}"}
    with httpx.Client(base_url=connection.need("capture_url"), headers=headers, timeout=TIMEOUT) as capture:
        answer = ask(capture, "POST", "/capture", json=event)
    if not isinstance(answer, dict) or answer.get("accepted") != 1:
        return Finding("test event", "failed", f"Capture answered {answer}", "Read its log")
    began = time.monotonic()
    with open_query(connection, connection.need("read_key")) as api:
        while time.monotonic() - began < ARRIVAL_TIMEOUT:
            found = ask(api, "GET", "/api/events", params={"event": EVENT, "limit": 10})["results"]
            if any(stored["uuid"] == name for stored in found):
                return Finding("test event", "ok", f"found {time.monotonic() - began:.2f} s after it was accepted")
            time.sleep(0.05)
    return Finding(
        "test event",
        "failed",
        f"accepted, but not found within {ARRIVAL_TIMEOUT:.0f} s",
        "It is safe in the event log; read the Consumer's log to see why it is not stored",
    )


def _attempt(part: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Failed as error:
        fix = "Restart `footfall up`: it makes new keys" if error.status == 401 else "See the parts above"
        return Finding(part, "failed", error.message, fix)
    except httpx.HTTPError as error:
        return Finding(part, "failed", str(error) or type(error).__name__, "See the parts above")


def _print_findings(findings: list[Finding]) -> None:
    marks = {"ok": Text("ok", "green"), "warning": Text("warning", "yellow"), "failed": Text("FAILED", "bold red")}
    rows: list[list[Any]] = []
    for finding in findings:
        rows.append([marks[finding.status], finding.part, finding.detail])
        if finding.fix:
            rows.append(["", "", f"→ {finding.fix}"])
    make_console(sys.stdout).print(make_table(["", "part", "finding"], rows))
