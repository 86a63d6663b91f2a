"""Bodies as SDKs wrap them → JSON text: forms with `data=`, base64, and compressions, named or not. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from footfall_capture.decompress import decompress, find_compression, looks_like_json
from footfall_capture.lz64 import decompress_lz64
from footfall_capture.request import Request

_looks_like_form: Final = re.compile(rb"(?:(?:_|ip|ver|compression)=[^&]*&)*data=").match
_is_base64: Final = re.compile(rb"[A-Za-z0-9+/_\-\s]+={0,2}\s*").fullmatch
_LZ64: Final = frozenset(("lz64", "lz-string"))


def unwrap(body: bytes, request: Request, limit: int) -> bytes:
    """The text of `body`, at most `limit` bytes.

    `data` among the query's parameters counts before the body, as pixels send it. What the bytes themselves say
    counts before every name of a compression, but for `lz64`, which has no mark of its own.

    Raises `TooLarge` and `BadRequest` as `decompress` does.
    """
    parameters = request.parameters
    if parameters.get("data"):
        # In a base64 text a plus sign stands for itself, although a form would read it as a space.
        body = parameters["data"].replace(" ", "+" if parameters["data"][:1] not in "{[" else " ").encode()
    content_encoding = request.header(b"content-encoding")
    text = decompress(body, content_encoding, limit)
    if looks_like_json(text):
        return text
    compression = parameters.get("compression", "")
    if _looks_like_form(text[:200]):
        text, named = _read_form(text)
        compression = compression or named
    if (compression or content_encoding).lower() in _LZ64:
        return decompress_lz64(text, limit)
    packed = _decode_base64(text)
    return text if packed is None else decompress(packed, "", limit)


def _read_form(text: bytes) -> tuple[bytes, str]:
    """`data` of a form, and the compression that it names; empty if it names none."""
    fields = dict(part.partition(b"=")[::2] for part in text.split(b"&"))
    data = fields.get(b"data", b"")
    plain = unquote_to_bytes(data)
    if looks_like_json(plain):
        plain = unquote_to_bytes(data.replace(b"+", b" "))
    else:
        plain = plain.replace(b" ", b"+")
    return plain, unquote(fields.get(b"compression", b"").decode("latin-1"))


def _decode_base64(text: bytes, levels: int = 2) -> bytes | None:
    """The body whose base64 form `text` is, itself in base64 at most once more; None when it is none."""
    if not levels or not _is_base64(text):
        return None
    letters = b"".join(text.split()).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        plain = base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        return None
    if looks_like_json(plain) or find_compression(plain, "") is not None:
        return plain
    return _decode_base64(plain, levels - 1)
