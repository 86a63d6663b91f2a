"""Projects and their keys.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auth_projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("week_start", sa.String(8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_auth_projects"),
        sa.CheckConstraint("week_start IN ('sunday', 'monday')", name=op.f("ck_auth_projects_week_start")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "auth_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(8), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("hint", sa.String(64), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_auth_keys"),
        sa.ForeignKeyConstraint(["project_id"], ["auth_projects.id"], name="fk_auth_keys_project_id"),
        sa.UniqueConstraint("key_hash", name="uq_auth_keys_key_hash"),
        sa.CheckConstraint("type IN ('write', 'read')", name=op.f("ck_auth_keys_type")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_auth_keys_project_id_id", "auth_keys", ["project_id", "id"])


def downgrade() -> None:
    op.drop_table("auth_keys")
    op.drop_table("auth_projects")
