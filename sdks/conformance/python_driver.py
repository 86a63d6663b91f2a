"""Runs cases with the Python SDK, each in a thread: `URL`, cases on stdin; says what was dropped, by case."""

from __future__ import annotations

import json
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from footfall import Client, Limits


def run(url: str, case: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """Make the case's calls; its id, and what was dropped, by reason."""
    client = Client(case["key"], url, path=case["path"], limits=Limits(**case.get("limits", {})))
    for call in case["calls"]:
        match call["call"]:
            case "capture":
                filling = {"fill": "x" * call["fill"]} if "fill" in call else {}
                client.capture(call["event"], "somebody", {**call.get("properties", {}), **filling})
            case "identify":
                client.identify(call["distinct_id"], call["set"], set_once=call["set_once"])
            case "alias":
                client.alias(call["previous_id"], call["distinct_id"])
    if not case.get("no_flush"):
        client.flush(20)
    elif not case.get("end"):  # at the end nothing is done: that is the case
        time.sleep(2)
    return case["id"], client.stats.dropped


logging.getLogger("footfall").addHandler(logging.NullHandler())
cases = json.load(sys.stdin)
with ThreadPoolExecutor(len(cases)) as pool:
    dropped = dict(pool.map(lambda case: run(sys.argv[1], case), cases))
sys.stdout.write(json.dumps(dropped) + "\n")
