"""`tendero agent` and its subcommands: the people who answer at the desk."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from tendero.arguments import Whole

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desk.models import Agent

WHO = "command line"  # as the audit log has it
ROLES = ("agent", "supervisor", "admin")
CAPACITY = Whole(0, 100, "how many conversations come by themselves at a time: 0 to 100")
COUNT = "How many conversations come to them by themselves at a time."

Command = Callable[..., None]


def password_options(command: Command) -> Command:
    """Where the password comes from; never an argument: everybody on the machine sees it, and the shell's history keeps it."""
    stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
    generate = click.option("--generate-password", is_flag=True, help="Make a password, and show it once.")
    return stdin(generate(command))


@click.group()
def agent() -> None:
    """The people who answer shoppers at the desk: who they are, what they may, and where they are signed in.

    Roles: an agent sees the conversations of their queues; a supervisor sees all of them, moves them, and reads reports and the
    audit log; an admin manages people, too.
    """


@agent.command()
@click.argument("name")
@click.option("--sign-in-name", required=True, help="With which they sign in: an e-mail, or a short name.")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True)
@click.option("--language", "languages", multiple=True, metavar="CODE", help="Only in these languages; can be repeated.")
@click.option("--queue", "queues", multiple=True, metavar="QUEUE", help="Only of these queues; can be repeated.")
@click.option("--capacity", type=CAPACITY, default=4, show_default=True, help=COUNT)
@click.option("--no-password", is_flag=True, help="They sign in elsewhere only (single sign-on).")
@password_options
def add(name: str, no_password: bool, password_stdin: bool, generate_password: bool, **told: Any) -> None:
    """Let somebody in. NAME is how colleagues and shoppers know them; it is never given to another.

    Without an option for it the password is asked for.
    """
    from desk import accounts

    if no_password and (password_stdin or generate_password):
        raise click.UsageError("With --no-password there is none to be read or made.")
    password, is_new = (None, False) if no_password else _password(password_stdin, generate_password)

    def work(session: Session) -> str:
        made = accounts.create(session, name=name, password=password, now=_now(), **told)
        _note(session, "added_agent", made)
        return f"{made.name} ({made.role}) signs in as {made.sign_in_name}."

    click.echo(_in_transaction(work))
    _show(password if is_new else None)


@agent.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(as_json: bool) -> None:
    """List everybody, also those who were put out."""
    from desk import accounts, staffing

    everybody = _in_transaction(lambda session: accounts.shown_to_managers(session, _now()))
    if as_json:
        click.echo(json.dumps(everybody, ensure_ascii=False, indent=2))
    elif not everybody:
        click.echo("Nobody answers at the desk yet: `tendero agent add NAME --sign-in-name NAME` lets somebody in.")
    else:
        warnings = _in_transaction(lambda session: list(staffing.in_words(session)))
        click.echo("\n".join([*map(_line, everybody), *(f"! {each}" for each in warnings)]))


@agent.command()
@click.argument("name")
@click.option("--sign-in-name")
@click.option("--role", type=click.Choice(ROLES))
@click.option("--language", "languages", multiple=True, metavar="CODE", help="In place of those that they have; can be repeated.")
@click.option("--all-languages", is_flag=True)
@click.option("--queue", "queues", multiple=True, metavar="QUEUE", help="In place of those that they have; can be repeated.")
@click.option("--all-queues", is_flag=True)
@click.option("--capacity", type=CAPACITY, help=COUNT)
@click.option("--activate", is_flag=True, help="Let somebody in again who was put out.")
def change(name: str, all_languages: bool, all_queues: bool, activate: bool, **told: Any) -> None:
    """Change what somebody does. It counts from their next click on; nobody is signed out by it."""
    from desk import accounts

    given = {field: value for field, value in told.items() if value is not None and value != ()}
    given.update({"languages": []} if all_languages else {}, **({"queues": []} if all_queues else {}))
    given.update({"is_active": True} if activate else {})
    if not given:
        raise click.UsageError("Say what to change: `tendero agent change --help` shows what can be.")

    def work(session: Session) -> str:
        changed = accounts.change(session, name, _now(), **given)
        _note(session, "changed_agent", changed, changed=sorted(given), is_active=changed.is_active)
        return _line(accounts.shown_to_manager(changed, accounts.loads(session).get(changed.name, 0), _now()))

    click.echo(_in_transaction(work))


