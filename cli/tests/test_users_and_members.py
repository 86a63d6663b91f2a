"""`footfall login`, `logout`, `users`, `members` and `signing`, with the real Auth API."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from footfall_cli.sign_in import SignIn, fresh_token, read_sign_in, save_sign_in

PASSWORD = "correct horse battery"


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What commands find on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture
def user(footfall: Any, platform: Any, type_in: Any) -> str:
    """The address of a user with `PASSWORD`, who is no admin: another user came first."""
    if not footfall("users", "list", "--json").json:
        footfall("users", "create", "first@example.com")
    email = f"user-{time.time_ns()}@example.com"
    type_in(PASSWORD + "\n")
    assert footfall("users", "create", email, "--password-stdin", "--json").json["password"] is None
    return email


@pytest.fixture
def signed_in(footfall: Any, platform: Any, user: str, auth_url: str, type_in: Any, tmp_path: Path) -> Path:
    """The file of a sign-in."""
    type_in(PASSWORD + "\n")
    ran = footfall("login", user, "--auth-url", auth_url, "--password-stdin", "--json")
    assert (ran.code, ran.json["email"]) == (0, user)
    return tmp_path / "state" / "footfall" / "sign-in.json"


def test_a_user_is_made_with_a_password_that_works(footfall: Any, platform: Any, type_in: Any) -> None:
    ran = footfall("users", "create", "Ann@Example.com", "--name", "Ann", "--admin", "--json")

    assert (ran.code, ran.json["email"], ran.json["name"], ran.json["is_admin"]) == (0, "ann@example.com", "Ann", True)
    type_in(ran.json["password"])
    assert footfall("login", "ann@example.com", "--password-stdin").code == 0
    assert "ann@example.com" in footfall("users", "list").out
    assert footfall("logout").code == 0
    again = footfall("users", "create", "ann@example.com", "--json")
    assert (again.code, again.error["status"]) == (1, 409)
    assert "Keep it: it is not shown again." in footfall("users", "create", "other@example.com").out


def test_users_are_disabled_enabled_and_given_passwords(
    footfall: Any, platform: Any, user: str, auth_url: str, type_in: Any
) -> None:
    def login(password: str) -> int:
        type_in(password)
        code: int = footfall("login", user, "--auth-url", auth_url, "--password-stdin").code
        footfall("logout")
        return code

    assert login(PASSWORD) == 0
    assert footfall("users", "disable", user, "--json").json["disabled"] is True
    assert login(PASSWORD) == 1
    assert "may sign in again" in footfall("users", "enable", user).out
    type_in("another horse battery\n")
    assert footfall("users", "password", user, "--password-stdin").code == 0
    assert (login(PASSWORD), login("another horse battery")) == (1, 0)
    missing = footfall("users", "disable", "nobody@example.com", "--json")
    assert (missing.code, missing.error["status"]) == (1, 404)


def test_members_are_added_changed_and_removed(footfall: Any, platform: Any, user: str) -> None:
    project = footfall("projects", "create", "Team", "--json").json["id"]

    added = footfall("members", "add", user, "--role", "editor", "--project", project, "--json").json
    assert (added["email"], added["role"]) == (user, "editor")
    assert user in footfall("members", "list", "--project", project).out
    assert footfall("members", "change", user, "--role", "viewer", "--project", project, "--json").json["role"] == (
        "viewer"
    )
    removed = footfall("members", "remove", user, "--project", project, "--json").json
    assert removed == {"user_id": added["user_id"], "project_id": project, "removed": True}
    assert user not in [each["email"] for each in footfall("members", "list", "--project", project, "--json").json]
    assert footfall("members", "remove", user, "--project", project).code == 1
    assert footfall("members", "add", user, "--role", "boss", "--project", project).code == 2


def test_commands_act_as_who_is_signed_in(footfall: Any, platform: Any, user: str, signed_in: Path) -> None:
    made = footfall("projects", "create", "Mine", "--json").json

    assert made["role"] == "owner"
    assert [each["id"] for each in footfall("projects", "list", "--json").json] == [made["id"]]
    assert footfall("keys", "list", "--project", platform.project_id, "--json").error["status"] == 404
    assert footfall("users", "list", "--json").error["status"] == 403
    assert footfall("keys", "list").err.startswith("footfall: Say which project")
    # The machine's operator is meant when its data directory is named.
    assert footfall("users", "list", "--data-dir", platform.data_dir).code == 0
    assert footfall("projects", "delete", made["id"], "--name", "Mine", "--json").json == {
        "id": made["id"],
        "deleted": True,
    }
    assert footfall("logout", "--json").json == {"signed_out": True, "email": user}
    assert not signed_in.exists()
    assert footfall("logout", "--json").json == {"signed_out": False, "email": None}


def test_only_the_owner_can_read_a_sign_in(signed_in: Path) -> None:
    assert signed_in.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in signed_in.read_text()


def test_an_old_access_token_is_exchanged_once_however_many_commands_run(signed_in: Path) -> None:
    sign_in = read_sign_in(signed_in)
    assert sign_in is not None
    save_sign_in(signed_in, msgspec.structs.replace(sign_in, expires_at=time.time()))

    with ThreadPoolExecutor(4) as pool:
        tokens = set(pool.map(fresh_token, [signed_in] * 4))

    assert len(tokens) == 1
    answer = httpx.get(f"{sign_in.auth_url}/auth/me", headers={"authorization": f"Bearer {tokens.pop()}"})
    assert answer.status_code == 200


def test_a_session_that_has_ended_says_so(footfall: Any, signed_in: Path) -> None:
    sign_in = read_sign_in(signed_in)
    assert sign_in is not None
    httpx.post(f"{sign_in.auth_url}/auth/logout", json={"refresh_token": sign_in.refresh_token})
    save_sign_in(signed_in, msgspec.structs.replace(sign_in, expires_at=0.0))

    ran = footfall("projects", "list", "--json")

    assert ran.code == 1
    assert ran.error == {"error": "This session has ended. Sign in again with `footfall login`.", "status": 401}


def test_a_damaged_sign_in_says_so(footfall: Any, signed_in: Path) -> None:
    signed_in.write_text("{")

    assert "`footfall login` writes it anew" in footfall("projects", "list").err


def test_a_wrong_password_is_refused(footfall: Any, user: str, auth_url: str, type_in: Any, tmp_path: Path) -> None:
    type_in("wrong\n")
    ran = footfall("login", user, "--auth-url", auth_url, "--password-stdin", "--json")

    assert (ran.code, ran.error) == (1, {"error": "The address or the password is wrong", "status": 401})
    assert not (tmp_path / "state" / "footfall" / "sign-in.json").exists()


def test_without_a_terminal_the_password_comes_from_stdin(
    footfall: Any, user: str, auth_url: str, type_in: Any
) -> None:
    type_in(PASSWORD)
    ran = footfall("login", user, "--auth-url", auth_url)

    assert (ran.code, "--password-stdin" in ran.err) == (2, True)


def test_where_to_sign_in_must_be_known(footfall: Any, type_in: Any) -> None:
    type_in(PASSWORD)
    ran = footfall("login", "ann@example.com", "--password-stdin")

    assert ran.code == 1
    assert "--auth-url URL" in ran.err


def test_signing_keys_rotate(footfall: Any, platform: Any) -> None:
    first, second = (footfall("signing", "rotate", "--json").json["kid"] for _ in range(2))

    assert first != second
    assert "from now on" in footfall("signing", "rotate", "--withdraw").out


def test_a_sign_in_is_json_that_says_whose(signed_in: Path, user: str) -> None:
    assert set(json.loads(signed_in.read_text())) == set(SignIn.__struct_fields__)
    assert json.loads(signed_in.read_text())["email"] == user
