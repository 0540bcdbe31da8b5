"""`tendero watch`."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--poll",
    is_flag=True,
    help="Look at the files again and again, where the file system does not tell of changes: network drives, some containers.",
)
def watch(poll: bool) -> None:
    """Watch the files that designers write; check, train and use each change at once, until Ctrl-C.

    Run it beside `tendero run`, on the same machine and TENDERO_HOME. A file that is broken is told by file and line, and the
    assistant goes on as it was. Policies, labels and mail need no training. Code, endpoints.yml and credentials.yml need
    a new start.
    """
    from contextlib import closing

    from database import home_folder
    from tendero.environment import PROJECT
    from tendero.holding import hold_watch
    from tendero.obstacles import check_home
    from tendero.saves import saves
    from tendero.stopping import Stopped, stoppable
    from tendero.terminal import say
    from tendero.watching import Watcher

    home = home_folder()
    check_home(home)
    with stoppable(), hold_watch(home), closing(Watcher(home)) as watcher:
        try:
            for is_saved in saves(PROJECT, polls=poll or None):
                watcher.round(is_saved)
        except Stopped:
            say("Stopped watching.")
