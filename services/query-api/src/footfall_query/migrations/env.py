"""How Alembic runs this history."""

from footfall_core.database import run_history
from footfall_query.models import Table

run_history("query", Table.metadata)
