"""docs/cli.md and docs/import.md tell of everything there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from footfall_cli.app import app
from footfall_cli.importing.columns import COLUMN_TYPES
from footfall_cli.importing.events import REASONS
from footfall_cli.importing.mapping import FIELDS
from footfall_cli.results import KINDS

DOCS = Path(__file__).parents[2] / "docs"
CLI = (DOCS / "cli.md").read_text("utf-8")
IMPORT = (DOCS / "import.md").read_text("utf-8")


def commands(command: Any, *words: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(words), command
    else:
        for name, each in inner.items():
            yield from commands(each, *words, name)


COMMANDS = dict(commands(typer.main.get_command(app), "footfall"))


def section(name: str) -> str:
    found = re.search(rf"^## {name}( [A-Z_]+)?\n(.*?)(?=^## |\Z)", CLI, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section on {name}"
    return found[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text = section(name) + section("Which platform is meant")
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("-"):
                assert f"`{option}" in text or f" {option}`" in text, option


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_json(name: str) -> None:
    assert "--json" in [option for parameter in COMMANDS[name].params for option in parameter.opts]


def test_nothing_is_documented_that_does_not_exist() -> None:
    named = re.findall(r"^## (footfall(?: [a-z]+)+)", CLI, re.MULTILINE)
    assert sorted(named) == sorted(COMMANDS)


def test_everything_an_import_may_say_is_documented() -> None:
    for reason, words in REASONS.items():
        assert f"| `{reason}` | {words.split(',')[0].split(';')[0].rstrip('.')[:30]}" in IMPORT
    for word in (*FIELDS, *COLUMN_TYPES):
        assert f"`{word}`" in IMPORT
    for kind in KINDS:
        assert f"`{kind}`" in CLI


@pytest.mark.parametrize("file", ["cdnow", "ecom"])
def test_the_commands_for_the_real_files_are_those_of_the_tests(file: str) -> None:
    (mapping,) = re.findall(rf'^footfall import cli/tests/data/{file}\.csv\.gz --mapping "(.*)"$', IMPORT, re.MULTILINE)
    tests = (Path(__file__).parent / "test_real_files.py").read_text("utf-8")
    assert f'{file.upper()} = "{mapping}"' in tests
