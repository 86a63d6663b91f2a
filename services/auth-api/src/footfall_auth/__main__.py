"""`footfall-auth`: serve (the default), migrate the database, rotate signing keys, or print the OpenAPI document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from footfall_auth.app import MIGRATIONS, make_auth_app, make_readiness
from footfall_auth.attempts import Attempts
from footfall_auth.settings import AuthSettings
from footfall_auth.signing import Signer
from footfall_core.addresses import ClientAddress
from footfall_core.database import migrate_database, open_database
from footfall_core.telemetry import configure_logging, make_registry
from footfall_core.web import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 1 when it failed."""
    parser = argparse.ArgumentParser("footfall-auth", description="Footfall's Auth API.")
    parser.add_argument("command", nargs="?", default="serve", choices=["serve", "migrate", "rotate-keys", "openapi"])
    command = parser.parse_args(arguments).command
    if command == "openapi":
        sys.stdout.write(openapi_document())
        return 0
    try:
        settings = AuthSettings.read()
        if command == "migrate":
            migrate_database(settings.database_url_for("auth"), MIGRATIONS)
        elif command == "rotate-keys":
            sys.stdout.write(f"Access tokens are signed with {_rotate_keys(settings)} from now on.\n")
        else:
            _serve(settings)
    except (ValueError, SQLAlchemyError) as error:
        sys.stderr.write(f"footfall-auth {command}: {error}\n")
        return 1
    return 0


def openapi_document() -> str:
    """The public API as JSON. Needs no settings and no database."""
    app = make_auth_app(open_database("sqlite://"), "-" * 32, registry=CollectorRegistry())
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def _rotate_keys(settings: AuthSettings) -> str:
    engine = open_database(settings.database_url_for("auth"))
    try:
        return Signer(engine, settings.require_secret_key(), lambda: datetime.now(UTC)).rotate().key_id
    finally:
        engine.dispose()


def _serve(settings: AuthSettings) -> None:
    secret_key = settings.require_secret_key()
    engine = open_database(settings.database_url_for("auth"))
    readiness = make_readiness(engine)
    configure_logging("auth", settings.log_level, settings.log_format)
    app = make_auth_app(
        engine,
        secret_key,
        registry=make_registry(),
        readiness=readiness,
        attempts=Attempts(settings.redis_url),
        client_address=ClientAddress(settings.trusted_proxies),
        allow_registration=settings.allow_registration,
    )
    serve(app, host=settings.host, port=settings.auth_port, readiness=readiness)


if __name__ == "__main__":
    sys.exit(main())
