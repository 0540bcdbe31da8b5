"""`tendero outbox`."""

from __future__ import annotations

import dataclasses
import json

import click

from tendero.arguments import Whole

MAILS = Whole(1, 100_000, "a whole number from 1 on")


@click.command()
@click.option("-n", "--number", "count", type=MAILS, default=5, show_default=True, help="How many mails.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON list, newest first: at, recipient, subject, body, attachments, path."
)
def outbox(count: int, as_json: bool) -> None:
    """Show the newest mail that the shop has written, newest first.

    Without a mail server (TENDERO_SMTP_URL) each mail is a file in TENDERO_HOME/outbox: one-time codes, labels, receipts.
    """
    from database import home_folder
    from messaging.outbox import newest

    mails = newest(home_folder() / "outbox", count)
    if as_json:
        rows = [{**dataclasses.asdict(mail), "path": str(mail.path)} for mail in mails]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not mails:
        click.echo(f"No mail in {home_folder() / 'outbox'} yet.")
    for mail in mails:
        click.echo(f"{mail.at}\nTo: {mail.recipient}\nSubject: {mail.subject}")
        if mail.attachments:
            click.echo(f"Attached: {', '.join(mail.attachments)}")
        click.echo(f"\n{mail.body.rstrip()}\n{'-' * 60}")
