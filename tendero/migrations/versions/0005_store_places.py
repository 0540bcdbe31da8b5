"""Where stores are, to tell which is nearest.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("location", sa.Column("latitude", sa.Float(), nullable=True))
    op.add_column("location", sa.Column("longitude", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("location", "longitude")
    op.drop_column("location", "latitude")
