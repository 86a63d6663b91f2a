"""Writes what is generated from the code, or with `--check` says what is out of date.

OpenAPI documents come from the applications, the tables in docs/settings.md from the Settings classes.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import PydanticUndefined

from footfall_core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    "capture": ("footfall_capture", "CaptureSettings"),
    "consumer": ("footfall_consumer", "ConsumerSettings"),
    "query": ("footfall_query", "QuerySettings"),
    "auth": ("footfall_auth", "AuthSettings"),
    "dashboard": ("footfall_dashboard", "DashboardSettings"),
}


def openapi(module: str) -> str:
    """The OpenAPI document of a service, as it prints it itself."""
    done = subprocess.run([sys.executable, "-m", module, "openapi"], check=True, capture_output=True, text=True)
    return json.dumps(json.loads(done.stdout), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def settings_table(cls: type[Settings], without: type[Settings] | None = None) -> Iterator[str]:
    """A Markdown table of a Settings class, less the fields of another."""
    yield "| Variable | Default | Meaning |\n|---|---|---|\n"
    for name, field in cls.model_fields.items():
        if without is not None and name in without.model_fields:
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        if hasattr(default, "get_secret_value"):
            default = default.get_secret_value()
        if isinstance(default, (list, tuple)):
            default = ",".join(str(each) for each in default)
        shown = "" if default in ("", None, PydanticUndefined) else f"`{default}`"
        yield f"| `FOOTFALL_{name.upper()}` | {shown} | {field.description or ''} |\n"


def settings_page() -> str:
    parts = [
        "# Settings\n\n",
        "Every setting is an environment variable. This page is generated from the code (`make generate`).\n\n",
        "## Every service\n\n",
        *settings_table(Settings),
    ]
    for name, (module, class_name) in SERVICES.items():
        cls: type[Settings] = getattr(importlib.import_module(f"{module}.settings"), class_name)
        rows = list(settings_table(cls, without=Settings))
        if len(rows) > 1:
            parts += [f"\n## {name.capitalize()}\n\n", *rows]
    return "".join(parts)


def generated() -> Iterator[tuple[Path, str]]:
    yield ROOT / "docs" / "settings.md", settings_page()
    for name in ("capture", "query", "auth"):
        yield ROOT / "schemas" / "openapi" / f"{name}.json", openapi(f"footfall_{name}")


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = []
    for path, text in generated():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if check and stale:
        print(f"out of date: {', '.join(stale)}. Run `make generate`.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
