"""From `make up` to a second user who sees one project and not the other, with the commands that docs/auth.md has; and
what becomes of access when it ends, or when the Auth API does."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from conftest import Platform, platform_environment, running_platform, wait_until

GUIDE = (Path(__file__).parents[1] / "docs" / "auth.md").read_text("utf-8")
STORY = GUIDE.split("## From nothing to a second user", 1)[1].split("\n## ", 1)[0]
BLOCKS = re.findall(r"```sh\n(.*?)```", STORY, re.DOTALL)


@dataclass
class Shell:
    """Somebody at a terminal of the machine, in the directory where `footfall up` has its `data`."""

    platform: Platform
    folder: Path

    def run(self, line: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A line of the guide."""
        words = shlex.split(line, comments=True)
        assert words.pop(0) == "footfall"
        return subprocess.run(
            [sys.executable, "-m", "footfall_cli", *words],
            cwd=self.folder,
            env={**self.platform.environment, "XDG_STATE_HOME": str(self.folder / "state")},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("newcomer")
    environment = platform_environment(FOOTFALL_CONSUMER_ERASE_SECONDS="0.5")
    with running_platform(folder / "data", environment) as platform:
        yield Shell(platform, folder)


def test_the_guide_tells_the_truth(shell: Shell) -> None:
    assert [len(block.splitlines()) for block in BLOCKS] == [4, 2, 3]
    (create, shop, secret, add), (login, projects), (tail, tail_secret, logout) = (b.splitlines() for b in BLOCKS)

    made = shell.run(create)
    [password] = re.findall(r"^  (\S{20})$", made.stdout, re.MULTILINE)
    for number, line in ((2, shop), (3, secret)):
        assert f"Project {number} " in shell.run(line).stdout
    assert shell.run(add).stdout == "bob@example.com is viewer of project 2 now.\n"

    assert shell.run(f"{login} --password-stdin", "wrong").returncode == 1
    assert shell.run(login).returncode == 2  # there is no terminal here to ask at
    signed_in = shell.run(f"{login} --password-stdin", f"{password}\n")
    assert signed_in.stdout == "You are signed in as bob@example.com. Your projects: 2 (Web shop, viewer).\n"
    kept = shell.folder / "state" / "footfall" / "sign-in.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert password not in kept.read_text()
    listed = shell.run(projects).stdout
    assert "Web shop" in listed
    assert "Secret plans" not in listed

    assert shell.run(tail).returncode == 0
    refused = shell.run(tail_secret)
    comment = tail_secret.partition("# ")[2]
    assert (refused.returncode, refused.stderr) == (1, f"{comment}\n")
    assert shell.run(logout).stdout == "bob@example.com is signed out.\n"
    assert not kept.exists()
    assert "Secret plans" in shell.run(projects).stdout  # the operator again


def test_the_first_admin_is_made_once_and_the_password_is_kept_nowhere(shell: Shell) -> None:
    admin = shell.platform.admin
    assert admin is not None
    assert admin["email"] == "admin@localhost"
    for path in (shell.folder / "data").rglob("*"):
        if path.is_file() and path.stat().st_size < 10**7:
            assert admin["password"].encode() not in path.read_bytes(), path
    signed_in = shell.run("footfall login admin@localhost --password-stdin --json", admin["password"])
    me = json.loads(signed_in.stdout)
    assert (me["is_admin"], me["projects"][0]["role"]) == (True, "owner")
    assert shell.run("footfall users list").returncode == 0
    shell.run("footfall logout")


def test_a_deleted_project_takes_its_events_with_it(shell: Shell) -> None:
    platform = shell.platform
    gone, write_key, read_key = platform.make_project("Gone")
    kept, kept_key, _ = platform.make_project("Kept")
    for key in (write_key, kept_key):
        platform.capture(key, [{"event": "a", "distinct_id": "d"}, {"event": "", "distinct_id": "d"}])
    counts = "SELECT (SELECT count() FROM analytics.events WHERE project_id = {0}), (SELECT count() FROM "
    counts += "analytics.rejected_events WHERE project_id = {0})"
    for project in (gone, kept):
        wait_until(lambda id=project: platform.select(counts.format(id)) == [[1, 1]], 15, "stored")  # type: ignore[misc]

    assert shell.run(f"footfall projects delete {gone} --name Wrong").returncode == 1
    assert shell.run(f"footfall projects delete {gone} --name Gone").returncode == 0

    wait_until(lambda: platform.select(counts.format(gone)) == [[0, 0]], 15, "the events are gone")
    assert platform.select(counts.format(kept)) == [[1, 1]]
    headers = {"authorization": f"Bearer {platform.operator_token}"}
    answer = httpx.get(f"{platform.query_url}/api/events", params={"project_id": gone}, headers=headers)
    assert answer.status_code == 404
    assert read_key


def test_a_stopped_auth_api_stops_neither_capture_nor_queries(shell: Shell) -> None:
    platform = shell.platform
    project, write_key, read_key = platform.make_project("Goes on")
    headers = {"authorization": f"Bearer {platform.operator_token}"}
    user = {"email": "cat@example.com", "password": "a password for Cat"}
    with httpx.Client(base_url=platform.auth_url, headers=headers) as auth:
        auth.post("/users", json=user).raise_for_status()
        member = {"email": user["email"], "role": "viewer"}
        auth.post(f"/projects/{project}/members", json=member).raise_for_status()
        token = auth.post("/auth/login", json=user).raise_for_status().json()["access_token"]
    event = [{"event": "a", "distinct_id": "d"}]
    assert platform.capture(write_key, event).status_code == 200
    assert platform.get(read_key, "/api/events") is not None

    with platform.frozen("auth"):
        assert platform.capture(write_key, event).status_code == 200
        assert platform.get(read_key, "/api/events")["results"] is not None
        # This token was never shown to the Query API before.
        assert platform.get(token, "/api/trends", project_id=project)["series"]
        with httpx.Client(base_url=platform.query_url, timeout=30) as api:
            bad = {"authorization": f"Bearer {token[:-4]}AAAA"}
            assert api.get("/api/events", params={"project_id": project}, headers=bad).status_code == 401
