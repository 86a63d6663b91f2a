"""`footfall users`: for the operator and for admins of the platform."""

from __future__ import annotations

import os
from typing import Annotated, Any

import httpx
import typer

from footfall_cli.connection import ask, find_connection, open_auth, pages
from footfall_cli.login import PasswordStdin, read_password
from footfall_cli.options import DataDir, Json
from footfall_cli.output import Failed, print_json, print_table, write

commands = typer.Typer(no_args_is_help=True, help="Make, list and disable users.")

Email = Annotated[str, typer.Argument(help="The user's address.")]


@commands.command("create")
def create_user(
    email: Email,
    name: Annotated[str | None, typer.Option(help="What they are called.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May administer users too.")] = False,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a user. Without --password-stdin a password is made, and shown this once only."""
    wanted: dict[str, Any] = {"email": email, "name": name, "is_admin": admin}
    if password_stdin:
        wanted["password"] = read_password(stdin=True, prompt="")
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        user = ask(auth, "POST", "/users", json=wanted)
    if json:
        print_json(user)
        return
    secret = f" Their password:\n\n  {user['password']}\n\nKeep it: it is not shown again." if user["password"] else ""
    write(f"User {user['id']} ({user['email']}) was made.{secret}")


@commands.command("list")
def list_users(data_dir: DataDir = None, json: Json = False) -> None:
    """List the users."""
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        users = list(pages(auth, "/users"))
    if json:
        print_json(users)
    else:
        columns = ["id", "email", "name", "is_admin", "disabled", "created_at", "signed_in_at"]
        print_table(columns, [[str(each["id"]), *(each[c] for c in columns[1:])] for each in users])


@commands.command("disable")
def disable_user(email: Email, data_dir: DataDir = None, json: Json = False) -> None:
    """Let a user sign in no more, and end their sessions, within 30 seconds everywhere."""
    _change(email, {"disabled": True}, "was disabled", data_dir, json)


@commands.command("enable")
def enable_user(email: Email, data_dir: DataDir = None, json: Json = False) -> None:
    """Let a disabled user sign in again."""
    _change(email, {"disabled": False}, "may sign in again", data_dir, json)


@commands.command("password")
def set_password(
    email: Email, password_stdin: PasswordStdin = False, data_dir: DataDir = None, json: Json = False
) -> None:
    """Give a user another password, and end their sessions."""
    password = read_password(stdin=password_stdin, prompt="New password", confirm=True)
    _change(email, {"password": password}, "has a new password", data_dir, json)


def find_user(auth: httpx.Client, email: str, path: str = "/users") -> dict[str, Any]:
    """The user with this address in a list. Raises `Failed`."""
    wanted = email.strip().lower()
    for user in pages(auth, path):
        if user["email"] == wanted:
            found: dict[str, Any] = user
            return found
    raise Failed(f"There is no {'user' if path == '/users' else 'member'} {wanted}.", status=404)


def _change(email: str, change: dict[str, Any], words: str, data_dir: DataDir, json: bool) -> None:
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        user = ask(auth, "PATCH", f"/users/{find_user(auth, email)['id']}", json=change)
    if json:
        print_json(user)
    else:
        write(f"{user['email']} {words}.")
