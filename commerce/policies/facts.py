"""Facts and their domains.

Every domain is mapped onto whole numbers (an enum value is its place in the list, false is 0 and true is 1), so that
matching, gaps and overlaps need one kind of arithmetic: sets of whole numbers kept as sorted, disjoint intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from commerce.policies.errors import FactOutOfDomain

Value = str | int | bool
Interval = tuple[int, int]
"""Both ends belong to it."""
Extent = tuple[Interval, ...]
"""Sorted intervals that neither overlap nor touch."""
Kind = Literal["enum", "int", "bool"]


def join(intervals: Iterable[Interval]) -> Extent:
    """The extent that covers the intervals, given in any order."""
    joined: list[Interval] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def meet(one: Extent, other: Extent) -> Extent:
    """What both have."""
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(sorted((low, high) for low, high in pairs if low <= high))


def without(whole: Extent, part: Extent) -> Extent:
    """What `whole` has and `part` has not."""
    left = whole
    for low, high in part:
        left = tuple(piece for a, b in left for piece in ((a, min(b, low - 1)), (max(a, high + 1), b)) if piece[0] <= piece[1])
    return left


def holds(extent: Extent, number: int) -> bool:
    return any(low <= number <= high for low, high in extent)


@dataclass(frozen=True)
class Fact:
    """One thing a table asks. `low` and `high` bound the whole numbers that stand for its values."""

    name: str
    kind: Kind
    low: int
    high: int
    values: tuple[str, ...] = ()  # enum: in the order of the file
    ordered: bool = False  # enum: "<= silver" makes sense
    unit: str = ""  # int: days, points, minor units, ...
    about: str = ""
    can_change: bool = True  # False: never offered as "what would change the answer"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # enum: a name for several values

    @property
    def whole(self) -> Extent:
        return ((self.low, self.high),)

    @property
    def is_scale(self) -> bool:
        """Nearer and farther make sense for its values."""
        return self.kind == "int" or self.ordered

    def index(self, value: object) -> int:
        """The whole number that stands for a value; raises FactOutOfDomain."""
        if self.kind == "enum" and isinstance(value, str) and value in self.values:
            return self.values.index(value)
        if self.kind == "bool" and isinstance(value, bool):
            return int(value)
        if self.kind == "int" and isinstance(value, int) and type(value) is not bool and self.low <= value <= self.high:
            return int(value)
        raise FactOutOfDomain(f"{self.name} is {value!r}; it may be {self.domain}")

    def value(self, index: int) -> Value:
        """The value that a whole number stands for."""
        if self.kind == "enum":
            return self.values[index]
        return bool(index) if self.kind == "bool" else index

    @property
    def domain(self) -> str:
        """The values it may have, as words for designers."""
        if self.kind == "enum":
            return (" < " if self.ordered else ", ").join(self.values)
        if self.kind == "bool":
            return "true, false"
        return f"{self.low}..{self.high}" + (f" {self.unit}" if self.unit else "")

    def phrase(self, extent: Extent) -> str:
        """An extent as a condition that a designer would write: `tier = gold`, `days_late <= 9`."""
        if self.kind != "int":
            chosen = [str(self.value(n)).replace("True", "true").replace("False", "false") for n in _each(extent)]
            return f"{self.name} = {' or '.join(chosen)}"
        return " or ".join(self._phrase_interval(low, high) for low, high in extent)

    def _phrase_interval(self, low: int, high: int) -> str:
        if low == high:
            return f"{self.name} = {low}"
        if low == self.low:
            return f"{self.name} <= {high}"
        return f"{self.name} >= {low}" if high == self.high else f"{self.name} = {low}..{high}"


def _each(extent: Extent) -> list[int]:
    return [n for low, high in extent for n in range(low, high + 1)]
