"""`tendero simulate`."""

from __future__ import annotations

import sys

import click

from tendero.arguments import PORT


@click.group()
def simulate() -> None:
    """Try the shop on a channel that is made up, on this machine only."""


@simulate.command()
@click.option("--port", type=PORT, default=8090, show_default=True, help="Of the simulator and its page.")
@click.option("--shop-port", type=PORT, default=5005, show_default=True, help="Of the shop.")
@click.option(
    "--api-only", is_flag=True, help="Start only the simulator, and print what a bot of your own needs to be wired to it."
)
@click.option("--webhook", help="With --api-only: where your bot takes webhooks, if not where Tendero does.")
@click.option("--allow-remote", is_flag=True, help="With --webhook: it may be on another machine.")
def whatsapp(port: int, shop_port: int, api_only: bool, webhook: str | None, allow_remote: bool) -> None:
    """A WhatsApp of your own: the Cloud API, and a page like a phone to chat through it.

    Starts the shop, too, wired to it. Messages are checked against Meta's limits; nothing is sent anywhere else.
    """
    if (webhook or allow_remote) and not api_only:
        raise click.UsageError("--webhook and --allow-remote go with --api-only.")
    from tendero import simulating

    wiring = simulating.Wiring.anew(port, shop_port, webhook)
    if api_only:
        simulating.serve_alone(wiring, allow_remote)
    else:
        sys.exit(simulating.run_with_shop(wiring))
