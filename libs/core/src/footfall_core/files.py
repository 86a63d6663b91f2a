"""Files that a service hands to browsers: held in memory, packed once, asked for again only when they changed."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_WORTH_PACKING: Final = 1_000
_PACKED: Final = frozenset({"font/woff2", "image/png"})

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is answered. `packed` is its gzip form, where that is smaller."""

    body: bytes
    packed: bytes | None
    media_type: str
    etag: str
    cache_control: str


def make_file(name: str, body: bytes, cache_control: str) -> File:
    """A file. Its name tells the media type."""
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = None
    if len(body) >= _WORTH_PACKING and media_type not in _PACKED:
        packed = gzip.compress(body, 9, mtime=0)
    return File(
        body=body,
        packed=packed if packed is not None and len(packed) < len(body) else None,
        media_type=f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
        etag=f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        cache_control=cache_control,
    )


def answer_file(file: File, request: Request, more: Mapping[str, str] | None = None) -> Response:
    """The file, or that the caller has it already. `more` are headers of either answer."""
    headers = {"etag": file.etag, "cache-control": file.cache_control, "vary": "accept-encoding", **(more or {})}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, media_type=file.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(file.body, media_type=file.media_type, headers=headers)
