"""What is typed on the command line, refused in words."""

from __future__ import annotations

from pathlib import Path

import click


class Whole(click.ParamType[int]):
    """A whole number from `low` to `high`; what: how to say it, as in "give a port: a number from 1 to 65535"."""

    name = "number"

    def __init__(self, low: int, high: int, what: str) -> None:
        self._low, self._high, self._what = low, high, what

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Raises BadParameter for what is none, or is too small or too large."""
        text = str(value).strip()
        number = int(text) if text.isascii() and text.lstrip("-").isdecimal() and len(text) <= 20 else None
        if number is None or not self._low <= number <= self._high:
            self.fail(f"{text!r} does not fit: give {self._what}.", param, ctx)
        return number


class NewFile(click.Path):
    """A file to write, in a folder that is there."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path. Raises BadParameter for a folder, and where there is none to write in."""
        file = Path(str(super().convert(value, param, ctx)))  # type: ignore[arg-type]
        if not file.parent.is_dir():
            self.fail(f"There is no folder {file.parent}.", param, ctx)
        return file


PORT = Whole(1, 65535, "a port: a whole number from 1 to 65535")
