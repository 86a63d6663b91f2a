"""`footfall migrate`: the event log, ClickHouse and the services' metadata databases."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from footfall_cli.connection import find_clickhouse, read_settings
from footfall_cli.options import DataDir, Json
from footfall_cli.output import Failed, print_json, write
from footfall_core.clickhouse import ClickHouse, ClickHouseRefused, ClickHouseUnavailable
from footfall_core.eventlog import LogRefused, LogUnavailable, Prepared, prepare_event_log
from footfall_core.migrate import MigrationChanged, read_ttl
from footfall_core.migrate import migrate as migrate_clickhouse
from footfall_core.settings import Settings

SERVICES: Final = ("footfall_auth", "footfall_query")
"""Packages with a metadata database of their own; each migrates it itself."""


def migrate(data_dir: DataDir = None, json: Json = False) -> None:
    """Bring the event log, ClickHouse and the metadata databases to this version. Repeating it changes nothing.

    Works where the services run: it takes their settings from the environment. How long events are kept is
    changed only when FOOTFALL_EVENTS_TTL_DAYS is set.
    """
    environment = {**os.environ, **({"FOOTFALL_DATA_DIR": str(data_dir)} if data_dir else {})}
    settings = read_settings(data_dir)
    log = _prepare_log(settings, environment)
    done: dict[str, Any] = {
        "event_log": {"done": list(log.done), "warnings": list(log.warnings)},
        "clickhouse": _migrate_clickhouse(settings, environment),
    }
    for module in SERVICES:
        done[module] = _migrate_service(module, environment)
    if json:
        print_json(done)
        return
    write(f"Event log: {'; '.join(log.done) or 'up to date'}")
    for warning in log.warnings:
        write(f"Event log: WARNING: {warning}")
    applied = done["clickhouse"]["applied"]
    write(f"ClickHouse: {', '.join(applied) if applied else 'up to date'}; {_ttl_words(done['clickhouse'])}")
    for module in SERVICES:
        write(f"{module}: {done[module]}")


def _ttl_words(clickhouse: dict[str, Any]) -> str:
    days = clickhouse["events_ttl_days"]
    return f"events are kept for {days} days" if days else "events are kept forever"


def _prepare_log(settings: Settings, environment: Mapping[str, str]) -> Prepared:
    try:
        return prepare_event_log(settings.event_log_url, environment.get("FOOTFALL_CONSUMER_GROUP") or "consumer")
    except LogUnavailable as error:
        raise Failed(
            f"The event log does not answer: {error}. Is it running, and FOOTFALL_EVENT_LOG_URL right?"
        ) from None
    except (LogRefused, ValueError) as error:
        raise Failed(f"The event log could not be prepared: {error}") from None
    except ModuleNotFoundError as error:
        raise Failed(f"FOOTFALL_EVENT_LOG_URL needs the package footfall-core[kafka] ({error})") from None


def _migrate_clickhouse(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    clickhouse = ClickHouse(find_clickhouse(settings, environment))
    try:
        applied = migrate_clickhouse(
            clickhouse, events_ttl_days=settings.events_ttl_days, cluster=settings.clickhouse_cluster
        )
        return {"applied": applied, "events_ttl_days": read_ttl(clickhouse)}
    except ClickHouseUnavailable as error:
        raise Failed(
            f"ClickHouse does not answer: {error}. Is it running, and FOOTFALL_CLICKHOUSE_URL right?"
        ) from None
    except (ClickHouseRefused, MigrationChanged) as error:
        raise Failed(f"ClickHouse could not be migrated: {error}") from error
    finally:
        clickhouse.close()


def _migrate_service(module: str, environment: Mapping[str, str]) -> str:
    if importlib.util.find_spec(module) is None:
        return "not installed here"
    command = [sys.executable, "-m", module, "migrate"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{module} could not migrate its database: {done.stderr.strip()[-2_000:]}")
    return "up to date"
