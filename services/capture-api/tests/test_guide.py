"""docs/capture.md says what the code does."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from footfall_capture.accept import WARNINGS
from footfall_core.events import REJECTION_REASONS

GUIDE = (Path(__file__).parents[3] / "docs" / "capture.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The table under the line that begins with `heading`: its rows' cells, without backquotes."""
    after = GUIDE.split(f"\n{heading}", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table is not None
    lines = table[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


TIMES = rows("When the server's clock reads")


@pytest.mark.parametrize("row", TIMES, ids=" ".join)
async def test_the_examples_in_the_guide_are_true(service: Any, row: list[str]) -> None:
    timestamp, sent_at, offset, stored, warning = row
    event: dict[str, object] = {"event": "a", "distinct_id": "d"}
    if timestamp:
        event["timestamp"] = timestamp
    if offset:
        event["offset"] = int(offset)
    record, properties = await service.take(event, sent_at=sent_at or None)

    assert record.timestamp == datetime.fromisoformat(stored).timestamp() * 1000
    assert properties.get("$ingestion_warnings", []) == ([warning] if warning else [])
    assert ("$timestamp_original" in properties) == warning.startswith("timestamp_")


def test_every_warning_and_reason_is_explained() -> None:
    assert [row[0] for row in rows("## Warnings")] == list(WARNINGS)
    assert [row[0] for row in rows("## Rejected events")] == list(REJECTION_REASONS)


async def test_every_metric_and_status_is_explained(service: Any) -> None:
    text = (await service.client.get("/metrics")).text
    metrics = set(re.findall(r"^# HELP (footfall_capture_\w+)", text, re.MULTILINE))
    metrics -= {name for name in metrics if name.endswith("_created")}  # when each of the others began
    document = (await service.client.get("/openapi.json")).json()

    assert {row[0].partition("{")[0] for row in rows("- Bodies over 128 KiB")} == metrics
    statuses = {row[0] for row in rows("## Answers")}
    assert statuses == {*document["paths"]["/capture"]["post"]["responses"], "405"}
