"""Builds the dashboard's pages when their sources have changed since; with `--check`, checks the sources instead.

It needs Node. Without it, pages that are built already stay as they are, and without those the platform runs
without its dashboard.
"""

from __future__ import annotations

import os
import sys

from npm import ROOT, build_if_changed, digest, find_trouble, install, note, run, say

WHAT = "The dashboard"
WEB = ROOT / "services" / "dashboard" / "web"
BUILT = ROOT / "services" / "dashboard" / "src" / "footfall_dashboard" / "static" / "index.html"


def digest_sources() -> str:
    """Changes when a page could."""
    schemas = sorted((ROOT / "schemas" / "openapi").glob("*.json"))
    folders = [WEB / "src", WEB / "public", WEB / "scripts"]
    sources = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [*schemas, *sorted(WEB.glob("*.*")), *sources]
    return digest(path for path in files if path.parent != WEB / "src" / "api" / "schema")


def build() -> int:
    wanted = digest_sources()
    if build_if_changed(WHAT, WEB, wanted, BUILT):
        note(BUILT, wanted)
    return 0


def check() -> int:
    trouble = find_trouble()
    if trouble is not None:
        say(f"NOT CHECKED: the dashboard's sources, because {trouble}")
        return 1 if os.environ.get("CI") == "true" else 0
    install(WEB, WHAT)
    run(WEB, "npm", "run", "--silent", "check")
    return 0


if __name__ == "__main__":
    sys.exit(check() if sys.argv[1:] == ["--check"] else build())
