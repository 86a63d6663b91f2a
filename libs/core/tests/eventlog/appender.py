"""A process for tests to kill: appends until it dies, and prints the number of each append that returned.

    python appender.py URL NAME CLIENTS BYTES

Each append is three records, of the keys NAME-0, NAME-1 and NAME-2; the value is `NAME number filling`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count

from footfall_core.eventlog import Record, open_event_log


async def main(url: str, name: str, clients: int, size: int) -> None:
    log = open_event_log(url)
    numbers = count()

    async def append_for_ever() -> None:
        for number in numbers:
            value = b"%s %d " % (name.encode(), number)
            value += os.urandom(size)
            await log.append([Record(b"%s-%d" % (name.encode(), key), value) for key in range(3)])
            os.write(1, b"%d\n" % number)

    await asyncio.gather(*(append_for_ever() for _ in range(clients)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
