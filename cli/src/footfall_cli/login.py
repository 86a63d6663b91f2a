"""`footfall login` and `footfall logout`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from footfall_cli.connection import Local, ask, find_connection, open_service
from footfall_cli.options import DataDir, Json
from footfall_cli.output import Failed, Misused, print_json, write
from footfall_cli.sign_in import (
    SignIn,
    forget_sign_in,
    read_sign_in,
    save_sign_in,
    sign_in_path,
    with_tokens,
)

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, for scripts.")
]


def login(
    email: Annotated[str, typer.Argument(help="The address that you sign in with.")],
    auth_url: Annotated[str | None, typer.Option(help="Address of the Auth API.")] = None,
    query_url: Annotated[str | None, typer.Option(help="Address of the Query API.")] = None,
    capture_url: Annotated[str | None, typer.Option(help="Address of the Capture API.")] = None,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Sign in. Commands act as this user until `footfall logout`."""
    local = _addresses(data_dir, auth_url, query_url, capture_url)
    password = read_password(stdin=password_stdin, prompt="Password")
    with open_service(local.auth_url) as auth:
        tokens = ask(auth, "POST", "/auth/login", json={"email": email, "password": password})
    with open_service(local.auth_url, tokens["access_token"]) as auth:
        me = ask(auth, "GET", "/auth/me")
    path = sign_in_path(os.environ)
    empty = SignIn(local.auth_url, local.query_url, local.capture_url, me["email"], "", "", 0.0)
    save_sign_in(path, with_tokens(empty, tokens))
    if json:
        print_json(me)
        return
    projects = ", ".join(f"{each['id']} ({each['name']}, {each['role']})" for each in me["projects"])
    write(f"You are signed in as {me['email']}. Your projects: {projects or 'none yet'}.")


def logout(json: Json = False) -> None:
    """End the session of `footfall login`."""
    path = sign_in_path(os.environ)
    sign_in = read_sign_in(path)
    if sign_in is not None:
        # Here it is over in any case; there it may have ended already.
        forget_sign_in(path)
        with open_service(sign_in.auth_url) as auth:
            answer = auth.post("/auth/logout", json={"refresh_token": sign_in.refresh_token})
        if answer.status_code not in (204, 401):
            raise Failed(f"{answer.url} answers {answer.status_code}", status=answer.status_code)
    if json:
        print_json({"signed_out": sign_in is not None, "email": sign_in.email if sign_in else None})
    else:
        write(f"{sign_in.email} is signed out." if sign_in else "Nobody was signed in.")


def read_password(*, stdin: bool, prompt: str, confirm: bool = False) -> str:
    """A password from the terminal, unseen, or the first line of standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Misused("There is no terminal to ask for the password at. Pipe it in with --password-stdin.")
    password: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return password


def _addresses(data_dir: Path | None, auth_url: str | None, query_url: str | None, capture_url: str | None) -> Local:
    """What was given. Without an address of the Auth API, the environment's or this machine's platform is meant."""
    if auth_url:
        return Local(auth_url=auth_url.rstrip("/"), query_url=query_url or "", capture_url=capture_url or "")
    try:
        known = find_connection(data_dir, os.environ, signed_in=False)
    except Failed as error:
        raise Failed(f"{error.message} Or say where: --auth-url URL --query-url URL --capture-url URL.") from None
    return Local(
        auth_url=known.need("auth_url").rstrip("/"),
        query_url=query_url or known.local.query_url,
        capture_url=capture_url or known.local.capture_url,
    )
