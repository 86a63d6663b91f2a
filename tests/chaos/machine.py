"""What of the machine itself can be broken: disks that get full, and a clock that jumps."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
NANOSECONDS = 1_000_000_000


class MachineMissing(Exception):
    """The machine does not let this user do it. Says why."""


class Disk:
    """A file system with nothing on it but `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Take everything that is left. What others give back meanwhile needs another call."""
        with self._filler.open("ab") as filler:
            for size in (1 << 26, 1 << 20, 1 << 12):
                try:
                    while True:
                        end = os.fstat(filler.fileno()).st_size
                        os.posix_fallocate(filler.fileno(), end, size)
                except OSError:
                    continue  # smaller pieces

    def free(self) -> None:
        """Give everything back."""
        self._filler.unlink(missing_ok=True)

    @property
    def left(self) -> int:
        """Bytes that may still be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A disk at `folder` until the block ends: ext4 in a file. Raises `MachineMissing`; it needs root."""
    image = folder.with_suffix(".img")
    folder.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    try:
        _run("mke2fs", "-q", "-t", "ext4", "-m", "0", str(image))
        _run("mount", "-o", "loop", str(image), str(folder))
    except MachineMissing:
        image.unlink()
        raise
    try:
        (folder / "lost+found").rmdir()
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))
        image.unlink()


class Clock:
    """The wall clock of every program that is started with `environment`; see clock.c."""

    def __init__(self, folder: Path) -> None:
        self._moved_by = folder / "moved-by"
        self._moved_by.write_bytes(struct.pack("q", 0))
        self.environment = {"LD_PRELOAD": str(folder / "clock.so"), "MOVED_CLOCK": str(self._moved_by)}

    def move(self, seconds: float) -> None:
        """Let it show that much more than it would, or less."""
        with self._moved_by.open("r+b") as file:
            file.write(struct.pack("q", int(seconds * NANOSECONDS)))


@contextmanager
def movable_clock() -> Iterator[Clock]:
    """A clock for all programs that this process starts until the block ends. Raises `MachineMissing`."""
    with tempfile.TemporaryDirectory(prefix="footfall-clock-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # for servers that run as another user
        _run("cc", "-O2", "-shared", "-fPIC", "-o", str(folder / "clock.so"), str(SOURCE), "-ldl")
        clock = Clock(folder)
        before = {variable: os.environ.get(variable) for variable in clock.environment}
        os.environ.update(clock.environment)
        try:
            yield clock
        finally:
            for variable, value in before.items():
                if value is None:
                    del os.environ[variable]
                else:
                    os.environ[variable] = value


def _run(*command: str) -> None:
    path = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        raise MachineMissing(f"{command[0]} is not installed")
    done = subprocess.run([path, *command[1:]], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise MachineMissing(f"{' '.join(command)}: {done.stderr.strip()}")
