"""`footfall up` as its operator meets it when something goes wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import platform_environment, running_platform, wait_until

PARTS = ("bridge", "auth", "query", "consumer", "capture")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "footfall_cli", "up", "--data-dir", str(tmp_path), "--json"],
            env=platform_environment(FOOTFALL_CAPTURE_PORT=str(port)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert f"port {port}" in error
    assert "FOOTFALL_CAPTURE_PORT" in error


@pytest.mark.timeout(240)
def test_after_its_own_sudden_death_up_takes_over_what_it_left(tmp_path: Path) -> None:
    environment = platform_environment()
    with running_platform(tmp_path / "data", environment, ends_well=False) as first:
        assert first.capture(first.write_key, [{"event": "before", "distinct_id": "ann"}]).status_code == 200
        left = [first.pid(part) for part in PARTS]
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        assert first.capture(first.write_key, [{"event": "alone", "distinct_id": "ann"}]).status_code == 200

    with running_platform(tmp_path / "data", environment) as second:
        now = [second.pid(part) for part in PARTS]
        assert not set(left) & set(now)
        wait_until(lambda: second.stored(second.project_id) == (2, 2), 10, "both events are there, once")


def test_interrupting_stops_everything(tmp_path: Path) -> None:
    with running_platform(tmp_path / "data", platform_environment()) as platform:
        platform.process.send_signal(signal.SIGINT)
        assert platform.process.wait(60) == 0
        assert [platform.pid(part) for part in PARTS] == [None] * len(PARTS)
