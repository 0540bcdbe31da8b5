"""`tendero policies`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tendero.arguments import NewFile


@click.command()
@click.option("--markdown", type=NewFile(), help="Also write the tables as a page to this file.")
def policies(markdown: Path | None) -> None:
    """Check the policy tables in data/policies for gaps, overlaps and rules that are never reached."""
    from commerce.policies import read_folder, to_markdown
    from tendero.environment import PROJECT

    found, problems = read_folder(PROJECT / "data" / "policies")
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        sys.exit(1)
    tables = sum(len(versions) for versions in found.tables.values())
    click.echo(f"{tables} tables, {sum(1 for _ in found.rules())} rules: no gaps, no overlaps")
    if markdown is not None:
        markdown.write_text(to_markdown(found), encoding="utf-8")
        click.echo(f"wrote {markdown}")
