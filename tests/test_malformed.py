"""Whatever is sent, to a running platform: never a 5xx, nothing stops, and what was accepted is stored."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
from conftest import Platform, wait_until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Not here: "a%2Eb", which is how ClickHouse itself writes the name "a.b"; the two are one property.
HOSTILE_NAMES = [
    "", " ", "`", "``", "a`b", "\\", "a\\", "'", '"', "a'; DROP TABLE analytics.events; --", "{p0:String}",
    "%", "a.b", ".", "..", "a..b", "\x00", "a\nb", "\u202e", "😀", "ß" * 300, "$browser", "null",
    "[0]", "a[]", ":", "a:b", "^", "properties", "__proto__", "{", "}", "/*", "--", "\u00ed\u00a0\u0080",
]  # fmt: skip

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["2026-01-01 00:00:00", "2026-01-01", "1e400", "NaN", "true", "0x10", "١٢"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(HOSTILE_NAMES) | st.text(max_size=30)
events = st.fixed_dictionaries(
    {},
    optional={
        "event": st.text(max_size=30) | json_values,
        "distinct_id": st.text(max_size=30) | json_values,
        "uuid": st.text(max_size=40) | json_values,  # a valid one twice would rightly be stored once
        "timestamp": st.datetimes().map(str) | st.integers(-(10**14), 10**14) | json_values,
        "offset": json_values,
        "sent_at": json_values,
        "properties": st.dictionaries(names, json_values, max_size=6) | json_values,
        "$set": json_values,
    },
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.lists(events, max_size=5).map(lambda batch: json.dumps(batch).encode()),
    st.fixed_dictionaries({"batch": st.lists(events, max_size=5), "sent_at": json_values}).map(
        lambda body: json.dumps(body).encode()
    ),
    events.map(lambda event: json.dumps(event).encode()),
    events.map(lambda event: json.dumps(event).encode()[:-1]),
    events.map(lambda event: gzip.compress(json.dumps(event).encode())),
    events.map(lambda event: gzip.compress(json.dumps(event).encode())[:-4]),
)


@pytest.fixture(scope="module")
def project(platform: Platform) -> tuple[int, str, str]:
    return platform.make_project("malformed")


def test_no_body_breaks_anything(platform: Platform, project: tuple[int, str, str]) -> None:
    project_id, write_key, _ = project
    accepted = 0
    headers = {"authorization": f"Bearer {write_key}"}
    with httpx.Client(base_url=platform.capture_url, headers=headers, timeout=30) as client:

        @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
        @given(bodies)
        def send(body: bytes) -> None:
            nonlocal accepted
            answer = client.post("/capture", content=body)
            assert answer.status_code in {200, 400, 401}, (answer.status_code, answer.text, body)
            said = answer.json()
            if answer.status_code == 200:
                accepted += said["accepted"]
            else:
                assert said["detail"], body

        send()
        last = {"event": "last", "distinct_id": "last"}
        assert client.post("/capture", json=last).json()["accepted"] == 1

    # Every accepted event is a row or, where ClickHouse itself refused it, a rejected event with its words.
    sql = f"SELECT count() FROM analytics.{{}} WHERE project_id = {project_id}"
    refused = f"{sql.format('rejected_events')} AND source = 'consumer'"

    def counts() -> tuple[int, int]:
        return platform.select(sql.format("events"))[0][0], platform.select(refused)[0][0]

    # One batch may be several INSERTs, so no event is the last one to be seen.
    wait_until(lambda: sum(counts()) == accepted + 1, 30, "all that was accepted is stored")
    assert counts() == (accepted + 1, 0)


def test_hostile_names_are_properties_like_others(platform: Platform, project: tuple[int, str, str]) -> None:
    _, write_key, read_key = project
    batch = [
        {"event": "hostile", "distinct_id": "h", "properties": {name: f"value {number}"}}
        for number, name in enumerate(HOSTILE_NAMES)
    ]
    assert platform.capture(write_key, batch).json()["accepted"] == len(batch)
    wait_until(
        lambda: platform.ask(read_key, "trends", series=[{"event": "hostile"}])["series"][0]["total"] == len(batch),
        30,
        "the hostile events are stored",
    )

    for number, name in enumerate(HOSTILE_NAMES):
        if not name:
            continue  # a question has to name its property, and is told so
        filters: list[dict[str, Any]] = [{"property": name, "operator": "exact", "value": f"value {number}"}]
        answer = platform.ask(read_key, "trends", series=[{"event": "hostile"}], filters=filters)
        assert answer["series"][0]["total"] == 1, name
        answer = platform.ask(read_key, "trends", series=[{"event": "hostile"}], breakdown={"property": name})
        assert sorted((each["breakdown_value"] or "", each["total"]) for each in answer["series"]) == sorted(
            [("", len(batch) - 1), (f"value {number}", 1)]
        ), name
