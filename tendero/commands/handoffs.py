"""`tendero handoffs` and its subcommands."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import click

from tendero.arguments import Whole

LONGEST_NAME = 64  # what the database keeps
ID = Whole(1, 2**31 - 1, "the number that `tendero handoffs` shows")


def _name(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    name = " ".join(value.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"say who takes it, in at most {LONGEST_NAME} letters: --as Marta")
    return name


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="The list as JSON, with all that was collected and said.")
@click.pass_context
def handoffs(ctx: click.Context, as_json: bool) -> None:
    """List the conversations that need a person, the next one first.

    While a person has a conversation the assistant is silent in it; given back, it goes on with a recap.
    """
    if ctx.invoked_subcommand is None:
        _list(as_json)


@handoffs.command()
@click.argument("handoff_id", metavar="ID", type=ID)
def show(handoff_id: int) -> None:
    """Show one handoff: who, why, what is known and was tried, and what was said. Also one that has ended."""
    from database import transaction
    from messaging import handoffs as desk
    from tendero import handoff_pages

    with transaction() as session:
        page = handoff_pages.page(session, desk.by_id(session, handoff_id))
    click.echo(page)


@handoffs.command()
@click.argument("handoff_id", metavar="ID", type=ID)
@click.option("--as", "agent", metavar="NAME", required=True, callback=_name, help="Who takes it.")
def take(handoff_id: int, agent: str) -> None:
    """Take a conversation: from now on NAME answers in it, and the assistant is silent."""
    from database import transaction
    from messaging import handoffs as desk

    with transaction() as session:
        desk.take(session, handoff_id, agent, _now())
    click.echo(f"Handoff {handoff_id} is with {agent}.")


@handoffs.command("give-back")
@click.argument("handoff_id", metavar="ID", type=ID)
@click.option("--note", default="", help="For the shopper: the assistant's recap quotes it as it is.")
def give_back(handoff_id: int, note: str) -> None:
    """Give a conversation back to the assistant, which goes on with a recap."""
    from database import transaction
    from messaging import handoffs as desk

    with transaction() as session:
        desk.give_back(session, handoff_id, _now(), note)
    click.echo(f"Handoff {handoff_id} is given back to the assistant.")


@handoffs.command()
@click.argument("handoff_id", metavar="ID", type=ID)
@click.option("--note", default="", help="How it was settled; `tendero handoffs show ID` shows it.")
def resolve(handoff_id: int, note: str) -> None:
    """Note that a matter is settled, in the conversation or outside of it."""
    from database import transaction
    from messaging import handoffs as desk

    with transaction() as session:
        desk.resolve(session, handoff_id, _now(), note)
    click.echo(f"Handoff {handoff_id} is resolved.")


def _list(as_json: bool) -> None:
    from database import transaction
    from messaging import handoffs as desk
    from tendero import handoff_pages

    with transaction() as session:
        open_ones = [*desk.waiting(session), *desk.with_a_person(session)]
        if as_json:
            shown = json.dumps([_row(handoff) for handoff in open_ones], ensure_ascii=False, indent=2)
        else:
            shown = "\n\n".join(handoff_pages.entry(session, handoff) for handoff in open_ones)
    click.echo(shown or "Nobody waits for a person.")


def _row(handoff: Any) -> dict[str, Any]:
    values = {column.name: getattr(handoff, column.name) for column in handoff.__table__.columns}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _now() -> datetime:
    return datetime.now(timezone.utc)
