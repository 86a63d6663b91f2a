"""Dashboards in the metadata database.

Every change begins with the dashboard's own row, so that two changes of one dashboard come one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Engine, delete, select, update
from sqlalchemy.orm import Session

from footfall_core.errors import BadRequest, Conflict, FieldError, NotFound
from footfall_query.dashboards.documents import (
    Copy,
    DashboardChange,
    Layout,
    NewDashboard,
    NewWidget,
    Place,
    WidgetChange,
)
from footfall_query.models import Dashboard, Widget
from footfall_query.questions import MAX_NAME

MAX_WIDGETS: Final = 100
COPY: Final = " (copy)"


@dataclass(frozen=True, slots=True)
class Saved:
    """A dashboard and its widgets, in their order."""

    dashboard: Dashboard
    widgets: Sequence[Widget]


class DashboardStore:
    """`clock` tells the time in UTC. Whoever calls has seen to it that the caller may."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, project_id: int, new: NewDashboard) -> Saved:
        with self._session() as session, session.begin():
            return Saved(self._add(session, project_id, new.name, new.description), [])

    def list(self, project_id: int, search: str | None, after: int, limit: int) -> Sequence[Dashboard]:
        """The project's dashboards behind the id `after`, whose names contain `search`; one more than `limit`."""
        found = select(Dashboard).where(Dashboard.project_id == project_id, Dashboard.id > after)
        if search:
            found = found.where(Dashboard.name.icontains(search, autoescape=True))
        with self._session() as session:
            return session.scalars(found.order_by(Dashboard.id).limit(limit + 1)).all()

    def project_of(self, dashboard_id: int) -> int | None:
        with self._session() as session:
            return session.scalar(select(Dashboard.project_id).where(Dashboard.id == dashboard_id))

    def read(self, dashboard_id: int) -> Saved:
        """Raises `NotFound`."""
        with self._session() as session:
            return _read(session, dashboard_id)

    def change(self, dashboard_id: int, change: DashboardChange) -> Saved:
        """Raises `NotFound`, `Conflict`, and `BadRequest` for an arrangement that does not name every widget once."""
        with self._changing(dashboard_id, change.version) as session:
            saved = _read(session, dashboard_id)
            if change.name is not None:
                saved.dashboard.name = change.name
            if change.description is not None:
                saved.dashboard.description = change.description
            if change.arrangement is not None:
                saved = Saved(saved.dashboard, _arrange(saved.widgets, change.arrangement))
            return saved

    def remove(self, dashboard_id: int, version: int | None) -> None:
        with self._changing(dashboard_id, version) as session:
            session.execute(delete(Widget).where(Widget.dashboard_id == dashboard_id))
            session.execute(delete(Dashboard).where(Dashboard.id == dashboard_id))

    def copy(self, dashboard_id: int, copy: Copy) -> Saved:
        with self._session() as session, session.begin():
            saved = _read(session, dashboard_id)
            original = saved.dashboard
            dashboard = self._add(
                session, original.project_id, copy.name or _copy_name(original.name), original.description
            )
            session.flush()
            return Saved(dashboard, [self._add_copy(session, widget, dashboard.id) for widget in saved.widgets])

    def add_widget(self, dashboard_id: int, new: NewWidget) -> Widget:
        with self._changing(dashboard_id) as session:
            widgets = _read(session, dashboard_id).widgets
            return self._add_widget(
                session,
                dashboard_id,
                widgets,
                name=new.name,
                kind=new.kind,
                query=json.dumps(new.query),
                layout=(new.layout or Layout(y=_bottom(widgets))).model_dump_json(),
                visualization=new.visualization,
            )

    def read_widget(self, dashboard_id: int, widget_id: int) -> Widget:
        """Raises `NotFound`."""
        with self._session() as session:
            return _read_widget(session, dashboard_id, widget_id)

    def change_widget(self, dashboard_id: int, widget_id: int, change: WidgetChange) -> Widget:
        with self._changing(dashboard_id) as session:
            widget = _read_widget(session, dashboard_id, widget_id)
            if change.version not in (None, widget.version):
                raise Conflict(f"The widget was changed meanwhile: this is version {widget.version}")
            if change.name is not None:
                widget.name = change.name
            if change.kind is not None:
                widget.kind = change.kind
            if change.query is not None:
                widget.query = json.dumps(change.query)
            if change.layout is not None:
                widget.layout = change.layout.model_dump_json()
            if change.visualization is not None:
                widget.visualization = change.visualization
            widget.version += 1
            widget.updated_at = self._clock()
            return widget

    def remove_widget(self, dashboard_id: int, widget_id: int, version: int | None) -> None:
        with self._changing(dashboard_id) as session:
            widget = _read_widget(session, dashboard_id, widget_id)
            if version not in (None, widget.version):
                raise Conflict(f"The widget was changed meanwhile: this is version {widget.version}")
            session.delete(widget)

    def copy_widget(self, dashboard_id: int, widget_id: int, copy: Copy) -> Widget:
        """The copy goes below all others."""
        with self._changing(dashboard_id) as session:
            original = _read_widget(session, dashboard_id, widget_id)
            widgets = _read(session, dashboard_id).widgets
            layout = Layout.model_validate_json(original.layout).model_copy(update={"x": 0, "y": _bottom(widgets)})
            return self._add_widget(
                session,
                dashboard_id,
                widgets,
                name=copy.name or _copy_name(original.name),
                kind=original.kind,
                query=original.query,
                layout=layout.model_dump_json(),
                visualization=original.visualization,
            )

    def _add(self, session: Session, project_id: int, name: str, description: str) -> Dashboard:
        now = self._clock()
        dashboard = Dashboard(
            project_id=project_id, name=name, description=description, version=1, created_at=now, updated_at=now
        )
        session.add(dashboard)
        return dashboard

    def _add_widget(self, session: Session, dashboard_id: int, widgets: Sequence[Widget], **fields: Any) -> Widget:
        if len(widgets) >= MAX_WIDGETS:
            raise Conflict(f"The dashboard has {MAX_WIDGETS} widgets, which is the most")
        now = self._clock()
        position = max((widget.position for widget in widgets), default=-1) + 1
        widget = Widget(
            dashboard_id=dashboard_id, position=position, version=1, created_at=now, updated_at=now, **fields
        )
        session.add(widget)
        session.flush()
        return widget

    def _add_copy(self, session: Session, widget: Widget, dashboard_id: int) -> Widget:
        now = self._clock()
        copy = Widget(
            dashboard_id=dashboard_id,
            position=widget.position,
            name=widget.name,
            kind=widget.kind,
            query=widget.query,
            layout=widget.layout,
            visualization=widget.visualization,
            version=1,
            created_at=now,
            updated_at=now,
        )
        session.add(copy)
        session.flush()
        return copy

    @contextmanager
    def _changing(self, dashboard_id: int, version: int | None = None) -> Iterator[Session]:
        """A transaction that changes a dashboard, for one at a time. Raises `NotFound` and `Conflict`."""
        mine = [Dashboard.id == dashboard_id, *([] if version is None else [Dashboard.version == version])]
        change = update(Dashboard).where(*mine).values(version=Dashboard.version + 1, updated_at=self._clock())
        with self._session() as session, session.begin():
            if cast("CursorResult[Any]", session.execute(change)).rowcount == 0:
                current = session.scalar(select(Dashboard.version).where(Dashboard.id == dashboard_id))
                if current is None:
                    raise _no_dashboard(dashboard_id)
                raise Conflict(f"The dashboard was changed meanwhile: this is version {current}")
            yield session

    def _session(self) -> Session:
        return Session(self._engine, expire_on_commit=False)


