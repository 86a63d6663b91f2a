"""Alert rules speak of metrics that exist, with labels that they have, and lead to a page that says what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from programs import need

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "infrastructure" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
METRICS = {
    name: (kind, set(re.findall(r"`(\w+)`", labels)))
    for name, kind, labels in re.findall(
        r"^\| `(footfall_\w+)` \| (\w+) \| (.*?) \|", (ROOT / "docs" / "metrics.md").read_text("utf-8"), re.MULTILINE
    )
}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_speaks_of_what_there_is(rule: dict[str, Any]) -> None:
    found = re.findall(r"(footfall_\w+)(?:\{([^}]*)\})?", rule["expr"].replace('job=~"footfall', ""))
    assert found or rule["expr"].startswith("up{")
    for series, selector in found:
        name = re.sub(r"_(bucket|sum|count)$", "", series)
        kind, labels = METRICS[name]
        assert (series != name) == (kind == "histogram")
        assert set(re.findall(r"(\w+)=", selector)) <= labels
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= {
        "job", "instance", *re.findall(r"by \(([\w, ]*)\)", rule["expr"].replace("le, ", "")), "reason",
    }  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert rule["labels"]["severity"] in ("page", "ticket")
    assert anchor in anchors(ROOT / page)


def test_prometheus_takes_them() -> None:
    [promtool] = need("promtool")
    done = subprocess.run(
        [promtool, "check", "rules", str(FOLDER / "alerts.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
