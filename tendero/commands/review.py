"""`tendero review`."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from tendero.arguments import PORT, Whole

if TYPE_CHECKING:
    from tendero.review.session import Review

MOST = 50


@click.command()
@click.option("--page", is_flag=True, help="The same as a page in the browser, for this machine only.")
@click.option("--port", type=PORT, help="Of the page; without it, a free one.")
@click.option("--json", "as_json", is_flag=True, help="List the messages as JSON, with what they could be assigned to.")
@click.option("--assign", nargs=2, metavar="ID INTENT", help="Assign one message; an FAQ entry is ask_faq/<id>.")
@click.option("--text", help="With --assign: the example to write, where it is not the message as it is.")
@click.option("--language", help="With --assign: the language to write it in, where it is not the one that was told.")
@click.option("--skip", metavar="ID", help="Never show this message again.")
@click.option(
    "--days", type=Whole(1, 3650, "a number of days from 1 to 3650"), default=90, help="How far to look back.", show_default=True
)
@click.option(
    "--most", type=Whole(1, 10_000, "a number from 1 to 10000"), default=MOST, help="With --json: how many.", show_default=True
)
@click.option("--train", is_flag=True, help="Train and validate afterwards, without asking.")
def review(
    page: bool,
    port: int | None,
    as_json: bool,
    assign: tuple[str, str] | None,
    text: str | None,
    language: str | None,
    skip: str | None,
    days: int,
    most: int,
    train: bool,
) -> None:
    """Go through what shoppers wrote and was misunderstood or unsure, the most useful first, and say what was meant.

    Each message that you assign is written as an example into data/nlu, or below the question of an FAQ entry, in place.
    Numbers, names, e-mails and addresses of shoppers are replaced by the demo's before you see them.
    """
    from tendero.terminal import say

    if (text is not None or language is not None) and not assign:
        raise click.UsageError("--text and --language go with --assign ID INTENT.")
    sitting = _begin(days)
    if as_json:
        from tendero.review.as_json import as_row, as_suggestions

        rows = [{**as_row(row), "suggestions": as_suggestions(sitting, row)} for row in sitting.rows[:most]]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif skip:
        sitting.skip(skip)
        say("Skipped.")
    elif assign:
        written = sitting.assign(*assign, text, language)
        say(f"{written.place} ({written.language}): {written.text}")
    elif page:
        from tendero.review.page import serve

        serve(sitting, port)
    else:
        _sit(sitting, most)
    _end(sitting, train, may_ask=not (as_json or skip or assign))


def _begin(days: int) -> Review:
    from tendero import environment
    from tendero.review.session import Review
    from tendero.terminal import working

    with working("Reading the conversations") if sys.stdout.isatty() else nullcontext():
        return Review(environment.PROJECT, days)


def _sit(sitting: Review, most: int) -> None:
    from tendero.review.terminal import ask_at_terminal, sit, summary
    from tendero.terminal import say

    if not sitting.rows:
        say("Nothing to review: everything was understood, or is dealt with.")
    elif sys.stdin.isatty():
        sit(sitting, ask_at_terminal)
    else:
        for row in sitting.rows[:most]:
            say(f"{row.id}  {summary(row)}\n              {row.text}")
        say("\nThis is no terminal: `tendero review --assign ID INTENT` assigns one of them, `--skip ID` skips it.")


def _end(sitting: Review, train: bool, may_ask: bool) -> None:
    """How many were assigned; training and validation where they are wanted."""
    from tendero.terminal import say

    count = len(sitting.assigned)
    if may_ask and count:
        say(f"{count} message{'s' if count != 1 else ''} assigned.")
    if train or (may_ask and count and sys.stdin.isatty() and click.confirm("Train and validate now?", default=True)):
        _train()
    elif count:
        say("`tendero train` teaches the assistant what you have written.")


def _train() -> None:
    from database import home_folder
    from tendero.review.training import check_and_train
    from tendero.terminal import say, warn, working

    with working("Checking and training"):
        outcome = check_and_train(home_folder())
    for problem in outcome.problems:
        warn(problem)
    say(outcome.told)
    if not outcome.is_trained:
        sys.exit(1)
