"""Starts Footfall and the shop, drives the shop with a real browser, and prints where to see what came of it.

    python examples/run-all/run.py [--seconds 60]

Everything goes on running until Ctrl-C, so that the links lead somewhere, unless `--end` is given. With
`--capture-url`, `--query-url`, `--write-key` and
`--read-key` it uses a Footfall that runs already.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
FUNNEL = ["$pageview", "product_viewed", "signup", "purchase"]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ask(url: str, read_key: str, body: Any = None) -> Any:
    """The answer of the Query API."""
    headers = {"authorization": f"Bearer {read_key}", "content-type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.load(answer)


def build_sdk() -> None:
    """The script that the shop's pages load."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "web_sdk.py")], check=True, stdout=sys.stderr)


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program that is told to stop when the block ends."""
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def running_footfall() -> Iterator[dict[str, Any]]:
    """Footfall with its data in a folder that is thrown away. FOOTFALL_CAPTURE_PORT and the like choose its ports."""
    say("Starting Footfall …")
    with tempfile.TemporaryDirectory(prefix="footfall-example-") as folder:
        command = [sys.executable, "-m", "footfall_cli", "up", "--data-dir", folder, "--json"]
        with running(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline() or '{"error": "Footfall did not start"}')
            if started.get("status") != "ready":
                raise SystemExit(started.get("error", started))
            yield started


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers at {url}")


def report(query_url: str, read_key: str, driven: dict[str, Any]) -> dict[str, Any]:
    """What Footfall knows of the minute, once everything that was done has arrived."""
    steps = [{"event": name} for name in FUNNEL]
    for _ in range(100):
        totals = {
            each["name"]: each["total"]
            for each in ask(f"{query_url}/api/trends", read_key, {"series": [{"event": name} for name in FUNNEL]})[
                "series"
            ]
        }
        expected = {"$pageview": driven["views"], "signup": driven["signups"], "purchase": driven["purchases"]}
        if all(totals[name] >= count for name, count in expected.items()):
            break
        time.sleep(0.1)
    funnel = ask(f"{query_url}/api/funnels", read_key, {"steps": steps})
    return {"driven": driven, "events": totals, "funnel": [step["count"] for step in funnel["steps"]]}


def links(at: dict[str, Any], shop: str) -> str:
    """Where to look, and how to get in."""
    found = {"Shop": shop, "Trends": f"{at['query_url']}/api/trends?event=purchase"}
    if at.get("dashboard_url"):
        project = f"{at['dashboard_url']}/p/{at['project_id']}"
        steps, series = ([{"event": name} for name in names] for names in (FUNNEL, FUNNEL[::3]))
        found |= {
            "Trends": f"{project}/trends?series={quote(json.dumps(series))}",
            "Funnel": f"{project}/funnels?steps={quote(json.dumps(steps))}",
            "People": f"{project}/people",
            "Live": f"{project}/live",
        }
    sign_in = f"\nSign in as {at['admin']['email']} with {at['admin']['password']}" if at.get("admin") else ""
    rows = "".join(f"\n{name:8}{url}" for name, url in found.items())
    return f"{rows}\n{sign_in}\nOr ask {at['query_url']} with the header  Authorization: Bearer {at['read_key']}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Footfall, a shop, and people in it.")
    parser.add_argument("--seconds", type=int, default=60, help="how long people come")
    parser.add_argument("--visitors", type=int, default=1_000, help="how many at most")
    parser.add_argument("--end", action="store_true", help="stop everything at the end, without waiting for Ctrl-C")
    parser.add_argument("--json", action="store_true")
    for name in ("capture-url", "query-url", "write-key", "read-key"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    if shutil.which("npm") is None:
        parser.error("Node is needed, to build the web SDK and to drive the browser")
    build_sdk()
    with ExitStack() as stack:
        at = vars(given) if given.capture_url else stack.enter_context(running_footfall())
        shop = f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, str(ROOT / "examples" / "shop" / "shop.py"), "--write-key", at["write_key"],
                   "--capture-url", at["capture_url"], "--port", shop.rpartition(":")[2]]  # fmt: skip
        stack.enter_context(running(command))
        wait_for(shop)
        say(f"People come to {shop} for up to {given.seconds} seconds …")
        drive = ["node", str(Path(__file__).with_name("drive.mjs")), shop, str(given.seconds), str(given.visitors)]
        done = subprocess.run(drive, check=True, stdout=subprocess.PIPE, text=True)
        found = report(at["query_url"], at["read_key"], json.loads(done.stdout))
        if given.json:
            print(json.dumps({**found, **{name: at[name] for name in ("query_url", "read_key")}}), flush=True)
        else:
            for name, count in zip(FUNNEL, found["funnel"], strict=True):
                print(f"{name:16} {found['events'][name]:6,} events   {count:6,} people in the funnel")
            print(links(at, shop), flush=True)
        if not given.end:
            say("Ctrl-C ends it.")
            signal.pause()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
