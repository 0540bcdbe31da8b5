"""`tendero inbox` and its subcommand."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import click

SHOWN = ("id", "turn_id", "channel", "kind", "state", "tries", "error", "trace_id")


@click.group(invoke_without_command=True)
@click.option("--text", "with_text", is_flag=True, help="Also what was written, and errors in full: they are personal.")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
@click.pass_context
def inbox(ctx: click.Context, with_text: bool, as_json: bool) -> None:
    """List the messages that have no answer yet, or whose turn has failed, the oldest first."""
    if ctx.invoked_subcommand is None:
        _list(with_text, as_json)


@inbox.command()
@click.argument("message_id", metavar="ID", type=int)
def retry(message_id: int) -> None:
    """Let a failed message be answered once more. What its actions have done already is not done again.

    A running shop takes it up within a quarter of a minute, any other when it starts. Where the channel answers in the
    request (the page, REST), nobody is there for the reply any more: it is kept, and shown to nobody.
    """
    from database import transaction
    from messaging.turns.unanswered import put_back

    with transaction() as session:
        again = put_back(session, message_id, _now())
    click.echo(f"Put back: {', '.join(str(each) for each in again)}.")


def _list(with_text: bool, as_json: bool) -> None:
    from database import transaction
    from messaging.turns.unanswered import unanswered

    with transaction() as session:
        rows = [_row(message, with_text) for message in unanswered(session)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif not rows:
        click.echo("Every message has its answer.")
    else:
        _table(rows)


def _row(message: Any, with_text: bool) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in SHOWN}
    if message.error and not with_text:
        row["error"] = message.error.partition(":")[0]  # what follows the kind of error may quote the message
    row["age_seconds"] = round((_now() - message.received_at).total_seconds(), 1)
    return {**row, "text": message.text} if with_text else row


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    headings = ("id", "state", "channel", "age", "tries", "error", *(["text"] if "text" in rows[0] else []))
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        cells = {**row, "age": _age(row["age_seconds"]), "error": (row["error"] or "")[:80], "text": row.get("text", "")[:60]}
        table.add_row(*(escape(str(cells[heading])) for heading in headings))
    Console(highlight=False).print(table)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _now() -> datetime:
    return datetime.now(timezone.utc)
