"""The two files of tests/data, imported whole with the commands of docs/import.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

CDNOW = "event='purchase',distinct_id=customer_id,timestamp=date"
ECOM = "event=event,distinct_id=user_id,timestamp=timestamp,session_id=session_id"


def test_cdnow(footfall: Any, platform: Any, capture: Any) -> None:
    ran = footfall("import", DATA / "cdnow.csv.gz", "--mapping", CDNOW, "--yes", "--json")

    assert ran.code == 0, ran.err
    print(ran.out)
    assert {name: ran.json[name] for name in ("rows", "accepted", "rejected", "already_done")} == {
        "rows": 69_659,
        "accepted": 69_659,
        "rejected": 0,
        "already_done": 0,
    }
    events = list(capture.events.values())
    assert len(events) == capture.received == 69_659
    assert {event["event"] for event in events} == {"purchase"}
    assert len({event["distinct_id"] for event in events}) == 23_570
    assert sum(event["properties"]["number_of_cds"] for event in events) == 167_881
    assert round(sum(event["properties"]["dollar_value"] for event in events), 2) == 2_500_315.63
    first = next(event for event in events if event["distinct_id"] == "00001")
    # Midnight in New York, the project's time zone.
    assert first["timestamp"] == "1997-01-01T05:00:00.000+00:00"
    assert first["properties"] == {"number_of_cds": 1, "dollar_value": 11.77}


def test_ecom(footfall: Any, platform: Any, capture: Any) -> None:
    ran = footfall("import", DATA / "ecom.csv.gz", "--mapping", ECOM, "--timezone", "UTC", "--yes", "--json")

    assert (ran.code, ran.json["accepted"], ran.json["rejected"]) == (0, 31_106, 0)
    events = list(capture.events.values())
    assert len(events) == 31_106
    assert len({event["distinct_id"] for event in events}) == 600
    assert len({event["properties"]["$session_id"] for event in events}) == 3_605
    assert len(Counter(event["event"] for event in events)) == 19
    times = sorted(event["timestamp"] for event in events)
    assert (times[0][:10], times[-1][:10]) == ("2024-01-04", "2024-06-29")
    assert set(events[0]["properties"]) == {
        "$session_id",
        "platform",
        "acquisition_channel",
        "user_cohort",
        "user_lifecycle",
    }
    assert {type(value) for event in events for value in event["properties"].values()} == {str}
