"""The same contract as the official JavaScript client sees it: js/contract.test.mjs, run by node."""

import os
import subprocess
from pathlib import Path

import pytest
from programs import node_packages

FOLDER = Path(__file__).parent / "js"


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the client installed beside the script."""
    return node_packages(FOLDER)


def test_javascript_client(node: str, clickhouse_url: str, database: str) -> None:
    environment = {
        **os.environ,
        "FOOTFALL_TEST_CLICKHOUSE_URL": clickhouse_url,
        "FOOTFALL_TEST_DATABASE": database,
    }
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec"],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
