"""The command line: what `python -m footfall_query` does."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    return subprocess.run(
        [sys.executable, "-m", "footfall_query", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_openapi_prints_the_document() -> None:
    done = run("openapi")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["info"]["title"] == "Footfall Query API"


def test_migrate_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        done = run("migrate", FOOTFALL_DATA_DIR=str(tmp_path))
        assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "query.db") as database:
        assert database.execute("SELECT version_num FROM query_alembic_version").fetchall() == [("0002",)]
    database.close()


def test_serving_needs_a_secret() -> None:
    done = run("serve")
    assert (done.returncode, done.stderr) == (
        1,
        "footfall-query serve: FOOTFALL_SECRET_KEY must have at least 32 characters\n",
    )
