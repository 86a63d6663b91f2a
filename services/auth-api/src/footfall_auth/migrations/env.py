"""How Alembic runs this history."""

from footfall_auth.models import Table
from footfall_core.database import run_history

run_history("auth", Table.metadata)
