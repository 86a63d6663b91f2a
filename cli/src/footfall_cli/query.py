"""`footfall query`: a question from a file, its answer as a table."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import msgspec
import typer

from footfall_cli.connection import ask, find_connection, find_reader, open_query, refusal
from footfall_cli.options import DataDir, Json, Project, ReadKey
from footfall_cli.output import Failed, Misused, format_number, make_console, print_json, say
from footfall_cli.results import KINDS, render

LOOK_SECONDS: Final = 0.5
SAY_SECONDS: Final = 5.0


def query(
    file: Annotated[str, typer.Argument(help="A query document with its `kind`, as JSON; - is stdin.")],
    read_key: ReadKey = None,
    project: Project = None,
    data_dir: DataDir = None,
    background: Annotated[
        bool, typer.Option("--async", help="Ask as a job, which may take longer. Ctrl-C cancels it.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The answer as CSV on stdout.")] = False,
    json: Json = False,
) -> None:
    """Ask a question: trends, funnels, retention, lifecycle, stickiness or paths."""
    if csv and json:
        raise Misused("--csv and --json cannot both be the form of the answer")
    document = _read_document(file)
    kind = document.pop("kind", None)
    if kind not in KINDS:
        raise Misused(f"{file}: `kind` must be one of {', '.join(KINDS)}")
    connection = find_connection(data_dir, os.environ)
    named = project if project is not None else document.get("project_id")
    token, project_id = find_reader(connection, read_key, named)
    if project_id is not None:
        document["project_id"] = project_id
    with open_query(connection, token) as api:
        if background:
            with _job(api, kind, document) as path:
                job = _wait(api, path)
                if csv:
                    _print_csv(api.get(path, params={"format": "csv"}))
                    return
                result = job["result"]
        elif csv:
            _print_csv(api.post(f"/api/{kind}", json=document, params={"format": "csv"}))
            return
        else:
            result = ask(api, "POST", f"/api/{kind}", json=document)
    if json:
        print_json(result)
        return
    console = make_console(sys.stdout)
    for part in render(kind, result):
        console.print(part)


@contextlib.contextmanager
def _job(api: httpx.Client, kind: str, document: dict[str, Any]) -> Iterator[str]:
    """The path of a job that asks the question. Nobody needs its answer any more when the command is interrupted."""
    body = {"kind": kind, "query": document, "project_id": document.get("project_id")}
    path = f"/api/query/async/{ask(api, 'POST', '/api/query/async', json=body)['job_id']}"
    try:
        yield path
    except KeyboardInterrupt:
        ask(api, "DELETE", path)
        raise


def _wait(api: httpx.Client, path: str) -> dict[str, Any]:
    """The job once it succeeded. Raises `Failed` with what it says when it did not."""
    said = time.monotonic()
    while True:
        job: dict[str, Any] = ask(api, "GET", path)
        if job["status"] == "succeeded":
            return job
        if job["status"] in ("failed", "cancelled"):
            problem = job.get("error") or {"detail": "The job was cancelled"}
            raise Failed(problem["detail"], status=problem.get("status"), errors=problem.get("errors") or ())
        if time.monotonic() - said >= SAY_SECONDS:
            said = time.monotonic()
            read, total = (format_number(job["progress"][name]) for name in ("rows_read", "total_rows"))
            say(f"{job['status']}: {read} of about {total} rows read")
        time.sleep(LOOK_SECONDS)


def _print_csv(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise refusal(answer)
    sys.stdout.write(answer.text.replace("\r\n", "\n"))
    sys.stdout.flush()


def _read_document(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        document = msgspec.json.decode(text)
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise Misused(f"{file} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Misused(f"{file} must hold one query document, an object")
    return document
