"""Files for what is too large for memory, on a disk that may be full. Unbuffered, so that `close` writes nothing."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from footfall_embedded.bridge.errors import refuse


@contextmanager
def refuse_full_disk(folder: Path) -> Iterator[None]:
    """Raises `EngineError`, as a server does, when there is no room for what is written into `folder`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        words = f"Cannot write to file in {folder}, errno: {error.errno}, strerror: {error.strerror}"
        raise refuse("CANNOT_WRITE_TO_FILE_DESCRIPTOR", words) from None


def write_all(file: IO[bytes], data: bytes) -> None:
    """Write all of it. An unbuffered file takes as much as there is room for."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
