"""What a test starts beside the platform: a Capture API that it may kill, and a page with the web SDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from conftest import Platform, http, wait_until
from programs import built_web_sdk

from footfall_embedded.testing import free_ports


class CaptureProcess:
    """One more Capture API on a platform's log, at a port of its own. It runs from the beginning."""

    def __init__(self, platform: Platform, **settings: str) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._log = platform.data_dir / "logs" / f"capture-{port}.log"
        self._environment = {
            **platform.environment,
            "FOOTFALL_DATA_DIR": str(platform.data_dir),
            "FOOTFALL_SECRET_KEY": (platform.data_dir / "secret_key").read_text().strip(),
            "FOOTFALL_CAPTURE_PORT": str(port),
            **settings,
        }
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "footfall_capture"], env=self._environment, stdout=log, stderr=log
            )
        wait_until(self._is_ready, 30, "the Capture API is ready")

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(10)

    def _is_ready(self) -> bool:
        try:
            return http.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def running_capture(platform: Platform, **settings: str) -> Iterator[CaptureProcess]:
    """A Capture API with further `settings` until the block ends."""
    process = CaptureProcess(platform, **settings)
    try:
        yield process
    finally:
        process.kill()


class Page:
    """A page of another origin, in Chromium. What it can be told is in page.mjs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, command: str, *given: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, *given]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{command} failed in the page; see the error output"
        return json.loads(line)


@contextmanager
def running_page(**attributes: str) -> Iterator[Page]:
    """A page whose script tag has these attributes (`data_key` is `data-key`) until the block ends."""
    node, chromium = built_web_sdk()
    tag = json.dumps({name.replace("_", "-"): value for name, value in attributes.items()})
    process = subprocess.Popen(
        [node, str(Path(__file__).with_name("page.mjs")), tag],
        env={**os.environ, "CHROMIUM": chromium},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Page(process)
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(30)
        process.stdout.close()  # type: ignore[union-attr]
