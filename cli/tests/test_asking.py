"""`footfall query`, `footfall events tail` and `footfall export`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

META = {
    "elapsed_ms": 12,
    "rows_read": 1_234_567,
    "bytes_read": 1,
    "cached": False,
    "computed_at": "2026-11-01T00:00:00Z",
}

RESULTS: dict[str, Any] = {
    "trends": {
        "interval": "day",
        "timezone": "UTC",
        "buckets": ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"],
        "series": [
            {
                "index": 0,
                "name": None,
                "event": "signup",
                "breakdown_value": "pro",
                "compare": None,
                "data": [1, 4],
                "total": 5,
            },
            {
                "index": 1,
                "name": "All",
                "event": None,
                "breakdown_value": None,
                "compare": None,
                "data": [0, 1234.5],
                "total": 1234.5,
            },
        ],
        "meta": META,
    },
    "funnels": {
        "steps": [
            {
                "index": 0,
                "event": "visit",
                "count": 1_000,
                "conversion": 1.0,
                "step_conversion": 1.0,
                "avg_seconds": None,
                "median_seconds": None,
            },
            {
                "index": 1,
                "event": "buy",
                "count": 250,
                "conversion": 0.25,
                "step_conversion": 0.25,
                "avg_seconds": 90_000.0,
                "median_seconds": 200.0,
            },
        ],
        "breakdown": None,
        "meta": META,
    },
    "retention": {
        "cohorts": [
            {"date": "2026-11-01T00:00:00Z", "size": 10, "values": [10, 5, 1]},
            {"date": "2026-11-02T00:00:00Z", "size": 0, "values": [0, 0]},
        ],
        "meta": META,
    },
    "lifecycle": {
        "buckets": ["2026-11-01T00:00:00Z"],
        "new": [3],
        "returning": [2],
        "resurrecting": [1],
        "dormant": [-4],
        "meta": META,
    },
    "stickiness": {
        "intervals": [1, 2],
        "series": [{"index": 0, "event": "signup", "counts": [7, 2]}],
        "meta": META,
    },
    "paths": {
        "links": [{"source": "1_/home", "target": "2_/pricing", "count": 12, "avg_seconds": 4.5}],
        "meta": META,
    },
}

WORDS = {
    "trends": ["signup · pro", "All", "2026-11-02", "1,234.5"],
    "funnels": ["2. buy", "250", "25.0%", "3 min 20 s", "1 d 1 h"],
    "retention": ["2026-11-01", "100.0%", "50.0%", "10.0%", "–"],
    "lifecycle": ["resurrecting", "-4"],
    "stickiness": ["1: signup", "7"],
    "paths": ["1_/home", "2_/pricing", "12", "4.5 s"],
}


def write_query(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "query.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("kind", RESULTS)
def test_a_question_is_answered_with_a_table(
    footfall: Any, platform: Any, query_api: Any, tmp_path: Path, kind: str
) -> None:
    query_api.results[f"/api/{kind}"] = RESULTS[kind]
    path = write_query(tmp_path, {"kind": kind, "date_from": "-7d"})

    ran = footfall("query", path)

    assert (ran.code, ran.err) == (0, "")
    for word in [*WORDS[kind], "12 ms, 1,234,567 rows read"]:
        assert word in ran.out
    asked = query_api.asked[-1]
    assert (asked.method, asked.path, asked.document) == ("POST", f"/api/{kind}", {"date_from": "-7d"})
    assert asked.key == platform.read_key

    assert footfall("query", path, "--json").json == RESULTS[kind]


def test_a_job_is_waited_for(footfall: Any, platform: Any, query_api: Any, tmp_path: Path) -> None:
    path = write_query(tmp_path, {"kind": "trends", "date_from": "-7d"})
    job = {"job_id": "j1", "status": "queued", "progress": {"rows_read": 0, "total_rows": 0}}
    query_api.results["/api/query/async"] = job
    states = iter([job, {**job, "status": "running"}, {**job, "status": "succeeded", "result": RESULTS["trends"]}])

    def go_on() -> None:
        if query_api.asked[-1].path == "/api/query/async/j1":
            query_api.results["/api/query/async/j1"] = next(states)

    query_api.on_ask = go_on
    ran = footfall("query", path, "--async", "--json")

    assert (ran.code, ran.json) == (0, RESULTS["trends"])
    asked = query_api.asked[0]
    assert (asked.method, asked.path, asked.document["kind"]) == ("POST", "/api/query/async", "trends")
    assert asked.document["query"] == {"date_from": "-7d"}
    assert [each.path for each in query_api.asked[1:]] == ["/api/query/async/j1"] * 3


def test_a_job_that_fails_says_why(footfall: Any, platform: Any, query_api: Any, tmp_path: Path) -> None:
    path = write_query(tmp_path, {"kind": "trends"})
    query_api.results["/api/query/async"] = {"job_id": "j1"}
    error = {"detail": "The question took longer than 600 seconds", "status": 422}
    query_api.results["/api/query/async/j1"] = {"status": "failed", "error": error}

    ran = footfall("query", path, "--async", "--json")

    assert (ran.code, json.loads(ran.err)) == (1, {"error": error["detail"], "status": 422})


def test_an_answer_has_one_form(footfall: Any, platform: Any, query_api: Any, tmp_path: Path) -> None:
    path = write_query(tmp_path, {"kind": "trends"})
    assert footfall("query", path, "--csv", "--json").code == 2
    query_api.results["/api/trends"] = RESULTS["trends"]
    assert footfall("query", path, "--csv").code == 0
    assert query_api.asked[-1].parameters == {"format": ["csv"]}


def test_whoever_asks_needs_a_credential_for_the_project(
    footfall: Any, platform: Any, query_api: Any, tmp_path: Path
) -> None:
    """The read key that `up` made is for one project; the operator may read all."""
    query_api.results["/api/trends"] = RESULTS["trends"]
    path = write_query(tmp_path, {"kind": "trends"})
    operator, other = platform.local["operator_token"], platform.project_id + 1_000

    def asked(*arguments: object) -> tuple[Any, str]:
        assert footfall("query", path, *arguments).code == 0
        return query_api.asked[-1].document.get("project_id"), query_api.asked[-1].key

    assert asked() == (None, platform.read_key)
    assert asked("--project", platform.project_id) == (platform.project_id, platform.read_key)
    assert asked("--project", other) == (other, operator)
    assert asked("--read-key", "ffr_other") == (None, "ffr_other")
    platform.save(read_key=None)
    assert asked() == (platform.project_id, operator)
    write_query(tmp_path, {"kind": "trends", "project_id": other})
    assert asked() == (other, operator)


def test_a_question_may_come_from_stdin(platform: Any, query_api: Any) -> None:
    query_api.results["/api/trends"] = RESULTS["trends"]
    command = [sys.executable, "-m", "footfall_cli", "query", "-", "--json", "--data-dir", str(platform.data_dir)]

    done = subprocess.run(command, input=b'{"kind": "trends"}', capture_output=True, check=True)

    assert json.loads(done.stdout) == RESULTS["trends"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold one query document"),
        ("{}", "`kind` must be one of trends, funnels, retention, lifecycle, stickiness, paths"),
        ('{"kind": "pie"}', "`kind` must be one of"),
    ],
)
def test_what_is_no_question_is_refused(footfall: Any, platform: Any, tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "query.json"
    path.write_text(content)

    assert (footfall("query", path).code, footfall("query", tmp_path / "missing").code) == (2, 2)
    assert words in footfall("query", path, "--json").error["error"]


def test_what_the_query_api_says_is_passed_on(footfall: Any, platform: Any, query_api: Any, tmp_path: Path) -> None:
    errors = [{"loc": ["body", "steps"], "msg": "at least 2"}]
    query_api.refusal = (400, {"status": 400, "detail": "The query is wrong.", "errors": errors}, {})
    path = write_query(tmp_path, {"kind": "funnels"})

    ran = footfall("query", path)
    assert ran.code == 1
    assert "The query is wrong." in ran.err
    assert "body.steps: at least 2" in ran.err
    assert footfall("query", path, "--json").error == {"error": "The query is wrong.", "status": 400, "errors": errors}


# Events


def stored(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "uuid": f"uuid-{number}",
        "event": "signup",
        "distinct_id": f"person-{number}",
        "person_id": "p",
        "timestamp": f"2026-11-01T00:00:{number:02}Z",
        "properties": {"number": number},
        **fields,
    }


def test_the_newest_events_are_shown_oldest_first(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.events = [stored(number) for number in range(9, -1, -1)]

    ran = footfall("events", "tail", "-n", 4, "--once", "--event", "signup", "--json")

    assert ran.code == 0
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert lines == [stored(number) for number in (6, 7, 8, 9)]
    assert query_api.asked[0].parameters["event"] == ["signup"]


def test_data_cannot_steer_the_terminal(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.events = [stored(1, event="\x1b[2Jbad\r\n", distinct_id="[red]ann")]

    out = footfall("events", "tail", "--once").out

    assert "\x1b" not in out
    assert "\\x1b[2Jbad\\r\\n" in out
    assert "[red]ann" in out


def test_following_shows_each_event_once_and_outlives_a_pause(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.events = [stored(5), stored(4)]
    steps = iter(
        [
            lambda: None,
            lambda: query_api.events.insert(0, stored(6)),
            lambda: setattr(query_api, "refusal", (503, {"status": 503, "detail": "busy"}, {})),
            lambda: setattr(query_api, "refusal", None),
            # A late event, behind newer ones, and many at once.
            lambda: query_api.events.insert(2, stored(3)),
            lambda: query_api.events.__setitem__(slice(0, 0), [stored(n) for n in range(19, 9, -1)]),
            lambda: None,
        ]
    )
    asked_twice = iter([True] * 10)

    def on_ask() -> None:
        if "cursor" not in query_api.asked[-1].parameters:
            step = next(steps, None)
            if step is None:
                query_api.refusal = (401, {"status": 401, "detail": "enough"}, {})
                next(asked_twice)
            else:
                step()

    query_api.on_ask = on_ask
    ran = footfall("events", "tail", "--interval", 0.1, "--json")

    assert (ran.code, ran.err.splitlines()) == (1, ["busy; trying again", '{"error": "enough", "status": 401}'])
    shown = [json.loads(line)["uuid"] for line in ran.out.splitlines()]
    assert shown == [f"uuid-{number}" for number in (4, 5, 6, 3, *range(10, 20))]


def test_ctrl_c_ends_following(platform: Any, query_api: Any) -> None:
    query_api.events = [stored(1)]
    command = [sys.executable, "-m", "footfall_cli", "events", "tail", "--data-dir", str(platform.data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"signup" in process.stdout.readline()
        while len(query_api.asked) < 2:
            time.sleep(0.02)
        process.send_signal(2)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")


def test_an_export_can_be_imported(footfall: Any, platform: Any, query_api: Any, capture: Any, tmp_path: Path) -> None:
    query_api.events = [stored(number) for number in range(9, -1, -1)]
    path = tmp_path / "events.jsonl"

    ran = footfall("export", "--to", path, "--json")

    assert (ran.code, ran.json) == (0, {"events": 10, "file": str(path)})
    assert [json.loads(line)["uuid"] for line in path.read_text().splitlines()] == [
        f"uuid-{number}" for number in range(9, -1, -1)
    ]
    assert query_api.asked[0].parameters["date_from"] == ["all"]

    assert footfall("import", path, "--json").json["accepted"] == 10
    expected = {name: stored(3)[name] for name in ("uuid", "event", "distinct_id", "properties")}
    assert capture.events["uuid-3"] == {**expected, "timestamp": "2026-11-01T00:00:03.000+00:00"}


def test_an_export_to_stdout_is_only_events(footfall: Any, platform: Any, query_api: Any) -> None:
    query_api.events = [stored(1)]

    ran = footfall("export", "--date-from", "-7d", "--event", "signup", "--event", "login")

    assert [json.loads(line)["uuid"] for line in ran.out.splitlines()] == ["uuid-1"]
    assert ran.err == "Exported 1 events.\n"
    asked = query_api.asked[0].parameters
    assert (asked["date_from"], asked["event"]) == (["-7d"], ["signup", "login"])


def test_a_failed_export_leaves_no_half_file(footfall: Any, platform: Any, query_api: Any, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("before")
    query_api.refusal = (400, {"status": 400, "detail": "date_from is wrong"}, {})

    ran = footfall("export", "--to", path)

    assert (ran.code, path.read_text()) == (1, "before")
    assert not list(tmp_path.glob("*.part"))
    assert footfall("export", "--to", tmp_path / "missing" / "events.jsonl").code == 1
