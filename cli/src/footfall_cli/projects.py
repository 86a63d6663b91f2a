"""`footfall projects`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from footfall_cli.connection import ask, find_connection, open_auth, pages
from footfall_cli.options import DataDir, Json
from footfall_cli.output import print_json, print_table, write

commands = typer.Typer(no_args_is_help=True, help="Make, list and delete projects.")


class WeekStart(StrEnum):
    """The day that weeks begin on."""

    sunday = "sunday"
    monday = "monday"


@commands.command("create")
def create_project(
    name: Annotated[str, typer.Argument(help="What the project is called.")],
    timezone: Annotated[str, typer.Option(help="IANA name; days and weeks follow it.")] = "UTC",
    week_start: Annotated[WeekStart, typer.Option(help="The day that weeks begin on.")] = WeekStart.sunday,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a project and its first write key."""
    wanted = {"name": name, "timezone": timezone, "week_start": week_start.value}
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        project = ask(auth, "POST", "/projects", json=wanted)
    if json:
        print_json(project)
    else:
        write(f"Project {project['id']} ({project['name']}) was made. Its write key:\n\n  {project['write_key']}")


@commands.command("list")
def list_projects(data_dir: DataDir = None, json: Json = False) -> None:
    """List the projects."""
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        projects = list(pages(auth, "/projects"))
    if json:
        print_json(projects)
    elif not projects:
        write("There are no projects yet. Make one: footfall projects create NAME")
    else:
        columns = ["id", "name", "timezone", "week_start", "role", "write_key", "created_at"]
        print_table(columns, [[str(each["id"]), *(each[c] for c in columns[1:])] for each in projects])


@commands.command("delete")
def delete_project(
    project_id: Annotated[int, typer.Argument(min=1, help="The project's id, as `projects list` shows it.")],
    name: Annotated[str, typer.Option(help="The project's name, to say that you mean it.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Delete a project with its keys, members and events."""
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        ask(auth, "DELETE", f"/projects/{project_id}", json={"name": name})
    if json:
        print_json({"id": project_id, "deleted": True})
    else:
        write(f"Project {project_id} was deleted. Its events are removed within minutes.")