@agent.command()
@click.argument("name")
@password_options
def password(name: str, password_stdin: bool, generate_password: bool) -> None:
    """Give somebody a new password. It ends all of their sessions."""
    from desk import accounts

    new, is_new = _password(password_stdin, generate_password)

    def work(session: Session) -> str:
        whose = accounts.by_name(session, name)
        ended = accounts.set_password(session, whose, new, _now())
        _note(session, "changed_password", whose)
        return f"{whose.name} has a new password; sessions ended: {ended}."

    click.echo(_in_transaction(work))
    _show(new if is_new else None)


@agent.command()
@click.argument("name")
def deactivate(name: str) -> None:
    """Put somebody out: they are signed out at once, and cannot sign in. What they did stays under their name."""
    from desk import accounts

    def work(session: Session) -> str:
        whose = accounts.change(session, name, _now(), is_active=False)
        _note(session, "changed_agent", whose, changed=["is_active"], is_active=False)
        return f"{whose.name} cannot sign in any more. `tendero agent change {json.dumps(whose.name)} --activate` undoes it."

    click.echo(_in_transaction(work))


@agent.command()
@click.argument("name")
@click.option("--revoke", is_flag=True, help="End all of them.")
def sessions(name: str, revoke: bool) -> None:
    """Show where somebody is signed in; with --revoke, nowhere any more."""
    from desk import accounts
    from desk import sessions as desk_sessions

    def work(session: Session) -> str:
        whose = accounts.by_name(session, name)
        if revoke:
            ended = desk_sessions.end_all(session, whose.id, _now())
            _note(session, "ended_session", whose)
            return f"Sessions of {whose.name} ended: {ended}."
        rows = desk_sessions.open_sessions(session, whose.id, _now())
        return "\n".join(_session(row) for row in rows) or f"{whose.name} is signed in nowhere."

    click.echo(_in_transaction(work))


def _password(from_stdin: bool, is_generated: bool) -> tuple[str, bool]:
    """The password, and whether it has to be shown, since nobody knows it yet."""
    from desk import passwords

    if from_stdin and is_generated:
        raise click.UsageError("Either --password-stdin or --generate-password.")
    if is_generated:
        return passwords.generated(), True
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return str(click.prompt("Password", hide_input=True, confirmation_prompt="Once more")), False


def _show(password: str | None) -> None:
    if password is not None:
        click.echo(f"Password, shown this once: {password}")


def _line(shown: dict[str, Any]) -> str:
    """From `accounts.shown_to_manager`."""
    ways = [way for way, has in (("password", shown["has_password"]), ("single sign-on", shown["has_oidc"])) if has]
    parts = [
        f"{shown['name']} ({shown['role']})",
        f"signs in as {shown['sign_in_name']}" if shown["is_active"] else "cannot sign in",
        " and ".join(ways) or "no password",
        f"languages: {', '.join(shown['languages']) or 'all'}",
        f"queues: {', '.join(shown['queues']) or 'all'}",
        f"holds {shown['load']} of {shown['capacity']}",
    ]
    return " · ".join(parts)


def _session(row: Any) -> str:
    return f"{row.seen_at:%Y-%m-%d %H:%M} UTC · by {row.via} · {row.browser or 'unknown browser'}"


def _note(session: Session, action: str, whose: Agent, **details: Any) -> None:
    from desk import audit

    audit.note(session, WHO, action, details={"agent": whose.name, "role": whose.role, **details}, now=_now())


def _in_transaction(work: Callable[[Session], Any]) -> Any:
    from database import transaction

    with transaction() as session:
        return work(session)


def _now() -> datetime:
    return datetime.now(timezone.utc)
