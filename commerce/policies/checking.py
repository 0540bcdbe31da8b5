"""Gaps, overlaps and dead rules, each with the facts that show it.

A rule is one or more boxes in the space of facts. Two rules overlap where their boxes meet. A gap is a hole in the
union of all boxes: the domains are cut at the edges of the rules, and the search walks the facts one by one with the
set of boxes that still match, remembering what it has already seen closed. It never counts through a domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import combinations, pairwise

from commerce.policies.errors import Problem
from commerce.policies.facts import Extent, Fact, Interval, join, meet
from commerce.policies.tables import Box, Rule, Table

MOST_GAPS = 10
"""Gaps told of one table; a table with more is not finished yet."""


def uncovered(within: Box, boxes: Sequence[Box]) -> Box | None:
    """A box inside `within` that no box touches, as large as it can be made; None where there is no hole."""
    cells = [_cut(extent, [box[place] for box in boxes]) for place, extent in enumerate(within)]
    masks = [[_mask(cell, place, boxes) for cell in column] for place, column in enumerate(cells)]
    hole = _walk(0, (1 << len(boxes)) - 1, masks, set())
    if hole is None:
        return None
    return _widened([{choice} for choice in hole], cells, masks, len(boxes))


def _cut(extent: Extent, others: Sequence[Extent]) -> list[Interval]:
    starts = {edge for other in others for low, high in other for edge in (low, high + 1)}
    pieces: list[Interval] = []
    for low, high in extent:
        cuts = sorted(start for start in starts if low < start <= high)
        pieces.extend(zip([low, *cuts], [*(cut - 1 for cut in cuts), high], strict=True))
    return pieces


def _mask(cell: Interval, place: int, boxes: Sequence[Box]) -> int:
    return sum(1 << number for number, box in enumerate(boxes) if meet(box[place], (cell,)))


def _walk(place: int, alive: int, masks: list[list[int]], closed: set[tuple[int, int]]) -> list[int] | None:
    """The cells of one hole, or None; `closed` remembers (fact, boxes still matching) that have none."""
    if not alive:
        return [0] * (len(masks) - place)
    if place == len(masks) or (place, alive) in closed:
        return None
    for choice, mask in enumerate(masks[place]):
        rest = _walk(place + 1, alive & mask, masks, closed)
        if rest is not None:
            return [choice, *rest]
    closed.add((place, alive))
    return None


def _widened(hole: list[set[int]], cells: list[list[Interval]], masks: list[list[int]], count: int) -> Box:
    for place, column in enumerate(masks):
        others = _touching(hole, masks, count, skip=place)
        hole[place] |= {choice for choice, mask in enumerate(column) if not mask & others}
    return tuple(join(cells[place][choice] for choice in chosen) for place, chosen in enumerate(hole))


def _touching(hole: list[set[int]], masks: list[list[int]], count: int, skip: int) -> int:
    """The boxes that would touch the hole if fact number `skip` could be anything."""
    touching = (1 << count) - 1
    for place, chosen in enumerate(hole):
        if place != skip:
            touching &= _union(masks[place][choice] for choice in chosen)
    return touching


def _union(masks: Iterator[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


def describe(box: Box, facts: Sequence[Fact]) -> str:
    """The facts of a box as conditions; those that may be anything are left out."""
    told = [fact.phrase(extent) for fact, extent in zip(facts, box, strict=True) if extent != fact.whole]
    return ", ".join(told) or "any facts"


def check_table(table: Table) -> Iterator[Problem]:
    """Every gap, overlap, dead rule and idle fact of a table."""
    yield from _idle_facts(table)
    if table.hit == "unique":
        yield from _overlaps(table)
    yield from _never_reached(table)
    yield from _gaps(table)


def check_versions(versions: Sequence[Table]) -> Iterator[Problem]:
    """Versions of one table, oldest first: each day has one of them, and all ask the same facts."""
    for earlier, later in pairwise(versions):
        if earlier.effective_until is None or later.effective_from <= earlier.effective_until:
            yield _problem(later, f"two versions are in force on {later.effective_from}; end the earlier one before")
        elif later.effective_from - earlier.effective_until > timedelta(days=1):
            last, first = earlier.effective_until, later.effective_from
            yield _problem(later, f"no version is in force between {last} and {first}")
        if _asked(earlier) != _asked(later):
            yield _problem(later, f"the version from {later.effective_from} asks other facts than the one before")


def _asked(table: Table) -> set[tuple[str, str]]:
    return {(fact.name, fact.kind) for fact in table.facts}


def _idle_facts(table: Table) -> Iterator[Problem]:
    for place, fact in enumerate(table.facts):
        is_narrowed = any(box[place] != fact.whole for rule in table.rules for box in rule.boxes)
        if not is_narrowed and all(number.by != fact.name for number in table.numbers.values()):
            yield _problem(table, f"the fact {fact.name} is asked, but no rule looks at it")


def _overlaps(table: Table) -> Iterator[Problem]:
    for one, other in combinations([rule for rule in table.rules if not rule.is_otherwise], 2):
        shared = next((box for box in _shared(one, other)), None)
        if shared is not None:
            where = describe(shared, table.facts)
            yield _problem(table, f"rules {one.id} and {other.id} both match {where}", other.line)


def _shared(one: Rule, other: Rule) -> Iterator[Box]:
    for a in one.boxes:
        for b in other.boxes:
            both = tuple(map(meet, a, b))
            if all(both):
                yield both


def _never_reached(table: Table) -> Iterator[Problem]:
    for place, rule in enumerate(table.rules):
        if not rule.boxes:
            yield _problem(table, f"rule {rule.id} can never match: its conditions leave no value", rule.line)
        elif table.hit == "first" or rule.is_otherwise:
            before = [box for earlier in table.rules[:place] for box in earlier.boxes]
            if all(uncovered(box, before) is None for box in rule.boxes):
                yield _problem(table, f"rule {rule.id} is never reached: the rules before it match first", rule.line)


def _gaps(table: Table) -> Iterator[Problem]:
    whole = tuple(fact.whole for fact in table.facts)
    boxes = [box for rule in table.rules for box in rule.boxes]
    for _ in range(MOST_GAPS):
        gap = uncovered(whole, boxes)
        if gap is None:
            return
        yield _problem(table, f"no rule for {describe(gap, table.facts)}")
        boxes.append(gap)


def _problem(table: Table, text: str, line: int = 0) -> Problem:
    return Problem(table.file, line or table.line, table.name, text)
