"""`footfall-consumer`: consume until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from footfall_consumer.app import compose
from footfall_consumer.settings import ConsumerSettings
from footfall_core.telemetry import configure_logging, make_registry
from footfall_core.web import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the Consumer. Returns the exit code: 0 after a signal, 1 when it cannot start or gave itself up."""
    parser = argparse.ArgumentParser(
        "footfall-consumer",
        description="Footfall's Consumer: from the event log to ClickHouse. Reads FOOTFALL_… settings.",
    )
    parser.parse_args(arguments)
    try:
        settings = ConsumerSettings.read()
        app, readiness, thread = compose(settings, make_registry())
    except ValueError as error:
        sys.stderr.write(f"footfall-consumer: {error}\n")
        return 1
    configure_logging("consumer", settings.log_level, settings.log_format)
    try:
        serve(app, host=settings.host, port=settings.consumer_port, readiness=readiness)
    except SystemExit:  # it could not listen
        return 1
    return 1 if thread.failed else 0


if __name__ == "__main__":
    sys.exit(main())
