"""Start the bridge: `python -m footfall_embedded.bridge --data-dir DIR`."""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import structlog
import uvicorn
import uvloop

from footfall_core.telemetry import configure_logging
from footfall_embedded.bridge.app import Bridge, Limits
from footfall_embedded.bridge.engine import Engine, total_memory
from footfall_embedded.bridge.errors import EngineError
from footfall_embedded.bridge.request import Account, is_local_name

_FAILED = 1
_IN_USE = 3
_LOST_WRITE = 4
_KEEP_ALIVE_SECONDS = 30


class _Server(uvicorn.Server):
    """Leaves the signals to `_serve`, which has more to do at the end than to stop listening."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    env = os.environ.get
    parser = argparse.ArgumentParser(
        prog="python -m footfall_embedded.bridge",
        description="The chDB engine behind ClickHouse's HTTP protocol.",
    )
    add = parser.add_argument
    defaults = Limits()
    add("--data-dir", default=env("FOOTFALL_DATA_DIR", "data"), help="the data is in its folder 'clickhouse'")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=env("FOOTFALL_CLICKHOUSE_PORT", "18123"), help="0 for any free one")
    add("--user", default=env("FOOTFALL_CLICKHOUSE_USER", "default"))
    add("--password", default=env("FOOTFALL_CLICKHOUSE_PASSWORD", ""))
    add("--memory-bytes", type=int, default=min(total_memory() * 2 // 5, 8 << 30), help="bound of all queries")
    add(
        "--min-free-bytes",
        type=int,
        default=env("FOOTFALL_CLICKHOUSE_MIN_FREE_BYTES", str(128 << 20)),
        help="what INSERTs and merges leave free on the disk",
    )
    add("--reads", type=int, default=defaults.reads, help="SELECTs at once")
    add("--inserts", type=int, default=defaults.inserts, help="INSERTs at once")
    add(
        "--wait-seconds",
        type=float,
        default=defaults.wait_seconds,
        help="how long a statement waits for its turn",
    )
    add("--grace-seconds", type=float, default=5.0, help="how long SELECTs may go on after SIGTERM")
    add("--body-bytes", type=int, default=defaults.body_bytes, help="bound of a request's body")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Exit codes: 0, 1 for a failed start, 3 for a data directory in use, 4 when the engine has lost a write: whoever
    supervises the bridge starts it again, and the engine then mends what it finds.
    """
    arguments = _arguments(argv)
    configure_logging(
        "bridge", os.environ.get("FOOTFALL_LOG_LEVEL", "info"), os.environ.get("FOOTFALL_LOG_FORMAT", "text")
    )
    # A result that fails midway breaks the connection on purpose.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing" not in record.getMessage())
    log = structlog.get_logger("bridge")
    folder = Path(arguments.data_dir).absolute() / "clickhouse"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bridge.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.error("another process uses this data directory", folder=str(folder))
            return _IN_USE
        try:
            listener = _listen(arguments.host, arguments.port)
        except OSError as error:
            log.error("cannot listen", host=arguments.host, port=arguments.port, error=str(error))
            return _FAILED
        spool = folder / "spool"
        spool.mkdir(exist_ok=True)
        for left in spool.iterdir():
            left.unlink()
        try:
            engine = Engine(folder, memory_bytes=arguments.memory_bytes, min_free_bytes=arguments.min_free_bytes)
        except (EngineError, ValueError) as error:
            log.error("cannot open the engine", folder=str(folder), error=str(error))
            return _FAILED
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(arguments, engine, spool, listener))
        finally:
            engine.close()
        log.info("stopped")
    return 0


async def _serve(arguments: argparse.Namespace, engine: Engine, spool: Path, listener: socket.socket) -> None:
    limits = Limits(
        reads=arguments.reads,
        inserts=arguments.inserts,
        wait_seconds=arguments.wait_seconds,
        body_bytes=arguments.body_bytes,
    )
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    account = Account(arguments.user, arguments.password)
    bridge = Bridge(
        engine,
        spool,
        account=account,
        display_name="footfall",
        on_lost_write=_end,
        only_local=is_local_name(address),
        limits=limits,
    )
    config = uvicorn.Config(
        bridge,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = _Server(config)
    drains: list[asyncio.Task[None]] = []

    def stop() -> None:
        server.should_exit = True
        if not drains:
            drains.append(asyncio.ensure_future(bridge.drain(arguments.grace_seconds)))

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    structlog.get_logger("bridge").info("ready", url=f"http://{address}", version=engine.version)
    sys.stdout.write(f"http://{address}\n")
    sys.stdout.flush()
    watch = asyncio.ensure_future(bridge.watch())
    await server.serve(sockets=[listener])
    for task in (watch, *drains):
        task.cancel()
    bridge.close()


def _end() -> None:
    """End as a crash does: what the engine believes is on the disk is not, so nothing may be answered any more."""
    structlog.get_logger("bridge").critical(
        "a write to the data directory failed, and the engine went on without it: ending to be started again",
        hint="is the disk full or broken? Parts without all of their data are set aside at the start",
    )
    os._exit(_LOST_WRITE)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


if __name__ == "__main__":
    sys.exit(main())
