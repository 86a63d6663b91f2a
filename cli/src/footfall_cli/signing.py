"""`footfall signing`: the keys that access tokens are signed with."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from footfall_cli.connection import ask, find_connection, open_auth
from footfall_cli.options import DataDir, Json
from footfall_cli.output import print_json, write

commands = typer.Typer(no_args_is_help=True, help="The keys that sign access tokens.")


@commands.callback()
def signing() -> None:
    """The keys that sign access tokens."""


@commands.command("rotate")
def rotate(
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Also refuse what the old keys signed, within 30 seconds.")
    ] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Sign access tokens with a new key from now on. Nobody has to sign in again."""
    with open_auth(find_connection(data_dir, os.environ)) as auth:
        key = ask(auth, "POST", "/signing-keys", params={"withdraw": withdraw})
    if json:
        print_json(key)
    else:
        write(f"Access tokens are signed with key {key['kid']} from now on.")
