"""Which platform a command talks to, and how it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from footfall_cli.output import Failed
from footfall_cli.sign_in import fresh_token, read_sign_in, sign_in_path
from footfall_core.auth import derive_token
from footfall_core.settings import Settings

LOCAL_FILE: Final = "local.json"
TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
VARIABLES: Final = {
    "capture_url": "FOOTFALL_CAPTURE_URL",
    "query_url": "FOOTFALL_QUERY_URL",
    "auth_url": "FOOTFALL_AUTH_URL",
    "clickhouse_url": "FOOTFALL_CLICKHOUSE_URL",
    "operator_token": "FOOTFALL_OPERATOR_TOKEN",
    "write_key": "FOOTFALL_WRITE_KEY",
    "read_key": "FOOTFALL_READ_KEY",
    "project_id": "FOOTFALL_PROJECT_ID",
}
"""What each field of a connection is called in the environment."""


class Local(msgspec.Struct, frozen=True):
    """What `footfall up` leaves in the data directory."""

    capture_url: str = ""
    query_url: str = ""
    auth_url: str = ""
    clickhouse_url: str = ""
    dashboard_url: str = ""
    operator_token: str = ""
    project_id: int = 0
    write_key: str | None = ""
    read_key: str | None = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """Addresses and credentials. `origin` says where they come from; `data_dir` is set when a platform of this
    machine is meant, `sign_in` when it is what `footfall login` left there. Empty strings are unknown, and so is
    project 0."""

    origin: str
    local: Local
    data_dir: Path | None = None
    sign_in: Path | None = None

    @property
    def may_administer(self) -> bool:
        """Whether there is a credential for the Auth API."""
        return bool(self.local.operator_token) or self.sign_in is not None

    def token(self) -> str:
        """The credential for the Auth API: the operator's, or an access token. Raises `Failed`."""
        return fresh_token(self.sign_in) if self.sign_in is not None else self.need("operator_token")

    def need(self, field: str) -> str:
        """A field that the command cannot do without. Raises `Failed` with what to set."""
        value = getattr(self.local, field)
        if value:
            return str(value)
        if self.sign_in is not None:
            raise Failed(f"{self.origin} has no {field}. Name the address when you sign in: footfall login --help")
        if self.data_dir is not None:
            raise Failed(f"{self.origin} has no {field}. Restart `footfall up` to write it anew.")
        raise Failed(f"Set {VARIABLES[field]}: this command needs it, and {self.origin} lacks it.")

    def project_id(self, given: int | None) -> int:
        """The project that was named, or else the one that `up` made."""
        if given is not None:
            return given
        if self.local.project_id:
            return self.local.project_id
        raise Failed("Say which project with --project ID, or set FOOTFALL_PROJECT_ID.")


def find_connection(data_dir: Path | None, environment: Mapping[str, str], *, signed_in: bool = True) -> Connection:
    """The platform that is meant: a data directory that was named, else addresses in the environment, else where
    `footfall login` signed in, else the data directory `./data`. Credentials of one are never sent to the addresses
    of another. Without `signed_in` the sign-in is passed over.

    Raises `Failed` when there is none.
    """
    named = data_dir or (Path(environment["FOOTFALL_DATA_DIR"]) if environment.get("FOOTFALL_DATA_DIR") else None)
    if data_dir is not None or (named is not None and (named / LOCAL_FILE).exists()):
        assert named is not None
        return _read_local(named)
    addresses = ("FOOTFALL_CAPTURE_URL", "FOOTFALL_QUERY_URL", "FOOTFALL_AUTH_URL")
    if any(environment.get(name) for name in addresses):
        return _read_environment(environment)
    path = sign_in_path(environment)
    sign_in = read_sign_in(path) if signed_in else None
    if sign_in is not None:
        local = Local(
            auth_url=sign_in.auth_url,
            query_url=sign_in.query_url,
            capture_url=sign_in.capture_url,
            project_id=_read_project_id(environment),
        )
        return Connection(f"the sign-in of {sign_in.email}", local, sign_in=path)
    return _read_local(named or Path("data"))


