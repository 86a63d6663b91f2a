"""Other people's SDKs, as their own package managers install them."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Platform
from programs import Run, node_packages, run
from proxy import Project, Proxy, running_proxy

FOLDER = Path(__file__).parent


@pytest.fixture
def proxy(platform: Platform) -> Iterator[Proxy]:
    with running_proxy(platform.capture_url) as proxy:
        yield proxy


@pytest.fixture
def project(platform: Platform) -> Project:
    return Project(platform, *platform.make_project(f"compat {uuid.uuid4()}"))


@pytest.fixture(scope="session")
def run_python() -> Run:
    """Runs a script of the folder `python` where the Python SDKs are installed."""
    folder = FOLDER / "python"
    subprocess.run([sys.executable, str(folder / "install.py")], check=True, timeout=110)
    python = str(folder / ".venv" / "bin" / "python")

    def run_script(script: str, *arguments: str, **more: str) -> Any:
        return run([python, script, *arguments], folder, **more)

    return run_script


@pytest.fixture(scope="session")
def run_node() -> Run:
    """Runs a script of the folder `js` where the JavaScript SDKs are installed."""
    folder = FOLDER / "js"
    node = node_packages(folder)

    def run_script(script: str, *arguments: str, **more: str) -> Any:
        return run([node, script, *arguments], folder, **more)

    return run_script
