"""Alembic's environment: which tables, which database, and one migration at a time."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection

import commerce.models  # noqa: F401  (registers its tables)
import desk.models  # noqa: F401
import messaging.models  # noqa: F401
from database import Base, default_url
from tendero.migrating import engine_for_migrations

NOT_OURS = frozenset({"events", "sqlite_sequence"})  # Rasa's tracker store makes the first, SQLite the second
THE_QUEUES = "procrastinate_"
LOCK = 7_336_337  # of PostgreSQL: two processes that start at once migrate one after the other


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    return kind != "table" or (name not in NOT_OURS and not str(name).startswith(THE_QUEUES))


def frozen_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our instant is written as the database's type: a migration must not change when our code does."""
    return "sa.DateTime(timezone=True)" if kind == "type" and type(item).__name__ == "UTCDateTime" else False


def migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=is_ours,
        render_item=frozen_type,
        render_as_batch=True,  # SQLite cannot alter a table: Alembic copies it
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    with engine_for_migrations(default_url()).begin() as connection:
        migrate(connection)


run()
