"""`footfall import`."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import httpx
import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars

from footfall_cli.connection import TIMEOUT, Connection, ask, find_connection, open_auth
from footfall_cli.importing.events import REASONS, Build, Rejected, make_builder
from footfall_cli.importing.mapping import RowMapping, check_mapping, read_mapping
from footfall_cli.importing.progress import Journal, Progress, open_journal
from footfall_cli.importing.rows import Format, Row, RowFile, inspect_file
from footfall_cli.importing.sending import Delivery, Sender, deliver
from footfall_cli.importing.survey import Survey, look
from footfall_cli.importing.timestamps import make_reader
from footfall_cli.options import DataDir, Json, Project
from footfall_cli.output import Failed, Interrupted, Misused, format_number, make_console, plain, print_json, say, write
from footfall_core.clickhouse import ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.events import REJECTION_REASONS
from footfall_core.migrate import DEFAULT_TTL_DAYS, read_ttl
from footfall_core.settings import Settings

DAY: Final = 86_400.0
MAX_BATCH_BYTES: Final = 4 * 1024 * 1024
SAVE_EVERY: Final = 0.5
"""Seconds between two saves of the progress: what a crash makes the next run send again."""
SAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rows go. `project_id` 0 is that of the write key, whichever it is."""

    project_id: int
    timezone: str
    write_key: str

    @property
    def identity(self) -> str:
        """What stands for the project in uuids."""
        return f"project {self.project_id}" if self.project_id else f"key {self.write_key}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is known before the first row is sent. `identity` is what uuids follow from."""

    file: RowFile
    mapping: RowMapping
    timezone: str
    target: Target
    survey: Survey
    identity: str
    build: Build


