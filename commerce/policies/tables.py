"""Decision tables: a question with its facts goes in, a `Decision` comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from commerce.policies.conditions import Condition, Number, resolve_value
from commerce.policies.errors import MissingFact, NotInForce, UnknownFact, UnknownTable
from commerce.policies.facts import Extent, Fact, Value, holds

Verdict = Literal["allow", "deny", "needs_human"]
Hit = Literal["unique", "first"]
Box = tuple[Extent, ...]
"""One extent for each fact of the table, in its order."""
Point = tuple[int, ...]
"""One whole number for each fact of the table, in its order."""


@dataclass(frozen=True)
class Change:
    """The answer would be `allow` by `rule` if only `fact` were `to` (the nearest such value, on a scale)."""

    fact: str
    to: Value
    verdict: Verdict
    rule: str


@dataclass(frozen=True)
class Decision:
    """A verdict and where it comes from. `reason` and `nearest` are keys for words, never words."""

    verdict: Verdict
    rule: str
    table: str
    reason: str
    nearest: str | None
    values: Mapping[str, object]
    would_change: tuple[Change, ...] = ()

    @property
    def is_allowed(self) -> bool:
        return self.verdict == "allow"

    @property
    def needs_human(self) -> bool:
        return self.verdict == "needs_human"


@dataclass(frozen=True)
class Rule:
    id: str
    verdict: Verdict
    reason: str
    nearest: str | None
    when: Mapping[str, Condition]
    is_otherwise: bool
    raw_when: object  # as the designer wrote it, for the documentation
    raw_values: Mapping[str, object]
    values: Mapping[str, object]  # formulas parsed
    boxes: tuple[Box, ...]
    line: int

    def matches(self, point: Point) -> bool:
        return any(all(map(holds, box, point)) for box in self.boxes)


@dataclass(frozen=True)
class Table:
    """One version of a table, in force from `effective_from` to `effective_until`, both days included."""

    name: str
    file: str
    line: int
    about: str
    effective_from: date
    effective_until: date | None
    hit: Hit
    facts: tuple[Fact, ...]
    numbers: Mapping[str, Number]
    rules: tuple[Rule, ...]

    def is_in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_until is None or on <= self.effective_until)

    def decide(self, facts: Mapping[str, object]) -> Decision:
        """The decision for a value of every fact; raises FactError."""
        point = self._point(facts)
        rule = self._rule_at(point)
        changes = () if rule.verdict == "allow" else tuple(self._changes(point))
        values = {name: resolve_value(value, facts) for name, value in rule.values.items()}
        return Decision(rule.verdict, rule.id, self.name, rule.reason, rule.nearest, values, changes)

    def _point(self, facts: Mapping[str, object]) -> Point:
        names = [fact.name for fact in self.facts]
        if unknown := sorted(set(facts) - set(names)):
            raise UnknownFact(f"{self.name} does not ask for {', '.join(unknown)}; it asks for {', '.join(names)}")
        if missing := [name for name in names if name not in facts]:
            raise MissingFact(f"{self.name} also asks for {', '.join(missing)}")
        return tuple(fact.index(facts[fact.name]) for fact in self.facts)

    def _rule_at(self, point: Point) -> Rule:
        # A checked table has a rule for every point, and its `otherwise`, if any, comes last.
        return next(rule for rule in self.rules if rule.matches(point))

    def _changes(self, point: Point) -> Iterator[Change]:
        for place, fact in enumerate(self.facts):
            if not fact.can_change:
                continue
            allowed = [(index, rule) for index, rule in self._others(point, place) if rule.verdict == "allow"]
            allowed.sort(key=lambda pair: abs(pair[0] - point[place]))
            for index, rule in allowed[:1] if fact.is_scale else allowed:
                yield Change(fact.name, fact.value(index), "allow", rule.id)

    def _others(self, point: Point, place: int) -> Iterator[tuple[int, Rule]]:
        """Every other value of a fact at which the answer may turn, with the rule that holds there."""
        for index in self._turning_points(place):
            if index != point[place]:
                yield index, self._rule_at((*point[:place], index, *point[place + 1 :]))

    def _turning_points(self, place: int) -> list[int]:
        # Verdicts are constant between the edges of the rules: the nearest allowed value always lies on an edge.
        fact = self.facts[place]
        if fact.kind != "int":
            return list(range(fact.low, fact.high + 1))
        edges = {fact.low, fact.high}
        for rule in self.rules:
            for box in rule.boxes:
                for low, high in box[place]:
                    edges.update((low - 1, low, high, high + 1))
        return sorted(edge for edge in edges if fact.low <= edge <= fact.high)


@dataclass(frozen=True)
class Policies:
    """All tables of a folder, each with its versions from the oldest to the newest."""

    tables: Mapping[str, tuple[Table, ...]]

    def decide(self, table: str, facts: Mapping[str, object], on: date) -> Decision:
        """The verdict of the version in force on that day.

        Raises UnknownTable, NotInForce, or FactError where the facts are not exactly those that the table declares.
        """
        return self.table(table, on).decide(facts)

    def table(self, name: str, on: date) -> Table:
        """The version in force on that day; raises UnknownTable or NotInForce."""
        if name not in self.tables:
            raise UnknownTable(f"no table {name}; there are {', '.join(sorted(self.tables))}")
        for version in self.tables[name]:
            if version.is_in_force(on):
                return version
        raise NotInForce(f"no version of {name} is in force on {on.isoformat()}")

    def number(self, table: str, name: str, on: date, **facts: object) -> int:
        """A figure of a table, for instance `number("return_eligibility", "return_days", on, tier="gold")`.

        Raises UnknownTable, NotInForce, or MissingFact where the number depends on a fact that was not given.
        """
        numbers = self.table(table, on).numbers
        if name not in numbers:
            raise UnknownTable(f"{table} has no number {name}; it has {', '.join(sorted(numbers))}")
        if numbers[name].by and numbers[name].by not in facts:
            raise MissingFact(f"the number {name} of {table} depends on {numbers[name].by}")
        try:
            return numbers[name].amount(facts)
        except ValueError as error:
            raise UnknownTable(f"{table}: {error}") from None

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule of every version, with its table's name: for reports of what tests reach."""
        for name, versions in self.tables.items():
            for version in versions:
                yield from ((name, rule) for rule in version.rules)

    def reason_keys(self) -> frozenset[str]:
        """`<table>.<reason>` of every rule that refuses or hands over: each needs words in every language."""
        return frozenset(f"{table}.{rule.reason}" for table, rule in self.rules() if rule.verdict != "allow")

    def nearest_keys(self) -> frozenset[str]:
        """Every key for "the nearest thing possible": each needs words in every language."""
        return frozenset(rule.nearest for _, rule in self.rules() if rule.nearest)
