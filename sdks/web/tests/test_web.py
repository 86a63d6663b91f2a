"""The web SDK's own tests, run by node: what needs no browser, and a real Chromium."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from programs import built_web_sdk


def test_web_sdk() -> None:
    node, chromium = built_web_sdk()
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", "tests/"],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "CHROMIUM": chromium},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
