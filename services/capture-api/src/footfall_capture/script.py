"""The web SDK, served to any page: `<script defer src="https://footfall.example/footfall.js" data-key="ffw_…">`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from footfall_core.errors import NotFound
from footfall_core.files import File, answer_file, make_file
from footfall_core.web import problem

BUILT: Final = Path(__file__).parent / "static" / "footfall.js"
"""Where the build puts it. It travels in the wheel."""
SCRIPT_PATH: Final = "/footfall.js"

# An old one goes on working; a new one is everywhere within the hour, and nobody waits for it.
_CACHE: Final = "public, max-age=3600, stale-while-revalidate=86400"
_FOR_ANY_PAGE: Final = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "timing-allow-origin": "*",
    "x-content-type-options": "nosniff",
}


def script_routes(built: Path, paths: Sequence[str]) -> list[Route]:
    """Serve the file `built` at `paths`. It is looked for until it is there: it may be built later."""
    kept: File | None = None

    async def answer(request: Request) -> Response:
        nonlocal kept
        kept = kept or _read(built)
        if kept is not None:
            return answer_file(kept, request, _FOR_ANY_PAGE)
        missing = problem(
            NotFound(
                "The web SDK is not built here. With Node 20.19 or newer `make web-sdk` builds it, in the folder that "
                "Footfall was installed from."
            )
        )
        missing.headers.update({**_FOR_ANY_PAGE, "cache-control": "no-store"})
        return missing

    return [Route(path, answer, methods=["GET"]) for path in paths]


def _read(built: Path) -> File | None:
    try:
        return make_file(built.name, built.read_bytes(), _CACHE)
    except OSError:
        return None
