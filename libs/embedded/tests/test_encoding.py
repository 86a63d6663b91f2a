"""Compressed bodies."""

import gzip
import io
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]  # it ships no types
import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_embedded.bridge.encoding import Body, choose_encoding, make_compressor
from footfall_embedded.bridge.errors import EngineError

ENCODINGS = ["gzip", "deflate", "br", "zstd", "lz4"]


def squeeze(encoding: str, pieces: list[bytes]) -> bytes:
    compressor = make_compressor(encoding, 3)
    return b"".join(map(compressor.compress, pieces)) + compressor.flush()


def read_all(source: bytes, encoding: str, max_bytes: int = 1 << 30, size: int = 1000) -> bytes:
    body = Body(io.BytesIO(source), encoding, max_bytes)
    pieces = []
    while piece := body.read(size):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(pieces=st.lists(st.binary(max_size=300), max_size=5), repeat=st.sampled_from([1, 2000]))
@settings(max_examples=25, deadline=None)
def test_round_trip(encoding: str, pieces: list[bytes], repeat: int) -> None:
    pieces = [piece * repeat for piece in pieces]
    assert read_all(squeeze(encoding, pieces), encoding) == b"".join(pieces)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_cut_off_body_is_an_error(encoding: str) -> None:
    data = squeeze(encoding, [bytes(range(256)) * 1000])
    for end in (len(data) // 2, len(data) - 1):
        with pytest.raises(EngineError, match="CANNOT_DECOMPRESS"):
            read_all(data[:end], encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rubbish_is_an_error(encoding: str) -> None:
    with pytest.raises(EngineError, match="CANNOT_DECOMPRESS"):
        read_all(b"this is not compressed at all, not in the least", encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_bomb_goes_off_at_the_bound(encoding: str) -> None:
    bomb = squeeze(encoding, [bytes(1 << 20)] * 50)
    with pytest.raises(EngineError, match="QUERY_IS_TOO_LARGE"):
        read_all(bomb, encoding, max_bytes=4 << 20, size=1 << 20)


@pytest.mark.parametrize(
    ("compress", "encoding"),
    [(gzip.compress, "gzip"), (zstandard.ZstdCompressor().compress, "zstd"), (lz4.frame.compress, "lz4")],
)
def test_several_streams_in_one_body(compress: Callable[[bytes], bytes], encoding: str) -> None:
    assert read_all(compress(b"one ") + compress(b"") + compress(b"two"), encoding) == b"one two"


def test_raw_deflate() -> None:
    compressor = zlib.compressobj(wbits=-15)
    assert read_all(compressor.compress(b"raw") + compressor.flush(), "deflate") == b"raw"


def test_one_shot_brotli() -> None:
    data = b"".join(b"%d,%s\n" % (n, b"x" * 50) for n in range(30_000))
    assert read_all(brotli.compress(data, quality=1), "br", size=1 << 18) == data


def test_unknown_encoding() -> None:
    with pytest.raises(EngineError) as caught:
        Body(io.BytesIO(b""), "sdch", 1)
    assert caught.value.code == 89


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("GZIP;q=0.5 , zstd;q=1", "zstd"),
        ("lz4;q=0, gzip", "gzip"),
    ],
)
def test_choose_encoding(accept: str, expected: str) -> None:
    assert choose_encoding(accept) == expected
