"""What the person at the terminal sees: plain lines, and a spinner where there is somebody to look at it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


def say(text: str = "") -> None:
    click.echo(text)


def warn(text: str) -> None:
    click.echo(text, err=True)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show that something takes its time: a spinner with the seconds; without a terminal, one line."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        say(f"{text} ...")
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(text, total=None)
        yield


class Watch:
    """Seconds since it was made, as a person says them."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s" if self.seconds >= 1 else "less than a second"
