"""`tendero handoffs` and its subcommands."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import click


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
@click.argument("handoff_id", metavar="ID", type=int)
@click.option("--as", "agent", metavar="NAME", required=True, help="Who takes it.")
def take(handoff_id: int, agent: str) -> None:
    """Take a conversation: from now on NAME answers in it, and the assistant is silent."""
    from database import transaction
    from messaging import handoffs as desk

    with transaction() as session:
        desk.take(session, handoff_id, agent, _now())
    click.echo(f"Handoff {handoff_id} is with {agent}.")


@handoffs.command("give-back")
@click.argument("handoff_id", metavar="ID", type=int)
@click.option("--note", default="", help="What the assistant's recap should know.")
def give_back(handoff_id: int, note: str) -> None:
    """Give a conversation back to the assistant, which goes on with a recap."""
    from database import transaction
    from messaging import handoffs as desk

    with transaction() as session:
        desk.give_back(session, handoff_id, _now(), note)
    click.echo(f"Handoff {handoff_id} is given back to the assistant.")


@handoffs.command()
@click.argument("handoff_id", metavar="ID", type=int)
@click.option("--note", default="", help="How it was settled.")
def resolve(handoff_id: int, note: str) -> None:
    """Note that a matter is settled, in the conversation or outside of it."""
    from database import transaction
    from messaging import handoffs as desk

    with transaction() as session:
        desk.resolve(session, handoff_id, _now(), note)
    click.echo(f"Handoff {handoff_id} is resolved.")


def _list(as_json: bool) -> None:
    from sqlalchemy import select

    from database import transaction
    from messaging import handoffs as desk
    from messaging.models import Handoff

    with transaction() as session:
        taken = session.execute(select(Handoff).where(Handoff.status == "assigned").order_by(Handoff.assigned_at)).scalars()
        rows = [_row(handoff) for handoff in [*desk.waiting(session), *taken]]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif not rows:
        click.echo("Nobody waits for a person.")
    else:
        _table(rows)


def _row(handoff: Any) -> dict[str, Any]:
    values = {column.name: getattr(handoff, column.name) for column in handoff.__table__.columns}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("id", "status", "since", "channel", "language", "reason", "goal", "with", "last words"):
        table.add_column(heading)
    for row in rows:
        said = [line.get("text", "") for line in row["transcript"] if line.get("by") == "shopper"]
        since = str(row["callback_at"] or row["created_at"])[:16].replace("T", " ")
        cells = (row["id"], row["status"], since, row["channel"], row["language"], row["reason"], row["goal"], row["assignee"])
        table.add_row(*(escape(str(cell or "")) for cell in cells), escape((said or [""])[-1][:60]))
    Console(highlight=False).print(table)


def _now() -> datetime:
    return datetime.now(timezone.utc)
