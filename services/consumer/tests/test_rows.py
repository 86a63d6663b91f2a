"""`to_row`: records in, rows out. Nothing but values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]  # it has no types

from footfall_consumer.rows import (
    EVENT_COLUMNS,
    RejectedRow,
    Row,
    encode_rejected_rows,
    encode_rows,
    format_time,
    to_row,
)
from footfall_consumer.steps import Lookup, make_steps
from footfall_core.eventlog import LogRecord
from footfall_core.events import EventRecord, RejectedRecord, encode_record, read_payload, write_payload

MakeEvent = Callable[..., EventRecord]

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) "
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) "
    "AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) "
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)
EDGE = CHROME + " Edg/126.0.0.0"
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def read(value: bytes, **options: Any) -> Row | RejectedRow:
    return to_row(LogRecord(3, 42, value), make_steps(**options), now=1_000)


def properties_of(event: EventRecord, **options: Any) -> dict[str, Any]:
    row = read(encode_record(event), **options)
    assert isinstance(row, Row)
    properties: dict[str, Any] = row.event.properties
    return properties


def test_a_row_has_every_column(event: MakeEvent) -> None:
    sent = event(uuid="01890000-0000-7000-8000-00000000000a", at=1_700_000_000_123, received_at=1_700_000_001_000)
    row = read(encode_record(sent))
    assert isinstance(row, Row)
    line = json.loads(encode_rows([row]))
    assert line == {
        "project_id": 1,
        "uuid": "01890000-0000-7000-8000-00000000000a",
        "event": "signup",
        "distinct_id": "ann",
        "timestamp": "2023-11-14 22:13:20.123",
        "properties": {"plan": "pro"},
        "session_id": "",
        "received_at": "2023-11-14 22:13:21.000",
        "log_partition": 3,
        "log_offset": 42,
    }
    assert tuple(line) == EVENT_COLUMNS


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01 00:00:00.000"),
        (-1, "1969-12-31 23:59:59.999"),
        (1_700_000_000_123, "2023-11-14 22:13:20.123"),
        (4_294_967_296_001, "2106-02-07 06:28:16.001"),
        (-62_135_596_800_000, "0001-01-01 00:00:00.000"),
        (253_402_300_799_999, "9999-12-31 23:59:59.999"),
    ],
)
def test_times(milliseconds: int, text: str) -> None:
    assert format_time(milliseconds) == text


@pytest.mark.parametrize(
    ("more", "not_before"),
    [
        ({}, 5_000),
        ({"oldest_at": 4_000}, 4_000),
        ({"oldest_at": 6_000}, 5_000),
        ({"at": 10_001}, 0),
    ],
    ids=["timestamp", "older clock", "younger clock", "future"],
)
def test_when_an_event_can_have_been_sent_first(event: MakeEvent, more: dict[str, int], not_before: int) -> None:
    row = read(encode_record(event(**{"at": 5_000, "received_at": 10_000, **more})))
    assert isinstance(row, Row)
    assert row.not_before == not_before


@pytest.mark.parametrize(
    ("value", "project_id", "received_at"),
    [
        (b"", 0, 1_000),
        (b"\xff", 0, 1_000),
        (b"[]", 0, 1_000),
        (b'{"t":"event","project_id":5,"received_at":77}', 5, 77),
        (b'{"t":"other","project_id":5,"received_at":77}', 5, 77),
        (b'{"t":"event","project_id":"5"}', 0, 1_000),
    ],
)
def test_an_unreadable_record_is_rejected(value: bytes, project_id: int, received_at: int) -> None:
    row = read(value)
    assert isinstance(row, RejectedRow)
    assert (row.reason, row.project_id, row.received_at, row.source) == (
        "unreadable_record",
        project_id,
        received_at,
        "consumer",
    )
    assert read_payload(row.payload) == value
    assert row.detail


@given(st.binary() | st.text().map(str.encode) | st.binary().map(lambda value: b"base64:" + value))
def test_a_payload_keeps_every_byte(value: bytes) -> None:
    assert read_payload(write_payload(value)) == value


@pytest.mark.parametrize(
    "wrong",
    [
        {"project_id": 2**32},
        {"project_id": -1},
        {"uuid": "nonsense"},
        {"at": 253_402_300_800_000},
        {"received_at": -62_135_596_800_001},
        {"properties": b"[1]"},
        {"properties": b'{"a":' * 3000 + b"1" + b"}" * 3000},
    ],
    ids=lambda wrong: str(wrong)[:30],
)
def test_what_clickhouse_would_take_for_something_else_is_rejected(event: MakeEvent, wrong: dict[str, Any]) -> None:
    row = read(encode_record(event(**wrong)))
    assert isinstance(row, RejectedRow)
    assert row.reason == "unreadable_record"


def test_a_uuid_has_one_form(event: MakeEvent) -> None:
    row = read(encode_record(event(uuid="{01890000-0000-7000-8000-00000000000A}")))
    assert isinstance(row, Row)
    assert row.event.uuid == "01890000-0000-7000-8000-00000000000a"


def test_a_rejected_record_becomes_a_rejected_row() -> None:
    row = read(encode_record(RejectedRecord(7, "invalid_uuid", "`uuid` is not a UUID.", "{}", 77)))
    assert isinstance(row, RejectedRow)
    assert json.loads(encode_rejected_rows([row])) == {
        "project_id": 7,
        "reason": "invalid_uuid",
        "detail": "`uuid` is not a UUID.",
        "source": "capture",
        "payload": "{}",
        "received_at": "1970-01-01 00:00:00.077",
        "log_partition": 3,
        "log_offset": 42,
    }


@pytest.mark.parametrize(
    ("user_agent", "browser", "version", "os", "os_version", "device"),
    [
        (CHROME, "Chrome", 126, "Windows", "10", "Desktop"),
        (EDGE, "Microsoft Edge", 126, "Windows", "10", "Desktop"),
        (IPHONE, "Mobile Safari", 17.4, "iOS", "17.4", "Mobile"),
        (IPAD, "Chrome iOS", 126, "iOS", "16.6", "Tablet"),
        (PIXEL, "Chrome", 126, "Android", "14", "Mobile"),
        (FIREFOX, "Firefox", 126, "Linux", None, "Desktop"),
        (GOOGLEBOT, "Googlebot", 2.1, None, None, "Bot"),
    ],
)
def test_browsers(
    event: MakeEvent,
    user_agent: str,
    browser: str,
    version: float,
    os: str | None,
    os_version: str | None,
    device: str,
) -> None:
    told = {"$browser": browser, "$browser_version": version, "$os": os, "$os_version": os_version}
    told = {name: value for name, value in told.items() if value is not None}
    assert properties_of(event(properties=b"{}", user_agent=user_agent)) == told | {"$device_type": device}


@pytest.mark.parametrize("user_agent", ["", "posthog-python/7.0", "python-requests/2.32", "okhttp/4.12", "curl/8"])
def test_programs_are_not_browsers(event: MakeEvent, user_agent: str) -> None:
    assert properties_of(event(user_agent=user_agent)) == {"plan": "pro"}


def test_the_user_agent_that_a_server_passes_on_is_its_users(event: MakeEvent) -> None:
    properties = json.dumps({"$raw_user_agent": IPHONE, "$lib": "posthog-python"}).encode()
    told = properties_of(event(properties=properties, user_agent="posthog-python/7.0"))
    assert told["$browser"] == "Mobile Safari"


def test_what_the_client_sent_stays(event: MakeEvent) -> None:
    told = properties_of(
        event(properties=b'{"$browser":"Mine","$os":null,"$ip":"1.1.1.1"}', user_agent=CHROME, ip="2.2.2.2")
    )
    assert told == {
        "$browser": "Mine",
        "$os": None,
        "$ip": "1.1.1.1",
        "$browser_version": 126,
        "$os_version": "10",
        "$device_type": "Desktop",
    }


def test_the_address_is_kept_or_not(event: MakeEvent) -> None:
    assert properties_of(event(ip="2.2.2.2")) == {"plan": "pro", "$ip": "2.2.2.2"}
    assert properties_of(event(ip="2.2.2.2"), store_ip=False) == {"plan": "pro"}
    sent = event(properties=b'{"a":{"$ip":1},"$ip":"1.1.1.1"}', ip="1.1.1.1")
    assert properties_of(sent, store_ip=False) == {"a": {"$ip": 1}}


@pytest.fixture(scope="module")
def lookup(tmp_path_factory: pytest.TempPathFactory) -> Lookup:
    """A database of one network in Sweden and one that only has a country."""
    path: Path = tmp_path_factory.mktemp("geoip") / "city.mmdb"
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoIP2-City")
    writer.insert_network(
        IPSet(["89.160.20.0/24"]),
        {
            "country": {"iso_code": "SE", "names": {"en": "Sweden"}},
            "city": {"names": {"en": "Linköping"}},
            "subdivisions": [{"names": {"en": "Östergötland County"}}],
            "location": {"latitude": 58.4167, "longitude": 15.6167, "time_zone": "Europe/Stockholm"},
        },
    )
    writer.insert_network(IPSet(["2001:218::/32"]), {"country": {"iso_code": "JP"}})
    writer.to_db_file(str(path))
    found: Lookup = maxminddb.open_database(path).get
    return found


SWEDEN = {
    "$geoip_country_code": "SE",
    "$geoip_country_name": "Sweden",
    "$geoip_city_name": "Linköping",
    "$geoip_subdivision_1_name": "Östergötland County",
    "$geoip_time_zone": "Europe/Stockholm",
    "$geoip_latitude": pytest.approx(58.4167, abs=1e-4),
    "$geoip_longitude": pytest.approx(15.6167, abs=1e-4),
}


@pytest.mark.parametrize(
    ("ip", "properties", "told"),
    [
        ("89.160.20.112", b"{}", SWEDEN),
        ("2001:218::1", b"{}", {"$geoip_country_code": "JP"}),
        ("10.0.0.1", b"{}", {}),
        ("", b"{}", {}),
        ("nonsense", b"{}", {}),
        ("89.160.20.112", b'{"$geoip_disable":true}', {}),
        ("89.160.20.112", b'{"$geoip_disable":false}', SWEDEN),
        ("10.0.0.1", b'{"$ip":"89.160.20.1"}', SWEDEN),
        ("89.160.20.1", b'{"$ip":5}', {}),
    ],
)
def test_places(event: MakeEvent, lookup: Lookup, ip: str, properties: bytes, told: dict[str, Any]) -> None:
    found = properties_of(event(ip=ip, properties=properties), lookup=lookup, store_ip=False)
    assert {name: value for name, value in found.items() if name.startswith("$geoip_c") or name in told} == told
