"""What ClickHouse holds, and how rows get there.

Every method is one question or one INSERT. After an exception nothing is known about the INSERT: all of it,
some of its months or nothing may be stored.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Final

import msgspec

from footfall_consumer.first_seen import FirstSeen
from footfall_consumer.native import NATIVE_COLUMNS, encode_native
from footfall_consumer.people import People
from footfall_consumer.rows import (
    EVENT_COLUMNS,
    REJECTED_COLUMNS,
    Identity,
    Place,
    RejectedPlace,
    RejectedRow,
    Row,
    encode_rejected_rows,
    encode_rows,
    format_time,
    reject_refused,
)
from footfall_core.clickhouse import (
    DATABASE,
    INSERT_SETTINGS,
    ClickHouse,
    ClickHouseRefused,
    ClickHouseUnavailable,
    Format,
)
from footfall_core.eventlog import LogRecord

EVENTS: Final = f"{DATABASE}.events"
REJECTED_EVENTS: Final = f"{DATABASE}.rejected_events"

NAME: Final = "footfall-consumer"
"""Begins the query id and the log_comment of every INSERT, so that they can be found."""

CLOCKS_APART_MS: Final = 86_400_000
"""How far the clocks of ClickHouse and the Capture API may be apart, or one of them may jump."""

TRIED_ALONE: Final = 20
"""Rows that a batch's INSERT left out and that are tried alone, to hear what ClickHouse says of each."""
MOST_HALVED: Final = 100
"""Rows that are tried alone in one batch, when ClickHouse cannot step over them itself."""

_DAY_MS: Final = 86_400_000
_MAX_QUERY_BYTES: Final = 512 * 1024 * 1024


