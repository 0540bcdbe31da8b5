"""The tables as Markdown: `docs/policies.md` is what this writes, so that documentation cannot lag behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from commerce.policies.conditions import Number
from commerce.policies.facts import Fact
from commerce.policies.tables import Policies, Rule, Table

_HEAD = """# Policies

Written from `data/policies/*.yml` by `python -m commerce.policies --markdown docs/policies.md`; edit the tables, not
this page. Money is in minor units (cents). *first*: the first rule that fits decides. *unique*: exactly one rule fits.
An empty cell fits anything.
"""


def to_markdown(policies: Policies) -> str:
    """One section a table and version, with its facts, its numbers and its rules."""
    tables = sorted((version for versions in policies.tables.values() for version in versions), key=_place)
    return "\n".join([_HEAD, *(_table(table) for table in tables)])


def _place(table: Table) -> tuple[str, int]:
    return table.file, table.line


def _table(table: Table) -> str:
    until = f" until {table.effective_until}" if table.effective_until else ""
    parts = [
        f"## {table.name}\n",
        f"{table.about}\n" if table.about else "",
        f"`{table.file}`, {table.hit}, in force from {table.effective_from}{until}.\n",
        _grid(("Fact", "Values", "Meaning"), (_fact(fact) for fact in table.facts)),
        _grid(("Number", "Amount", "Meaning"), map(_number, table.numbers.values())) if table.numbers else "",
        _rules(table),
    ]
    return "\n".join(part for part in parts if part)


def _fact(fact: Fact) -> tuple[str, ...]:
    groups = "".join(f"; {group}: {', '.join(members)}" for group, members in fact.groups.items())
    return f"`{fact.name}`", f"{fact.domain}{groups}", fact.about


def _number(number: Number) -> tuple[str, ...]:
    amounts = ", ".join(f"{key}: {amount}" if key else str(amount) for key, amount in number.amounts.items())
    return f"`{number.name}`", f"{amounts} {number.unit}".strip(), number.about


def _rules(table: Table) -> str:
    columns = [fact.name for fact in table.facts if any(fact.name in rule.when for rule in table.rules)]
    return _grid(("Rule", *columns, "Verdict", "Nearest", "Values"), (_rule(rule, columns) for rule in table.rules))


def _rule(rule: Rule, columns: Iterable[str]) -> tuple[str, ...]:
    when: Mapping[str, Any] = rule.raw_when if isinstance(rule.raw_when, Mapping) else {}
    cells = [_condition(when[name]) if name in when else "" for name in columns]
    if not when and cells:
        cells[0] = f"*{rule.raw_when}*"
    reason = f" ({rule.reason})" if rule.reason != rule.id else ""
    values = "; ".join(f"{name}: {_value(value)}" for name, value in rule.raw_values.items())
    return (f"`{rule.id}`", *cells, f"**{rule.verdict}**{reason}", rule.nearest or "", values)


def _condition(raw: object) -> str:
    if isinstance(raw, Mapping):
        return f"not {_condition(raw['not'])}"
    if isinstance(raw, (list, tuple)):
        return " or ".join(_condition(item) for item in raw)
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _value(raw: object) -> str:
    if isinstance(raw, Mapping):
        return ", ".join(f"{key} {_value(item)}" for key, item in raw.items())
    if isinstance(raw, (list, tuple)):
        return ", ".join(_value(item) for item in raw)
    return str(raw).lower() if isinstance(raw, bool) else str(raw).removeprefix("=").strip()


def _grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [_row(head), "|" + " --- |" * len(head), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
