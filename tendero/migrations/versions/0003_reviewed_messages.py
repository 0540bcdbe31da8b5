"""What designers have decided on messages that were not understood.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reviewed_message",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("place", sa.String(length=96), nullable=True),
        sa.Column("at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewed_message")),
    )


def downgrade() -> None:
    op.drop_table("reviewed_message")
