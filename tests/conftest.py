"""The whole platform as a fixture: `footfall up` on free ports in a temporary directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from footfall_embedded.testing import free_ports

PORTS = ("CAPTURE", "QUERY", "AUTH", "DASHBOARD", "CLICKHOUSE", "CONSUMER")

http = httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0))
"""A new connection a request, as with `httpx.get`, which also reads all certificates each time, for 40 ms."""


@dataclass
class Platform:
    """A running platform, as its user sees it."""

    data_dir: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[str]
    capture_url: str
    query_url: str
    auth_url: str
    clickhouse_url: str
    write_key: str
    read_key: str
    project_id: int
    operator_token: str
    admin: dict[str, str] | None = None
    """Address and password of the admin that this start made."""

    def footfall(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI on this platform."""
        done = subprocess.run(
            [sys.executable, "-m", "footfall_cli", *arguments],
            env={**self.environment, "FOOTFALL_DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        said = f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert not check or done.returncode == 0, said
        return done

    def make_project(self, name: str, **settings: str) -> tuple[int, str, str]:
        """A new project: its id, a write key and a read key."""
        headers, projects = _bearer(self.operator_token), f"{self.auth_url}/projects"
        made = http.post(projects, json={"name": name, **settings}, headers=headers)
        project = made.raise_for_status().json()
        key = http.post(f"{projects}/{project['id']}/keys", json={"name": "test", "type": "read"}, headers=headers)
        return project["id"], project["write_key"], key.raise_for_status().json()["key"]

    def capture(self, write_key: str, events: Sequence[Mapping[str, Any]]) -> httpx.Response:
        return http.post(f"{self.capture_url}/capture", json={"api_key": write_key, "batch": list(events)})

    def ask(self, read_key: str, kind: str, **query: Any) -> dict[str, Any]:
        """The answer to a query document."""
        answer = http.post(f"{self.query_url}/api/{kind}", json=query, headers=_bearer(read_key))
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def get(self, read_key: str, path: str, **parameters: Any) -> Any:
        answer = http.get(f"{self.query_url}{path}", params=parameters, headers=_bearer(read_key))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def select(self, sql: str) -> list[list[Any]]:
        """Rows straight from ClickHouse, past the Query API."""
        return [json.loads(line) for line in self.clickhouse(f"{sql} FORMAT JSONCompactEachRow").splitlines()]

    def clickhouse(self, statement: str) -> str:
        """What ClickHouse answers."""
        answer = http.post(self.clickhouse_url, content=statement, timeout=60, auth=self._auth())
        assert answer.status_code == 200, answer.text
        return answer.text

    def stored(self, project_id: int) -> tuple[int, int]:
        """Rows and distinct uuids of a project, without FINAL: what a query counts."""
        sql = f"SELECT count(), uniqExact(uuid) FROM analytics.events WHERE project_id = {project_id}"
        count, unique = self.select(sql)[0]
        return int(count), int(unique)

    def pid(self, part: str) -> int | None:
        """The process id of a part, or None while it is down."""
        try:
            noted = json.loads((self.data_dir / "run" / f"{part}.json").read_text())
            process = psutil.Process(noted["pid"])
            alive = abs(process.create_time() - noted["created"]) < 1.0 and process.status() != "zombie"
            return process.pid if alive else None
        except (OSError, ValueError, psutil.Error):
            return None

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """SIGSTOP a part: it is there and does not answer, which is worse than being gone, as nothing restarts it."""
        pid = self.pid(part)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill(self, part: str) -> bool:
        """SIGKILL a part. Whether it was running."""
        pid = self.pid(part)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return pid is not None

    def log_of(self, part: str) -> str:
        path = self.data_dir / "logs" / f"{part}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _auth(self) -> tuple[str, str]:
        url = httpx.URL(self.clickhouse_url)
        return url.username, url.password


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def platform_environment(**settings: str) -> dict[str, str]:
    """This process's environment without any Footfall settings, then free ports and `settings`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        environment[f"FOOTFALL_{name}_PORT"] = str(port)
    return {**environment, **settings}


@contextmanager
def running_platform(data_dir: Path, environment: Mapping[str, str], *, ends_well: bool = True) -> Iterator[Platform]:
    """`footfall up` until the block ends; then it must stop cleanly, unless the test killed it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "footfall_cli", "up", "--data-dir", str(data_dir), "--json"],
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        started = json.loads(line) if line else {}
        assert started.get("status") == "ready", f"footfall up said: {line or process.wait()}"
        names = {name for name in Platform.__dataclass_fields__ if name in started}
        yield Platform(
            data_dir=data_dir,
            environment=environment,
            process=process,
            **{name: started[name] for name in names},
        )
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        code = process.wait(90)
        process.stdout.close()  # type: ignore[union-attr]
    assert code == 0 or not ends_well, f"footfall up ended with {code}"


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for a condition; returns the seconds it took, fails after `seconds`."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for every test that does not break it. It keeps events of any age."""
    with running_platform(
        tmp_path_factory.mktemp("platform"), platform_environment(FOOTFALL_EVENTS_TTL_DAYS="0")
    ) as running:
        yield running
