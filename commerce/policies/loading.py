"""From `*.yml` to tables. Everything wrong in a folder is told at once, by file, line, table and rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from commerce.policies.checking import check_table, check_versions
from commerce.policies.conditions import (
    Condition,
    Formula,
    Number,
    formulas_in,
    parse_condition,
    parse_value,
)
from commerce.policies.errors import PolicyFileError, Problem
from commerce.policies.facts import Fact, Kind
from commerce.policies.tables import Box, Hit, Policies, Rule, Table, Verdict

_FILE_KEYS = ("about", "facts", "numbers", "tables")
_TABLE_KEYS = ("name", "about", "effective_from", "effective_until", "hit", "facts", "numbers", "rules")
_RULE_KEYS = ("id", "when", "verdict", "reason", "nearest", "values")
_FACT_KEYS = ("type", "values", "ordered", "groups", "min", "max", "unit", "about", "can_change")
_NUMBER_KEYS = ("amount", "amounts", "by", "unit", "about")
_VERDICTS = ("allow", "deny", "needs_human")
SETTINGS_KEYS = frozenset({"calendar", "desk"})
"""A file with one of these keys holds settings that are no table; whoever uses them reads it."""

T = TypeVar("T")


def load_policies(folder: Path) -> Policies:
    """The tables of every `*.yml` in the folder; raises PolicyFileError that names all problems."""
    policies, problems = read_folder(folder)
    if problems:
        raise PolicyFileError(problems)
    return policies


def read_folder(folder: Path) -> tuple[Policies, tuple[Problem, ...]]:
    """What could be read, and every problem found in it, sorted by file and line."""
    files = sorted(folder.glob("*.yml"))
    if not files:
        return Policies({}), (Problem(str(folder), 0, "", "there is no *.yml file here"),)
    problems: list[Problem] = []
    versions: dict[str, list[Table]] = {}
    for file in files:
        tables, problems_of_file = _read_file(file.name, file.read_text(encoding="utf-8"))
        problems += problems_of_file
        for table in tables:
            versions.setdefault(table.name, []).append(table)
    ordered = {name: tuple(sorted(found, key=lambda table: table.effective_from)) for name, found in versions.items()}
    for found in ordered.values():
        problems.extend(check_versions(found))
    return Policies(ordered), tuple(sorted(set(problems)))


@lru_cache(maxsize=64)  # whoever validates after each save finds the other files as they were
def _read_file(name: str, text: str) -> tuple[tuple[Table, ...], tuple[Problem, ...]]:
    reader = _FileReader(name, [])
    return tuple(reader.tables(text)), tuple(reader.problems)


class _Wrong(Exception):
    """A part of the file cannot be used; the reader notes it and goes on with the next part."""

    def __init__(self, text: str, node: object = None) -> None:
        super().__init__(text)
        self.text = text
        self.line = _line(node)


def _line(node: object) -> int:
    place = getattr(node, "lc", None)
    return 0 if place is None else cast(int, place.line) + 1


@dataclass
class _FileReader:
    file: str
    problems: list[Problem]
    facts: dict[str, Fact] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def tables(self, text: str) -> list[Table]:
        try:
            content = YAML().load(text)
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 0
            self._note(_Wrong(f"this is not YAML: {getattr(error, 'problem', None) or error}"), line=line)
            return []
        if isinstance(content, Mapping) and not SETTINGS_KEYS.isdisjoint(content):
            return []
        return self._guard("", content, partial(self._tables, content)) or []

    def _tables(self, content: object) -> list[Table]:
        top = _mapping(content, "the file", _FILE_KEYS)
        self.facts = self._facts(_mapping(top.get("facts") or {}, "facts"), "")
        self.numbers = self._numbers(_mapping(top.get("numbers") or {}, "numbers"), self.facts, "")
        found = [self._guard(_name_of(raw), raw, partial(self._table, raw)) for raw in _list(top, "tables")]
        for name in sorted(set(self.numbers) - self.used):
            self._note(_Wrong(f"no table uses the number {name}", top["numbers"]))
        return [table for table in found if table is not None]

    # A part that is wrong is noted and left out, so that one run tells of everything.

    def _guard(self, table: str, node: object, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except _Wrong as wrong:
            self._note(wrong, table, wrong.line or _line(node))
        except ValueError as error:
            self._note(_Wrong(str(error)), table, _line(node))
        return None

    def _note(self, wrong: _Wrong, table: str = "", line: int = 0) -> None:
        self.problems.append(Problem(self.file, line or wrong.line, table, wrong.text))

    # Tables

    def _table(self, raw: object) -> Table:
        node = _mapping(raw, "a table", _TABLE_KEYS)
        name = _word(node, "name", "a table")
        facts = self._asked_facts(node.get("facts"), name, node)
        own = self._numbers(_mapping(node.get("numbers") or {}, "numbers"), {**self.facts, **facts}, name)
        rules, used = self._rules(node, facts, {**self.numbers, **own}, name)
        self.used |= used - set(own)
        kept = {key: number for key, number in {**self.numbers, **own}.items() if key in used or key in own}
        table = Table(
            name=name,
            file=self.file,
            line=_line(raw),
            about=_text(node.get("about")),
            effective_from=_date(node, "effective_from"),
            effective_until=_date(node, "effective_until") if node.get("effective_until") else None,
            hit=cast(Hit, _one_of(node.get("hit", "unique"), ("unique", "first"), "hit", raw)),
            facts=tuple(facts.values()),
            numbers=kept,
            rules=tuple(rule for rule in rules if rule is not None),
        )
        if None not in rules:  # a rule that could not be read would only be told again as a gap
            self.problems.extend(check_table(table))
        return table

    def _asked_facts(self, raw: object, table: str, node: object) -> dict[str, Fact]:
        """Facts by name: taken from the head of the file (a bare name) or declared in the table itself."""
        if not raw:
            raise _Wrong("a table needs facts", node)
        specs = dict(raw) if isinstance(raw, Mapping) else dict.fromkeys(cast(Sequence[Any], raw))
        own = self._facts({name: spec for name, spec in specs.items() if spec is not None}, table)
        known = {**self.facts, **own}
        if lost := [str(name) for name in specs if name not in known]:
            raise _Wrong(f"the fact {', '.join(lost)} is declared neither here nor at the head of the file", raw)
        return {name: known[name] for name in specs}

    # Facts

    def _facts(self, specs: Mapping[str, Any], table: str) -> dict[str, Fact]:
        read = {name: self._guard(table, specs, partial(_fact, name, specs[name])) for name in specs}
        return {name: fact for name, fact in read.items() if fact is not None}

    # Numbers

    def _numbers(self, specs: Mapping[str, Any], facts: Mapping[str, Fact], table: str) -> dict[str, Number]:
        read = {name: self._guard(table, specs, partial(_number, name, specs[name], facts)) for name in specs}
        return {name: number for name, number in read.items() if number is not None}

    # Rules

    def _rules(
        self, node: Mapping[str, Any], facts: Mapping[str, Fact], numbers: Mapping[str, Number], table: str
    ) -> tuple[list[Rule | None], set[str]]:
        raws = _list(node, "rules")
        rules = [self._guard(table, raw, partial(_rule, raw, facts, numbers)) for raw in raws]
        ids = [_id_of(raw) for raw in raws]
        for place, raw in enumerate(raws):
            if ids[place] in ids[:place]:
                self._note(_Wrong(f"two rules have the id {ids[place]}", raw), table)
            if place < len(raws) - 1 and isinstance(raw, Mapping) and raw.get("when") == "otherwise":
                self._note(_Wrong(f"rule {ids[place]} is the otherwise of the table: put it last", raw), table)
        return rules, {name for rule in rules if rule is not None for name in _numbers_of(rule)}


def _fact(name: str, raw: object) -> Fact:
    spec = _mapping(raw, f"the fact {name}", _FACT_KEYS)
    kind = cast(Kind, _one_of(spec.get("type"), ("enum", "int", "bool"), f"the type of the fact {name}", raw))
    values = tuple(spec.get("values") or ())
    if kind == "enum" and (len(values) < 2 or len(set(values)) < len(values) or not all(map(_is_name, values))):
        raise _Wrong(f"the fact {name} needs two or more different words as values", raw)
    low, high = {"enum": (0, len(values) - 1), "bool": (0, 1)}.get(kind) or _bounds(name, spec)
    return Fact(
        name=name,
        kind=kind,
        low=low,
        high=high,
        values=values,
        ordered=bool(spec.get("ordered", False)),
        unit=_text(spec.get("unit")),
        about=_text(spec.get("about")),
        can_change=bool(spec.get("can_change", True)),
        groups=_groups(name, spec, values),
    )


def _bounds(name: str, spec: Mapping[str, Any]) -> tuple[int, int]:
    low, high = spec.get("min"), spec.get("max")
    if not isinstance(low, int) or not isinstance(high, int) or low >= high:
        raise _Wrong(f"the fact {name} needs min and max, whole numbers with min below max", spec)
    return int(low), int(high)


def _groups(name: str, spec: Mapping[str, Any], values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    groups = {str(key): tuple(members) for key, members in (spec.get("groups") or {}).items()}
    for group, members in groups.items():
        if group in values or not members or not set(members) <= set(values):
            raise _Wrong(f"the group {group} of the fact {name} needs a name of its own and values of the fact", spec)
    return groups


def _number(name: str, raw: object, facts: Mapping[str, Fact]) -> Number:
    if _is_whole(raw):
        return Number(name, {"": int(cast(int, raw))})
    spec = _mapping(raw, f"the number {name}", _NUMBER_KEYS)
    words = {"unit": _text(spec.get("unit")), "about": _text(spec.get("about"))}
    if "by" not in spec:
        if not _is_whole(spec.get("amount")):
            raise _Wrong(f"the number {name} needs a whole number as its amount", raw)
        return Number(name, {"": int(spec["amount"])}, **words)
    fact = facts.get(spec["by"])
    if fact is None or fact.kind != "enum":
        raise _Wrong(f"the number {name} is by {spec['by']}, which is no enum fact", raw)
    amounts = _mapping(spec.get("amounts"), f"amounts of the number {name}", fact.values)
    if not all(map(_is_whole, amounts.values())):
        raise _Wrong(f"the number {name} needs whole numbers as its amounts", raw)
    return Number(name, {str(key): int(amount) for key, amount in amounts.items()}, fact.name, **words)


def _rule(raw: object, facts: Mapping[str, Fact], numbers: Mapping[str, Number]) -> Rule:
    node = _mapping(raw, "a rule", _RULE_KEYS)
    rule_id = _word(node, "id", "a rule")
    try:
        when = _when(node.get("when"), facts, numbers)
        values = cast(Mapping[str, object], parse_value(_mapping(node.get("values") or {}, "values"), numbers))
        _check_formulas(values, when, facts)
        boxes = tuple(_boxes(when, facts))
    except ValueError as error:
        raise _Wrong(f"rule {rule_id}: {error}", raw) from None
    return Rule(
        id=rule_id,
        verdict=cast(Verdict, _one_of(node.get("verdict"), _VERDICTS, f"the verdict of rule {rule_id}", raw)),
        reason=_word(node, "reason", f"rule {rule_id}") if "reason" in node else rule_id,
        nearest=_word(node, "nearest", f"rule {rule_id}") if "nearest" in node else None,
        when=when,
        is_otherwise=node.get("when") == "otherwise",
        raw_when=node.get("when"),
        raw_values=node.get("values") or {},
        values=values,
        boxes=boxes,
        line=_line(raw),
    )


def _when(raw: object, facts: Mapping[str, Fact], numbers: Mapping[str, Number]) -> dict[str, Condition]:
    if raw in ("always", "otherwise"):
        return {}
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError("when needs conditions, or the word always or otherwise")
    if lost := [str(name) for name in raw if name not in facts]:
        raise ValueError(f"the table does not ask for {', '.join(lost)}; it asks for {', '.join(facts)}")
    return {name: parse_condition(condition, facts[name], numbers) for name, condition in raw.items()}


def _check_formulas(values: Mapping[str, object], when: Mapping[str, Condition], facts: Mapping[str, Fact]) -> None:
    for formula in formulas_in(values):
        for context in _contexts(formula.by, when, facts):
            formula.amount(context)


def _boxes(when: Mapping[str, Condition], facts: Mapping[str, Fact]) -> Iterator[Box]:
    """One box for each value of the facts on which the rule's numbers depend."""
    by = frozenset(name for condition in when.values() for name in condition.by)
    for context in _contexts(by, when, facts):
        own = {name: ((facts[name].index(value),) * 2,) for name, value in context.items()}
        box = tuple(own.get(name) or (when[name].extent(context) if name in when else fact.whole) for name, fact in facts.items())
        if all(box):
            yield box


