"""`tendero run`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tendero.arguments import PORT


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on [env: HOST].")
@click.option("--port", envvar="PORT", type=PORT, default=5005, show_default=True, help="[env: PORT]")
@click.option(
    "--action-port",
    envvar="ACTION_PORT",
    type=PORT,
    help="Port of the action server, which only this machine reaches [env: ACTION_PORT; default: the first free from 5055 on].",
)
@click.option("--watch", "watches", is_flag=True, help="Check, train and use what is saved at once, as `tendero watch` does.")
@click.option("--no-demo", is_flag=True, help="Load no demo shop and open no REST channel.")
def run(host: str, port: int, action_port: int | None, no_demo: bool, watches: bool) -> None:
    """Start the shop and keep it running until Ctrl-C.

    Makes the database's tables, fills an empty database with the demo shop, trains the assistant if its data has changed,
    and then serves the page to chat on. Everything is kept in TENDERO_HOME (default: var/).
    """
    from database import default_url, home_folder
    from tendero import running
    from tendero.settings import Settings

    home: Path = home_folder()
    settings = Settings(home, default_url(), host, port, action_port, with_demo=not no_demo, watches=watches)
    sys.exit(running.run(settings))
