"""In which form an answer is sent: JSON, or CSV for those who ask for it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response

from footfall_query.runner import Insight
from footfall_query.tables import Format, Table, write_csv

CSV: Final = "text/csv"

CSV_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}},
}
"""The `responses=` of a route whose answer may be CSV."""


def _read_format(
    request: Request,
    format: Annotated[
        Format | None, Query(description="`csv`: the answer as a table. Default: what `Accept` says, else `json`.")
    ] = None,
) -> Format:
    return format or read_accept(request.headers.get("accept", ""))


FormatDep = Annotated[Format, Depends(_read_format)]


def read_accept(header: str) -> Format:
    """CSV only when the header asks for it, and not for JSON before it."""
    for kind in (part.partition(";")[0].strip().lower() for part in header.split(",")):
        if kind == CSV:
            return "csv"
        if kind == "application/json":
            break
    return "json"


def respond(insight: Insight[Any, Any], body: bytes, format: Format, *, name: str = "") -> Response:
    """An answer's JSON as a response. The next page's cursor of a list that goes out as CSV is a header."""
    if format == "json":
        return Response(body, media_type="application/json")
    answer = json.loads(body)
    response = respond_table(insight.table(answer), name or insight.kind)
    if answer.get("next_cursor"):
        response.headers["x-next-cursor"] = answer["next_cursor"]
    return response


def respond_table(table: Table, name: str) -> Response:
    """A table as a file of this name."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(write_csv(table), media_type=f"{CSV}; charset=utf-8; header=present", headers=headers)
