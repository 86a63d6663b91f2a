"""What a request asks for, read from its line and headers."""

import base64
import binascii
import hmac
import ipaddress
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from footfall_embedded.bridge.errors import refuse
from footfall_embedded.bridge.form import Table

# Arguments of the HTTP interface itself; every other argument is a setting or param_*.
_OWN = frozenset(
    (
        "query",
        "query_id",
        "user",
        "password",
        "quota_key",
        "role",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "buffer_size",
        "wait_end_of_query",
        "compress",
        "decompress",
        "default_format",
        "stacktrace",
        "client_protocol_version",
    )
)
_MAX_SESSION_TIMEOUT = 3600


@dataclass(slots=True)
class Request:
    """One request for a statement. `bound`: the values of `{name:Type}`; `tables`: what it brings along."""

    writes_allowed: bool
    query: bytes
    query_id: str
    query_id_is_given: bool
    default_format: str
    session_id: str
    session_timeout: float
    session_check: bool
    close_session: bool
    wait_end_of_query: bool
    buffer_bytes: int
    accept_encoding: str
    content_encoding: str
    settings: dict[str, str] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)


def _flag(value: str | None) -> bool:
    return value in ("1", "true")


def _whole(arguments: Mapping[str, str], name: str, default: int) -> int:
    text = arguments.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise refuse("BAD_REQUEST_PARAMETER", f"Argument '{name}' must be a whole number, not '{text}'.")
    return int(text)


def parse_arguments(query_string: bytes) -> dict[str, str]:
    """The URL's arguments; the first of several with one name counts, as in ClickHouse."""
    arguments: dict[str, str] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="surrogateescape"):
        arguments.setdefault(name, value)
    return arguments


def read_request(method: str, arguments: Mapping[str, str], headers: Mapping[bytes, bytes]) -> Request:
    """Raises EngineError for arguments that make no sense."""
    compressed = _flag(arguments.get("compress")) or _flag(arguments.get("decompress"))
    if compressed:
        raise refuse("NOT_IMPLEMENTED", "Arguments compress and decompress: use HTTP compression instead.")
    timeout = _session_timeout(arguments)
    given = arguments.get("query_id", "")
    default_format = arguments.get("default_format") or headers.get(b"x-clickhouse-format", b"").decode("latin-1")
    request = Request(
        writes_allowed=method == "POST",
        query=arguments.get("query", "").encode("utf-8", "surrogateescape"),
        query_id=given or str(uuid.uuid4()),
        query_id_is_given=bool(given),
        default_format=default_format or "TabSeparated",
        session_id=arguments.get("session_id", ""),
        session_timeout=timeout,
        session_check=_flag(arguments.get("session_check")),
        close_session=_flag(arguments.get("close_session")),
        wait_end_of_query=_flag(arguments.get("wait_end_of_query")),
        buffer_bytes=_whole(arguments, "buffer_size", 1 << 20),
        accept_encoding="",
        content_encoding=headers.get(b"content-encoding", b"").decode("latin-1"),
    )
    for name, value in arguments.items():
        if name.startswith("param_"):
            request.bound[name[6:]] = value
        elif name not in _OWN:
            request.settings[name] = value
    if database := headers.get(b"x-clickhouse-database"):
        request.settings.setdefault("database", database.decode("latin-1"))
    if not request.settings.get("database", "x"):
        del request.settings["database"]
    if _flag(request.settings.get("enable_http_compression")):
        request.accept_encoding = headers.get(b"accept-encoding", b"").decode("latin-1")
    if not request.writes_allowed and request.settings.get("readonly", "0") == "0":
        request.settings["readonly"] = "2"
    return request


def _session_timeout(arguments: Mapping[str, str]) -> float:
    text = arguments.get("session_timeout", "60")
    if not text.isdecimal():
        raise refuse("INVALID_SESSION_TIMEOUT", f"Invalid session timeout: '{text}'.")
    if int(text) > _MAX_SESSION_TIMEOUT:
        raise refuse(
            "INVALID_SESSION_TIMEOUT",
            f"Session timeout '{text}' is larger than max_session_timeout: {_MAX_SESSION_TIMEOUT}.",
        )
    return float(text)


def refuse_web_pages(headers: Mapping[bytes, bytes], only_local: bool) -> None:
    """Raises EngineError 497 for a request that a page in somebody's browser makes.

    A page may send a POST to any address on the machine, and reads the answer if it makes its own host name point
    there; the bridge's usual account has no password. `only_local`: the bridge listens on the loopback interface, so
    an honest Host is one of its names.
    """
    foreign = b"origin" in headers or headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
    if not foreign and only_local:
        foreign = not is_local_name(headers.get(b"host", b"localhost").decode("latin-1"))
    if foreign:
        raise refuse("ACCESS_DENIED", "Web pages may not send queries.")


def is_local_name(host: str) -> bool:
    """Whether a host, with or without a port, is localhost or a loopback address."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Account:
    """The one account of the bridge."""

    user: str
    password: str


def authenticate(arguments: Mapping[str, str], headers: Mapping[bytes, bytes], account: Account) -> None:
    """Check the user and password of the headers, of Basic auth, or of the URL. Raises EngineError 516."""
    user, password = _credentials(arguments, headers)
    same_user = hmac.compare_digest(user.encode("utf-8", "surrogateescape"), account.user.encode())
    same_password = hmac.compare_digest(password.encode("utf-8", "surrogateescape"), account.password.encode())
    if not (same_user and same_password):
        shown = user.encode("ascii", "backslashreplace").decode()
        raise refuse(
            "AUTHENTICATION_FAILED",
            f"{shown}: Authentication failed: password is incorrect, or there is no user with such name.",
        )


def _credentials(arguments: Mapping[str, str], headers: Mapping[bytes, bytes]) -> tuple[str, str]:
    header_user = headers.get(b"x-clickhouse-user")
    header_password = headers.get(b"x-clickhouse-key")
    if header_user or header_password:
        return (header_user or b"default").decode("utf-8", "replace"), (header_password or b"").decode(
            "utf-8", "replace"
        )
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise refuse("AUTHENTICATION_FAILED", "Invalid authentication: bad Authorization header.") from None
        return user, password
    return arguments.get("user") or "default", arguments.get("password", "")


def first_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by lower-case name; the first of several counts."""
    headers: dict[bytes, bytes] = {}
    for name, value in raw:
        headers.setdefault(name, value)
    return headers
