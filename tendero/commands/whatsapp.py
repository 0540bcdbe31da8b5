"""`tendero whatsapp` and its subcommands."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.channels.whatsapp.settings import WhatsAppSettings
    from tendero.whatsapp.approved import Compared

SIGNS = {True: "ok     ", False: "MISSING", None: "note   "}
CLASS = "bot.channels.whatsapp.WhatsAppInput"


@click.group()
def whatsapp() -> None:
    """Set WhatsApp up: what is missing, which templates are approved, what waits, the link for shoppers."""


@whatsapp.command()
@click.option("--url", "public_url", metavar="URL", help="Where Meta reaches the shop: its webhook is tried, too.")
def check(public_url: str | None) -> None:
    """Say in words what is missing before the first message can be answered. Exit code 1 where something is."""
    from tendero.whatsapp.checks import findings

    async def look() -> list[bool | None]:
        seen = []
        async for finding in findings(_settings(), public_url):
            click.echo(f"{SIGNS[finding.is_good]}  {finding.words}")
            seen.append(finding.is_good)
        return seen

    if False in asyncio.run(look()):
        click.echo("\nSee docs/whatsapp.md for each step.")
        sys.exit(1)
    click.echo("\nNothing is missing as far as can be seen from here.")


@whatsapp.command()
@click.option("--create", is_flag=True, help="Print what to POST to Meta for those that are missing, as JSON.")
def templates(create: bool) -> None:
    """Compare data/templates/whatsapp.yml with what Meta has approved. Exit code 1 where one cannot be sent."""
    from bot.channels.whatsapp.graph import Graph, GraphFailure
    from bot.channels.whatsapp.templates import TemplateError, file_of_templates
    from bot.channels.whatsapp.templates import templates as read
    from tendero.whatsapp.approved import approved, compared, to_create

    settings = _settings()
    if not (settings.access_token and settings.business_account_id):
        raise click.ClickException("needs WHATSAPP_ACCESS_TOKEN and WHATSAPP_BUSINESS_ACCOUNT_ID")

    async def ask() -> list[dict[str, Any]]:
        graph = Graph(settings)
        try:
            return await approved(settings, graph)
        finally:
            await graph.close()

    try:
        found = list(compared(read(file_of_templates()), asyncio.run(ask())))
    except (GraphFailure, TemplateError) as error:
        raise click.ClickException(str(error)) from error
    if create:
        missing = [to_create(each.template) for each in found if each.status == "missing"]
        click.echo(json.dumps(missing, ensure_ascii=False, indent=2))
    else:
        _show(found)
    sys.exit(1 if any(each.problem for each in found) else 0)


def _show(found: list[Compared]) -> None:
    if not found:
        click.echo("data/templates/whatsapp.yml names no template: after 24 hours nothing can be said on WhatsApp.")
    for each in found:
        name = f"{each.template.name} ({each.template.language})"
        click.echo(f"{name:40} {each.status.lower():12} {each.problem}".rstrip())


@whatsapp.command()
@click.option("--text", default="", help="What stands in the shopper's chat, ready to be sent: it opens that topic.")
@click.option("--number", help="The shop's phone number with its country code; without it Meta is asked.")
@click.option("--code", "file", type=click.Path(dir_okay=False, path_type=Path), help="Also as a QR code: a .png or .svg file.")
def link(text: str, number: str | None, file: Path | None) -> None:
    """The link (wa.me) that opens a chat with the shop."""
    from tendero.whatsapp.links import link as address_of
    from tendero.whatsapp.links import write_code

    try:
        address = address_of(number or _number(), text)
        if file is not None:
            write_code(address, file)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(address)
    if file is not None:
        click.echo(f"Its code is in {file}.")


@whatsapp.command()
@click.option("--json", "as_json", is_flag=True)
def unsent(as_json: bool) -> None:
    """List the replies that wait, are held until the shopper writes, or have failed, the oldest first."""
    from database import transaction
    from messaging.turns.unsent import unsent as listed

    with transaction() as session:
        rows = listed(session, "whatsapp")
    if as_json:
        click.echo(json.dumps([{**vars(row), "since": row.since.isoformat()} for row in rows], ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo("Every reply was taken by WhatsApp.")
    for row in rows:
        minutes = int((datetime.now(timezone.utc) - row.since).total_seconds() // 60)
        click.echo(f"{row.id:>8}  {row.state:9} {minutes:>6} min  {row.answer or '-':36} {row.error or ''}".rstrip())


def _number() -> str:
    from bot.channels.whatsapp.graph import Graph, GraphFailure

    settings = _settings()
    if not (settings.access_token and settings.phone_number_id):
        raise click.ClickException("needs --number, or WHATSAPP_ACCESS_TOKEN and WHATSAPP_PHONE_NUMBER_ID to ask Meta for it")

    async def ask() -> dict[str, Any]:
        graph = Graph(settings)
        try:
            return await graph.read(settings.phone_number_id, fields="display_phone_number")
        finally:
            await graph.close()

    try:
        return str(asyncio.run(ask()).get("display_phone_number") or "")
    except GraphFailure as error:
        raise click.ClickException(f"Meta does not say the number: {error}") from error


def _settings() -> WhatsAppSettings:
    """As the running shop has them: credentials.yml, then the environment."""
    from rasa.shared.utils.io import read_config_file

    from bot.channels.whatsapp.settings import WhatsAppSettings
    from tendero.environment import PROJECT

    try:
        written = (read_config_file(PROJECT / "credentials.yml") or {}).get(CLASS)
        return WhatsAppSettings.of(written)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
