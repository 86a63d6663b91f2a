"""The built pages, held in memory. Pure but for `read_files`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from footfall_core.files import File
from footfall_core.files import make_file as make_any_file

STATIC: Final = Path(__file__).parent / "static"
"""Where the build puts its output. It travels in the wheel."""
INDEX: Final = "index.html"
FOREVER: Final = "public, max-age=31536000, immutable"
"""For files whose name changes with their content."""
ASK: Final = "no-cache"
"""For the others: kept, but never used without asking whether it is still the newest."""


def read_files(folder: Path = STATIC) -> dict[str, File]:
    """Every file below `folder` by its path from there; empty when nothing has been built."""
    return {
        path.relative_to(folder).as_posix(): make_file(path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def make_file(name: str, body: bytes) -> File:
    return make_any_file(name, body, FOREVER if name.startswith("assets/") else ASK)


def find_file(files: Mapping[str, File], path: str) -> File | None:
    """The file of a URL's path. Addresses inside the application are all the same page; a missing file is missing."""
    name = path.lstrip("/")
    if name in files:
        return files[name]
    is_page = "." not in name.rpartition("/")[2] and not name.startswith("assets/")
    return files.get(INDEX) if is_page else None
