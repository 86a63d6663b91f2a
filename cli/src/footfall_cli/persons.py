"""`footfall persons`: who there is, and what one of them did."""

from __future__ import annotations

import os
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from footfall_cli.connection import ask, find_connection, find_reader, open_query
from footfall_cli.options import DataDir, Json, Project, ReadKey
from footfall_cli.output import plain, print_json, print_table, write

commands = typer.Typer(no_args_is_help=True, help="Look at people.")

Lines = Annotated[int, typer.Option("-n", "--lines", min=1, max=1_000, help="How many, the latest first.")]


@commands.command("list")
def list_persons(
    search: Annotated[str | None, typer.Option(help="Only people with an id or a property that contains this.")] = None,
    lines: Lines = 20,
    read_key: ReadKey = None,
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """List people, the latest first."""
    parameters = {"limit": lines, **({} if search is None else {"search": search})}
    answer = _ask("/api/persons", parameters, read_key, project, data_dir)
    if json:
        print_json(answer["results"])
    elif not answer["results"]:
        write("Nobody did anything yet." if search is None else f"Nobody has an id or a property with {plain(search)}.")
    else:
        print_table(
            ["distinct_ids", "events", "first_seen", "last_seen", "properties"],
            [
                [", ".join(each["distinct_ids"]), each["events"], each["first_seen"], each["last_seen"], _show(each)]
                for each in answer["results"]
            ],
            right=["events"],
        )


@commands.command("show")
def show_person(
    distinct_id: Annotated[str, typer.Argument(metavar="DISTINCT_ID", help="Any of the person's ids.")],
    lines: Lines = 20,
    read_key: ReadKey = None,
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show one person: ids, properties, links, and what they did last."""
    answer = _ask(f"/api/persons/{quote(distinct_id, safe='')}", {"limit": lines}, read_key, project, data_dir)
    if json:
        print_json(answer)
        return
    write(f"{answer['person_id']}, {answer['events']:,} events")
    if answer["events"]:
        write(f"first seen {answer['first_seen']}, last seen {answer['last_seen']}")
    write(f"\nids         {', '.join(map(plain, answer['distinct_ids']))}")
    write(f"properties  {_show(answer)}")
    for link in answer["links"]:
        refused = ", refused: it was known before who that is" if link["is_refused"] else ""
        write(f"link        {plain(link['source'])} → {plain(link['target'])}, {link['at']}{refused}")
    write("")
    for stored in answer["timeline"]:
        write(f"{stored['timestamp']}  {plain(stored['event']):24}  {plain(stored['distinct_id']):24}  {_show(stored)}")


def _ask(
    path: str, parameters: dict[str, Any], read_key: str | None, project: int | None, data_dir: Any
) -> dict[str, Any]:
    connection = find_connection(data_dir, os.environ)
    token, project_id = find_reader(connection, read_key, project)
    named = {} if project_id is None else {"project_id": project_id}
    with open_query(connection, token) as api:
        answer: dict[str, Any] = ask(api, "GET", path, params={**parameters, **named})
    return answer


def _show(thing: dict[str, Any]) -> str:
    return plain(msgspec.json.encode(thing["properties"]).decode())
