"""`tendero demo`."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--lang", help="A language that data/demo has a file for; without it, that of your terminal, else en.")
def demo(lang: str | None) -> None:
    """Say who you can be in the demo shop, and what to type to see what the assistant can do."""
    from commerce.demo import guide

    known = guide.languages()
    if lang is not None and lang not in known:
        raise click.BadParameter(f"there is a guide in: {', '.join(known)}", param_hint="--lang")
    _show(guide.guide(lang or _own(known)))


def _own(known: tuple[str, ...]) -> str:
    terminal = (os.environ.get("LC_ALL") or os.environ.get("LANG") or "")[:2]
    return terminal if terminal in known else "en"


def _show(told: object) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from commerce.demo.guide import Guide

    assert isinstance(told, Guide)
    console = Console(highlight=False)
    console.print(f"[bold]{escape(told.heading)}[/bold]\n{escape(told.before)}\n")
    people = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for persona, about in told.people:
        people.add_row(f"[bold]{escape(persona.name)}[/bold]", escape(persona.email), escape(about))
    console.print(people)
    console.print()
    tries = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for each in told.tries:
        tries.add_row(
            escape(each.persona.name.split()[0] if each.persona else "·"), f"[bold]{escape(each.say)}[/bold]", escape(each.shows)
        )
    console.print(tries)
