"""The cases, and each SDK as a program that runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from programs import built_web_sdk

ROOT = Path(__file__).resolve().parents[2]
CASES: list[dict[str, Any]] = json.loads((ROOT / "schemas" / "cases" / "sdks.json").read_text("utf-8"))["cases"]
KEY = "ffw_conformance"

Driver = Callable[[str, list[dict[str, Any]]], dict[str, dict[str, int]]]
"""Runs cases against a URL; what was dropped, by case and reason."""


def run_driver(command: list[str], cases: list[dict[str, Any]], **environment: str) -> dict[str, dict[str, int]]:
    done = subprocess.run(
        command,
        input=json.dumps(cases),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    dropped: dict[str, dict[str, int]] = json.loads(done.stdout.splitlines()[-1])
    return dropped


def drive_python(url: str, cases: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    return run_driver([sys.executable, "-W", "error", str(Path(__file__).with_name("python_driver.py")), url], cases)


def drive_web(url: str, cases: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    node, chromium = built_web_sdk()
    command = [node, str(Path(__file__).with_name("web_driver.mjs")), url]
    return run_driver(command, cases, CHROMIUM=chromium)


DRIVERS: dict[str, Driver] = {"python": drive_python, "web": drive_web}


def with_places(cases: list[dict[str, Any]], key: str, path: str) -> list[dict[str, Any]]:
    return [{**case, "id": str(number), "key": key, "path": path.format(number)} for number, case in enumerate(cases)]
