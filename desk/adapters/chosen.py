"""Which other desks this shop has: what they answer is not routed to people here."""

from __future__ import annotations

from desk.adapters.other_desk import NOBODY, OtherDesk
from messaging.models import Handoff

_DESKS: dict[str, OtherDesk] = {}


def choose(desk: OtherDesk) -> None:
    """From now on, in this process."""
    _DESKS[desk.name] = desk


def forget(desk: OtherDesk) -> None:
    _DESKS.pop(desk.name, None)


def is_answered_elsewhere(handoff: Handoff) -> bool:
    """Also before the other desk has been told."""
    if handoff.external is not None:
        return bool(handoff.external != NOBODY)
    return any(desk.concerns(handoff) for desk in _DESKS.values())
