"""The little language of a table's cells.

A condition is a value (`gold`, `true`, `3`), a group, a range (`"<= 30"`, `"> silver"`, `30..45`), a list of those,
or `{not: ...}`. Where a range has a number it may have a formula: names of the table's numbers and whole numbers,
added and subtracted (`"<= return_days + gift_extra_days"`). In `values:` a formula begins with an equals sign, as in
a spreadsheet (`"= return_days"`).

The parsers raise ValueError with words for the designer; whoever reads the file knows the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commerce.policies.errors import FactOutOfDomain
from commerce.policies.facts import Extent, Fact, join, meet, without

_COMPARISON = re.compile(r"^(<=|>=|<|>)\s*(.+)$")
_SPAN = re.compile(r"^(.+?)\s*\.\.\s*(.+)$")
_TERM = re.compile(r"\s*([+-]?)\s*([A-Za-z_][A-Za-z0-9_]*|[0-9][0-9_]*)\s*")


@dataclass(frozen=True)
class Number:
    """A figure that a designer edits in one place: one amount, or one for each value of the enum fact `by`."""

    name: str
    amounts: Mapping[str, int]  # the key is "" where `by` is None
    by: str | None = None
    unit: str = ""
    about: str = ""

    def amount(self, facts: Mapping[str, object]) -> int:
        """Its amount for these facts; raises ValueError where the file gives none."""
        key = "" if self.by is None else str(facts[self.by])
        if key not in self.amounts:
            raise ValueError(f'the number "{self.name}" has no amount for {self.by} = {key}')
        return self.amounts[key]


@dataclass(frozen=True)
class Formula:
    """A sum of numbers, each with its sign."""

    terms: tuple[tuple[int, int | Number], ...]

    @property
    def by(self) -> frozenset[str]:
        """The facts without which it has no amount."""
        return frozenset(term.by for _, term in self.terms if isinstance(term, Number) and term.by)

    def amount(self, facts: Mapping[str, object]) -> int:
        return sum(sign * (term.amount(facts) if isinstance(term, Number) else term) for sign, term in self.terms)


@dataclass(frozen=True)
class Span:
    """A range whose ends belong to it; None is open."""

    low: Formula | None
    high: Formula | None


@dataclass(frozen=True)
class Condition:
    """What one rule demands of one fact."""

    fact: Fact
    spans: tuple[Span, ...]
    negated: bool = False

    @property
    def by(self) -> frozenset[str]:
        ends = (end for span in self.spans for end in (span.low, span.high) if end is not None)
        return frozenset(name for end in ends for name in end.by)

    def extent(self, facts: Mapping[str, object]) -> Extent:
        """The values that fulfil it, where `facts` has those that its numbers depend on."""
        intervals = (self._interval(span, facts) for span in self.spans)
        asked = meet(join(i for i in intervals if i[0] <= i[1]), self.fact.whole)
        return without(self.fact.whole, asked) if self.negated else asked

    def _interval(self, span: Span, facts: Mapping[str, object]) -> tuple[int, int]:
        low = self.fact.low if span.low is None else span.low.amount(facts)
        high = self.fact.high if span.high is None else span.high.amount(facts)
        return low, high


def parse_formula(text: str, numbers: Mapping[str, Number]) -> Formula:
    terms: list[tuple[int, int | Number]] = []
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None or (terms and not found[1]):
            raise ValueError(f'cannot read the formula "{text}"; write names and whole numbers with + or - between')
        terms.append((-1 if found[1] == "-" else 1, _term(found[2], numbers)))
        place = found.end()
    if not terms:
        raise ValueError("a formula is empty")
    return Formula(tuple(terms))


def _term(text: str, numbers: Mapping[str, Number]) -> int | Number:
    if text[0].isdigit():
        return int(text)
    if text not in numbers:
        raise ValueError(f'"{text}" is not one of the numbers: {", ".join(sorted(numbers)) or "there are none"}')
    return numbers[text]


def parse_condition(raw: object, fact: Fact, numbers: Mapping[str, Number]) -> Condition:
    if isinstance(raw, Mapping):
        if set(raw) != {"not"}:
            raise ValueError(f"{fact.name}: a condition with a colon can only be {{not: ...}}")
        return Condition(fact, _parse_spans(raw["not"], fact, numbers), negated=True)
    return Condition(fact, _parse_spans(raw, fact, numbers))


def _parse_spans(raw: object, fact: Fact, numbers: Mapping[str, Number]) -> tuple[Span, ...]:
    if isinstance(raw, (list, tuple)):
        if not raw:
            raise ValueError(f"{fact.name}: the list is empty")
        return tuple(span for item in raw for span in _parse_spans(item, fact, numbers))
    if isinstance(raw, str) and raw in fact.groups:
        return tuple(_point(fact.index(value)) for value in fact.groups[raw])
    if isinstance(raw, str) and raw not in fact.values:
        return (_parse_range(raw.strip(), fact, numbers),)
    try:
        return (_point(fact.index(raw)),)
    except FactOutOfDomain as error:
        raise ValueError(str(error)) from None


def _parse_range(text: str, fact: Fact, numbers: Mapping[str, Number]) -> Span:
    if comparison := _COMPARISON.match(text):
        return _compare(comparison[1], _end(comparison[2], fact, numbers))
    if span := _SPAN.match(text):
        return Span(_end(span[1], fact, numbers), _end(span[2], fact, numbers))
    if fact.kind != "int":
        raise ValueError(f'{fact.name} is "{text}"; it may be {_choices(fact)}')
    end = _end(text, fact, numbers)
    return Span(end, end)


def _compare(sign: str, end: Formula) -> Span:
    if sign in ("<=", "<"):
        return Span(None, end if sign == "<=" else _shifted(end, -1))
    return Span(end if sign == ">=" else _shifted(end, 1), None)


def _end(text: str, fact: Fact, numbers: Mapping[str, Number]) -> Formula:
    if fact.kind == "int":
        return parse_formula(text, numbers)
    if not fact.ordered:
        raise ValueError(f'{fact.name} has no order, so it cannot have the range "{text}"; name its values instead')
    if text not in fact.values:
        raise ValueError(f'{fact.name} is "{text}"; it may be {_choices(fact)}')
    return _constant(fact.values.index(text))


def _choices(fact: Fact) -> str:
    return fact.domain + (f" (or a group: {', '.join(fact.groups)})" if fact.groups else "")


def _point(index: int) -> Span:
    return Span(_constant(index), _constant(index))


def _constant(amount: int) -> Formula:
    return Formula(((1, amount),))


def _shifted(formula: Formula, step: int) -> Formula:
    return Formula((*formula.terms, (1, step)))


def parse_value(raw: object, numbers: Mapping[str, Number]) -> object:
    """A rule's value with its formulas parsed: `"= return_days"` becomes a Formula, all else stays as written."""
    if isinstance(raw, str) and raw.startswith("="):
        return parse_formula(raw[1:].strip(), numbers)
    if isinstance(raw, Mapping):
        return {str(key): parse_value(item, numbers) for key, item in raw.items()}
    if isinstance(raw, int) and not isinstance(raw, bool):
        return int(raw)  # the YAML reader has its own kind of int for 10_000
    return [parse_value(item, numbers) for item in raw] if isinstance(raw, (list, tuple)) else raw


def resolve_value(parsed: object, facts: Mapping[str, object]) -> object:
    """The value for these facts, free of formulas; always a fresh object."""
    if isinstance(parsed, Formula):
        return parsed.amount(facts)
    if isinstance(parsed, Mapping):
        return {key: resolve_value(item, facts) for key, item in parsed.items()}
    return [resolve_value(item, facts) for item in parsed] if isinstance(parsed, (list, tuple)) else parsed


def formulas_in(parsed: object) -> Iterable[Formula]:
    if isinstance(parsed, Formula):
        yield parsed
    elif isinstance(parsed, Mapping):
        for item in parsed.values():
            yield from formulas_in(item)
    elif isinstance(parsed, (list, tuple)):
        for item in parsed:
            yield from formulas_in(item)
