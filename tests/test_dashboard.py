"""The dashboard in a real browser, on a whole platform: services/dashboard/web/tests/journey.mjs, run by node."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest
from conftest import http, platform_environment, running_platform, wait_until
from programs import chromium, need

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "services" / "dashboard" / "web"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The pages as they are now."""
    need("node")
    subprocess.run([sys.executable, ROOT / "scripts" / "dashboard.py"], check=True, timeout=240)


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=WEB, env={**os.environ, **environment}, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.mark.timeout(240)
def test_the_builders_logic() -> None:
    run("npm", "run", "--silent", "test")


def test_the_wheel_carries_the_pages(tmp_path: Path) -> None:
    """So that a pip install needs no Node."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--wheel-dir", str(tmp_path), str(WEB.parent)],
        check=True,
        timeout=60,
    )  # fmt: skip
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {"footfall_dashboard/static/index.html", "footfall_dashboard/static/theme.js"} <= names
    assert not [name for name in names if "node_modules" in name]


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_first_day_in_a_browser(tmp_path: Path) -> None:
    browser = chromium()
    environment = platform_environment(FOOTFALL_EVENTS_TTL_DAYS="0", FOOTFALL_ALLOW_REGISTRATION="true")
    with running_platform(tmp_path / "data", environment):
        url = f"http://127.0.0.1:{environment['FOOTFALL_DASHBOARD_PORT']}"
        page = httpx.get(url)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        said = run(
            "node", "tests/journey.mjs", DASHBOARD_URL=url, CHROMIUM=browser, HOME=str(tmp_path),
            PYTHON=sys.executable, JS_PACKAGES=str(ROOT / "tests" / "compat" / "js"),
        )  # fmt: skip
    for line in said.splitlines():
        if "NOT TESTED" in line:
            sys.stderr.write(f"{line.strip()}\n")


@pytest.mark.timeout(120)
def test_the_first_visitor_makes_the_admin(tmp_path: Path) -> None:
    """On what an installation has before anybody was there: an Auth API without users, as in production."""
    browser = chromium()
    environment = platform_environment(
        FOOTFALL_DATA_DIR=str(tmp_path), FOOTFALL_SECRET_KEY="k" * 32, CHROMIUM=browser, HOME=str(tmp_path)
    )
    url = f"http://127.0.0.1:{environment['FOOTFALL_DASHBOARD_PORT']}"
    auth = f"http://127.0.0.1:{environment['FOOTFALL_AUTH_PORT']}"
    modules = ("footfall_auth", "footfall_dashboard")
    subprocess.run([sys.executable, "-m", "footfall_auth", "migrate"], env=environment, check=True, timeout=60)
    services = [subprocess.Popen([sys.executable, "-m", module], env=environment) for module in modules]
    try:
        for ready in (f"{auth}/readyz", f"{url}/readyz"):
            wait_until(lambda ready=ready: _is_ready(ready), 30, ready)
        run("node", "tests/welcome.mjs", **{**environment, "DASHBOARD_URL": url})
    finally:
        for service in services:
            service.terminate()
        for service in services:
            service.wait(30)


def _is_ready(url: str) -> bool:
    try:
        return http.get(url).is_success
    except httpx.TransportError:
        return False
