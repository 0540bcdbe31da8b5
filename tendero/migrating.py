"""The database's tables, brought to the state that this version needs, or back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from database.engine import new_engine

MIGRATIONS = Path(__file__).with_name("migrations")


class MigrationError(Exception):
    """The database cannot be brought to this version's tables; the message says why and what to do."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the tables to this revision, all or nothing. Raises MigrationError."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str = "base") -> None:
    """Take the tables back to this revision; "base" leaves none of ours. Raises MigrationError."""
    _run(url, lambda config: command.downgrade(config, revision))


def is_current(url: str) -> bool:
    """Whether every migration has been applied, and none that this version does not know."""
    heads = set(ScriptDirectory(str(MIGRATIONS)).get_heads())
    try:
        with engine_for_migrations(url).begin() as connection:
            return set(MigrationContext.configure(connection).get_current_heads()) == heads
    except SQLAlchemyError as error:
        raise _unreachable(url, error) from error


def engine_for_migrations(url: str) -> Engine:
    """An engine as migrations need it: on SQLite without foreign key checks, since altering a table drops and copies it."""
    engine = new_engine(url, poolclass=NullPool)
    if url.startswith("sqlite"):
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def differences(url: str) -> list[Any]:
    """What the models have and the database has not, and the other way round; as Alembic names it."""
    found: list[Any] = []

    def compare(_revision: Any, context: MigrationContext) -> list[Any]:
        assert context.opts is not None
        found.extend(compare_metadata(context, context.opts["target_metadata"]))
        return []

    with engine_for_migrations(url).begin() as connection:
        config = _config(connection)
        _with_environment(config, compare)
    return found


def _with_environment(config: Config, compare: Any) -> None:
    from alembic.runtime.environment import EnvironmentContext

    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=compare, dont_mutate=True):
        script.run_env()


def _run(url: str, migrate: Any) -> None:
    try:
        with engine_for_migrations(url).begin() as connection:
            migrate(_config(connection))
    except CommandError as error:
        raise MigrationError(
            f"The database does not fit this version of Tendero ({error}). A newer version has probably used it: "
            "update Tendero, or give another database in TENDERO_DATABASE_URL."
        ) from error
    except SQLAlchemyError as error:
        raise _unreachable(url, error) from error


def _unreachable(url: str, error: SQLAlchemyError) -> MigrationError:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return MigrationError(f"The database {_without_password(url)} cannot be used: {reason}")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # pysqlite's own BEGIN would leave the tables' changes out of the transaction
