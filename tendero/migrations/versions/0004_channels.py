"""Persons as a channel knows them, and files that come from and go to channels.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbound_message", sa.Column("again", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbound_message", sa.Column("as_template", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "channel_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=160), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("since", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_address")),
        sa.UniqueConstraint("channel", "kind", "value", name=op.f("uq_channel_address_channel_kind_value")),
    )
    op.create_index(op.f("ix_channel_address_sender_id"), "channel_address", ["sender_id"], unique=False)
    op.create_table(
        "channel_contact",
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=160), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("last_inbound_at", database.base.UTCDateTime(), nullable=True),
        sa.Column("invited_at", database.base.UTCDateTime(), nullable=True),
        sa.Column("unreachable", sa.String(length=300), nullable=True),
        sa.Column("created_at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_channel_contact")),
    )
    op.create_table(
        "received_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("provider_id", sa.String(length=128), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("mime_type", sa.String(length=100), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("promised_hash", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", database.base.UTCDateTime(), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("received_at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_file")),
        sa.UniqueConstraint("channel", "provider_id", name=op.f("uq_received_file_channel_provider_id")),
    )
    op.create_index(op.f("ix_received_file_sender_id"), "received_file", ["sender_id"], unique=False)
    op.create_index(op.f("ix_received_file_sha256"), "received_file", ["sha256"], unique=False)
    op.create_table(
        "uploaded_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("provider_id", sa.String(length=128), nullable=False),
        sa.Column("expires_at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploaded_file")),
        sa.UniqueConstraint("channel", "account", "sha256", name=op.f("uq_uploaded_file_channel_account_sha256")),
    )


def downgrade() -> None:
    for table in ("uploaded_file", "received_file", "channel_address", "channel_contact"):
        op.drop_table(table)
    with op.batch_alter_table("outbound_message") as table:
        table.drop_column("as_template")
        table.drop_column("again")
