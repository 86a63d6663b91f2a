"""Builds the web SDK when its sources have changed since, and puts it where the Capture API serves it from.

It needs Node. Without it, a script that is built already stays as it is, and without one `/footfall.js` says so.
"""

from __future__ import annotations

import shutil

from npm import ROOT, build_if_changed, digest, note

WEB = ROOT / "sdks" / "web"
MADE = WEB / "dist" / "footfall.js"
BUILT = ROOT / "services" / "capture-api" / "src" / "footfall_capture" / "static" / "footfall.js"


def main() -> None:
    wanted = digest(
        [*sorted((WEB / "src").glob("*.ts")), WEB / "build.mjs", WEB / "tsconfig.json", WEB / "package-lock.json"]
    )
    if build_if_changed("The web SDK", WEB, wanted, BUILT):
        BUILT.parent.mkdir(exist_ok=True)
        shutil.copyfile(MADE, BUILT)
        note(BUILT, wanted)


if __name__ == "__main__":
    main()