def _read(session: Session, dashboard_id: int) -> Saved:
    dashboard = session.get(Dashboard, dashboard_id)
    if dashboard is None:
        raise _no_dashboard(dashboard_id)
    widgets = select(Widget).where(Widget.dashboard_id == dashboard_id).order_by(Widget.position, Widget.id)
    return Saved(dashboard, session.scalars(widgets).all())


def _read_widget(session: Session, dashboard_id: int, widget_id: int) -> Widget:
    widget = session.get(Widget, widget_id)
    if widget is None or widget.dashboard_id != dashboard_id:
        raise NotFound(f"There is no widget {widget_id} on dashboard {dashboard_id}")
    return widget


def _no_dashboard(dashboard_id: int) -> NotFound:
    return NotFound(f"There is no dashboard {dashboard_id}")


def _arrange(widgets: Sequence[Widget], arrangement: Sequence[Place]) -> Sequence[Widget]:
    known = {widget.id: widget for widget in widgets}
    if sorted(place.widget_id for place in arrangement) != sorted(known):
        message = f"must name each of the dashboard's {len(known)} widgets once"
        raise BadRequest(f"arrangement: {message}", errors=[FieldError(loc=["body", "arrangement"], msg=message)])
    for position, place in enumerate(arrangement):
        known[place.widget_id].position = position
        known[place.widget_id].layout = place.layout.model_dump_json()
    return [known[place.widget_id] for place in arrangement]


def _bottom(widgets: Sequence[Widget]) -> int:
    """The first row of the grid below all widgets."""
    layouts = [Layout.model_validate_json(widget.layout) for widget in widgets]
    return max((layout.y + layout.h for layout in layouts), default=0)


def _copy_name(name: str) -> str:
    return name[: MAX_NAME - len(COPY)] + COPY