@dataclass(slots=True)
class Batch:
    """Rows that are answered for together, up to row number `last`; `rows` are those of `events`."""

    last: int = 0
    rows: list[Row] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    bytes: int = 0
    unusable: list[tuple[Row, Rejected]] = field(default_factory=list)


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with a header or JSON lines, plain or gzipped.")],
    mapping: Annotated[
        str | None,
        typer.Option(help="`field=column,…`, a JSON object, or the name of a YAML or JSON file with it."),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--map",
            metavar="FIELD=COLUMN",
            help="One pair of the mapping: event, distinct_id, timestamp, uuid, session_id, or a property's new "
            "name. Quotes make a constant: event=\"'purchase'\".",
        ),
    ] = None,
    event: Annotated[str | None, typer.Option(help="The event's name, the same in every row.")] = None,
    properties: Annotated[
        str | None, typer.Option(metavar="COLUMN,…", help="Columns that become properties. Default: the rest.")
    ] = None,
    exclude: Annotated[
        str | None, typer.Option(metavar="COLUMN,…", help="Columns that do not become properties.")
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="COLUMN=TYPE",
            help="What a column holds: string, integer, number, boolean or json. Default: found out.",
        ),
    ] = None,
    timestamp_format: Annotated[
        str | None,
        typer.Option(
            help="strptime format such as '%d.%m.%Y %H:%M', or unix, or unix_ms. Default: ISO 8601 or Unix time."
        ),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Time zone of times without an offset. Default: the project's.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="csv or jsonl. Default: by the content.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of CSV. Default: found in the header.")] = None,
    encoding: Annotated[str, typer.Option(help="Of the file.")] = "utf-8",
    source: Annotated[
        str | None,
        typer.Option(
            help="A name that stands for the file, so that it may grow: rows already imported under this name "
            "are recognised. Default: the content itself."
        ),
    ] = None,
    rejected_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write rejected rows there, as JSON lines.")
    ] = None,
    connections: Annotated[int, typer.Option(min=1, max=32, help="Requests at once.")] = 4,
    batch_rows: Annotated[int, typer.Option(min=1, max=5_000, help="Rows in one request.")] = 500,
    write_key: Annotated[
        str | None, typer.Option(help="The project's write key. Default: asked of the Auth API.")
    ] = None,
    project: Project = None,
    restart: Annotated[bool, typer.Option("--restart", help="Send every row again, from the first.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at every row and show some events; send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask about rows that are too old.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Send the rows of a file as events. Running it again goes on where it stopped, and changes nothing when it
    had finished."""
    wanted = read_mapping(
        mapping,
        pairs or (),
        event=event,
        properties=properties,
        exclude=exclude,
        types=types or (),
        timestamp_format=timestamp_format,
        timezone=timezone,
    )
    rows = inspect_file(file, format=_read_format(format), delimiter=delimiter, encoding=encoding)
    wanted = check_mapping(wanted, rows.columns, complete=rows.format == "csv")
    connection = find_connection(data_dir, os.environ)
    with _bars(quiet=json) as bars:
        plan, days = _prepare(connection, rows, wanted, project, write_key, source, bars)
    if dry_run:
        _show_plan(plan, json=json)
        return
    _require_usable(plan.survey)
    _ask_about_expired(plan.survey, days, yes=yes, json=json)
    fresh = Progress(file=str(file), project_id=plan.target.project_id, rows=plan.survey.rows)
    name = f"{file.name}-{_identity(plan, connection)[:16]}"
    with open_journal(_state_folder(connection, os.environ), name, fresh, restart=restart) as journal:
        try:
            summary = _send(plan, journal, connection, connections, batch_rows, quiet=json)
        finally:
            if rejected_to is not None:
                _copy_rejected(journal, rejected_to)
        _report(summary, journal, rejected_to, json=json)
    if plan.survey.rows and not journal.progress.accepted:
        raise typer.Exit(1)


def _read_format(format: str | None) -> Format | None:
    match format:
        case None | "csv" | "jsonl":
            return format
        case _:
            raise Misused("--format is csv or jsonl")


# Before anything is sent


def _prepare(
    connection: Connection,
    file: RowFile,
    mapping: RowMapping,
    project: int | None,
    write_key: str | None,
    source: str | None,
    bars: ProgressBars,
) -> tuple[Plan, tuple[int, bool]]:
    """The plan, and the days that events are kept with whether that is certain."""
    target = _find_target(connection, project, write_key)
    zone = mapping.timezone or target.timezone
    read_time = make_reader(mapping.timestamp_format, _open_zone(zone))
    days = _find_ttl(connection)
    now = time.time()
    task = bars.add_task("Looking at every row", total=file.path.stat().st_size, unit="bytes")
    survey = look(
        file,
        mapping,
        read_time,
        cutoff=now - days[0] * DAY if days[0] else None,
        read=lambda position: bars.update(task, completed=position),
    )
    identity = f"{target.identity}\0{source or survey.digest}"
    build = make_builder(mapping, file, survey.types, read_time=read_time, identity=identity, now=now)
    return Plan(file, mapping, zone, target, survey, identity, build), days


def _find_target(connection: Connection, project: int | None, write_key: str | None) -> Target:
    local = connection.local
    if write_key or not connection.may_administer:
        key = write_key or connection.need("write_key")
        return Target(project or (local.project_id if key == local.write_key else 0), "UTC", key)
    project_id = connection.project_id(project)
    with open_auth(connection) as auth:
        found = ask(auth, "GET", f"/projects/{project_id}")
    if not found["write_key"]:
        raise Failed(
            f"Project {project_id} has no write key. Make one: footfall keys create --type write --name import "
            f"--project {project_id}"
        )
    return Target(project_id, found["timezone"], found["write_key"])


def _open_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise Misused(f"--timezone: {name!r} is no IANA time zone, such as Europe/Berlin") from None


def _find_ttl(connection: Connection) -> tuple[int, bool]:
    """The days that ClickHouse keeps events (0: forever), and whether it said so itself."""
    if connection.local.clickhouse_url:
        clickhouse = ClickHouse(connection.local.clickhouse_url, timeout=10.0)
        try:
            return read_ttl(clickhouse), True
        except (ClickHouseUnavailable, ClickHouseRefused):
            pass
        finally:
            clickhouse.close()
    days = Settings.read().events_ttl_days
    return DEFAULT_TTL_DAYS if days is None else days, False


def _require_usable(survey: Survey) -> None:
    unreadable = survey.unreadable.total()
    if survey.rows and unreadable == survey.rows:
        raise Failed(f"No row can be imported. {survey.unreadable.most_common(1)[0][0]}.")


def _ask_about_expired(survey: Survey, days: tuple[int, bool], *, yes: bool, json: bool) -> None:
    """ClickHouse would delete what is older than its TTL soon after it was stored."""
    if not survey.expired or yes:
        return
    limit, certain = days
    how = "" if certain else " (the default; ClickHouse could not be asked)"
    warning = (
        f"{survey.expired:,} of {survey.rows:,} rows are older than {limit} days{how} and would be deleted soon "
        "after they were stored. To keep them, set FOOTFALL_EVENTS_TTL_DAYS=0 and restart `footfall up`, or run "
        "`footfall migrate` with it."
    )
    if json or not sys.stdin.isatty():
        raise Failed(f"{warning} To import them anyway, say --yes.")
    say(warning)
    if not typer.confirm("Import them anyway?", err=True):
        raise Failed("Nothing was imported.")


def _identity(plan: Plan, connection: Connection) -> str:
    """Names this import: the same rows, read the same way, into the same project."""
    survey = plan.survey
    parts = [
        plan.identity,
        survey.digest,
        plan.mapping.document().decode(),
        plan.timezone,
        msgspec.json.encode(survey.types, order="sorted").decode(),
        "" if connection.data_dir else connection.need("capture_url"),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _state_folder(connection: Connection, environment: Mapping[str, str]) -> Path:
    if connection.data_dir is not None:
        return connection.data_dir / "imports"
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "footfall" / "imports"


# Sending


def _send(
    plan: Plan, journal: Journal, connection: Connection, connections: int, batch_rows: int, *, quiet: bool
) -> dict[str, Any]:
    """Send what was not answered for yet. Returns the summary that `--json` prints."""
    began, before = time.monotonic(), journal.progress.done
    stopping, saved_at = threading.Event(), began
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    with (
        _bars(quiet=quiet) as bars,
        httpx.Client(base_url=connection.need("capture_url"), timeout=TIMEOUT, limits=limits) as client,
    ):
        task = bars.add_task("Sending", total=plan.survey.rows, completed=before, unit="rows")
        sender = Sender(client, plan.target.write_key, stopping, notice=_notice(bars, task))
        try:
            for batch, delivery in deliver(
                _batches(plan, before, batch_rows),
                lambda batch: sender.send(batch.events),
                connections=connections,
                stopping=stopping,
            ):
                _record(batch, delivery, journal)
                bars.update(task, completed=journal.progress.done, description="Sending")
                if time.monotonic() - saved_at > SAVE_EVERY:
                    journal.save()
                    saved_at = time.monotonic()
        except KeyboardInterrupt:
            raise Interrupted(_stopped(journal.progress, "Stopped")) from None
        except Failed as error:
            raise Failed(_stopped(journal.progress, error.message), status=error.status, errors=error.errors) from error
        finally:
            journal.save()
    seconds = time.monotonic() - began
    journal.finish(datetime.now(UTC).isoformat(timespec="seconds"))
    journal.save()
    progress = journal.progress
    sent = progress.done - before
    return {
        "file": progress.file,
        "project_id": progress.project_id or None,
        "rows": progress.rows,
        "accepted": progress.accepted,
        "rejected": progress.rejected,
        "rejected_reasons": dict(sorted(progress.reasons.items())),
        "already_done": before,
        "seconds": round(seconds, 3),
        "rows_per_second": round(sent / seconds) if sent and seconds else 0,
        "finished_at": progress.finished_at,
    }


def _batches(plan: Plan, done: int, batch_rows: int) -> Iterator[Batch]:
    """The rows after row `done`, built and bundled."""
    batch = Batch()
    for row in plan.file.rows():
        if row.number <= done:
            continue
        batch.last = row.number
        try:
            event = plan.build(row)
        except Rejected as rejected:
            batch.unusable.append((row, rejected))
        else:
            batch.rows.append(row)
            batch.events.append(event)
            batch.bytes += len(event)
        if len(batch.rows) + len(batch.unusable) >= batch_rows or batch.bytes >= MAX_BATCH_BYTES:
            yield batch
            batch = Batch()
    if batch.last:
        yield batch


def _record(batch: Batch, delivery: Delivery, journal: Journal) -> None:
    """Count a batch that was answered for; its rejected rows are noted in the order of the file."""
    rejected = [(row, rejected.reason, rejected.detail) for row, rejected in batch.unusable]
    rejected += [(batch.rows[each.index], each.reason, each.detail) for each in delivery.rejected]
    noted = [
        {"row": row.number, "line": row.line, "reason": reason, "detail": detail, "values": _safe(row.values)}
        for row, reason, detail in sorted(rejected, key=lambda each: each[0].number)
    ]
    journal.advance(batch.last, delivery.accepted, noted)


def _safe(values: dict[str, Any]) -> dict[str, Any]:
    """What JSON can hold: bytes that are not in the file's encoding are shown as such."""

    def mend(value: Any) -> Any:
        return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value

    return {name: mend(value) for name, value in values.items()}


def _stopped(progress: Progress, why: str) -> str:
    return (
        f"{why.rstrip('.')}. {progress.done:,} of {progress.rows:,} rows were answered for; run the same command "
        "again to go on from there."
    )


# What people see


@contextmanager
def _bars(*, quiet: bool) -> Iterator[ProgressBars]:
    """Progress bars on stderr, if somebody is watching."""
    console = make_console(sys.stderr)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
    )
    with ProgressBars(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bars:
        yield bars


def _notice(bars: ProgressBars, task: TaskID) -> Any:
    def notice(reason: str, seconds: float) -> None:
        bars.update(task, description=f"Trying again in {seconds:.0f} s: {plain(reason)[:100]}")

    return notice


def _show_plan(plan: Plan, *, json: bool) -> None:
    """What an import would do, with the first events it would send."""
    samples: list[Any] = []
    for row in plan.file.rows():
        try:
            samples.append(msgspec.json.decode(plan.build(row)))
        except Rejected as rejected:
            samples.append({"row": row.number, "reason": rejected.reason, "detail": rejected.detail})
        if len(samples) == SAMPLES:
            break
    survey = plan.survey
    document = {
        "file": str(plan.file.path),
        "format": plan.file.format,
        "columns": list(plan.file.columns),
        "project_id": plan.target.project_id or None,
        "timezone": plan.timezone,
        "rows": survey.rows,
        "oldest": survey.oldest.text if survey.oldest else None,
        "newest": survey.newest.text if survey.newest else None,
        "older_than_ttl": survey.expired,
        "unreadable": survey.unreadable.total(),
        "types": dict(sorted(survey.types.items())),
        "events": samples,
    }
    if json:
        print_json(document)
        return
    events = document.pop("events")
    for name, value in document.items():
        write(f"{name:15} {_show(value)}")
    write("\nThe first rows as events:")
    for event in samples if events else []:
        write(f"  {plain(msgspec.json.encode(event).decode())}")


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(plain(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{plain(name)}: {each}" for name, each in value.items())
    return plain(value)


def _copy_rejected(journal: Journal, to: Path) -> None:
    try:
        if journal.progress.rejected:
            shutil.copyfile(journal.rejected_path, to)
        else:
            to.write_bytes(b"")
    except OSError as error:
        say(f"The rejected rows could not be written to {to}: {error}")


def _report(summary: dict[str, Any], journal: Journal, rejected_to: Path | None, *, json: bool) -> None:
    rejected_file = (rejected_to or journal.rejected_path) if summary["rejected"] else None
    if json:
        print_json({**summary, "rejected_file": str(rejected_file) if rejected_file else None})
        return
    number = format_number
    if summary["already_done"] == summary["rows"]:
        write(
            f"All {number(summary['rows'])} rows were imported before ({summary['finished_at']}). Nothing was sent; "
            "--restart sends them again."
        )
    else:
        write(
            f"Imported {summary['file']}: {number(summary['rows'] - summary['already_done'])} rows in "
            f"{summary['seconds']:.1f} s, {number(summary['rows_per_second'])} rows/s."
        )
        if summary["already_done"]:
            write(f"  {number(summary['already_done']):>12} rows had been answered for before")
    write(f"  {number(summary['accepted']):>12} accepted")
    write(f"  {number(summary['rejected']):>12} rejected")
    for reason, count in summary["rejected_reasons"].items():
        words = REASONS.get(reason) or REJECTION_REASONS.get(reason, "")
        write(f"  {number(count):>12}   {reason}: {words}")
    if rejected_file:
        write(f"\nThe rejected rows, with their numbers and reasons, are in {rejected_file}")
