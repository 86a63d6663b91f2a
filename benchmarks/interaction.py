"""How soon the dashboard shows what somebody did, on a chart of 25 series over 90 days, in Chromium.

    python benchmarks/interaction.py

From the event until the first frame that has the change in it, median and worst; and the work of the page's thread,
which other load does not change. The aim is 100 ms. Needs `make dashboard`, Node and Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
from run import Running, running

WEB = Path(__file__).resolve().parent.parent / "services" / "dashboard" / "web"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SERIES, DAYS = 25, 90


def main() -> None:
    """Print a table."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("There is no Chromium")
    with running() as platform:
        send(platform)
        admin = platform.local["admin"]
        done = subprocess.run(
            ["node", "tests/interaction.mjs"],
            cwd=WEB,
            env={
                **os.environ, "CHROMIUM": browser, "DASHBOARD_URL": platform.local["dashboard_url"],
                "EMAIL": admin["email"], "PASSWORD": admin["password"], "PROJECT": str(platform.local["project_id"]),
                "EVENT": "opened", "PROPERTY": "country",
            },
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    print("| | times | median, ms | worst, ms | work, ms |\n|---|---|---|---|---|")
    for name, figure in found.items():
        print(f"| {name} | {figure['times']} | {figure['median']:.0f} | {figure['worst']:.0f} | {figure['work']:.0f} |")


def send(platform: Running) -> None:
    """Events of each series on each day, and wait until they are stored."""
    random, now = Random(1), datetime.now(UTC)
    events = [
        {
            "event": "opened",
            "distinct_id": f"person-{random.randrange(400)}",
            "timestamp": (now - timedelta(days=day, minutes=random.randrange(1_400))).isoformat(),
            "properties": {"country": f"Country {series + 1}"},
        }
        for series in range(SERIES)
        for day in range(DAYS)
        for _ in range(random.randint(1, 30 - series))
    ]
    with httpx.Client(base_url=platform.local["capture_url"], timeout=60) as capture:
        for start in range(0, len(events), 1_000):
            body = {"api_key": platform.local["write_key"], "batch": events[start : start + 1_000]}
            capture.post("/capture", json=body).raise_for_status()
    platform.wait_stored(len(events))
    time.sleep(1)


if __name__ == "__main__":
    main()
