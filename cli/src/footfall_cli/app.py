"""The commands, and what an error becomes: words and an exit code."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from footfall_cli import events, keys, members, persons, projects, signing, users
from footfall_cli.demo import demo
from footfall_cli.doctor import doctor
from footfall_cli.importing.command import import_file
from footfall_cli.login import login, logout
from footfall_cli.migrate import migrate
from footfall_cli.options import DataDir, Json
from footfall_cli.output import Failed, Misused, say
from footfall_cli.query import query
from footfall_cli.replay import replay
from footfall_core.settings import BadSettings

app = typer.Typer(
    name="footfall",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Self-hosted product analytics. Every command takes --json.",
)


@app.command()
def up(data_dir: DataDir = None, json: Json = False) -> None:
    """Start the whole platform on this machine, and stop it with Ctrl-C."""
    try:
        # Only this command needs the engine, which is large; the CLI alone works without.
        supervisor = importlib.import_module("footfall_embedded.supervisor")
    except ModuleNotFoundError as error:
        raise Failed(f"`footfall up` needs the package footfall-embedded ({error})") from error
    raise typer.Exit(supervisor.main(data_dir, json))


app.command()(demo)
app.command()(migrate)
app.command()(doctor)
app.command()(replay)
app.command()(login)
app.command()(logout)
app.add_typer(users.commands, name="users")
app.add_typer(projects.commands, name="projects")
app.add_typer(members.commands, name="members")
app.add_typer(keys.commands, name="keys")
app.add_typer(signing.commands, name="signing")
app.command("import")(import_file)
app.command("export")(events.export_events)
app.add_typer(events.commands, name="events")
app.add_typer(persons.commands, name="persons")
app.command()(query)


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns its exit code: 0 done, 1 failed, 2 not understood."""
    try:
        code = app(args=list(arguments), prog_name="footfall", standalone_mode=False)
    except Failed as error:
        return _report(error, arguments)
    except TyperException as error:
        return _report(Misused(error.format_message()), arguments)
    except typer.Abort:
        return _report(Failed("Stopped."), arguments)
    except BadSettings as error:
        return _report(Misused(str(error)), arguments)
    return code if isinstance(code, int) else 0


def _report(error: Failed, arguments: Sequence[str]) -> int:
    if "--json" in arguments:
        say(json.dumps(error.document(), ensure_ascii=False))
        return error.exit_code
    say(f"footfall: {error.message}")
    for each in error.errors:
        where = ".".join(str(part) for part in each.get("loc", ()))
        if where and where not in error.message:
            say(f"  {where}: {each.get('msg', '')}")
    if isinstance(error, Misused):
        words = " ".join(["footfall", *_command_words(arguments)])
        say(f"`{words} --help` tells how.")
    return error.exit_code


def _command_words(arguments: Sequence[str]) -> list[str]:
    """The leading words of a command line that name the command."""
    groups = {"users", "projects", "members", "keys", "signing", "events"}
    words = [word for word in arguments[:2] if not word.startswith("-")]
    return words if words and words[0] in groups else words[:1]
