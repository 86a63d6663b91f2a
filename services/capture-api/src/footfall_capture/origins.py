"""What a browser must be told to let its page send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_CORS_ANYONE: Final = ((b"access-control-allow-origin", b"*"),)
_EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After, X-Request-Id")


def cors_headers(origin: bytes | None) -> Sequence[tuple[bytes, bytes]]:
    """Headers that let a page of any origin read the answer, also when it sends cookies along."""
    if origin is None:
        return _CORS_ANYONE
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
        _EXPOSED,
    )


def preflight_headers(requested: bytes | None) -> Sequence[tuple[bytes, bytes]]:
    """What the answer to OPTIONS says besides `cors_headers`. `requested` are the headers asked for."""
    return (
        (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
        (
            b"access-control-allow-headers",
            requested or b"Authorization, Content-Type, Content-Encoding, X-API-Key",
        ),
        (b"access-control-max-age", b"86400"),
        (b"allow", b"POST, OPTIONS"),
    )
