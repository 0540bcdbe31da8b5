"""`tendero export-customer` and `tendero erase-customer`."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tendero.arguments import NewFile

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from actions.customer_data import Found


@click.command("export-customer")
@click.argument("who", metavar="EMAIL|NUMBER")
@click.option("--out", type=NewFile(), help="Write to this file instead of the terminal.")
def export_customer(who: str, out: Path | None) -> None:
    """Write everything that is known about a customer as JSON: orders, points, conversations, mail, consents.

    EMAIL|NUMBER is the customer's e-mail, phone (+525555010001) or number (C-10001).
    """
    from actions import customer_data
    from database import transaction

    with transaction() as session:
        found = _find(session, who)
        everything = customer_data.export(session, found)
    text = json.dumps(everything, ensure_ascii=False, indent=2, default=str)
    if out is None:
        click.echo(text)
        return
    out.touch(mode=0o600)
    out.write_text(text + "\n", encoding="utf-8")
    click.echo(f"Everything about {found.number} is in {out}.")


@click.command("erase-customer")
@click.argument("who", metavar="EMAIL|NUMBER")
@click.option("--yes", is_flag=True, help="Really do it: it cannot be undone.")
def erase_customer(who: str, yes: bool) -> None:
    """Erase a customer's personal data; orders and points stay under the number, without a name.

    Goes: name, e-mail, phone, addresses, conversations with what was said in them, mail, labels and pictures. An order that
    is on its way, or a refund that is owed, has to be settled first.
    """
    from actions import customer_data
    from commerce.proposals import Refusal
    from database import home_folder, transaction
    from desk import privacy as desk_privacy
    from messaging.privacy import conversations_of
    from messaging.secret import secret_key

    home = home_folder()
    with transaction() as session:
        found = _find(session, who)
        if not yes:
            raise click.UsageError(f"This erases the personal data of {found.number} for good. Say so with --yes.")
        conversations = conversations_of(session, found.id, found.number)
        erased = customer_data.erase(session, found, datetime.now(timezone.utc), secret_key(home))
        if not isinstance(erased, Refusal):
            desk_privacy.forget(session, found.id, conversations)
    if isinstance(erased, Refusal):
        orders = ", ".join(erased.values.get("order_numbers", []))
        click.echo(f"Nothing was erased: {found.number} is still needed for {orders}.", err=True)
        sys.exit(1)
    files = customer_data.erase_files(home, erased)
    click.echo(
        f"{found.number} is erased: {erased.conversations} conversations, {files} files and mails; orders stay without a name."
    )


def _find(session: Session, who: str) -> Found:
    from actions import customer_data

    if not who.strip():
        raise click.UsageError("Say whose data: an e-mail, a phone or a customer's number (C-10001).")
    found = customer_data.find(session, who)
    if found is None:
        click.echo(f"There is no customer {who}.", err=True)
        sys.exit(1)
    return found
