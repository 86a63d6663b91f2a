"""`footfall` and `python -m footfall_cli`."""

from __future__ import annotations

import logging
import sys

from footfall_cli.app import run


def main() -> None:
    """Run the command line of this process and end it with the exit code."""
    # Commands say themselves what went wrong; what libraries log beside it would spoil `--json`.
    logging.getLogger().addHandler(logging.NullHandler())
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