class Store:
    """The tables of events and of rejected events, for one process; `people` and `first_seen` have the others."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self.people = People(clickhouse)
        self.first_seen = FirstSeen(clickhouse)
        self._clickhouse = clickhouse
        self._id = f"{NAME}-{secrets.token_hex(8)}"
        self._numbers = count()

    def settle(self, partitions: Collection[int]) -> None:
        """Return when no INSERT with records of these partitions is running any more, whosoever it was.

        Raises `ClickHouseUnavailable` if one does not stop.
        """
        parameters = {"partitions": [str(partition) for partition in sorted(partitions)]}
        running = (
            f"startsWith(Settings['log_comment'], '{NAME} ') "
            "AND hasAny(splitByChar(' ', Settings['log_comment']), {partitions:Array(String)})"
        )
        self._clickhouse.command(f"KILL QUERY WHERE {running} SYNC", parameters)
        # By its own word KILL … SYNC has waited. This is for a ClickHouse that would not let us kill.
        left = self._clickhouse.fetch(f"SELECT query_id FROM system.processes WHERE {running}", parameters)
        if left.rows:
            raise ClickHouseUnavailable(f"the INSERT {left.rows[0][0]} of a former owner is still running")

    def held(self, rows: Sequence[Row]) -> set[Place]:
        """The places, of those that these rows are from, which have a row in the table of events."""
        if not rows:
            return set()
        since = min(row.event.received_at for row in rows) - CLOCKS_APART_MS
        return self._held(rows, f"inserted_at >= '{format_time(max(0, since))}'")

    def _held(self, rows: Sequence[Row], condition: str) -> set[Place]:
        found = self._clickhouse.fetch(
            f"SELECT log_partition, log_offset, toString(uuid) FROM {EVENTS} "
            f"WHERE {condition} AND ({_stretches(row.record for row in rows)})"
        )
        return {(partition, offset, uuid) for partition, offset, uuid in found.rows}

    def held_rejected(self, records: Sequence[LogRecord]) -> set[RejectedPlace]:
        """The same for the table of rejected events, by the records' places in the log."""
        if not records:
            return set()
        found = self._clickhouse.fetch(
            f"SELECT log_partition, log_offset, CRC32(payload) FROM {REJECTED_EVENTS} WHERE {_stretches(records)}"
        )
        return {(partition, offset, checksum) for partition, offset, checksum in found.rows}

    def known(self, rows: Sequence[Row]) -> set[Identity]:
        """The identities, of those that these rows have, which the table of events holds.

        Looks a day around each row's timestamp: tries of one event differ by what its clock is corrected by.
        """
        if not rows:
            return set()
        uuids = b"".join([_uuid_bytes(row.event.uuid) for row in rows])
        places = {
            (row.event.project_id, row.event.event, row.event.distinct_id, row.event.timestamp // _DAY_MS)
            for row in rows
        }
        # The lists stand in the statement, in base64: nothing in it can end the quotation, and unlike bound
        # parameters and external tables it has no limits on size and is taken by everything that speaks HTTP.
        found = self._clickhouse.fetch(
            f"""
            SELECT project_id, event, distinct_id, toString(uuid) FROM {EVENTS}
            PREWHERE uuid IN (
                SELECT uuid FROM format(RowBinary, 'uuid UUID', base64Decode({_quote(uuids)})))
            WHERE (project_id, event, toDate(timestamp), cityHash64(distinct_id)) IN (
                SELECT project_id, event,
                    arrayJoin(arrayMap(
                        day -> toDate(fromUnixTimestamp64Milli(day * {_DAY_MS})), [day - 1, day, day + 1])),
                    cityHash64(distinct_id)
                FROM format(JSONCompactEachRow,
                    'project_id UInt32, event String, distinct_id String, day Int64',
                    base64Decode({_quote(_encode_lines(places))})))
            """,
            settings={"max_query_size": _MAX_QUERY_BYTES},
        )
        return {(project, event, distinct_id, uuid) for project, event, distinct_id, uuid in found.rows}

    def insert(self, rows: Sequence[Row]) -> list[RejectedRow]:
        """Store the rows; those that ClickHouse refuses for what they hold come back as rejected events.

        Raises `ClickHouseRefused` when it is not the rows' fault, `ClickHouseUnavailable`, `TooManyRefused`.
        """
        if not rows:
            return []
        refused = self._insert(self._insert_native(rows), _Tries(MOST_HALVED))
        if len(refused) == len(rows):
            self._require_good_table(refused[0].detail)
        return refused

    def insert_rejected(self, rows: Sequence[RejectedRow]) -> None:
        """Store rejected events. Raises `ClickHouseRefused` or `ClickHouseUnavailable`."""
        if rows:
            self._send(
                REJECTED_EVENTS,
                REJECTED_COLUMNS,
                encode_rejected_rows(rows),
                [row.record for row in rows],
                _token(row.place for row in rows),
            )

    def _insert_native(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Store the rows that fit ClickHouse's Native format, and return the others."""
        block, fitting, others = encode_native(rows)
        if not fitting:
            return rows
        token = _token(row.place for row in fitting)
        try:
            self._send(EVENTS, NATIVE_COLUMNS, block, [row.record for row in fitting], token, format="Native")
        except ClickHouseRefused as refusal:
            if not _blames_rows(refusal):
                raise
            return rows  # read as a whole before anything is stored, so that nothing is
        return others

    def _insert(self, rows: Sequence[Row], tries: _Tries) -> list[RejectedRow]:
        if not rows:
            return []
        try:
            self._insert_strictly(rows)
        except ClickHouseRefused as refusal:
            if not _blames_rows(refusal):
                raise
            if len(rows) == 1:
                tries.take()
                return [reject_refused(rows[0], refusal.message)]
            return self._set_aside(rows, refusal, tries)
        return []

    def _set_aside(self, rows: Sequence[Row], refusal: ClickHouseRefused, tries: _Tries) -> list[RejectedRow]:
        """Store what can be stored of rows of which some were refused, and return the others."""
        try:
            # ClickHouse steps over rows that it cannot parse; which, shows afterwards.
            self._insert_strictly(rows, {"input_format_allow_errors_ratio": 1})
        except ClickHouseRefused as again:
            if not _blames_rows(again):
                raise
            middle = len(rows) // 2
            return self._insert(rows[:middle], tries) + self._insert(rows[middle:], tries)
        stored = self._held(rows, "1")
        left_out = [row for row in rows if row.place not in stored]
        alone, together = left_out[:TRIED_ALONE], left_out[TRIED_ALONE:]
        refused = [rejected for row in alone for rejected in self._insert([row], _Tries(1))]
        if together and len(refused) < len(alone):
            raise ClickHouseUnavailable("ClickHouse took rows alone that it had left out of a batch")
        return refused + [reject_refused(row, refusal.message) for row in together]

    def _require_good_table(self, words: str) -> None:
        """Raise `ClickHouseUnavailable` unless a row that is certainly good fits the table's columns.

        When all rows are refused, it may be the table's fault. Asked without storing anything.
        """
        columns = self._clickhouse.fetch(
            "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = 'events' "
            "AND name IN {names:Array(String)}",
            {"database": DATABASE, "names": list(EVENT_COLUMNS)},
        ).rows
        structure = ", ".join(f"{name} {type}" for name, type in columns)
        try:
            self._clickhouse.fetch(
                "SELECT ignore(*) FROM format(JSONEachRow, {structure:String}, {row:String})",
                {"structure": structure, "row": _GOOD_ROW},
                INSERT_SETTINGS,
            )
        except ClickHouseRefused as refusal:
            raise ClickHouseUnavailable(
                f"the table {EVENTS} refuses every event, also a good one ({refusal.message}): {words}"
            ) from refusal

    def _insert_strictly(self, rows: Sequence[Row], settings: Mapping[str, str | int] | None = None) -> None:
        token = _token(row.place for row in rows)
        if settings:
            token += "-lenient"  # ClickHouse must not take it for a repetition of the one before
        self._send(EVENTS, EVENT_COLUMNS, encode_rows(rows), [row.record for row in rows], token, settings)

    def _send(
        self,
        table: str,
        columns: Sequence[str],
        data: bytes,
        records: Iterable[LogRecord],
        token: str,
        settings: Mapping[str, str | int] | None = None,
        format: Format = "JSONEachRow",
    ) -> None:
        partitions = sorted({record.partition for record in records})
        self._clickhouse.insert(
            table,
            columns,
            data,
            {
                "query_id": f"{self._id}-{next(self._numbers)}",
                "log_comment": f"{NAME} {' '.join(map(str, partitions))}",
                "insert_deduplication_token": token,
                **(settings or {}),
            },
            format,
        )


class TooManyRefused(Exception):
    """More rows were refused one by one than one batch may have. A smaller batch will do."""


class _Tries:
    """How many more rows may be refused alone."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self) -> None:
        if self._left == 0:
            raise TooManyRefused(f"ClickHouse refused more than {MOST_HALVED} rows of a batch one by one")
        self._left -= 1


_GOOD_ROW: Final = (
    '{"project_id":1,"uuid":"01890000-0000-7000-8000-000000000000","event":"good","distinct_id":"someone",'
    '"timestamp":"2026-01-01 00:00:00.000","properties":{"text":"a","number":1,"yes":true},"session_id":"",'
    '"received_at":"2026-01-01 00:00:00.000","log_partition":0,"log_offset":0}'
)


def _blames_rows(refusal: ClickHouseRefused) -> bool:
    """Whether it is rows, and not a materialized view behind the table that no row gets through."""
    return refusal.blames_rows and "while pushing to view" not in refusal.message


def _stretches(records: Iterable[LogRecord]) -> str:
    """A condition for the stretches of the log, one a partition, that the records are from."""
    offsets: defaultdict[int, list[int]] = defaultdict(list)
    for record in records:
        offsets[record.partition].append(record.offset)
    return " OR ".join(
        f"log_partition = {partition} AND log_offset BETWEEN {min(of)} AND {max(of)}"
        for partition, of in sorted(offsets.items())
    )


def _token(places: Iterable[tuple[int, int, object]]) -> str:
    """A name for just these rows: the same INSERT repeated has it again, and no other one has."""
    return hashlib.blake2b(repr(list(places)).encode(), digest_size=16).hexdigest()


def _uuid_bytes(uuid: str) -> bytes:
    """A UUID as ClickHouse lays it down: two little-endian halves."""
    raw = bytes.fromhex(uuid.replace("-", ""))
    return raw[7::-1] + raw[:7:-1]


_encode_lines = msgspec.json.Encoder().encode_lines


def _quote(data: bytes) -> str:
    return f"$data${base64.b64encode(data).decode()}$data$"
