"""Compressed bodies: reading a request's, bounded, and writing a response's."""

import zlib
from collections.abc import Callable
from typing import IO, Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types
import lz4.frame
import zstandard

from footfall_embedded.bridge.errors import refuse

_STEP = 64 * 1024
_MOST_ZSTD_WINDOW = 1 << 27
_ZSTD_STEP = 4 * 1024  # becomes 128 MiB at the very worst


class Reader(Protocol):
    """Pulls at most `size` bytes; empty at the end."""

    def read(self, size: int, /) -> bytes: ...


class Compressor(Protocol):
    """Takes pieces of a body and gives compressed pieces back."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Inflate:
    """gzip of any number of members, zlib and raw deflate."""

    def __init__(self, source: IO[bytes], raw_allowed: bool) -> None:
        self._source = source
        self._raw_allowed = raw_allowed
        self._engine = zlib.decompressobj(47)
        self._input = b""
        self._inside = False

    def read(self, size: int, /) -> bytes:
        while True:
            self._input = self._input or self._source.read(_STEP)
            if not self._input:
                if self._inside:
                    raise EOFError("it ends early")
                return b""
            try:
                out = self._engine.decompress(self._input, size)
            except zlib.error:
                if not self._raw_allowed:
                    raise
                self._raw_allowed = False
                self._engine = zlib.decompressobj(-15)
                continue
            self._raw_allowed = False
            self._inside = not self._engine.eof
            self._input = self._engine.unconsumed_tail or self._engine.unused_data
            if self._engine.eof:
                self._engine = zlib.decompressobj(47)
            if out:
                return out


class _Brotli:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._engine = brotli.Decompressor()

    def read(self, size: int, /) -> bytes:
        while not self._engine.is_finished():
            data = self._source.read(_STEP) if self._engine.can_accept_more_data() else b""
            out: bytes = self._engine.process(data, output_buffer_limit=size)
            if out:
                return out
            if not data and not self._engine.is_finished():
                raise EOFError("it ends early")
        return b""


class _Zstd:
    """Any number of frames. Its library has no bound for the output, so the input comes in small steps."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_ZSTD_WINDOW)
        self._frame = self._decompressor.decompressobj()
        self._inside = False
        self._input = b""
        self._output = b""

    def read(self, size: int, /) -> bytes:
        while not self._output:
            self._input = self._input or self._source.read(_ZSTD_STEP)
            if not self._input:
                if self._inside:
                    raise EOFError("it ends early")
                return b""
            self._output = self._frame.decompress(self._input)
            self._inside = not self._frame.eof
            self._input = b"" if self._inside else self._frame.unused_data
            if not self._inside:
                self._frame = self._decompressor.decompressobj()
        out, self._output = self._output[:size], self._output[size:]
        return out


class _Lz4:
    def __init__(self, source: IO[bytes]) -> None:
        self._reader = lz4.frame.LZ4FrameFile(source, mode="rb")

    def read(self, size: int, /) -> bytes:
        data: bytes = self._reader.read(size)
        return data


_READERS: dict[str, Callable[[IO[bytes]], Reader]] = {
    "gzip": lambda source: _Inflate(source, raw_allowed=False),
    "x-gzip": lambda source: _Inflate(source, raw_allowed=False),
    "deflate": lambda source: _Inflate(source, raw_allowed=True),
    "br": _Brotli,
    "zstd": _Zstd,
    "lz4": _Lz4,
}
_BROKEN = (ValueError, OSError, EOFError, RuntimeError, zlib.error, brotli.error, zstandard.ZstdError)


class Body:
    """A request's body, decompressed as it is read. Raises EngineError for a broken or too large one."""

    def __init__(self, source: IO[bytes], encoding: str, max_bytes: int) -> None:
        """`encoding`: the Content-Encoding, empty for none. `max_bytes` bounds the decompressed size."""
        self._encoding = encoding.strip().lower()
        self._left = max_bytes
        self._reader: Reader
        if self._encoding in ("", "identity"):
            self._reader = source
        elif self._encoding in _READERS:
            self._reader = _READERS[self._encoding](source)
        else:
            raise refuse("UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method '{self._encoding}'.")

    def read(self, size: int) -> bytes:
        """At most `size` bytes, and fewer at will; empty at the end."""
        try:
            data = self._reader.read(size)
        except _BROKEN as error:
            message = f"Cannot decompress the {self._encoding} body: {error}."
            raise refuse("CANNOT_DECOMPRESS", message) from None
        self._left -= len(data)
        if self._left < 0:
            raise refuse("QUERY_IS_TOO_LARGE", "The request's body is larger than this server accepts.")
        return data

    def read_up_to(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        pieces: list[bytes] = []
        while size > 0 and (data := self.read(size)):
            pieces.append(data)
            size -= len(data)
        return b"".join(pieces)


class _Lz4Frame:
    """lz4 writes a frame's header apart from its first block."""

    def __init__(self) -> None:
        self._engine = lz4.frame.LZ4FrameCompressor()
        self._header: bytes = self._engine.begin()

    def compress(self, data: bytes, /) -> bytes:
        out: bytes = self._take_header() + self._engine.compress(data)
        return out

    def flush(self) -> bytes:
        out: bytes = self._take_header() + self._engine.flush()
        return out

    def _take_header(self) -> bytes:
        header, self._header = self._header, b""
        return header


class _BrotliStream:
    def __init__(self, level: int) -> None:
        self._engine = brotli.Compressor(quality=level)

    def compress(self, data: bytes, /) -> bytes:
        out: bytes = self._engine.process(data)
        return out

    def flush(self) -> bytes:
        out: bytes = self._engine.finish()
        return out


# The cheapest first: the client is most likely on this machine.
_COMPRESSORS: dict[str, Callable[[int], Compressor]] = {
    "lz4": lambda _level: _Lz4Frame(),
    "zstd": lambda level: zstandard.ZstdCompressor(level=level).compressobj(),
    "br": _BrotliStream,
    "gzip": lambda level: zlib.compressobj(level, zlib.DEFLATED, 31),
    "deflate": lambda level: zlib.compressobj(level, zlib.DEFLATED, 15),
}


def choose_encoding(accept: str) -> str:
    """The Content-Encoding of a response for an Accept-Encoding header; empty for none."""
    if not accept:
        return ""
    accepted: set[str] = set()
    for part in accept.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0"):
            accepted.add(name.strip())
    return next((name for name in _COMPRESSORS if name in accepted), "")


def make_compressor(encoding: str, level: int) -> Compressor:
    """A compressor for one of the encodings that `choose_encoding` names; `level` 1 to 9."""
    return _COMPRESSORS[encoding](min(max(level, 1), 9))
