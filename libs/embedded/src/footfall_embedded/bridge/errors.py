"""ClickHouse's errors: their text, their codes, and the HTTP status that a real server gives each of them."""

import re

_NAMES = {
    36: "BAD_ARGUMENTS",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    75: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
    78: "UNKNOWN_TYPE_OF_QUERY",
    89: "UNKNOWN_COMPRESSION_METHOD",
    159: "TIMEOUT_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    229: "QUERY_IS_TOO_LARGE",
    236: "ABORTED",
    243: "NOT_ENOUGH_SPACE",
    271: "CANNOT_DECOMPRESS",
    358: "INTO_OUTFILE_NOT_ALLOWED",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    374: "INVALID_SESSION_TIMEOUT",
    394: "QUERY_WAS_CANCELLED",
    408: "BAD_REQUEST_PARAMETER",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    735: "QUERY_WAS_CANCELLED_BY_CLIENT",
    1002: "UNKNOWN_EXCEPTION",
}
CODES = {name: code for code, name in _NAMES.items()}

# What the server's exceptionCodeToHTTPStatus says; every other code is a 500.
_STATUS: dict[int, int] = {
    **dict.fromkeys((6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321), 400),
    **dict.fromkeys((376, 427, 441, 675, 676), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511), 404),
    **dict.fromkeys((192, 193, 497, 512, 516), 403),
    **dict.fromkeys((76, 209, 439), 503),
    48: 501,
    159: 408,
    194: 401,
    229: 413,
    381: 411,
    779: 415,
}

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
# A part of the engine that rethrows wraps the whole message of the inner error once more.
_WRAPPED = re.compile(
    r"Code: (?P<code>\d+)\. DB::Exception: (?P<inner>Code: (?P=code)\. DB::Exception: .*)"
    r" \(version [^()]*\)\. \([A-Z_0-9]+\)",
    re.DOTALL,
)


class EngineError(Exception):
    """An error of the engine, or one that the bridge raises in the engine's words.

    `code` is ClickHouse's error code, `text` the whole message: `Code: N. DB::Exception: … (NAME)`.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status that a ClickHouse server answers this error with."""
        return _STATUS.get(self.code, 500)


def refuse(name: str, message: str) -> EngineError:
    """The bridge's own error, in the engine's words: `name` is one of ClickHouse's error names."""
    code = CODES[name]
    return EngineError(code, f"Code: {code}. DB::Exception: {message} ({name})")


def read_error(text: str) -> EngineError:
    """An engine's message as an error; a message without a code is UNKNOWN_EXCEPTION (1002)."""
    text = text.strip()
    found = _CODE.search(text)
    if found is None:
        return refuse("UNKNOWN_EXCEPTION", text)
    text = text[found.start() :]
    while wrapped := _WRAPPED.fullmatch(text):
        text = wrapped["inner"]
    return EngineError(int(found.group(1)), text)
