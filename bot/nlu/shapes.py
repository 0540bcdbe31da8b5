"""Where a text has a number or an address of a known shape (`shapes` in `data/patterns/*.yml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

Shape = tuple[str, re.Pattern[str]]  # what it is called, how it looks
Span = tuple[int, int]


def shapes_in(folded: str, shapes: Iterable[Shape]) -> Iterator[tuple[str, Span]]:
    """(name, where its value stands). The order counts: what an earlier shape took, a later one does not see."""
    taken: list[Span] = []
    for name, shape in shapes:
        for match in shape.finditer(folded):
            span = match.span(match.lastindex or 0)
            if not overlaps(span, taken):
                taken.append(span)
                yield name, span


def overlaps(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
