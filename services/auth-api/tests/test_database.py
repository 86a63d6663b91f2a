"""The database: its history, readiness, and what happens without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, inspect

from footfall_auth.__main__ import main
from footfall_auth.app import MIGRATIONS, make_auth_app
from footfall_auth.models import VERSION_TABLE, Table
from footfall_core.auth import derive_token
from footfall_core.database import migrate_database, open_database

SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
def migrated(empty_database: str) -> Iterator[Engine]:
    migrate_database(empty_database, MIGRATIONS)
    engine = open_database(empty_database)
    yield engine
    engine.dispose()


def test_the_history_leads_to_the_models(migrated: Engine) -> None:
    with migrated.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Table.metadata) == []


def test_every_table_says_whose_it_is(migrated: Engine) -> None:
    names = inspect(migrated).get_table_names()

    assert sorted(names) == [
        "auth_alembic_version",
        "auth_keys",
        "auth_members",
        "auth_projects",
        "auth_refresh_tokens",
        "auth_sessions",
        "auth_signing_keys",
        "auth_users",
    ]


def test_migrating_again_changes_nothing(migrated: Engine, empty_database: str) -> None:
    migrate_database(empty_database, MIGRATIONS)

    assert len(inspect(migrated).get_table_names()) == 8


def test_two_migrations_at_once_do_it_once(empty_database: str, tmp_path: Path) -> None:
    environment = {**os.environ, "FOOTFALL_DATABASE_URL": empty_database, "FOOTFALL_DATA_DIR": str(tmp_path)}

    def migrate(_: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "footfall_auth", "migrate"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(migrate, range(2)))

    assert [each.returncode for each in done] == [0, 0], done


async def ready(app_url: str) -> httpx.Response:
    app = make_auth_app(open_database(app_url), SECRET, registry=CollectorRegistry())
    headers = {"authorization": f"Bearer {derive_token(SECRET, 'operator')}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://auth", headers=headers) as client:
        assert (await client.get("/livez")).status_code == 200
        answer = await client.get("/readyz")
        if answer.status_code == 503 and app_url.startswith("sqlite"):
            refused = await client.get("/projects")
            assert (refused.status_code, refused.json()["title"]) == (503, "Service unavailable")
            assert refused.headers["retry-after"] == "2"
    app.state.parts.engine.dispose()
    return answer


async def test_a_database_without_tables_is_named(empty_database: str) -> None:
    answer = await ready(empty_database)

    assert answer.status_code == 503
    assert "run footfall migrate" in answer.json()["missing"]["database"]


async def test_a_migrated_database_is_ready(database: str) -> None:
    assert (await ready(database)).status_code == 200


async def test_a_database_that_is_away_is_named() -> None:
    answer = await ready("postgresql+psycopg://nobody@127.0.0.1:1/none")

    assert answer.status_code == 503
    assert "does not answer" in answer.json()["missing"]["database"]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "FOOTFALL_SECRET_KEY"),
        ({"FOOTFALL_AUTH_PORT": "eighty"}, "FOOTFALL_AUTH_PORT"),
        ({"FOOTFALL_SECRET_KEY": SECRET, "FOOTFALL_DATABASE_URL": "nonsense"}, "Could not parse"),
    ],
)
def test_a_bad_setting_is_named(
    environment: dict[str, str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"FOOTFALL_DATA_DIR": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)

    assert main(["serve"]) == 1
    assert words in capsys.readouterr().err


def test_the_document_can_be_printed(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    done = subprocess.run(
        [sys.executable, "-m", "footfall_auth", "openapi"],
        env=clean,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert '"title": "Footfall Auth API"' in done.stdout
    assert list(tmp_path.iterdir()) == []
