"""`footfall demo`: a project with the history of a small shop."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from footfall_cli.connection import ask, find_connection, open_auth, open_service
from footfall_cli.history import make_history
from footfall_cli.importing.sending import Sender
from footfall_cli.options import DataDir, Json
from footfall_cli.output import print_json, write

BATCH_EVENTS = 500


def demo(
    days: Annotated[int, typer.Option(min=1, max=80, help="Days of history, up to the last midnight.")] = 80,
    people: Annotated[int, typer.Option(min=1, max=100_000, help="People in it.")] = 5_000,
    seed: Annotated[int, typer.Option(help="Another seed tells another story.")] = 1,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a project with believable sample data, which touches no other project."""
    connection = find_connection(data_dir, os.environ)
    with open_auth(connection) as auth:
        project = ask(auth, "POST", "/projects", json={"name": "Demo shop"})
        key = ask(auth, "POST", f"/projects/{project['id']}/keys", json={"name": "demo", "type": "read"})["key"]
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    events = sorted(make_history(end=end, days=days, people=people, seed=seed), key=lambda event: event["timestamp"])
    with open_service(connection.need("capture_url")) as capture:
        sender = Sender(capture, project["write_key"], threading.Event())
        accepted = sum(
            sender.send([msgspec.json.encode(event) for event in events[start : start + BATCH_EVENTS]]).accepted
            for start in range(0, len(events), BATCH_EVENTS)
        )
    result: dict[str, Any] = {
        "project_id": project["id"],
        "write_key": project["write_key"],
        "read_key": key,
        "accepted": accepted,
    }
    if json:
        print_json(result)
    else:
        write(f"Project {project['id']}, Demo shop, has {accepted:,} events. Its read key:\n\n  {key}")
