"""What is found in a message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """likeness: from 0 to 1, to the shopper's words."""

    value: str
    name: str
    likeness: float


@dataclass(frozen=True)
class Mention:
    """kind: product, brand, category, color, size, bare_size, sku, city or store. value:
    canonical (a product's handle). name: as the catalogue
    has it. start, end: in the text. candidates: where several fit about as well, those that fit best, this one first."""

    kind: str
    value: str
    name: str
    start: int
    end: int
    likeness: float
    candidates: tuple[Candidate, ...] = ()
