"""`tendero migrate`."""

from __future__ import annotations

import click


@click.command()
def migrate() -> None:
    """Bring the database's tables to this version. `tendero run` does it by itself; before `rasa run` it is up to you."""
    from database import default_url, home_folder
    from tendero import migrating
    from tendero.obstacles import check_home

    check_home(home_folder())
    if migrating.is_current(default_url()):
        click.echo("The tables are up to date.")
        return
    migrating.upgrade(default_url())
    click.echo("The tables are at this version now.")
