"""Removes what is kept here of deleted projects: dashboards and jobs. The Auth API says which projects those are.

It looks again and again, as the Consumer does for events, so a look that failed is made up for by the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from anyio.to_thread import run_sync
from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from footfall_core.auth import ProjectDirectory
from footfall_core.errors import Unavailable
from footfall_query.models import Dashboard, Job, Widget

logger = structlog.get_logger(__name__)

ERASE_SECONDS: Final = 60.0
AT_ONCE: Final = 500
"""Projects in one statement: databases bound the number of its values."""


def erase(engine: Engine, project_ids: Sequence[int]) -> None:
    """Remove the dashboards and jobs of these projects."""
    for first in range(0, len(project_ids), AT_ONCE):
        some = project_ids[first : first + AT_ONCE]
        with Session(engine) as session:
            dashboards = select(Dashboard.id).where(Dashboard.project_id.in_(some))
            session.execute(delete(Widget).where(Widget.dashboard_id.in_(dashboards)))
            session.execute(delete(Dashboard).where(Dashboard.project_id.in_(some)))
            session.execute(delete(Job).where(Job.project_id.in_(some)))
            session.commit()


async def keep_erasing(directory: ProjectDirectory, engine: Engine, *, seconds: float = ERASE_SECONDS) -> None:
    """Ask and erase every `seconds`, until cancelled."""
    trouble: str | None = None
    while True:
        try:
            if deleted := await directory.deleted():
                await run_sync(erase, engine, deleted)
            trouble = None
        except (Unavailable, SQLAlchemyError) as error:
            if trouble != (trouble := type(error).__name__):
                logger.warning("deleted projects wait to be removed", reason=str(error))
        await asyncio.sleep(seconds)
