"""Real data through `footfall import`: every answer equals one computed from the file in plain Python."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Platform, wait_until

DATA = Path(__file__).resolve().parent.parent / "cli" / "tests" / "data"
FUNNEL = ["home", "product_view", "add_to_cart", "purchase"]


def read(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / name, "rt", newline="") as file:
        yield from csv.DictReader(file)


Imported = tuple[int, str, dict[str, Any]]


def import_file(platform: Platform, name: str, *options: str, **project: str) -> Imported:
    """A new project with the file in it: the project, a read key, the import's report."""
    project_id, _, read_key = platform.make_project(name, **project)
    arguments = ["import", str(DATA / name), "--project", str(project_id), *options, "--yes", "--json"]
    report = json.loads(platform.footfall(*arguments).stdout)
    wait_until(lambda: platform.stored(project_id)[0] == report["accepted"], 60, f"{name} is stored")

    again = json.loads(platform.footfall(*arguments, "--restart").stdout)
    assert again["accepted"] == report["accepted"]
    return project_id, read_key, report


@pytest.fixture(scope="module")
def purchases(platform: Platform) -> Imported:
    return import_file(
        platform, "cdnow.csv.gz", "--event", "purchase", "--mapping", "distinct_id=customer_id,timestamp=date"
    )


@pytest.fixture(scope="module")
def clicks(platform: Platform) -> Imported:
    return import_file(platform, "ecom.csv.gz", "--mapping", "event=event,distinct_id=user_id,timestamp=timestamp")


def test_every_purchase_is_there_once(platform: Platform, purchases: Imported) -> None:
    project, read_key, report = purchases
    assert (report["accepted"], report["rejected"]) == (69_659, 0)
    assert platform.stored(project) == (69_659, 69_659)

    answer = platform.ask(
        read_key,
        "trends",
        series=[
            {"event": "purchase"},
            {"event": "purchase", "math": "unique_users"},
            {"event": "purchase", "math": "sum", "math_property": "dollar_value"},
            {"event": "purchase", "math": "sum", "math_property": "number_of_cds"},
        ],
        date_from="1997-01-01",
        date_to="1998-06-30",
        interval="month",
    )

    totals = [series["total"] for series in answer["series"]]
    assert totals == [69_659, 23_570, pytest.approx(2_500_315.63, abs=0.001), 167_881]


def test_monthly_purchases_equal_the_file(platform: Platform, purchases: Imported) -> None:
    _, read_key, _ = purchases
    count: dict[str, int] = defaultdict(int)
    dollars: dict[str, float] = defaultdict(float)
    buyers: dict[str, set[str]] = defaultdict(set)
    for row in read("cdnow.csv.gz"):
        month = f"{row['date'][:7]}-01T00:00:00Z"
        count[month] += 1
        dollars[month] += float(row["dollar_value"])
        buyers[month].add(row["customer_id"])

    answer = platform.ask(
        read_key,
        "trends",
        series=[
            {"event": "purchase"},
            {"event": "purchase", "math": "sum", "math_property": "dollar_value"},
            {"event": "purchase", "math": "unique_users"},
        ],
        date_from="1997-01-01",
        date_to="1998-06-30",
        interval="month",
    )

    months = sorted(count)
    assert answer["buckets"] == months
    assert answer["series"][0]["data"] == [count[month] for month in months]
    assert answer["series"][1]["data"] == pytest.approx([dollars[month] for month in months])
    assert answer["series"][2]["data"] == [len(buyers[month]) for month in months]


def furthest_step(events: list[tuple[datetime, str]], window: timedelta) -> int:
    """The most steps of FUNNEL that one person did in order, within `window` of the first.

    The file knows whole seconds. Steps of one second are taken in the order that converts.
    """
    times = {step: sorted(at for at, event in events if event == step) for step in FUNNEL}
    best = 0
    for began in times[FUNNEL[0]]:
        reached, at = 1, began
        for step in FUNNEL[1:]:
            following = [time for time in times[step] if at <= time <= began + window]
            if not following:
                break
            reached, at = reached + 1, following[0]
        best = max(best, reached)
    return best


@pytest.mark.parametrize("window", [{"value": 14, "unit": "day"}, {"value": 10, "unit": "minute"}])
def test_the_shops_funnel_equals_the_file(platform: Platform, clicks: Imported, window: Mapping[str, Any]) -> None:
    project, read_key, report = clicks
    assert (report["accepted"], report["rejected"]) == (31_106, 0)
    assert platform.stored(project) == (31_106, 31_106)
    people: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in read("ecom.csv.gz"):
        at = datetime.fromisoformat(row["timestamp"])
        people[row["user_id"]].append((at, row["event"]))
    length = timedelta(**{f"{window['unit']}s": window["value"]})
    steps = [furthest_step(events, length) for events in people.values()]

    answer = platform.ask(
        read_key,
        "funnels",
        steps=[{"event": event} for event in FUNNEL],
        window=window,
        date_from="2024-01-01",
        date_to="2024-06-30",
    )

    assert [step["count"] for step in answer["steps"]] == [
        sum(reached > index for reached in steps) for index in range(len(FUNNEL))
    ]
    assert answer["steps"][0]["count"] > answer["steps"][-1]["count"] > 0
