"""What `footfall login` leaves: one sign-in, in a file that only its owner can read."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import msgspec

from footfall_cli.output import Failed

SPARE_SECONDS: Final = 30
"""An access token is exchanged when it has less time left than this."""


class SignIn(msgspec.Struct, frozen=True):
    """Who is signed in where. `expires_at`, in Unix seconds, is the access token's."""

    auth_url: str
    query_url: str
    capture_url: str
    email: str
    access_token: str
    refresh_token: str
    expires_at: float


def sign_in_path(environment: Mapping[str, str]) -> Path:
    """Where the sign-in is kept."""
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "footfall" / "sign-in.json"


def read_sign_in(path: Path) -> SignIn | None:
    """The sign-in, None when nobody is signed in. Raises `Failed` when it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=SignIn)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise Failed(f"{path} cannot be read: {error}. `footfall login` writes it anew.") from error


def save_sign_in(path: Path, sign_in: SignIn) -> None:
    """Replace the file in one step; others can read it at no moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".new")
    with suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(sign_in))
    temporary.replace(path)


def forget_sign_in(path: Path) -> None:
    path.unlink(missing_ok=True)


def fresh_token(path: Path) -> str:
    """An access token that is valid for a while yet; exchanged for a new one when it is not.

    Commands that run at the same time wait for each other: a refresh token that two of them used would end the
    session. Raises `Failed` when the session has ended.
    """
    with _locked(path):
        sign_in = read_sign_in(path)
        if sign_in is None:
            raise Failed("Nobody is signed in. Sign in with `footfall login`.")
        if sign_in.expires_at - SPARE_SECONDS > time.time():
            return sign_in.access_token
        try:
            answer = httpx.post(
                f"{sign_in.auth_url}/auth/refresh", json={"refresh_token": sign_in.refresh_token}, timeout=10.0
            )
        except httpx.HTTPError as error:
            raise Failed(f"{sign_in.auth_url} does not answer ({str(error) or type(error).__name__}).") from error
        if answer.status_code == 401:
            raise Failed("This session has ended. Sign in again with `footfall login`.", status=401)
        if answer.status_code != 200:
            raise Failed(f"{answer.url} answers {answer.status_code}", status=answer.status_code)
        renewed = with_tokens(sign_in, answer.json())
        save_sign_in(path, renewed)
        return renewed.access_token


def with_tokens(sign_in: SignIn, tokens: Mapping[str, object]) -> SignIn:
    """The sign-in with the tokens of an answer of the Auth API."""
    return msgspec.structs.replace(
        sign_in,
        access_token=str(tokens["access_token"]),
        refresh_token=str(tokens["refresh_token"]),
        expires_at=time.time() + float(str(tokens["expires_in"])),
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        lock = path.with_suffix(".lock").open("a")
    except OSError as error:
        raise Failed(f"{path.parent} cannot be written: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
