"""What only the dashboard can be told."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from footfall_core.settings import Settings


class DashboardSettings(Settings):
    """The settings of the dashboard's server."""

    query_url: str = Field(default="", description="URL of the Query API; empty: 127.0.0.1 at `QUERY_PORT`.")
    public_capture_url: str = Field(
        default="",
        description="Where clients send events, as the page Connect shows it; empty: the host that the browser "
        "asked, at `CAPTURE_PORT`.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_query_url(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("query_url"):
            port = values.get("query_port") or cls.model_fields["query_port"].default
            values["query_url"] = f"http://127.0.0.1:{port}"
        return values
