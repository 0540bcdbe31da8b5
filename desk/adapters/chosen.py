"""Which other desks this shop has: what they answer is not routed to people here, nor counted as theirs.

A desk that is taken out of the configuration answers nothing any more: `take_back` gives what it had to those who answer here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.adapters.other_desk import OtherDesk, desk_of, is_of
from messaging import handoffs
from messaging.handoffs.finding import NOBODY
from messaging.models import Handoff

MOST_AT_ONCE = 20

_DESKS: dict[str, OtherDesk] = {}


def choose(desk: OtherDesk) -> None:
    """From now on, in this process. Called before the server starts: whoever routes must know it from the first moment."""
    _DESKS[desk.name] = desk


def forget(desk: OtherDesk) -> None:
    _DESKS.pop(desk.name, None)


def is_answered_elsewhere(handoff: Any) -> bool:
    """Also before the other desk has been told; not what one of ours has taken from there.

    handoff: or a row with `channel`, `external` and `assignee`.
    """
    if handoff.external is not None:
        desk = _DESKS.get(desk_of(handoff.external))
    else:
        desk = next((each for each in _DESKS.values() if each.concerns(handoff)), None)
    return desk is not None and (not handoff.assignee or is_of(handoff.assignee, desk.title))


def take_back(session: Session, now: datetime) -> int:
    """Those who answer here get what desks had that this shop has no more: how many, some at a time."""
    marked = select(Handoff.id, Handoff.external)
    marked = marked.where(Handoff.status.in_(handoffs.OPEN), Handoff.external.is_not(None), Handoff.external != NOBODY)
    left = [row for row in session.execute(marked.order_by(Handoff.id)) if desk_of(row.external) not in _DESKS]
    for row in left[:MOST_AT_ONCE]:
        answer_here(session, row.id, now)
    return len(left[:MOST_AT_ONCE])


def answer_here(session: Session, handoff_id: int, now: datetime) -> None:
    """Whoever has it at another desk has lost it; one that ended, or that one of ours has, stays as it is."""
    handoff = handoffs.by_id(session, handoff_id)
    if handoff.status not in handoffs.OPEN:
        return
    if handoff.status == "assigned" and handoff.lease_until is None:  # our own people have leases
        handoffs.release(session, handoff_id, str(handoff.assignee), now, why="lost")
    handoffs.by_id(session, handoff_id).external = NOBODY
