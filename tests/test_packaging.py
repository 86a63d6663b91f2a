"""Each distribution is a wheel of its own that names all it needs and carries all it reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = sorted(
    path.parent.relative_to(ROOT)
    for folder in ("libs/*", "services/*", "cli", "sdks/python")
    for path in ROOT.glob(f"{folder}/pyproject.toml")
)
CARRIES = {
    "libs/core": {"footfall_core/migrations/0001_events.sql", "footfall_core/py.typed"},
    "services/auth-api": {"footfall_auth/migrations/env.py"},
    "sdks/python": {"footfall/py.typed"},
    # Built by `make test` where Node is; without it there is nothing to carry.
    "services/capture-api": {"footfall_capture/static/footfall.js"} if shutil.which("node") else set(),
}


def test_every_distribution_is_found() -> None:
    assert len(DISTRIBUTIONS) == 9


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
def test_the_wheel_carries_what_it_reads(distribution: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--wheel-dir", str(tmp_path), str(ROOT / distribution)],
        check=True,
        timeout=60,
    )  # fmt: skip
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    assert CARRIES.get(str(distribution), set()) <= names
    assert not [name for name in names if "/tests/" in name]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=str)
def test_it_declares_what_it_imports(distribution: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deptry", "src"],
        cwd=ROOT / distribution,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