def _contexts(by: frozenset[str], when: Mapping[str, Condition], facts: Mapping[str, Fact]) -> Iterator[dict[str, object]]:
    if lost := sorted(name for name in by if name not in facts):
        raise ValueError(f"a number depends on {', '.join(lost)}, which the table does not ask")
    names = sorted(by)
    columns = [[str(value) for value in _allowed(facts[name], when.get(name))] for name in names]
    for choice in product(*columns):
        yield dict(zip(names, choice, strict=True))


def _allowed(fact: Fact, condition: Condition | None) -> list[str]:
    extent = fact.whole if condition is None else condition.extent({})
    return [fact.values[index] for low, high in extent for index in range(low, high + 1)]


def _numbers_of(rule: Rule) -> set[str]:
    ends = [end for test in rule.when.values() for span in test.spans for end in (span.low, span.high)]
    formulas: list[Formula] = [end for end in ends if end is not None]
    formulas.extend(formulas_in(rule.values))
    return {term.name for formula in formulas for _, term in formula.terms if isinstance(term, Number)}


# Small readers of YAML nodes; each raises _Wrong in words for the designer.


def _mapping(raw: object, what: str, keys: Sequence[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise _Wrong(f"{what} must be keys with values", raw)
    if keys is not None and (strange := [str(key) for key in raw if key not in keys]):
        raise _Wrong(f"{what} has {', '.join(strange)}; it may have {', '.join(keys)}", raw)
    return raw


def _list(node: Mapping[str, Any], key: str) -> Sequence[object]:
    if not isinstance(node.get(key), Sequence) or isinstance(node[key], str) or not node[key]:
        raise _Wrong(f"{key} must be a list with at least one item", node)
    return cast(Sequence[object], node[key])


def _one_of(value: object, choices: Sequence[str], what: str, node: object) -> str:
    if value not in choices:
        raise _Wrong(f"{what} is {value!r}; it may be {', '.join(choices)}", node)
    return cast(str, value)


def _word(node: Mapping[str, Any], key: str, what: str) -> str:
    if not _is_word(node.get(key)):
        raise _Wrong(f"{what} needs {key}: a word of a-z, 0-9 and _", node)
    return cast(str, node[key])


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and value == value.lower()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _date(node: Mapping[str, Any], key: str) -> date:
    if type(node.get(key)) is not date:
        raise _Wrong(f"{key} must be a date like 2026-01-31", node)
    return cast(date, node[key])


def _text(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _name_of(raw: object) -> str:
    return str(raw.get("name", "")) if isinstance(raw, Mapping) else ""


def _id_of(raw: object) -> str:
    return str(raw.get("id", "")) if isinstance(raw, Mapping) else ""
