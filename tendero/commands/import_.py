"""`tendero import`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import click

Progress = Callable[[str, int, int], None]
MOST_PROBLEMS = 200  # shown


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
def import_(folder: Path) -> None:
    """Load a shop from the CSV and JSON Lines files in DIR: all of it, or nothing.

    docs/import.md describes the files. Every problem is named by file, line, column and reason, all in one go. Loading the
    same files again changes nothing.
    """
    from commerce.importing import ImportFailed, import_shop
    from database import default_url, home_folder, transaction
    from tendero import migrating
    from tendero.obstacles import check_home

    check_home(home_folder())
    migrating.upgrade(default_url())
    try:
        with _bars() as progress, transaction() as session:
            report = import_shop(session, folder, datetime.now(timezone.utc), progress)
    except ImportFailed as failed:
        _tell_problems([str(problem) for problem in failed.problems])
        sys.exit(1)
    for each in report.files:
        skipped = f", {each.skipped:,} skipped (erased customers)" if each.skipped else ""
        click.echo(f"{each.name}: {each.added:,} added, {each.changed:,} changed, {each.unchanged:,} unchanged{skipped}")
    if not report.has_changes:
        click.echo("Everything was there already.")


def _tell_problems(problems: list[str]) -> None:
    for problem in problems[:MOST_PROBLEMS]:
        click.echo(problem, err=True)
    if len(problems) > MOST_PROBLEMS:
        click.echo(f"... and {len(problems) - MOST_PROBLEMS:,} more", err=True)
    click.echo(f"Nothing was imported: {len(problems):,} problem{'s' if len(problems) != 1 else ''} to mend first.", err=True)


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each file; without a terminal, a line for each."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, object] = {}

        def show(name: str, done: int, total: int) -> None:
            task = tasks.setdefault(name, progress.add_task(name, total=total) if name not in tasks else None)
            progress.update(task, completed=done, total=total)  # type: ignore[arg-type]

        yield show


def _lines() -> Progress:
    seen: set[str] = set()

    def show(name: str, done: int, total: int) -> None:
        if name not in seen:
            seen.add(name)
            click.echo(f"Reading {name} ...", err=True)

    return show
