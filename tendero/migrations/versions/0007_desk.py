"""The agents' desk: people, their sessions, what they saw and did; handoffs with queues, leases and clocks.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sign_in_name", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("oidc_subject", sa.String(length=255), nullable=True),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("name", name=op.f("uq_agent_name")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_agent_oidc_subject")),
        sa.UniqueConstraint("sign_in_name", name=op.f("uq_agent_sign_in_name")),
    )
    op.create_table(
        "agent_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("browser", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_agent_session_token_hash")),
    )
    op.create_index(op.f("ix_agent_session_agent_id"), "agent_session", ["agent_id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("agent_name", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=True),
        sa.Column("sender_id", sa.String(length=128), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_entry_agent_id"), "audit_entry", ["agent_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index(op.f("ix_audit_entry_customer_id"), "audit_entry", ["customer_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_handoff_id"), "audit_entry", ["handoff_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_sender_id"), "audit_entry", ["sender_id"], unique=False)

    op.create_table(
        "desk_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_delivery")),
        sa.UniqueConstraint("desk", "name", name=op.f("uq_desk_delivery_desk_name")),
    )
    op.create_index(op.f("ix_desk_delivery_handoff_id"), "desk_delivery", ["handoff_id"], unique=False)
    is_open = sa.text("state = 'waiting'")
    op.create_index(
        "ix_desk_delivery_open", "desk_delivery", ["desk", "id"], unique=False, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "handoff_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_handoff_event_at"), "handoff_event", ["at"], unique=False)
    op.create_index(op.f("ix_handoff_event_handoff_id"), "handoff_event", ["handoff_id"], unique=False)
    op.create_index(op.f("ix_handoff_event_sender_id"), "handoff_event", ["sender_id"], unique=False)

    op.create_table(
        "handoff_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_note")),
        sa.UniqueConstraint("sender_id", "name", name=op.f("uq_handoff_note_sender_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_handoff_note_handoff_id"), "handoff_note", ["handoff_id"], unique=False)

    op.create_table(
        "outgoing_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_alert")),
        sa.UniqueConstraint("key", name=op.f("uq_outgoing_alert_key")),
    )
    op.create_index("ix_outgoing_alert_due", "outgoing_alert", ["sent_at", "next_try_at"], unique=False)

    op.create_table(
        "read_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.String(length=128), nullable=False),
        sa.Column("read_up_to", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_mark")),
        sa.UniqueConstraint("agent_id", "sender_id", name=op.f("uq_read_mark_agent_id_sender_id")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("has_worked", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_address", "sign_in_attempt", ["address_hash", "at"], unique=False)
    op.create_index("ix_sign_in_attempt_name", "sign_in_attempt", ["name_hash", "at"], unique=False)

    op.add_column("handoff", sa.Column("sources", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("handoff", sa.Column("queue", sa.String(length=40), nullable=True))
    op.add_column("handoff", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("handoff", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("handoff", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("handoff", sa.Column("awaiting_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("handoff", sa.Column("first_reply_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("handoff", sa.Column("last_reply_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("handoff", sa.Column("warned", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("handoff", sa.Column("resolution", sa.String(length=40), nullable=True))
    op.add_column("handoff", sa.Column("topic", sa.String(length=64), nullable=True))
    op.add_column("handoff", sa.Column("external", sa.String(length=160), nullable=True))
    op.create_index(op.f("ix_handoff_external"), "handoff", ["external"], unique=False)
    op.create_index(op.f("ix_handoff_queue"), "handoff", ["queue"], unique=False)

    op.add_column("proposal", sa.Column("agent", sa.String(length=64), nullable=True))
    with op.batch_alter_table("effect") as effect:
        effect.add_column(sa.Column("agent", sa.String(length=64), nullable=True))
        effect.add_column(sa.Column("undoes", sa.Integer(), nullable=True))
        effect.create_foreign_key(op.f("fk_effect_undoes_effect"), "effect", ["undoes"], ["id"])
        effect.create_unique_constraint(op.f("uq_effect_undoes"), ["undoes"])

    op.create_index("ix_inbound_message_of_sender", "inbound_message", ["sender_id", "id"], unique=False)
    op.add_column("outbound_message", sa.Column("author", sa.String(length=12), server_default="assistant", nullable=False))


def downgrade() -> None:
    op.drop_column("outbound_message", "author")
    op.drop_index("ix_inbound_message_of_sender", table_name="inbound_message")

    with op.batch_alter_table("effect") as effect:
        effect.drop_constraint(op.f("uq_effect_undoes"), type_="unique")
        effect.drop_constraint(op.f("fk_effect_undoes_effect"), type_="foreignkey")
        effect.drop_column("undoes")
        effect.drop_column("agent")
    op.drop_column("proposal", "agent")

    op.drop_index(op.f("ix_handoff_queue"), table_name="handoff")
    op.drop_index(op.f("ix_handoff_external"), table_name="handoff")
    op.drop_column("handoff", "external")
    op.drop_column("handoff", "topic")
    op.drop_column("handoff", "resolution")
    op.drop_column("handoff", "warned")
    op.drop_column("handoff", "last_reply_at")
    op.drop_column("handoff", "first_reply_at")
    op.drop_column("handoff", "awaiting_since")
    op.drop_column("handoff", "snoozed_until")
    op.drop_column("handoff", "lease_until")
    op.drop_column("handoff", "priority")
    op.drop_column("handoff", "queue")
    op.drop_column("handoff", "sources")

    op.drop_index("ix_sign_in_attempt_name", table_name="sign_in_attempt")
    op.drop_index("ix_sign_in_attempt_address", table_name="sign_in_attempt")

    op.drop_table("sign_in_attempt")
    op.drop_table("read_mark")
    op.drop_index("ix_outgoing_alert_due", table_name="outgoing_alert")

    op.drop_table("outgoing_alert")
    op.drop_index(op.f("ix_handoff_note_handoff_id"), table_name="handoff_note")

    op.drop_table("handoff_note")
    op.drop_index(op.f("ix_handoff_event_sender_id"), table_name="handoff_event")
    op.drop_index(op.f("ix_handoff_event_handoff_id"), table_name="handoff_event")
    op.drop_index(op.f("ix_handoff_event_at"), table_name="handoff_event")

    op.drop_table("handoff_event")
    op.drop_index(op.f("ix_audit_entry_sender_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_handoff_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_customer_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_at"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_agent_id"), table_name="audit_entry")

    op.drop_index("ix_desk_delivery_open", table_name="desk_delivery")
    op.drop_index(op.f("ix_desk_delivery_handoff_id"), table_name="desk_delivery")
    op.drop_table("desk_delivery")
    op.drop_table("audit_entry")
    op.drop_index(op.f("ix_agent_session_agent_id"), table_name="agent_session")

    op.drop_table("agent_session")
    op.drop_table("agent")
