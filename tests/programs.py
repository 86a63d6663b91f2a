"""Programs that tests need and Python does not bring: node with its packages, and a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
Run = Callable[..., Any]


def need(*programs: str) -> list[str]:
    """Their paths. Skips the test loudly when one is missing, unless this is continuous integration."""
    found = {program: shutil.which(program) for program in programs}
    missing = [program for program, path in found.items() if path is None]
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"needed and not installed: {', '.join(missing)}")
        pytest.skip(f"NOT TESTED: {', '.join(missing)} is missing")
    return [str(path) for path in found.values()]


def chromium() -> str:
    """The browser's path. Skips as `need` does."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None) or need("chromium")[0]


def run(command: Sequence[str], folder: Path, **environment: str) -> Any:
    """What a program says on its last line, as JSON."""
    done = subprocess.run(
        list(command),
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def node_packages(folder: Path) -> str:
    """Node, with what the folder's package-lock.json names installed beside it. Skips as `need` does."""
    node, npm = need("node", "npm")
    noted = folder / "node_modules" / ".package-lock.json"
    if not noted.exists() or noted.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=110)
        noted.touch()
    return node


def built_web_sdk() -> tuple[str, str]:
    """Node and Chromium, with `sdks/web` built and its packages installed. Skips as `need` does."""
    node, _ = need("node", "npm")
    browser = chromium()
    subprocess.run([sys.executable, ROOT / "scripts" / "web_sdk.py"], check=True, timeout=110)
    return node, browser
