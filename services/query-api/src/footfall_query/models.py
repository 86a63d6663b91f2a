"""The tables. Every name begins with `query_`, because services may share one PostgreSQL database.

Documents are kept as the text that was sent: what it means is decided when it is asked, by the version that runs then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from footfall_core.database import NAMING, Instant

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Instant, JobStatus: String(16), int: BigInteger}  # noqa: RUF012


class Dashboard(Table):
    """A page of widgets. `version` grows with every change of it or of one of its widgets."""

    __tablename__ = "query_dashboards"
    __table_args__ = (Index(None, "project_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    project_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Widget(Table):
    """A query document with a place on a dashboard."""

    __tablename__ = "query_widgets"
    __table_args__ = (Index(None, "dashboard_id", "position"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    dashboard_id: Mapped[int] = mapped_column(Integer, ForeignKey("query_dashboards.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(64))
    query: Mapped[str] = mapped_column(Text)
    layout: Mapped[str] = mapped_column(Text)
    visualization: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Job(Table):
    """A question that is answered in the background.

    `lease_owner` and `lease_until` say which instance works on it and until when it must have said so again;
    `attempts` counts the instances that began. `result` is the answer's JSON, `error` a problem document.
    """

    __tablename__ = "query_jobs"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", "status"),
        Index(None, "status", "created_at"),
        Index(None, "project_id", "status"),
        Index(None, "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    query: Mapped[str] = mapped_column(Text)
    status: Mapped[JobStatus]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer)
    lease_owner: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None]
    rows_read: Mapped[int]
    total_rows: Mapped[int]
    result: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
