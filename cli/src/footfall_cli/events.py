"""`footfall events tail` and `footfall export`: events as they are stored."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import httpx
import msgspec
import typer

from footfall_cli.connection import ask, find_connection, find_reader, open_query
from footfall_cli.options import DataDir, Json, Project, ReadKey
from footfall_cli.output import Failed, plain, print_json, print_json_line, say, write

commands = typer.Typer(no_args_is_help=True, help="Look at events.")

PAGE: Final = 500
EXPORT_PAGE: Final = 1_000
"""The most that the Query API gives at once."""
REMEMBERED: Final = 20_000
"""Uuids that `tail` knows as shown."""
EXPORTED: Final = ("uuid", "event", "distinct_id", "timestamp", "properties")

EventName = Annotated[list[str] | None, typer.Option("--event", help="Only events of this name; may be repeated.")]


@commands.command("tail")
def tail_events(
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="Events to begin with.")] = 10,
    event: EventName = None,
    once: Annotated[bool, typer.Option("--once", help="Show what there is and end.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 1.0,
    read_key: ReadKey = None,
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show events as they come in. With --json, one line of JSON each."""
    connection = find_connection(data_dir, os.environ)
    token, project_id = find_reader(connection, read_key, project)
    parameters = {**_parameters(project_id, event), "limit": PAGE}
    show = print_json_line if json else _print_event
    known: OrderedDict[str, None] = OrderedDict()
    with contextlib.suppress(KeyboardInterrupt), open_query(connection, token) as api:
        first = list(itertools.islice(_stored_events(api, parameters), max(lines, PAGE)))
        known.update(dict.fromkeys(stored["uuid"] for stored in reversed(first)))
        for stored in reversed(first[:lines]):
            show(stored)
        while not once:
            time.sleep(interval)
            for stored in _look_again(api, parameters, known):
                show(stored)


def _look_again(api: httpx.Client, parameters: dict[str, Any], known: OrderedDict[str, None]) -> list[dict[str, Any]]:
    """What came since the last look, oldest first; it is known from now on. While the Query API is away, nothing.

    Reads on until a page has something known, and that page to its end: late events lie behind newer ones.
    """
    new: list[dict[str, Any]] = []
    try:
        for page in _pages(api, parameters):
            unknown = [stored for stored in page if stored["uuid"] not in known]
            new += unknown
            if len(unknown) < len(page) or len(new) >= REMEMBERED:
                break
    except httpx.TransportError as error:
        say(f"The Query API does not answer ({str(error) or type(error).__name__}); trying again")
        return []
    except Failed as error:
        if error.status not in (429, 502, 503, 504):
            raise
        say(f"{error.message}; trying again")
        return []
    new.reverse()
    known.update(dict.fromkeys(stored["uuid"] for stored in new))
    while len(known) > REMEMBERED:
        known.popitem(last=False)
    return new


def _print_event(stored: dict[str, Any]) -> None:
    properties = msgspec.json.encode(stored.get("properties") or {}).decode()
    write(
        f"{plain(stored['timestamp'])}  {plain(stored['event']):24}  {plain(stored['distinct_id']):24}  "
        f"{plain(properties)}"
    )


def export_events(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="File to write. Default: stdout.", dir_okay=False)
    ] = None,
    event: EventName = None,
    date_from: Annotated[str | None, typer.Option(help="First day or time, such as 2026-11-01, -7d, or all.")] = "all",
    date_to: Annotated[str | None, typer.Option(help="Last day or time. Default: now.")] = None,
    read_key: ReadKey = None,
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Write events as JSON lines, newest first; `footfall import` reads them back as they are.

    Events are the output, so --json only adds a summary, on stdout with --to, on stderr without.
    """
    connection = find_connection(data_dir, os.environ)
    dates = {"date_from": date_from, "date_to": date_to}
    token, project_id = find_reader(connection, read_key, project)
    parameters = {
        **_parameters(project_id, event),
        **{name: value for name, value in dates.items() if value is not None},
        "limit": EXPORT_PAGE,
    }
    with open_query(connection, token) as api:
        if to is None:
            count = _write_events(_stored_events(api, parameters), sys.stdout)
        else:
            count = _write_file(_stored_events(api, parameters), to)
    if json:
        summary = {"events": count, "file": str(to) if to else None}
        print_json(summary) if to else say(msgspec.json.encode(summary).decode())
    else:
        say(f"Exported {count:,} events{f' to {to}' if to else ''}.")


def _write_file(events: Iterator[dict[str, Any]], to: Path) -> int:
    """Write `to` whole or leave it as it was."""
    temporary = to.with_name(to.name + ".part")
    try:
        try:
            with temporary.open("w", encoding="utf-8") as file:
                count = _write_events(events, file)
            temporary.replace(to)
        except OSError as error:
            raise Failed(f"{to} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _write_events(events: Iterator[dict[str, Any]], file: TextIO) -> int:
    count = 0
    for stored in events:
        exported = {name: stored[name] for name in EXPORTED if name in stored}
        file.write(msgspec.json.encode(exported).decode() + "\n")
        count += 1
    file.flush()
    return count


def _parameters(project: int | None, events: list[str] | None) -> dict[str, Any]:
    return {
        **({"project_id": project} if project is not None else {}),
        **({"event": events} if events else {}),
    }


def _stored_events(api: httpx.Client, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return itertools.chain.from_iterable(_pages(api, parameters))


def _pages(api: httpx.Client, parameters: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Events newest first, page after page."""
    while True:
        page = ask(api, "GET", "/api/events", params=parameters)
        yield page["results"]
        if not page.get("next_cursor"):
            return
        parameters = {**parameters, "cursor": page["next_cursor"]}
