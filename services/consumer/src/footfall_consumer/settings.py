"""The Consumer's settings."""

from __future__ import annotations

from pydantic import Field

from footfall_core.settings import Settings


class ConsumerSettings(Settings):
    """What only the Consumer needs to know."""

    consumer_group: str = Field(
        default="consumer", min_length=1, description="Group of the event log that the Consumer reads as."
    )
    consumer_batch_events: int = Field(
        default=50_000, ge=1, le=1_000_000, description="Most records of one batch, and so of one INSERT."
    )
    consumer_batch_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1,
        le=1024**3,
        description="Most bytes of one batch's records in the log.",
    )
    consumer_flush_ms: int = Field(
        default=250,
        ge=0,
        le=60_000,
        description="Least milliseconds between the beginnings of two INSERTs, unless batches are full.",
    )
    consumer_recent_events: int = Field(
        default=2_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="Events in each half of the window that knows most events to be new without asking "
        "ClickHouse. Each half takes 8 to 16 bytes of memory an event.",
    )
    consumer_stall_seconds: float = Field(
        default=120.0,
        ge=1,
        description="Seconds without progress after which the Consumer gives itself up, to be started again.",
    )
    consumer_erase_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Seconds between two looks for deleted projects, whose events are removed.",
    )
    store_ip: bool = Field(default=True, description="Keep the client's address as the property `$ip`.")
    geoip_db: str = Field(
        default="",
        description="A MaxMind DB file (`.mmdb`) to look up `$geoip_…` properties in; empty: none.",
    )
