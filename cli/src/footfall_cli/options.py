"""Options that many commands share, as types of their parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Data directory of the `footfall up` that is meant. Default: FOOTFALL_DATA_DIR, then ./data.",
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout; errors as JSON on stderr.")]
Project = Annotated[
    int | None,
    typer.Option("--project", min=1, help="The project's id. Default: the one that `footfall up` made."),
]
ReadKey = Annotated[
    str | None,
    typer.Option("--read-key", help="A read key of the project. Default: the one that `footfall up` made."),
]
