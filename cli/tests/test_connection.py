"""Which platform is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from footfall_cli.connection import find_connection
from footfall_cli.output import Failed
from footfall_core.auth import derive_token

SECRET = "a secret of at least thirty-two characters"


def leave(data_dir: Path, **fields: Any) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "local.json").write_text(json.dumps(fields))
    return data_dir


def test_a_named_data_directory_wins(tmp_path: Path) -> None:
    named, other = leave(tmp_path / "a", auth_url="http://a"), leave(tmp_path / "b", auth_url="http://b")
    environment = {"FOOTFALL_DATA_DIR": str(other), "FOOTFALL_AUTH_URL": "http://c"}

    assert find_connection(named, environment).local.auth_url == "http://a"
    assert find_connection(None, environment).local.auth_url == "http://b"


def test_addresses_in_the_environment_win_over_the_default_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path / "data", auth_url="http://local", operator_token="secret")
    monkeypatch.chdir(tmp_path)

    assert find_connection(None, {}).local.auth_url == "http://local"
    connection = find_connection(None, {"FOOTFALL_AUTH_URL": "http://remote"})
    assert (connection.local.auth_url, connection.local.operator_token) == ("http://remote", "")
    assert connection.data_dir is None


def test_everything_may_come_from_the_environment() -> None:
    connection = find_connection(
        None,
        {
            "FOOTFALL_CAPTURE_URL": "http://capture",
            "FOOTFALL_QUERY_URL": "http://query",
            "FOOTFALL_AUTH_URL": "http://auth",
            "FOOTFALL_SECRET_KEY": SECRET,
            "FOOTFALL_PROJECT_ID": "7",
            "FOOTFALL_READ_KEY": "ffr_x",
        },
    )

    assert connection.need("operator_token") == derive_token(SECRET, "operator")
    assert (connection.project_id(None), connection.project_id(9)) == (7, 9)
    assert connection.need("read_key") == "ffr_x"
    with pytest.raises(Failed, match="Set FOOTFALL_WRITE_KEY"):
        connection.need("write_key")


def test_nothing_running_is_said_clearly(footfall: Any) -> None:
    ran = footfall("projects", "list")

    assert (ran.code, ran.out) == (1, "")
    assert "Nothing runs here: there is no data/local.json" in ran.err
    assert "footfall up" in ran.err
    assert "Nothing runs here" in footfall("projects", "list", "--json").error["error"]


def test_services_that_stopped_are_said_clearly(footfall: Any, tmp_path: Path) -> None:
    leave(tmp_path / "data", auth_url="http://127.0.0.1:1", operator_token="t", project_id=1)

    ran = footfall("projects", "list")

    assert ran.code == 1
    assert "http://127.0.0.1:1 does not answer" in ran.err
    assert "is `footfall up` still running?" in ran.err


@pytest.mark.parametrize("content", ["{", "[]", '{"project_id": "one"}'])
def test_a_damaged_file_is_said_clearly(footfall: Any, tmp_path: Path, content: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "local.json").write_text(content)

    assert "local.json cannot be read" in footfall("projects", "list").err


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FOOTFALL_AUTH_URL": "http://auth", "FOOTFALL_PROJECT_ID": "first"}, "FOOTFALL_PROJECT_ID must be"),
        ({"FOOTFALL_CAPTURE_URL": "http://capture"}, "Set FOOTFALL_AUTH_URL"),
        ({"FOOTFALL_AUTH_URL": "http://auth"}, "Set FOOTFALL_OPERATOR_TOKEN"),
        ({"FOOTFALL_AUTH_URL": "auth:8002", "FOOTFALL_OPERATOR_TOKEN": "t"}, "auth:8002"),
        ({"FOOTFALL_AUTH_URL": "http://[", "FOOTFALL_OPERATOR_TOKEN": "t"}, "http://["),
    ],
)
def test_settings_that_are_missing_or_wrong_are_named(footfall: Any, environment: dict[str, str], words: str) -> None:
    ran = footfall("projects", "list", env=environment)

    assert ran.code == 1
    assert words in ran.err


def test_something_else_at_the_address_is_noticed(footfall: Any, capture: Any, tmp_path: Path) -> None:
    leave(tmp_path / "data", query_url=capture.url, read_key="r")
    capture.answer = lambda *_: (200, b"<html>", {"content-type": "text/html"})

    assert "does not answer in JSON; is it the right address?" in footfall("events", "tail", "--once").err

    capture.answer = lambda *_: (502, b"<html>", {"content-type": "text/html"})
    assert "answers 502 Bad Gateway" in footfall("events", "tail", "--once").err


def test_a_reader_that_had_enough_hears_no_complaint(platform: Any, query_api: Any) -> None:
    query_api.events = [
        {"uuid": str(n), "event": "e" * 200, "distinct_id": "ann", "timestamp": "2026-11-01", "properties": {}}
        for n in range(2_000)
    ]
    query_api.page = 500
    command = [sys.executable, "-m", "footfall_cli", "export", "--data-dir", str(platform.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_bad_setting_is_named(footfall: Any) -> None:
    ran = footfall("migrate", env={"FOOTFALL_EVENTS_TTL_DAYS": "soon"})

    assert ran.code == 2
    assert "FOOTFALL_EVENTS_TTL_DAYS" in ran.err
