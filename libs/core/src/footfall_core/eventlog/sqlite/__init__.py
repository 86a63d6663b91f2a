"""The embedded event log: one SQLite file that several processes append to and read from.

- `log` appends: what is appended at the same time becomes one transaction and one fsync.
- `reader` reads as a member of a group; `group` decides who owns which partition.
- `upkeep` frees and bounds the space. `file` knows the URL and the file's format.

docs/event-log.md tells what it promises and how it works.
"""

from footfall_core.eventlog.sqlite.group import forget_group
from footfall_core.eventlog.sqlite.log import SqliteEventLog
from footfall_core.eventlog.sqlite.reader import SqliteLogReader

__all__ = ["SqliteEventLog", "SqliteLogReader", "forget_group"]
