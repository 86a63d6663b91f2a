"""The Query API's own settings."""

from __future__ import annotations

from pydantic import Field

from footfall_core.settings import Settings


class QuerySettings(Settings):
    """What only the Query API needs to know."""

    query_max_seconds: float = Field(
        default=60.0, gt=0, description="Seconds after which ClickHouse gives up on a question."
    )
    query_max_memory_bytes: int = Field(
        default=4_000_000_000, gt=0, description="ClickHouse's memory that one question may use."
    )
    query_cache_bytes: int = Field(
        default=64_000_000, ge=0, description="Memory for answers that may be asked again. Unused with `REDIS_URL`."
    )
    query_job_max_seconds: float = Field(
        default=600.0, gt=0, description="Seconds after which ClickHouse gives up on a question that runs as a job."
    )
    query_job_max_memory_bytes: int = Field(
        default=4_000_000_000, gt=0, description="ClickHouse's memory that one job may use."
    )
    query_jobs_at_once: int = Field(default=2, ge=0, description="Jobs that one instance works on at the same time.")
    query_job_keep_seconds: float = Field(
        default=86_400.0, gt=0, description="Seconds after which a job and its result are forgotten."
    )
    query_job_lease_seconds: float = Field(
        default=20.0, ge=3, description="Seconds of silence after which another instance takes over one's job."
    )
    query_job_result_bytes: int = Field(default=16_000_000, gt=0, description="Bytes that a job's result may have.")
    query_stream_events_per_second: int = Field(
        default=50, ge=1, description="Events a second that one listener of the live stream gets; it is told of more."
    )
