"""What can go wrong between a question and its table.

    PolicyError
    ├── PolicyFileError      the files do not make sound tables; `.problems` names every one of them
    ├── UnknownTable         no table of that name, or no such number in it
    ├── NotInForce           the table exists, but no version of it covers the date
    └── FactError            the question itself is wrong
        ├── MissingFact      the table asks for a fact that was not given
        ├── UnknownFact      a fact was given that the table does not know
        └── FactOutOfDomain  the value is none that the table declares

A refusal is not an error: it is a `Decision` whose verdict is `deny`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing a designer has to mend. `line` is 0 where the whole file is meant."""

    file: str
    line: int
    table: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.table}: {self.text}" if self.table else f"{place}: {self.text}"


class PolicyError(Exception):
    """Root of everything this package raises."""


class PolicyFileError(PolicyError):
    """The policy files do not make sound tables."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UnknownTable(PolicyError):
    """No table, or no number in a table, has that name."""


class NotInForce(PolicyError):
    """No version of the table covers the date."""


class FactError(PolicyError):
    """The facts do not fit the table."""


class MissingFact(FactError):
    """The table asks for a fact that was not given."""


class UnknownFact(FactError):
    """A fact was given that the table does not know."""


class FactOutOfDomain(FactError):
    """The value is none of those that the table declares for the fact."""
