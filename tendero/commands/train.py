"""`tendero train`."""

from __future__ import annotations

import click


@click.command()
@click.option("--force", is_flag=True, help="Train even if nothing has changed since the last training.")
def train(force: bool) -> None:
    """Train the assistant on data/, domain.yml and config.yml, for `tendero run`.

    Does nothing where these, Rasa and our components are what they were; where only answers are new, they are put into a model
    that has learnt the rest. Policies, labels and mail texts need no training.
    (`rasa train` works too; it writes to models/, which `tendero run` does not look at.)
    """
    from database import home_folder
    from tendero.obstacles import check_home
    from tendero.terminal import say, working
    from tendero.training import Training, current_model

    home = home_folder()
    check_home(home)
    if current_model(home).is_file() and not force:
        say("Nothing has changed since the last training.")
        return
    training = Training(home, force=force)
    try:
        with working("Training the assistant on the examples in data/"):
            trained = training.finish()
    finally:
        training.stop()
    say(str(trained))
