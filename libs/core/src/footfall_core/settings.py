"""Settings that several services share, read from `FOOTFALL_…` environment variables.

Each service subclasses `Settings` with what only it needs, builds one instance in its `main`, and passes
values on as arguments. Nothing else reads the environment.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from footfall_core.addresses import Network
from footfall_core.errors import field_errors

ENV_PREFIX: Final = "FOOTFALL_"


class BadSettings(ValueError):
    """What is wrong with them, each by the name of its variable."""


class Settings(BaseSettings):
    """The settings every service knows. The four URLs decide what Footfall runs on."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True)

    data_dir: Path = Field(default=Path("data"), description="Where the embedded log, engine and databases live.")
    event_log_url: str = Field(
        default="",
        description="`sqlite:///…` or `kafka://host:9092,…/events`; empty: `events.log.db` in `DATA_DIR`.",
    )
    clickhouse_url: str = Field(
        default="",
        description="HTTP(S) URL of ClickHouse, credentials included; empty: 127.0.0.1 at `CLICKHOUSE_PORT`.",
    )
    clickhouse_cluster: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_.-]*$",
        description="Name of the ClickHouse cluster that `footfall migrate` makes tables on; empty: one server.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL for a service's metadata, `sqlite:///…` or `postgresql+psycopg://…`; "
        "empty: one SQLite file per service in `DATA_DIR`.",
    )
    redis_url: str = Field(default="", description="`redis://…`; empty: each process keeps its own memory.")
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signs what services say to each other. At least 32 characters."
    )

    host: str = Field(default="127.0.0.1", description="Address the service listens on.")
    capture_port: int = Field(default=8000, description="Port of the Capture API.")
    query_port: int = Field(default=8001, description="Port of the Query API.")
    auth_port: int = Field(default=8002, description="Port of the Auth API.")
    consumer_port: int = Field(default=8003, description="Port of the Consumer's health and metrics.")
    dashboard_port: int = Field(default=3000, description="Port of the dashboard.")
    clickhouse_port: int = Field(default=18123, description="Port of the embedded ClickHouse endpoint.")
    clickhouse_min_free_bytes: int = Field(
        default=134_217_728,
        ge=0,
        description="What INSERTs and merges of the embedded ClickHouse leave free on its disk.",
    )
    auth_url: str = Field(default="", description="URL of the Auth API; empty: 127.0.0.1 at `AUTH_PORT`.")

    admin_email: str = Field(
        default="admin@localhost", description="Address of the admin that `footfall up` makes when there is no user."
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="Networks of the proxies whose `X-Forwarded-For` is believed, separated by commas.",
    )
    events_ttl_days: int | None = Field(
        default=None,
        ge=0,
        le=36_500,
        description="Days after its timestamp that an event is deleted; 0 keeps events. Empty: 90 for a new "
        "platform, and no change for one that is there.",
    )
    log_level: str = Field(default="info", description="`debug`, `info`, `warning` or `error`.")
    log_format: str = Field(
        default="text", pattern="^(text|json)$", description="`text` for people, `json` for machines."
    )

    @classmethod
    def read(cls, **given: Any) -> Self:
        """From the environment, but for what is given. Raises `BadSettings`."""
        try:
            return cls(**given)
        except ValidationError as error:
            # The first of each: a value that fits none of several types is found several times.
            found = {str(each["loc"][0]): each["msg"] for each in reversed(field_errors(error.errors()))}
            named = [f"{ENV_PREFIX}{name.upper()}: {found[name]}" for name in cls.model_fields if name in found]
            raise BadSettings("; ".join(named)) from error

    @model_validator(mode="before")
    @classmethod
    def _fill_urls(cls, values: dict[str, object]) -> dict[str, object]:
        """Empty URLs become the embedded defaults, so that code after this point never asks."""

        def value(name: str) -> object:
            return values.get(name) or cls.model_fields[name].default

        data_dir = Path(str(value("data_dir"))).absolute()
        values["data_dir"] = data_dir
        if not values.get("event_log_url"):
            values["event_log_url"] = f"sqlite:///{quote(str(data_dir))}/events.log.db"
        if not values.get("clickhouse_url"):
            values["clickhouse_url"] = f"http://127.0.0.1:{value('clickhouse_port')}"
        if not values.get("auth_url"):
            values["auth_url"] = f"http://127.0.0.1:{value('auth_port')}"
        return values

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    def database_url_for(self, service: str) -> str:
        """The metadata URL of one service: its own file on SQLite, its own tables on PostgreSQL."""
        return self.database_url or f"sqlite:///{self.data_dir}/{service}.db"

    def require_secret_key(self) -> str:
        """The secret key; raises `ValueError` naming the setting when it is missing or too short."""
        secret = self.secret_key.get_secret_value()
        if len(secret) < 32:
            raise ValueError("FOOTFALL_SECRET_KEY must have at least 32 characters")
        return secret
