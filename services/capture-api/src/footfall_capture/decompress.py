"""Bodies as they travel → bodies as they were written: gzip, zstd, deflate and brotli, within a bound."""

from __future__ import annotations

import sys
import zlib
from typing import Final, Literal

import brotli  # type: ignore[import-untyped]  # it has no types

from footfall_core.errors import BadRequest, TooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Compression = Literal["gzip", "zstd", "zlib", "deflate", "br"]

_GZIP: Final = b"\x1f\x8b\x08"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_WBITS: Final = {"gzip": 31, "zlib": 15, "deflate": -15}
# The largest window that a zstd body may ask for over HTTP (RFC 9659): 8 MiB.
_ZSTD_OPTIONS: Final[dict[int, int]] = {zstd.DecompressionParameter.window_log_max: 23}


def decompress(body: bytes, content_encoding: str, limit: int) -> bytes:
    """`body` without its compression, at most `limit` bytes.

    The bytes themselves decide where they can, because browsers' SDKs send gzip without saying so and proxies
    unpack bodies without saying so. Only then `content_encoding`, the header's value, counts; a name in it
    that is not known is ignored.

    Raises `TooLarge` as soon as there is more than `limit`, without having unpacked it all, and `BadRequest`
    for damaged, truncated or twice compressed bodies.
    """
    compression = find_compression(body, content_encoding)
    if compression is None:
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        return body
    try:
        text, rest, complete = _unpack(body, compression, limit + 1)
    except (zlib.error, zstd.ZstdError, brotli.error) as error:
        if looks_like_json(body):
            return body
        raise BadRequest(f"The body cannot be unpacked as {compression}: {error}") from None
    if len(text) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes when unpacked.")
    if not complete:
        raise BadRequest(f"The body ends in the middle of its {compression} data.")
    if rest:
        raise BadRequest(f"{len(rest)} bytes follow the end of the body's {compression} data.")
    return text


def find_compression(body: bytes, content_encoding: str) -> Compression | None:
    """How `body` is compressed; None when it is not. Raises `BadRequest` for a stack of compressions."""
    if body.startswith(_GZIP):
        return "gzip"
    if body.startswith(_ZSTD):
        return "zstd"
    if body.startswith(b"x") and _has_zlib_header(body):  # no JSON text begins with an x
        return "zlib"
    if not content_encoding:
        return None
    names = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if len(names) > 1:
        raise BadRequest(f"Compress the body once, not as {', '.join(names)}.")
    match names:
        case ["br"]:
            return "br"
        case ["deflate"]:
            return "zlib" if _has_zlib_header(body) else "deflate"
        case ["gzip" | "x-gzip" | "zstd" as name] if not looks_like_json(body):
            raise BadRequest(f"Content-Encoding says {name}, and the body does not begin as {name} does.")
        case _:
            return None


def looks_like_json(body: bytes) -> bool:
    """Whether `body` begins as a JSON object or array does."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _has_zlib_header(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and body[0] >> 4 <= 7 and (body[0] << 8 | body[1]) % 31 == 0


def _unpack(body: bytes, compression: Compression, most: int) -> tuple[bytes, bytes, bool]:
    """At most `most` bytes of content, what follows its end, and whether the end was there."""
    match compression:
        case "zstd":
            frame = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
            return frame.decompress(body, most), frame.unused_data, frame.eof
        case "br":
            # Bytes after the end of a brotli stream are an error of its own.
            brotli_stream = brotli.Decompressor()
            text = brotli_stream.process(body, output_buffer_limit=most)
            return text, b"", brotli_stream.is_finished()
        case _:
            stream = zlib.decompressobj(_WBITS[compression])
            return stream.decompress(body, most), stream.unused_data, stream.eof
