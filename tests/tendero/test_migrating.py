"""Migrations: up and down on SQLite and PostgreSQL, and the same tables as the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

import commerce.models  # noqa: F401  (registers the tables)
import messaging.models  # noqa: F401
from database import Base
from tendero import migrating
from tendero.migrating import MigrationError


def tables(url: str) -> set[str]:
    # sqlite_sequence is SQLite's own; procrastinate's are told apart by their name.
    names = inspect(create_engine(url, future=True)).get_table_names()
    return {name for name in names if name != "sqlite_sequence" and not name.startswith("procrastinate_")}


def described(url: str) -> dict[str, Any]:
    """Everything about the tables that Alembic's comparison leaves out: checks, primary keys, unique keys, foreign keys."""
    look = inspect(create_engine(url, future=True))
    return {
        table: {
            "checks": sorted((str(check["name"]), check["sqltext"]) for check in look.get_check_constraints(table)),
            "primary": look.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(str(key["name"]) for key in look.get_unique_constraints(table)),
            "foreign": sorted(str(key["name"]) for key in look.get_foreign_keys(table)),
            "indexes": sorted(str(index["name"]) for index in look.get_indexes(table)),
        }
        for table in tables(url)
        if table != "alembic_version"
    }


def test_upgrade_makes_every_table_of_the_models(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    assert tables(empty_url) == {*Base.metadata.tables, "alembic_version"}


def test_migrated_tables_are_those_of_the_models(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    assert migrating.differences(empty_url) == []


def test_migrated_tables_have_the_constraints_of_the_models(
    empty_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    made = f"sqlite:///{tmp_path / 'made.db'}" if empty_url.startswith("sqlite") else _another_postgres(request)
    Base.metadata.create_all(create_engine(made, future=True))
    migrating.upgrade(empty_url)
    assert described(empty_url) == described(made)


def _another_postgres(request: pytest.FixtureRequest) -> str:
    server = request.getfixturevalue("postgres_server")
    with create_engine(server.get_uri(), isolation_level="AUTOCOMMIT", future=True).connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS made_by_models"))
        connection.execute(text("CREATE DATABASE made_by_models"))
    return str(server.get_uri(database="made_by_models"))


def test_downgrade_leaves_no_table_of_ours(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    migrating.downgrade(empty_url)
    assert tables(empty_url) == {"alembic_version"}


def test_upgrade_after_downgrade_works_again(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    migrating.downgrade(empty_url)
    migrating.upgrade(empty_url)
    assert migrating.differences(empty_url) == []


def test_database_is_current_after_upgrade_only(empty_url: str) -> None:
    assert not migrating.is_current(empty_url)
    migrating.upgrade(empty_url)
    assert migrating.is_current(empty_url)


def test_table_of_rasas_tracker_store_is_left_alone(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    with create_engine(empty_url, future=True).begin() as connection:
        connection.execute(text("CREATE TABLE events (id INTEGER PRIMARY KEY, sender_id VARCHAR(255))"))
    assert migrating.differences(empty_url) == []
    migrating.downgrade(empty_url)
    assert "events" in tables(empty_url)


def test_table_that_no_model_has_is_a_difference(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    with create_engine(empty_url, future=True).begin() as connection:
        connection.execute(text("CREATE TABLE stray (id INTEGER PRIMARY KEY)"))
    assert [change[0] for change in migrating.differences(empty_url)] == ["remove_table"]


def test_database_of_a_newer_version_is_told_in_words(empty_url: str) -> None:
    migrating.upgrade(empty_url)
    with create_engine(empty_url, future=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MigrationError, match="newer version"):
        migrating.upgrade(empty_url)


def test_unreachable_database_is_told_without_its_password() -> None:
    with pytest.raises(MigrationError) as caught:
        migrating.upgrade("postgresql://shop:geheim@127.0.0.1:1/shop")
    assert "127.0.0.1:1/shop" in str(caught.value)
    assert "geheim" not in str(caught.value)
