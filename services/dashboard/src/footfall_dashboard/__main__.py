"""`footfall-dashboard`: serve the dashboard."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from footfall_core.telemetry import configure_logging, make_registry
from footfall_core.web import serve
from footfall_dashboard.app import make_dashboard_app, make_readiness
from footfall_dashboard.files import read_files
from footfall_dashboard.settings import DashboardSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal. Returns the exit code."""
    argparse.ArgumentParser("footfall-dashboard", description="Footfall's dashboard.").parse_args(arguments)
    try:
        settings = DashboardSettings.read()
    except ValueError as error:
        sys.stderr.write(f"footfall-dashboard: {error}\n")
        return 1
    configure_logging("dashboard", settings.log_level, settings.log_format)
    files = read_files()
    readiness = make_readiness(files)
    app = make_dashboard_app(settings, files, registry=make_registry(), readiness=readiness)
    serve(app, host=settings.host, port=settings.dashboard_port, readiness=readiness, drain_seconds=5.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
