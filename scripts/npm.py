"""What is built with Node from sources in the repository and travels in a wheel, without being committed."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (20, 19)


def find_trouble() -> str | None:
    """Why Node cannot be used, or None when it can."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "Node is not installed"
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < NEEDED:
        return f"Node is {said.strip()}"
    return None


def digest(files: Iterable[Path]) -> str:
    """Changes when one of the files does."""
    found = hashlib.sha256()
    for path in files:
        found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def build_if_changed(what: str, folder: Path, sources: str, built: Path) -> bool:
    """Run `npm run build` in `folder`, unless `built` was made from `sources` (their digest) already. Whether it ran.

    Without Node, what was built before stays. `note` what it was built from once it is in its place.
    """
    if is_noted(built, sources):
        return False
    trouble = find_trouble()
    if trouble is not None:
        rest = "it stays as it was built before" if built.exists() else "everything else runs without it"
        say(f"{what} needs Node {'.'.join(map(str, NEEDED))} or newer to be built, and {trouble}; {rest}.")
        return False
    install(folder, what)
    say(f"==> Building {what[0].lower()}{what[1:]}")
    run(folder, "npm", "run", "--silent", "build")
    return True


def is_noted(built: Path, sources: str) -> bool:
    noted = built.with_name(".sources")
    return built.exists() and noted.exists() and noted.read_text() == sources


def note(built: Path, sources: str) -> None:
    """Remember beside `built` what it was made from."""
    built.with_name(".sources").write_text(sources)


def install(folder: Path, what: str) -> None:
    """`npm ci`, unless what is there is what the lock file says."""
    lock, noted = folder / "package-lock.json", folder / "node_modules" / ".installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if noted.exists() and noted.read_text() == wanted:
        return
    say(f"==> Installing what {what[0].lower()}{what[1:]} is built with")
    run(folder, "npm", "ci", "--no-audit", "--no-fund", "--silent")
    noted.write_text(wanted)


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, check=False)
    if done.returncode:
        say(f"`{' '.join(command)}` failed in {folder.relative_to(ROOT)}")
        sys.exit(done.returncode)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
