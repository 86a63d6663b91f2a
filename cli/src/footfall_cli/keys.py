"""`footfall keys`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from footfall_cli.connection import ask, find_connection, open_auth, pages
from footfall_cli.options import DataDir, Json, Project
from footfall_cli.output import print_json, print_table, write

commands = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys of a project.")


class KeyType(StrEnum):
    """What a key is for."""

    write = "write"
    read = "read"


@commands.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for, in your words.")],
    type: Annotated[KeyType, typer.Option(help="`write` may only send events, `read` may only ask.")],
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a key. A read key is shown this once only."""
    connection = find_connection(data_dir, os.environ)
    with open_auth(connection) as auth:
        path = f"/projects/{connection.project_id(project)}/keys"
        key = ask(auth, "POST", path, json={"name": name, "type": type.value})
    if json:
        print_json(key)
        return
    secret = "\n\nKeep it: it is not shown again." if type == KeyType.read else ""
    write(f"The {type.value} key {key['id']} ({key['name']}) was made:\n\n  {key['key']}{secret}")


@commands.command("list")
def list_keys(project: Project = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List the keys that work. Of a read key, prefix and last four characters."""
    connection = find_connection(data_dir, os.environ)
    with open_auth(connection) as auth:
        keys = list(pages(auth, f"/projects/{connection.project_id(project)}/keys"))
    if json:
        print_json(keys)
    elif not keys:
        write("The project has no keys. Make one: footfall keys create --type write --name NAME")
    else:
        columns = ["id", "type", "key", "name", "created_at", "last_used_at"]
        print_table(columns, [[str(each["id"]), *(each[c] for c in columns[1:])] for each in keys])


@commands.command("revoke")
def revoke_key(
    key_id: Annotated[int, typer.Argument(min=1, help="The key's id, as `keys list` shows it.")],
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a key stop working, within 30 seconds everywhere."""
    connection = find_connection(data_dir, os.environ)
    project_id = connection.project_id(project)
    with open_auth(connection) as auth:
        ask(auth, "DELETE", f"/projects/{project_id}/keys/{key_id}")
    if json:
        print_json({"id": key_id, "project_id": project_id, "revoked": True})
    else:
        write(f"Key {key_id} of project {project_id} was revoked.")
