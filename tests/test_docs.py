"""The documentation says what the code does: links lead somewhere, and nothing is left out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from footfall_core.events import REJECTION_REASONS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
METRIC_TYPES = "Counter|Gauge|Histogram|Summary|Info"
LEFT_OUT = {"node_modules", ".venv", "data", ".pytest_cache"}
PAGES = [
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("[a-z]*/**/README.md")]
    if not LEFT_OUT & set(path.relative_to(ROOT).parts[:-1])
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_decision_has_its_four_parts() -> None:
    for page in (DOCS / "decisions").glob("[0-9]*.md"):
        text = page.read_text("utf-8")
        for part in ("Context", "Decision", "Consequences", "Enforced by"):
            assert part in text, f"{page.name} lacks {part}"


def test_every_reason_for_a_rejection_is_explained() -> None:
    text = (DOCS / "capture.md").read_text("utf-8")

    assert [reason for reason in REJECTION_REASONS if f"`{reason}`" not in text] == []


@pytest.mark.parametrize(
    ("service", "pages"),
    [
        ("capture", ["capture", "sdks"]),
        ("query", ["questions", "answers", "dashboards"]),
        ("auth", ["auth"]),
    ],
)
def test_every_route_is_mentioned(service: str, pages: list[str]) -> None:
    document = json.loads((ROOT / "schemas" / "openapi" / f"{service}.json").read_text("utf-8"))
    routes = set(document["paths"]) - {"/livez", "/readyz", "/metrics"}
    text = "".join((DOCS / f"{page}.md").read_text("utf-8") for page in pages)

    assert routes
    assert {route for route in routes if not re.search(rf" {re.escape(route)}`", text)} == set()


def test_every_metric_is_explained() -> None:
    table = re.findall(
        r"^\| `(footfall_\w+)` \| (\w+) \| (.*?) \|", (DOCS / "metrics.md").read_text("utf-8"), re.MULTILINE
    )
    explained = {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in table}
    sources = [path for folder in ("libs", "services") for path in ROOT.glob(f"{folder}/*/src/**/*.py")]

    assert explained == dict(metric for path in sources for metric in read_metrics(path))


def read_metrics(path: Path) -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """The metrics that a source file declares: name as Prometheus shows it, type and labels."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name, kind = node.args[0].value, re.fullmatch(rf"({METRIC_TYPES})(MetricFamily)?", ast.unparse(node.func))
            if isinstance(name, str) and name.startswith("footfall_") and kind is not None:
                given = [
                    *node.args[2:3],
                    *(word.value for word in node.keywords if word.arg in ("labelnames", "labels")),
                ]
                labels = ast.literal_eval(given[0]) if given else []
                suffix = "_total" if kind[1] == "Counter" else ""
                yield name + suffix, (kind[1].lower(), list(labels))
