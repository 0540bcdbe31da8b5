"""`tendero validate`."""

from __future__ import annotations

import sys

import click


@click.command()
def validate() -> None:
    """Check everything that designers write, in every language; each problem is one line that names its file.

    FAQ, policy tables, labels, mail texts, answers (in each language, for each that the code says), training examples, and
    what `rasa data validate` checks: intents, rules, forms, slots, contradictions.
    """
    from database import home_folder
    from tendero.obstacles import check_home
    from tendero.terminal import working
    from tendero.validation import RasaValidation, every_problem

    check_home(home_folder())
    rasa = RasaValidation(home_folder())
    try:
        with working("Checking data/, domain.yml and config.yml"):
            problems, is_readable = every_problem(rasa)
    finally:
        rasa.stop()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        more = "" if is_readable else "; intents, rules and forms are checked once these files can be read"
        click.echo(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}{more}", err=True)
        sys.exit(1)
    click.echo("ok")
