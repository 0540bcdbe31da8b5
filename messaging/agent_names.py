"""How people of the shop are named: by their name alone, or, at a desk of another program, with that desk ("Marta · Zendesk")."""

from __future__ import annotations

AT = " · "  # no name of our own people has it


def for_shoppers(name: str) -> str:
    """Without the desk: which program somebody answers in is the shop's business."""
    return name.partition(AT)[0]
