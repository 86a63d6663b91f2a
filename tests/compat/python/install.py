"""Installs what requirements.txt names into an environment beside it, unless it is there already.

`make test` does it first, because pip takes longer than a test may.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ENVIRONMENT = FOLDER / ".venv"
NOTED = ENVIRONMENT / "installed.txt"


def main() -> None:
    wanted = (FOLDER / "requirements.txt").read_text("utf-8")
    if NOTED.exists() and NOTED.read_text("utf-8") == wanted:
        return
    print("==> Installing other people's Python SDKs into tests/compat/python", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", "requirements.txt"], cwd=FOLDER, check=True)
    NOTED.write_text(wanted, "utf-8")


if __name__ == "__main__":
    main()
