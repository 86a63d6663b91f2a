"""Rules of the house that a linter does not know. Import directions are contracts in pyproject.toml."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path for folder in ("libs", "services", "cli", "sdks") for path in (ROOT / folder).glob("**/src/**/*.py")
)
BANNED_NAME = re.compile(r"(Base|Manager|Helper|Impl|Utils?|Service)$|^(Base|Abstract)[A-Z]")


def names_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 40


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_say_what_a_thing_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))

    assert not re.search(r"utils|helpers|common|misc", path.stem)
    assert [name for name in names_of(tree) if BANNED_NAME.search(name)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_asks_whether_it_is_embedded(path: Path) -> None:
    tests = [
        ast.unparse(node.test)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.If, ast.IfExp, ast.While))
    ]

    assert [test for test in tests if re.search(r"embedded|is_sqlite|is_kafka", test)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_settings_and_entry_points_read_the_environment(path: Path) -> None:
    if path.stem in {"settings", "__main__", "supervisor", "testing"} or {"footfall_cli", "footfall"} & {*path.parts}:
        return
    reads = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]

    assert reads == []
