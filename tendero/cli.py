"""The command `tendero`. Modules are imported when their command is called, so that help comes at once."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from tendero.environment import QUIET, python_is_supported, settle_paths

# name: (module below tendero.commands, one line of help); the order is that of the help page.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": ("run", "Start the shop: page, assistant and action server. Sets up what is missing."),
    "simulate": ("simulate", "Try the shop on a made-up WhatsApp, without an account at Meta."),
    "demo": ("demo", "Who you can be in the demo shop, and what to type."),
    "outbox": ("outbox", "Show the newest mail, one-time codes among it."),
    "train": ("train", "Train the assistant, if there is anything new to train on."),
    "validate": ("validate", "Check everything that designers write: answers, FAQ, policies, examples, rules."),
    "watch": ("watch", "Check and train what is saved, at once; the running assistant goes on with it."),
    "policies": ("policies", "Check the policy tables; write them as a page."),
    "import": ("import_", "Load a real shop from CSV and JSON Lines files."),
    "handoffs": ("handoffs", "Who waits for a person; show, take, give back or resolve a conversation."),
    "agent": ("agent", "The people who answer at the desk: let in, change, put out; where they are signed in."),
    "desk": ("desk", "What the agents' desk has done: waits, replies, what was asked again, ratings."),
    "inbox": ("inbox", "Messages that wait for an answer, or whose turn has failed; try one again."),
    "whatsapp": ("whatsapp", "Set WhatsApp up: what is missing, templates, what waits to be sent, the link for shoppers."),
    "explain": ("explain", "What is understood of a message, from which examples, and what would be done."),
    "review": ("review", "Messages that were not understood: say what was meant, and it is written as an example."),
    "replay": ("replay", "Run a stored conversation on the current model: which turns would differ?"),
    "export-customer": ("privacy", "Write down everything that is known about a customer."),
    "erase-customer": ("privacy", "Erase a customer's personal data."),
    "migrate": ("migrate", "Bring the database's tables to this version."),
    "reset": ("reset", "Forget everything in TENDERO_HOME and begin anew."),
}


class Commands(click.Group):
    """Finds a command by name without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"tendero.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_") + ("_" if cmd_name == "import" else ""))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="tendero", message="%(prog)s %(version)s")
def cli() -> None:
    """Tendero, an assistant for shops that you run yourself.

    Start with `tendero run`: it sets up a demo shop and shows where to chat with it. `tendero COMMAND --help` says more.

    \b
    TENDERO_HOME          where everything is kept (default: var/ in the project)
    TENDERO_DATABASE_URL  another database, for instance postgresql://user:password@host/shop
    TENDERO_SMTP_URL      a mail server; without it mail is written to TENDERO_HOME/outbox
    """
    settle_paths()


def main() -> None:
    """Run the command; whatever stands in its way is said in words, with exit code 1."""
    if not python_is_supported():
        from tendero.obstacles import Obstacle, check_python

        try:
            check_python()
        except Obstacle as obstacle:
            _give_up(str(obstacle))
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        cli(prog_name="tendero")
    except Exception as error:
        told = in_words(error)
        if told is None:
            raise
        _give_up(told)


def in_words(error: Exception) -> str | None:
    """What to say about an error that is nobody's mistake in our code; None for those that are."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk is full. Free some space, or set TENDERO_HOME to a folder on another disk."
    if type(error).__name__ == "ZoneInfoNotFoundError":
        return f"{error.args[0]}. Set TENDERO_TIME_ZONE to one like Europe/Madrid.".replace("'", "").replace("..", ".")
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used: {error.strerror}."
    return str(error) if type(error).__name__ in TOLD and _is_ours(error) else _database_in_words(error)


# Their messages are written for the person at the terminal; by name, since importing them all would take a second.
TOLD = frozenset(
    {
        "Obstacle",
        "DatabaseUrlError",
        "CalendarError",
        "RulesError",
        "AlertsError",
        "AskedAgainError",
        "FaqError",
        "MailTextError",
        "WordListError",
        "ChildDied",
        "TrainingFailed",
        "MigrationError",
        "MailError",
        "SecretError",
        "HandoffError",
        "NoSuchHandoff",
        "AlreadyTaken",
        "IllegalMove",
        "ShopNotEmpty",
        "PolicyFileError",
        "GuideError",
        "NotFailed",
        "NoSuchAgent",
        "NameTaken",
        "WrongValue",
        "LastAdmin",
        "PasswordRefused",
        "CannotRead",
        "CannotWrite",
        "NotListed",
        "UnknownPlace",
    }
)


def _is_ours(error: Exception) -> bool:
    return type(error).__module__.split(".")[0] in {"commerce", "database", "desk", "messaging", "tendero"}


# What to do, by what SQLite or PostgreSQL says.
DATABASE_HINTS = {
    "unable to open database file": "TENDERO_HOME has no shop yet: `tendero run` makes one, `tendero migrate` an empty one.",
    "no such table": "`tendero migrate` makes missing tables.",
    "does not exist": "`tendero migrate` makes missing tables; a missing database is yours to make.",
    "file is not a database": "Something else lies where the shop's tendero.db should be (TENDERO_HOME).",
    "refused": "Is it running, and is TENDERO_DATABASE_URL right?",
}


def _database_in_words(error: Any) -> str | None:
    if type(error).__module__ != "sqlalchemy.exc" or getattr(error, "orig", None) is None:
        return None
    reason = str(error.orig).strip().splitlines()[0]
    hint = next((hint for sign, hint in DATABASE_HINTS.items() if sign in reason), "")
    return f"The database cannot do this: {reason}.\n{hint}".rstrip()


def _give_up(text: str) -> None:
    click.echo(text, err=True)
    sys.exit(1)