def _read_local(data_dir: Path) -> Connection:
    path = data_dir / LOCAL_FILE
    try:
        local = msgspec.json.decode(path.read_bytes(), type=Local)
    except FileNotFoundError:
        raise Failed(
            f"Nothing runs here: there is no {path}. Start Footfall with `footfall up`, name its data "
            "directory with --data-dir, or set FOOTFALL_CAPTURE_URL, FOOTFALL_QUERY_URL and FOOTFALL_AUTH_URL."
        ) from None
    except PermissionError:
        raise Failed(f"{path} belongs to another user: only who runs `footfall up` can use it.") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise Failed(f"{path} cannot be read: {error}") from error
    return Connection(str(path), local, data_dir)


def _read_environment(environment: Mapping[str, str]) -> Connection:
    fields: dict[str, Any] = {field: environment.get(name, "").strip() for field, name in VARIABLES.items()}
    fields["project_id"] = _read_project_id(environment)
    if not fields["operator_token"] and environment.get("FOOTFALL_SECRET_KEY"):
        fields["operator_token"] = derive_token(environment["FOOTFALL_SECRET_KEY"], "operator")
    return Connection("the environment", Local(**fields))


def _read_project_id(environment: Mapping[str, str]) -> int:
    project_id = environment.get("FOOTFALL_PROJECT_ID", "").strip() or "0"
    if not project_id.isdecimal():
        raise Failed("FOOTFALL_PROJECT_ID must be the number of a project.")
    return int(project_id)


def read_settings(data_dir: Path | None) -> Settings:
    """The settings of this machine's environment, over the data directory that was named."""
    given: dict[str, Any] = {"data_dir": data_dir} if data_dir is not None else {}
    return Settings.read(**given)


def find_clickhouse(settings: Settings, environment: Mapping[str, str]) -> str:
    """The URL of the ClickHouse that the services here write to."""
    if not environment.get("FOOTFALL_CLICKHOUSE_URL") and (settings.data_dir / LOCAL_FILE).exists():
        # The embedded ClickHouse has a password, which `up` left in the data directory.
        return find_connection(settings.data_dir, {}).need("clickhouse_url")
    return settings.clickhouse_url


@contextmanager
def open_service(url: str, token: str = "", *, hint: str = "") -> Iterator[httpx.Client]:
    """A client of one service. Its connection errors become `Failed` with the address and `hint`."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT) as client:
            yield client
    except httpx.TransportError as error:
        raise Failed(f"{url} does not answer ({_reason(error)}). {hint or 'Is Footfall running?'}") from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Failed(f"{url!r} is no address of a service: {error}") from error


def open_auth(connection: Connection) -> AbstractContextManager[httpx.Client]:
    """The Auth API, as the operator or as who is signed in."""
    return open_service(connection.need("auth_url"), connection.token(), hint=_hint(connection))


def find_reader(connection: Connection, read_key: str | None, project: int | None) -> tuple[str, int | None]:
    """The credential to ask the Query API with, and the project to name to it. A read key has its own project;
    the operator may read every one, and who is signed in their own."""
    local = connection.local
    if read_key:
        return read_key, project
    if local.read_key and project in (None, local.project_id):
        return local.read_key, project
    if connection.may_administer:
        return connection.token(), connection.project_id(project)
    return connection.need("read_key"), project


def open_query(connection: Connection, token: str) -> AbstractContextManager[httpx.Client]:
    """The Query API, with a credential of `find_reader`."""
    return open_service(connection.need("query_url"), token, hint=_hint(connection))


def _hint(connection: Connection) -> str:
    if connection.data_dir is None:
        return f"Check the addresses in {connection.origin}."
    return f"{connection.origin} names it; is `footfall up` still running?"


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


def ask(client: httpx.Client, method: str, path: str, **request: Any) -> Any:
    """The JSON of an answer, None without content. Raises `Failed` with what the service said."""
    answer = client.request(method, path, **request)
    if answer.is_success:
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise Failed(f"{answer.url} does not answer in JSON; is it the right address?") from None
    raise refusal(answer)


def refusal(answer: httpx.Response) -> Failed:
    """What a service said instead of doing what was asked."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "detail" not in problem:
        return Failed(f"{answer.url} answers {answer.status_code} {answer.reason_phrase}", status=answer.status_code)
    return Failed(str(problem["detail"]), status=answer.status_code, errors=problem.get("errors") or ())


def pages(client: httpx.Client, path: str, **parameters: Any) -> Iterator[Any]:
    """Every item of a list that comes in pages."""
    while True:
        page = ask(client, "GET", path, params=parameters)
        yield from page["results"]
        if not page.get("next_cursor"):
            return
        parameters["cursor"] = page["next_cursor"]
