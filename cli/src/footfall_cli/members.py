"""`footfall members`: who may do what in a project."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from footfall_cli.connection import ask, find_connection, open_auth, pages
from footfall_cli.options import DataDir, Json, Project
from footfall_cli.output import print_json, print_table, write
from footfall_cli.users import Email, find_user

commands = typer.Typer(no_args_is_help=True, help="Add, list, change and remove members of a project.")


class Role(StrEnum):
    """What a member is."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"
    owner = "owner"


RoleOption = Annotated[Role, typer.Option("--role", help="What they may do; docs/auth.md has the table.")]


@commands.command("add")
def add_member(
    email: Email, role: RoleOption = Role.viewer, project: Project = None, data_dir: DataDir = None, json: Json = False
) -> None:
    """Make a user a member of a project."""
    connection = find_connection(data_dir, os.environ)
    project_id = connection.project_id(project)
    with open_auth(connection) as auth:
        wanted = {"email": email, "role": role.value}
        member = ask(auth, "POST", f"/projects/{project_id}/members", json=wanted)
    if json:
        print_json(member)
    else:
        write(f"{member['email']} is {member['role']} of project {project_id} now.")


@commands.command("list")
def list_members(project: Project = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List the members of a project."""
    connection = find_connection(data_dir, os.environ)
    with open_auth(connection) as auth:
        members = list(pages(auth, f"/projects/{connection.project_id(project)}/members"))
    if json:
        print_json(members)
    elif not members:
        write("The project has no members. Add one: footfall members add EMAIL --role owner")
    else:
        columns = ["user_id", "email", "name", "role", "created_at"]
        print_table(columns, [[str(each["user_id"]), *(each[c] for c in columns[1:])] for each in members])


@commands.command("change")
def change_member(
    email: Email,
    role: Annotated[Role, typer.Option("--role", help="What they may do from now on.")],
    project: Project = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Give a member another role, within 30 seconds everywhere."""
    connection = find_connection(data_dir, os.environ)
    path = f"/projects/{connection.project_id(project)}/members"
    with open_auth(connection) as auth:
        user_id = find_user(auth, email, path)["user_id"]
        member = ask(auth, "PATCH", f"{path}/{user_id}", json={"role": role.value})
    if json:
        print_json(member)
    else:
        write(f"{member['email']} is {member['role']} now.")


@commands.command("remove")
def remove_member(email: Email, project: Project = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Take a project away from a member, within 30 seconds everywhere."""
    connection = find_connection(data_dir, os.environ)
    project_id = connection.project_id(project)
    path = f"/projects/{project_id}/members"
    with open_auth(connection) as auth:
        member = find_user(auth, email, path)
        ask(auth, "DELETE", f"{path}/{member['user_id']}")
    if json:
        print_json({"user_id": member["user_id"], "project_id": project_id, "removed": True})
    else:
        write(f"{member['email']} is no member of project {project_id} any more.")
