"""The JSON documents of dashboards and widgets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from footfall_query.documents import ProjectId
from footfall_query.filters import Document
from footfall_query.models import Dashboard, Widget
from footfall_query.questions import Name, StoredDocument, Text
from footfall_query.scope import DateText, MomentText

MAX_ID: Final = 2**31 - 1

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Kind = Annotated[str, Field(min_length=1, max_length=64, examples=["trends"])]
Visualization = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$", examples=["line", "bar", "number"])]
Version = Annotated[
    int | None, Field(ge=1, description="The version that is to be changed: 409 when there is a newer one.")
]


class Layout(Document):
    """A place on a grid: the left upper corner and the size, in cells."""

    x: Annotated[int, Field(ge=0, le=1_000)] = 0
    y: Annotated[int, Field(ge=0, le=100_000)] = 0
    w: Annotated[int, Field(ge=1, le=1_000)] = 6
    h: Annotated[int, Field(ge=1, le=1_000)] = 4


class NewDashboard(Document):
    project_id: ProjectId | None = Field(default=None, description="Whose it is; may also stand in the URL.")
    name: Name = Field(examples=["Sign-ups"])
    description: Text = ""


class Place(Document):
    """Where a widget goes."""

    widget_id: Id
    layout: Layout


class DashboardChange(Document):
    """Fields that are left out or null stay as they are."""

    name: Name | None = None
    description: Text | None = None
    arrangement: list[Place] | None = Field(
        default=None, max_length=1_000, description="Every widget once, in the order that they are to have."
    )
    version: Version = None


class Copy(Document):
    """What a copy is called; without a name as the original, with “(copy)” behind."""

    name: Name | None = None


class NewWidget(Document):
    """A query document and how it is shown. Without a layout it goes below all others."""

    name: Name = Field(examples=["Sign-ups a day"])
    kind: Kind
    query: StoredDocument = Field(
        description="A query document of this kind.", examples=[{"series": [{"event": "signup"}]}]
    )
    layout: Layout | None = None
    visualization: Visualization = "auto"


class WidgetChange(Document):
    """Fields that are left out or null stay as they are. A new `kind` needs a new `query`."""

    name: Name | None = None
    kind: Kind | None = None
    query: StoredDocument | None = None
    layout: Layout | None = None
    visualization: Visualization | None = None
    version: Version = None


class Run(Document):
    """What to ask of every widget. With `date_from`, the range is that one, whatever the widgets' own says."""

    date_from: DateText | None = None
    date_to: MomentText | None = None
    refresh: bool = False


class WidgetAnswer(BaseModel):
    id: int
    name: str
    kind: str
    query: StoredDocument
    layout: Layout
    visualization: str
    version: int
    created_at: datetime
    updated_at: datetime


class DashboardSummary(BaseModel):
    id: int
    project_id: int
    name: str
    description: str
    version: int = Field(description="Grows with every change of the dashboard or of one of its widgets.")
    created_at: datetime
    updated_at: datetime


class DashboardAnswer(DashboardSummary):
    widgets: list[WidgetAnswer]


class DashboardsAnswer(BaseModel):
    results: list[DashboardSummary]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")


class WidgetResult(BaseModel):
    """A widget's answer, or the problem document that there is instead."""

    widget_id: int
    name: str
    kind: str
    visualization: str
    result: dict[str, Any] | None = Field(default=None, exclude_if=lambda value: value is None)
    error: dict[str, Any] | None = Field(default=None, exclude_if=lambda value: value is None)


class RunAnswer(BaseModel):
    dashboard_id: int
    version: int
    results: list[WidgetResult]


def summarize(dashboard: Dashboard) -> DashboardSummary:
    return DashboardSummary.model_validate(dashboard, from_attributes=True)


def show_widget(widget: Widget) -> WidgetAnswer:
    return WidgetAnswer(
        id=widget.id,
        name=widget.name,
        kind=widget.kind,
        query=json.loads(widget.query),
        layout=Layout.model_validate_json(widget.layout),
        visualization=widget.visualization,
        version=widget.version,
        created_at=widget.created_at,
        updated_at=widget.updated_at,
    )


def show_dashboard(dashboard: Dashboard, widgets: Sequence[Widget]) -> DashboardAnswer:
    summary = summarize(dashboard)
    return DashboardAnswer(**dict(summary), widgets=[show_widget(widget) for widget in widgets])
