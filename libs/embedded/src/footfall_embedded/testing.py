"""For test suites: real servers on free ports, each in a temporary directory of its own."""

import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


@contextmanager
def running_bridge(data_dir: Path | str | None = None, *options: str) -> Iterator[str]:
    """A bridge of its own process; gives its URL, `http://127.0.0.1:port`, and stops it at the end.

    `data_dir`: kept afterwards; a temporary one without. `options`: more of the bridge's arguments. Raises
    RuntimeError when the bridge does not start; it says why on stderr.
    """
    with ExitStack() as stack:
        if data_dir is None:
            data_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="footfall-bridge-"))
        process, url = start_bridge(data_dir, *options)
        try:
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def start_bridge(data_dir: Path | str, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a bridge and wait until it listens: its process, which the caller ends, and its URL."""
    command = [sys.executable, "-m", "footfall_embedded.bridge", "--data-dir", str(data_dir), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    if not url:
        process.wait()
        process.stdout.close()
        raise RuntimeError(f"the bridge did not start: exit code {process.returncode}")
    return process, url


class ServerMissing(Exception):
    """The server's program is not installed. The message says which."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """A PostgreSQL that lasts as long as the block; gives its SQLAlchemy URL, password included.

    It forgets everything in a crash, which makes it fast. Raises `ServerMissing`.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = str(programs[-1] / "initdb") if programs else shutil.which("initdb")
    if found is None:
        raise ServerMissing("PostgreSQL is not installed")
    folder, password = Path(found).resolve().parent, secrets.token_hex(16)
    with _private_directory("footfall-postgres-") as (home, become):
        data, secret = home / "data", home / "password"
        secret.write_text(password)
        options = ["--username=footfall", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
        _run([*become, str(folder / "initdb"), "--locale=C", "-D", str(data), *options], cwd=home)
        [port] = free_ports(1)
        fast = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        where = ["-h", "127.0.0.1", "-p", str(port), "-k", str(home), "-c", "max_connections=200"]
        command = [*become, str(folder / "postgres"), "-D", str(data), *where, *fast]
        with _running_server(command, home, ready=lambda: _is_up(folder, port)):
            yield f"postgresql+psycopg://footfall:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def running_redis(port: int | None = None) -> Iterator[str]:
    """A Redis that lasts as long as the block and keeps nothing on disk; gives its URL. Raises `ServerMissing`."""
    found = shutil.which("redis-server")
    if found is None:
        raise ServerMissing("Redis is not installed")
    port = port or free_ports(1)[0]
    with _private_directory("footfall-redis-") as (home, become):
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(home)]
        with _running_server([*become, found, *options], home, ready=lambda: _answers(port)):
            yield f"redis://127.0.0.1:{port}/0"


def free_ports(count: int) -> list[int]:
    """Ports for servers that start later, or once more: lower than those that the system gives to whoever asks for
    any, so that nobody has them meanwhile."""
    found: list[int] = []
    while len(found) < count:
        port = next(_PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


@contextmanager
def _private_directory(prefix: str) -> Iterator[tuple[Path, list[str]]]:
    """A directory for a server, and what to put before its command: servers refuse to run as root."""
    home = Path(tempfile.mkdtemp(prefix=prefix))
    become: list[str] = []
    try:
        if os.geteuid() == 0:
            user = next(name for name in ("postgres", "nobody") if _exists(name))
            become = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
            shutil.chown(home, user)
        yield home, become
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running_server(command: list[str], home: Path, *, ready: Callable[[], bool]) -> Iterator[None]:
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[-1]} did not start: {(home / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # both end at once then, without waiting for their clients
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(command: list[str], cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[-1]}: {done.stderr or done.stdout}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _is_up(folder: Path, port: int) -> bool:
    command = [str(folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False


def _ports() -> Iterator[int]:
    """In random order; processes of pytest-xdist have none in common."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = list(range(10_000 + worker, 30_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))
    secrets.SystemRandom().shuffle(ports)
    return itertools.cycle(ports)


_PORTS = _ports()
