"""One request. The standard library's, so that the SDK brings nothing with it."""

from __future__ import annotations

import gzip
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final

from footfall.events import VERSION
from footfall.retries import Response

MIN_GZIP_BYTES: Final = 1024
_MAX_ANSWER_BYTES: Final = 1024 * 1024

Transport = Callable[[bytes], Response]
"""Sends a body. Raises OSError when there was no answer."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body."""

    def redirect_request(self, *_: Any) -> None:
        """None follows no redirect, and lets the answer through as it is."""


def make_transport(url: str, write_key: str, *, compress: bool, timeout: float) -> Transport:
    """Posts to `url` with the key in a header; proxies come from the environment, as usual. `timeout` in seconds."""
    opener = urllib.request.build_opener(_NoRedirects)
    headers = {
        "authorization": f"Bearer {write_key}",
        "content-type": "application/json",
        "user-agent": f"footfall-python/{VERSION}",
    }

    def send(body: bytes) -> Response:
        packed = compress and len(body) >= MIN_GZIP_BYTES
        more = {"content-encoding": "gzip"} if packed else {}
        data = gzip.compress(body, 6) if packed else body
        request = urllib.request.Request(url, data, {**headers, **more}, method="POST")  # noqa: S310  checked by Client
        try:
            with opener.open(request, timeout=timeout) as answer:
                return Response(answer.status, answer.headers.get("retry-after"), answer.read(_MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, error.headers.get("retry-after"))
        except http.client.HTTPException as error:
            raise OSError(f"no answer: {type(error).__name__}") from error

    return send
