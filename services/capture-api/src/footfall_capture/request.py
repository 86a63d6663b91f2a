"""What a request says besides its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """`now` is Unix milliseconds; `parameters` are those of the query string, the last of each name."""

    headers: Headers
    peer: str
    forwarded_for: str
    now: int
    path: str = "/capture"
    parameters: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: bytes) -> str:
        """The header's value, empty if there is none."""
        return self.headers.get(name, b"").decode("latin-1")
