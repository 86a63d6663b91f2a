"""lz-string's base64 form, which browsers' SDKs sent until 2020. Pure."""

from __future__ import annotations

from typing import Final

from footfall_core.errors import BadRequest, TooLarge

MAX_LETTERS: Final = 64 * 1024
"""Letters of a text. It is unpacked bit by bit: so many take a third of a second."""
_GROWTH: Final = 16

_LETTERS: Final = {letter: number for number, letter in enumerate(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
)}  # fmt: skip


def decompress_lz64(letters: bytes, limit: int) -> bytes:
    """The text that `letters` pack, as UTF-8 of at most `limit` bytes.

    Raises `TooLarge` for more than `MAX_LETTERS` or `limit`, and `BadRequest` for what is not lz64.
    """
    if len(letters) * _GROWTH > limit:
        raise TooLarge(f"The body may be larger than {limit} bytes when unpacked.")
    if len(letters) > MAX_LETTERS:
        raise TooLarge(f"An lz64 body may have {MAX_LETTERS} letters.")
    try:
        # A pair of halves that were packed apart becomes one character again.
        text = (
            _unpack(_Bits(letters), limit).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        )
    except (KeyError, IndexError):
        raise BadRequest("The body cannot be unpacked as lz64.") from None
    if len(text) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes when unpacked.")
    return text


class _Bits:
    """Six bits a letter, the highest first; a number is read from its lowest bit on."""

    def __init__(self, letters: bytes) -> None:
        self._values = [_LETTERS[letter] for letter in letters if letter not in b" \r\n"]
        self._at = 0

    def read(self, count: int) -> int:
        number = 0
        for power in range(count):
            value = self._values[self._at // 6]
            number |= (value >> (5 - self._at % 6) & 1) << power
            self._at += 1
        return number


def _unpack(bits: _Bits, limit: int) -> str:
    """A dictionary coder: codes 0 and 1 bring a new character of 8 or 16 bits, 2 ends, others repeat."""
    words: list[str] = ["", "", ""]
    width, room = 2, 1  # bits of a code, and how many words may still come before it grows
    last = ""
    parts: list[str] = []
    size = 0
    while True:
        code = bits.read(width)
        if code == 2:
            return "".join(parts)
        if code < 2:
            words.append(chr(bits.read(8 if code == 0 else 16)))
            code = len(words) - 1
            if parts:
                room -= 1
                if not room:
                    room, width = 1 << width, width + 1
        word = last + last[0] if code == len(words) else words[code]
        parts.append(word)
        size += len(word)
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes when unpacked.")
        if last:
            words.append(last + word[0])
            room -= 1
            if not room:
                room, width = 1 << width, width + 1
        elif len(parts) == 1:
            width, room = 3, 4
        last = word
