"""`footfall-capture`: serve (the default), or print the OpenAPI document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from footfall_capture.app import make_capture_app, make_readiness, openapi_document
from footfall_capture.rates import RedisSums
from footfall_capture.settings import CaptureSettings
from footfall_core.auth import ProjectDirectory, derive_token
from footfall_core.eventlog import LogUnavailable, open_event_log
from footfall_core.telemetry import configure_logging, make_registry
from footfall_core.web import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 1 when it failed."""
    parser = argparse.ArgumentParser("footfall-capture", description="Footfall's Capture API.")
    parser.add_argument("command", nargs="?", default="serve", choices=["serve", "openapi"])
    command = parser.parse_args(arguments).command
    if command == "openapi":
        sys.stdout.write(json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n")
        return 0
    try:
        settings = CaptureSettings.read()
        configure_logging("capture", settings.log_level, settings.log_format)
        _serve(settings)
    except (ValueError, LogUnavailable) as error:
        sys.stderr.write(f"footfall-capture: {error}\n")
        return 1
    return 0


def _serve(settings: CaptureSettings) -> None:
    directory = ProjectDirectory(settings.auth_url, derive_token(settings.require_secret_key(), "internal"))
    log = open_event_log(settings.event_log_url)
    readiness = make_readiness(log, directory)
    app = make_capture_app(
        settings,
        log=log,
        directory=directory,
        registry=make_registry(),
        readiness=readiness,
        sums=RedisSums(settings.redis_url) if settings.redis_url else None,
    )
    serve(app, host=settings.host, port=settings.capture_port, readiness=readiness)


if __name__ == "__main__":
    sys.exit(main())
