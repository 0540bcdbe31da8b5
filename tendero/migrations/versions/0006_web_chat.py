"""The web chat's visitors, what was said there, and conversations that go on in another channel.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_visitor",
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rotated_at", database.base.UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", database.base.UTCDateTime(), nullable=True),
        sa.Column("customer", sa.String(length=64), nullable=True),
        sa.Column("customer_until", database.base.UTCDateTime(), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("read_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", database.base.UTCDateTime(), nullable=False),
        sa.Column("seen_at", database.base.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", database.base.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_web_visitor")),
    )
    op.create_table(
        "chat_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=140), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_entry")),
        sa.UniqueConstraint("sender_id", "name", name=op.f("uq_chat_entry_sender_id_name")),
        sa.UniqueConstraint("sender_id", "seq", name=op.f("uq_chat_entry_sender_id_seq")),
    )
    op.create_table(
        "used_sign_in",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("expires_at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_used_sign_in")),
    )
    op.create_index(op.f("ix_used_sign_in_expires_at"), "used_sign_in", ["expires_at"], unique=False)
    op.create_table(
        "channel_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("from_sender_id", sa.String(length=128), nullable=False),
        sa.Column("to_sender_id", sa.String(length=128), nullable=True),
        sa.Column("created_at", database.base.UTCDateTime(), nullable=False),
        sa.Column("expires_at", database.base.UTCDateTime(), nullable=False),
        sa.Column("used_at", database.base.UTCDateTime(), nullable=True),
        sa.Column("ended_at", database.base.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_link")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_channel_link_code_hash")),
    )
    op.create_index(op.f("ix_channel_link_from_sender_id"), "channel_link", ["from_sender_id"], unique=False)
    op.create_index(op.f("ix_channel_link_to_sender_id"), "channel_link", ["to_sender_id"], unique=False)
    op.create_table(
        "task_at_hand",
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("at", database.base.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_task_at_hand")),
    )


def downgrade() -> None:
    for table in ("task_at_hand", "channel_link", "used_sign_in", "chat_entry", "web_visitor"):
        op.drop_table(table)
