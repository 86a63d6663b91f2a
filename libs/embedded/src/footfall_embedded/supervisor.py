"""`footfall up`: the whole platform on one machine.

Starts the bridge and the services as separate processes, with the same commands as in production, restarts
what dies, and stops them so that nothing is lost: first what takes events in, last what stores them.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psutil

from footfall_core.auth import derive_token
from footfall_core.clickhouse import ClickHouse, ClickHouseUnavailable
from footfall_core.eventlog import LogRefused, LogUnavailable, prepare_event_log
from footfall_core.migrate import MigrationChanged, migrate
from footfall_core.settings import Settings

START_TIMEOUT: Final = 90.0
"""Seconds that a part may take until it is ready for the first time."""
STOP_TIMEOUT: Final = 30.0
"""Seconds that a part may take to drain before it is killed."""
MAX_LOG_BYTES: Final = 20 * 1024 * 1024
"""A log file is cut when it grows beyond this; what it held before is kept once, as `.1`."""


class StartFailed(Exception):
    """The platform cannot start. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the platform. `ready_url` answers 200 when it can do its work."""

    name: str
    module: str
    port_setting: str
    port: int
    ready_url: str


def parts_of(settings: Settings) -> list[Part]:
    """What `up` starts, in starting order; stopping goes backwards.

    The bridge is there only while the ClickHouse URL is the embedded default: a given URL is a server that
    somebody else runs.
    """

    def part(name: str, module: str, setting: str, port: int, path: str = "/readyz") -> Part:
        return Part(name, module, f"FOOTFALL_{setting}", port, f"http://127.0.0.1:{port}{path}")

    bridge = part("bridge", "footfall_embedded.bridge", "CLICKHOUSE_PORT", settings.clickhouse_port, "/ping")
    services = [
        part("auth", "footfall_auth", "AUTH_PORT", settings.auth_port),
        part("query", "footfall_query", "QUERY_PORT", settings.query_port),
        part("consumer", "footfall_consumer", "CONSUMER_PORT", settings.consumer_port),
        part("capture", "footfall_capture", "CAPTURE_PORT", settings.capture_port),
    ]
    if has_dashboard():
        services.append(part("dashboard", "footfall_dashboard", "DASHBOARD_PORT", settings.dashboard_port))
    return [bridge, *services] if _runs_bridge(settings) else services


def has_dashboard() -> bool:
    """Whether the dashboard is installed and its pages are built. The rest of the platform runs without."""
    return _is_built("footfall_dashboard", "index.html")


def _is_built(package: str, name: str) -> bool:
    """Whether a package is installed and has this file of a build that needed Node."""
    found = importlib.util.find_spec(package)
    folders = (found.submodule_search_locations or []) if found is not None else []
    return any((Path(folder) / "static" / name).is_file() for folder in folders)


def _runs_bridge(settings: Settings) -> bool:
    return urlsplit(settings.clickhouse_url).netloc == f"127.0.0.1:{settings.clickhouse_port}"


class Child:
    """A part's running process, restarted when it dies, with growing pauses when it keeps dying."""

    def __init__(self, part: Part, environment: Mapping[str, str], data_dir: Path) -> None:
        self.part = part
        self._environment = dict(environment)
        self._log = data_dir / "logs" / f"{part.name}.log"
        self._pid_file = data_dir / "run" / f"{part.name}.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_at = 0.0
        self._pause = 0.0
        self._is_noted = False
        self.restarts = 0

    def start(self) -> None:
        self._end_leftover()
        self.trim_log()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.part.module],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the parts in order
            )
        self._started_at = time.monotonic()
        self._is_noted = False
        self._note(self._process.pid)

    def _note(self, pid: int) -> None:
        """Note the process for a later supervisor, in case this one is killed; on a full disk once there is room."""
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            note = {"pid": pid, "created": psutil.Process(pid).create_time()}
            self._pid_file.write_text(json.dumps(note))
            self._is_noted = True

    def wait_ready(self, give_up: Callable[[], bool]) -> None:
        """Return when the part answers that it is ready. Raises `StartFailed` with the end of its log."""
        deadline = time.monotonic() + START_TIMEOUT
        reason = "it did not answer"
        with httpx.Client(timeout=5.0) as client:  # one, as making it takes longer than asking
            while time.monotonic() < deadline and not give_up():
                if self._process is not None and self._process.poll() is not None:
                    reason = f"it ended with exit code {self._process.returncode}"
                    break
                with contextlib.suppress(httpx.HTTPError):
                    answer = client.get(self.part.ready_url)
                    if answer.status_code == 200:
                        return
                    reason = f"it answers {answer.status_code}: {answer.text[:300]}"
                time.sleep(0.05)
        raise StartFailed(f"{self.part.name} did not start: {reason}\n{self.log_tail()}")

    def watch(self, report: Callable[[str], None]) -> None:
        """Restart the process if it is gone. Called a few times a second; never blocks."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._restart_at:
                self.restarts += 1
                self.start()
            return
        code = self._process.poll()
        if code is None:
            if not self._is_noted:
                self._note(self._process.pid)
            return
        self._pause = 0.2 if now - self._started_at > 60 else min(10.0, max(0.2, self._pause * 2))
        self._restart_at = now + self._pause
        self._process = None
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        report(f"{self.part.name} ended ({how}); starting it again. Its log: {self._log}")

    def stop(self) -> None:
        """Ask the process to drain and stop; kill it when it takes too long."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self._pid_file.unlink(missing_ok=True)

    def trim_log(self) -> None:
        """Bound the log. The process appends, so cutting the file under it is safe."""
        if self._log.exists() and self._log.stat().st_size > MAX_LOG_BYTES:
            with contextlib.suppress(OSError):  # a full disk; it is tried again
                self._log.with_suffix(".log.1").write_bytes(self._log.read_bytes()[-MAX_LOG_BYTES:])
                os.truncate(self._log, 0)

    def log_tail(self, lines: int = 15) -> str:
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 8_192))
            tail = log.read().decode("utf-8", "replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in tail)

    def _end_leftover(self) -> None:
        """End the process that a killed supervisor left behind: it holds the port and the data."""
        try:
            noted = json.loads(self._pid_file.read_text())
            process = psutil.Process(int(noted["pid"]))
            if abs(process.create_time() - float(noted["created"])) > 1.0:
                return
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(5.0)
        except (OSError, ValueError, KeyError, psutil.Error):
            return


@dataclass(slots=True)
class Local:
    """What `up` leaves in the data directory for the CLI, readable by its owner only."""

    capture_url: str
    query_url: str
    auth_url: str
    clickhouse_url: str
    dashboard_url: str
    operator_token: str
    project_id: int = 0
    write_key: str = ""
    read_key: str = ""

    def save(self, path: Path) -> None:
        document = {name: getattr(self, name) for name in self.__slots__}
        _write_private(path, json.dumps(document, indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class NewAdmin:
    """The first user, made just now. The password is shown once and kept nowhere."""

    email: str
    password: str


@dataclass
class Platform:
    """A running platform. `run` returns after `stop` was asked for and everything has stopped."""

    settings: Settings
    environment: Mapping[str, str]
    report: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(default_factory=list)
    new_admin: NewAdmin | None = None
    """Who may sign in, if this start made them."""

    def start(self) -> Local:
        """Start every part and make the first project. Raises `StartFailed`; what was started is stopped."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> Local:
        data_dir = self.settings.data_dir
        for part in parts_of(self.settings):
            child = Child(part, self.environment, data_dir)
            child._end_leftover()
            _require_free_port(part)
            self.children.append(child)
        waiting = list(self.children)
        if _runs_bridge(self.settings):
            bridge = waiting.pop(0)
            bridge.start()
            bridge.wait_ready(self.stopping.is_set)
        self.report("Migrating the event log, ClickHouse and the metadata databases")
        self._migrate()
        for child in waiting:
            child.start()
        for child in waiting:
            child.wait_ready(self.stopping.is_set)
        return self._bootstrap()

    def run(self) -> None:
        """Watch the parts until `stopping` is set, then stop them."""
        trimmed_at = time.monotonic()
        while not self.stopping.wait(0.2):
            for child in self.children:
                child.watch(self.report)
            if time.monotonic() - trimmed_at > 60:
                trimmed_at = time.monotonic()
                for child in self.children:
                    child.trim_log()
        self.stop()

    def stop(self) -> None:
        """Stop what was started last first: dashboard, capture, consumer (which drains), query, auth, bridge."""
        for child in reversed(self.children):
            child.stop()

    def _migrate(self) -> None:
        try:
            group = self.environment.get("FOOTFALL_CONSUMER_GROUP") or "consumer"
            for warning in prepare_event_log(self.settings.event_log_url, group).warnings:
                self.report(f"WARNING: {warning}")
        except (LogRefused, LogUnavailable, ModuleNotFoundError) as error:
            raise StartFailed(f"the event log could not be prepared: {error}") from error
        clickhouse = ClickHouse(self.environment["FOOTFALL_CLICKHOUSE_URL"])
        try:
            migrate(
                clickhouse,
                events_ttl_days=self.settings.events_ttl_days,
                cluster=self.settings.clickhouse_cluster,
            )
        except (ClickHouseUnavailable, MigrationChanged) as error:
            raise StartFailed(f"ClickHouse could not be migrated: {error}") from error
        finally:
            clickhouse.close()
        for module in ("footfall_auth", "footfall_query"):
            done = subprocess.run(
                [sys.executable, "-m", module, "migrate"],
                env=dict(self.environment),
                capture_output=True,
                text=True,
                timeout=START_TIMEOUT,
                check=False,
            )
            if done.returncode:
                raise StartFailed(f"{module} could not migrate its database:\n{done.stderr[-2_000:]}")

    def _bootstrap(self) -> Local:
        """Make the first project and its keys, or read what an earlier start made."""
        settings, path = self.settings, self.settings.data_dir / "local.json"
        operator_token = derive_token(self.environment["FOOTFALL_SECRET_KEY"], "operator")
        local = Local(
            capture_url=f"http://127.0.0.1:{settings.capture_port}",
            query_url=f"http://127.0.0.1:{settings.query_port}",
            auth_url=f"http://127.0.0.1:{settings.auth_port}",
            clickhouse_url=self.environment["FOOTFALL_CLICKHOUSE_URL"],
            dashboard_url=f"http://127.0.0.1:{settings.dashboard_port}",
            operator_token=operator_token,
        )
        known = json.loads(path.read_text()) if path.exists() else {}
        with httpx.Client(base_url=local.auth_url, timeout=10.0) as auth:
            auth.headers["authorization"] = f"Bearer {operator_token}"
            project = _find_or_make_project(auth, known.get("project_id"))
            local.project_id = project["id"]
            # Keys can be revoked while nobody looks here.
            local.write_key = project["write_key"] or _make_key(auth, local.project_id, "write")
            known_key = known.get("read_key", "") if known.get("project_id") == local.project_id else ""
            internal_token = derive_token(self.environment["FOOTFALL_SECRET_KEY"], "internal")
            lives = auth.post(
                "/internal/keys/resolve",
                json={"key": known_key},
                headers={"authorization": f"Bearer {internal_token}"},
            )
            local.read_key = known_key if lives.status_code == 200 else _make_key(auth, local.project_id, "read")
            self.new_admin = _make_first_admin(auth, settings.admin_email)
        local.save(path)
        return local


def _find_or_make_project(auth: httpx.Client, known_id: int | None) -> dict[str, Any]:
    """The project that was first here, else the oldest one, else a new one."""
    answer = auth.get(f"/projects/{known_id}") if known_id else None
    if answer is not None and answer.status_code == 200:
        found: dict[str, Any] = answer.json()
        return found
    projects: list[dict[str, Any]] = auth.get("/projects", params={"limit": 1}).raise_for_status().json()["results"]
    if projects:
        return projects[0]
    made: dict[str, Any] = auth.post("/projects", json={"name": "My project"}).raise_for_status().json()
    return made


def _make_first_admin(auth: httpx.Client, email: str) -> NewAdmin | None:
    """An admin with a new password when there is no user yet."""
    if auth.get("/users", params={"limit": 1}).raise_for_status().json()["results"]:
        return None
    answer = auth.post("/users", json={"email": email, "name": "Admin", "is_admin": True})
    if answer.status_code == 400:
        raise StartFailed(f"FOOTFALL_ADMIN_EMAIL: {answer.json()['detail']}")
    made = answer.raise_for_status().json()
    return NewAdmin(made["email"], made["password"])


def _make_key(auth: httpx.Client, project_id: int, type: str) -> str:
    answer = auth.post(f"/projects/{project_id}/keys", json={"name": "this machine", "type": type})
    return str(answer.raise_for_status().json()["key"])


def prepare(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Make the data directory with its secrets, and return the environment that the parts run in."""
    data_dir = settings.data_dir
    for folder in ("", "logs", "run"):
        (data_dir / folder).mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    secret_path = data_dir / "secret_key"
    if not settings.secret_key.get_secret_value() and not secret_path.exists():
        _write_private(secret_path, secrets.token_urlsafe(48))
    secret = settings.secret_key.get_secret_value() or secret_path.read_text().strip()
    prepared = {**environment, "FOOTFALL_DATA_DIR": str(data_dir), "FOOTFALL_SECRET_KEY": secret}
    if _runs_bridge(settings):
        # A password, because a page in any browser on this machine can send requests to 127.0.0.1.
        password = derive_token(secret, "clickhouse")
        prepared["FOOTFALL_CLICKHOUSE_USER"] = "footfall"
        prepared["FOOTFALL_CLICKHOUSE_PASSWORD"] = password
        prepared["FOOTFALL_CLICKHOUSE_URL"] = f"http://footfall:{password}@127.0.0.1:{settings.clickhouse_port}"
    return prepared


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data directory. Raises `StartFailed` when another `up` holds it."""
    with (data_dir / "run" / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartFailed(
                f"Footfall is already running on {data_dir}. Stop it, or name another --data-dir."
            ) from error
        yield


def main(data_dir: Path | None, json_output: bool = False) -> int:
    """Run the platform until SIGINT or SIGTERM. Returns the exit code."""
    given: dict[str, Any] = {"data_dir": data_dir} if data_dir else {}

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # into a file on a full disk, or to somebody who is gone
            print(line, file=sys.stderr if json_output else sys.stdout, flush=True)

    try:
        settings = Settings.read(**given)
        environment = prepare(settings, os.environ)
        with only_one(settings.data_dir):
            platform = Platform(settings, environment, say)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda *_: platform.stopping.set())
            say(f"Starting Footfall; its data and logs are in {settings.data_dir}")
            local = platform.start()
            if json_output:
                document = {name: getattr(local, name) for name in local.__slots__}
                admin = asdict(platform.new_admin) if platform.new_admin else None
                print(json.dumps({"status": "ready", **document, "admin": admin}), flush=True)  # noqa: T201
            else:
                say(greeting(local, platform.new_admin))
            platform.run()
            say("Footfall has stopped; everything it had accepted is on disk.")
    except (StartFailed, ValueError) as error:
        if json_output:
            print(json.dumps({"status": "failed", "error": str(error)}), flush=True)  # noqa: T201
        else:
            print(f"Footfall could not start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def greeting(local: Local, new_admin: NewAdmin | None) -> str:
    """What `up` prints when everything runs: addresses, keys, a sign-in, and one command that proves it."""
    sign_in = ""
    if new_admin is not None:
        sign_in = f"""
  Sign in as    {new_admin.email}     with the password
                {new_admin.password}     which is shown this once
"""
    return f"""
Footfall is running.

{_dashboard_line(local)}  Capture API   {local.capture_url}     send events here
  Query API     {local.query_url}     ask questions here
  Auth API      {local.auth_url}     users, projects and keys
  Write key     {local.write_key}     may only send; fine to publish
  Read key      {local.read_key}     may read project {local.project_id}; keep it secret
{sign_in}
Try it from another terminal:

  curl {local.capture_url}/capture -H 'Authorization: Bearer {local.write_key}' \\
    -d '{{"event": "signup", "distinct_id": "ann"}}'
  curl '{local.query_url}/api/trends?event=signup' -H 'Authorization: Bearer {local.read_key}'
{_web_sdk_lines(local)}
Ctrl-C stops it.
"""


def _dashboard_line(local: Local) -> str:
    if not has_dashboard():
        return ""
    return f"  Dashboard     {local.dashboard_url}     open it in a browser\n"


def _web_sdk_lines(local: Local) -> str:
    if not _is_built("footfall_capture", "footfall.js"):
        return ""
    return f"""
Or put this into any web page, for its page views and what else you capture there:

  <script defer src="{local.capture_url}/footfall.js" data-key="{local.write_key}"></script>
"""


def _require_free_port(part: Part) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", part.port))
        except OSError as error:
            raise StartFailed(
                f"port {part.port}, which {part.name} needs, is in use. Stop what uses it, or set {part.port_setting}."
            ) from error


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step; only its owner can read it at any moment."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
