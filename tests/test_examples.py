"""The examples work as their READMEs say."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import platform_environment
from programs import built_web_sdk

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_everything_at_once_and_people_in_the_shop_are_what_footfall_knows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    _, chromium = built_web_sdk()
    folder = tmp_path_factory.mktemp("all")  # a short name, as Chromium makes a socket in it
    process = subprocess.Popen(
        [sys.executable, "examples/run-all/run.py", "--visitors", "3", "--seconds", "60", "--json"],
        cwd=ROOT,
        env={**platform_environment(), "CHROMIUM": chromium, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        bearer = {"authorization": f"Bearer {found['read_key']}"}

        def events(name: str) -> list[dict[str, Any]]:
            answer = httpx.get(f"{found['query_url']}/api/events", params={"event": name}, headers=bearer)
            return list(answer.raise_for_status().json()["results"])

        signups, identified = events("signup"), events("$identify")
        assert list(folder.glob("footfall-example-*/events.log.db"))
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        process.stdout.close()  # type: ignore[union-attr]

    assert code == 0
    assert list(folder.glob("footfall-example-*")) == []
    assert found["driven"] == {"visitors": 3, "views": 12, "signups": 2, "purchases": 1, "errors": []}
    # Home and a product for all; a sign-in form and home again for two; a product again and thanks for one.
    assert found["events"] == {"$pageview": 12, "product_viewed": 4, "signup": 2, "purchase": 1}
    # The browser knows who looked, the server who bought: one person only where they were linked.
    assert found["funnel"] == [3, 3, 2, 1]
    assert sorted(event["distinct_id"] for event in signups) == [f"person{n}@shop.example" for n in (1, 2)]
    visitors = {event["distinct_id"]: event["properties"].get("$anon_distinct_id") for event in identified}
    assert len(set(visitors.values()) - {None}) == 2
