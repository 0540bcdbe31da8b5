"""`python -m commerce.policies [FOLDER] [--markdown FILE]`: check the tables, and write them as a page."""

from __future__ import annotations

from pathlib import Path

import click

from commerce.policies.loading import read_folder
from commerce.policies.markdown import to_markdown


@click.command()
@click.argument("folder", default="data/policies", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Also write the tables to this file.")
def main(folder: Path, markdown: Path | None) -> None:
    """Check the decision tables in FOLDER for gaps, overlaps and rules that are never reached."""
    policies, problems = read_folder(folder)
    if problems:
        click.echo("\n".join(str(problem) for problem in problems))
        raise SystemExit(1)
    tables = sum(len(versions) for versions in policies.tables.values())
    click.echo(f"{tables} tables, {sum(1 for _ in policies.rules())} rules: no gaps, no overlaps")
    if markdown:
        markdown.write_text(to_markdown(policies), encoding="utf-8")
        click.echo(f"wrote {markdown}")


if __name__ == "__main__":
    main()
