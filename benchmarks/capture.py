"""What the Capture API costs: the work on events alone, and the service over HTTP against a log that does nothing.

    python benchmarks/capture.py

The bare server, which reads a body and answers 200, is the limit of the server that both run on. CPU rates are
requests by second of the server's own processor time, so they hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from prometheus_client import CollectorRegistry

from footfall_capture.accept import Facts, accept
from footfall_capture.app import make_capture_app, make_readiness
from footfall_capture.decode import decode
from footfall_capture.routes import make_uuid
from footfall_capture.settings import CaptureSettings
from footfall_core.auth import ProjectDirectory, make_key
from footfall_core.eventlog import Record
from footfall_core.web import serve

sys.path.insert(0, str(Path(__file__).parent))
from load import make_templates, uuids

USER_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari"


class NullLog:
    """Takes records and forgets them."""

    async def append(self, records: Sequence[Record]) -> None:
        del records

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The least that answers a request: the limit of the server under it."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"15")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"status":"ok"}'})


def run_server(which: str, port: int) -> None:
    if which == "bare":
        uvicorn.run(bare, port=port, log_config=None, access_log=False, server_header=False)
        return
    answer = {"project_id": 1, "timezone": "UTC", "week_start": "sunday", "type": "write"}
    auth = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    log = NullLog()
    directory = ProjectDirectory("http://auth", "", transport=auth)
    readiness = make_readiness(log, directory)
    app = make_capture_app(
        CaptureSettings(capture_key_rate=0, capture_address_rate=0),
        log=log,
        directory=directory,
        registry=CollectorRegistry(),
        readiness=readiness,
    )
    serve(app, host="127.0.0.1", port=port, readiness=readiness)


def measure_accept(batch: int, seconds: float) -> float:
    """Events a second through decode and accept, in this process."""
    bodies = [template % uuids(batch) for template in make_templates(batch, count=20)]
    facts = Facts(1, "key", int(time.time() * 1000), "203.0.113.7", USER_AGENT, make_uuid)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.process_time()
        for body in bodies:
            accept(decode(body), facts)
        best = min(best, time.process_time() - began)
    return batch * len(bodies) / best


def measure_http(which: str, batch: int, seconds: float) -> tuple[float, float]:
    """Requests a second that were answered 200: by the clock, and by the server's processor time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/capture"
    here = [sys.executable, __file__, "--serve", which, "--port", str(port)]
    load = [
        sys.executable,
        str(Path(__file__).with_name("load.py")),
        url,
        make_key("write"),
        "--batch",
        str(batch),
    ]
    server = subprocess.Popen(here)
    try:
        while not httpx_answers(url):
            time.sleep(0.05)
        subprocess.run([*load, "--seconds", "0.3"], check=True, capture_output=True)
        used = psutil.Process(server.pid).cpu_times()
        done = subprocess.run([*load, "--seconds", str(seconds)], check=True, capture_output=True, text=True)
        after = psutil.Process(server.pid).cpu_times()
    finally:
        server.terminate()
        server.wait()
    report = json.loads(done.stdout)
    assert not report["others"], report
    cpu = after.user + after.system - used.user - used.system
    return report["requests_per_second"], report["requests"] / cpu


def httpx_answers(url: str) -> bool:
    try:
        httpx.post(url, content=b"{}")
    except httpx.TransportError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", choices=["bare", "capture"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=2.5, help="of each measurement")
    given = parser.parse_args()
    if given.serve:
        run_server(given.serve, given.port)
        return
    print("decode + accept + encode, one core")
    for batch in (1, 100):
        rate = measure_accept(batch, given.seconds)
        print(f"  {batch:>3} events a body {rate:>10,.0f} events/s   {1e6 / rate:6.2f} µs an event")
    print("over HTTP, log that does nothing     requests/s   per CPU second   of the bare server")
    for batch in (1, 100):
        limit, cpu_limit = measure_http("bare", batch, given.seconds)
        rate, cpu_rate = measure_http("capture", batch, given.seconds)
        print(f"  {batch:>3} events a body, bare server     {limit:>10,.0f} {cpu_limit:>16,.0f}")
        print(
            f"  {batch:>3} events a body, capture         {rate:>10,.0f} {cpu_rate:>16,.0f}"
            f" {cpu_rate / cpu_limit:>16.0%}   {rate * batch:,.0f} events/s"
        )


if __name__ == "__main__":
    main()
