"""`tendero reset`."""

from __future__ import annotations

import click


@click.command()
@click.option("--yes", is_flag=True, help="Really do it: orders, conversations and mail are gone for good.")
@click.option("--models", is_flag=True, help="Forget trained models too.")
def reset(yes: bool, models: bool) -> None:
    """Forget orders, conversations, mail and logs, and begin anew at the next `tendero run`.

    For trying things out: the demo's dates count from the day on which it was loaded. Only the default database in
    TENDERO_HOME is touched, never one that TENDERO_DATABASE_URL names.
    """
    import os

    from database import home_folder
    from tendero.holding import hold
    from tendero.obstacles import check_home
    from tendero.resetting import reset as forget

    home = home_folder()
    if os.environ.get("TENDERO_DATABASE_URL"):
        raise click.UsageError("TENDERO_DATABASE_URL names a database of its own: empty it with its own tools.")
    if not yes:
        raise click.UsageError(f"This deletes the database, mail and logs in {home}. Say so with --yes.")
    check_home(home)
    with hold(home, "reset it"):
        gone = forget(home, models)
    click.echo(f"Forgotten: {', '.join(gone)}." if gone else f"There was nothing in {home}.")
