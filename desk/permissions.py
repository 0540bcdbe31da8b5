"""Who is asking, and what a role may see and do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import object_session

from messaging import handoffs
from messaging.models import Handoff, HandoffEvent

_OF_AGENTS = frozenset({"exceptions"})  # up to a limit of data/policies/agents.yml
_OF_SUPERVISORS = _OF_AGENTS | {"see_all", "take_over", "reports", "audit"}
PERMISSIONS: Mapping[str, frozenset[str]] = {
    "agent": _OF_AGENTS,
    "supervisor": _OF_SUPERVISORS,
    "admin": _OF_SUPERVISORS | {"manage_agents"},
}
ROLES = tuple(PERMISSIONS)
CAME_TO_SOMEBODY = ("assigned", "transferred")  # events; whom it came to is `details["agent"]`, or else whoever did it


@dataclass(frozen=True)
class Me:
    """An agent who is signed in, as they are at this moment."""

    id: int
    name: str
    role: str
    permissions: frozenset[str]
    languages: tuple[str, ...]  # none: all
    queues: tuple[str, ...]  # of those that there are; none: all
    capacity: int
    status: str  # available | away
    session_id: int

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def may_see(me: Me, handoff: Handoff) -> bool:
    """Open ones of their queues and languages, those that are or were theirs; else with `see_all`.

    Whether it was theirs once is looked up, where nothing else lets them see it, in the session that the handoff came from.
    """
    return sees_at_present(me, handoff) or _was_theirs(me, handoff)


def sees_at_present(me: Me, handoff: Any) -> bool:
    """`may_see`, whoever had it once. handoff: or anything with its status, queue, language and assignee."""
    return me.may("see_all") or _is_in_their_queues(me, handoff) or bool(handoff.assignee == me.name)


def may_work_on(me: Me, handoff: Handoff) -> bool:
    """Whether they may take it, or do something in it: it is open, theirs to see, and nobody else's, unless they `take_over`.

    Whether they hold it at this moment, as writing to the shopper asks for, is said by `messaging.handoffs`.
    """
    is_anothers = handoff.status == "assigned" and handoff.assignee != me.name
    return handoff.status in handoffs.OPEN and (me.may("take_over") or not is_anothers) and may_see(me, handoff)


def visible_to(me: Me) -> Any:
    """`may_see` as a condition on `Handoff`, for searches."""
    if me.may("see_all"):
        return true()
    in_queues = [Handoff.status.in_(handoffs.OPEN)]
    if me.queues:
        in_queues.append(Handoff.queue.in_(me.queues))
    if me.languages:
        in_queues.append(Handoff.language.in_(me.languages))
    return or_(and_(*in_queues), Handoff.assignee == me.name, Handoff.id.in_(select(HandoffEvent.handoff_id).where(_came_to(me))))


def _is_in_their_queues(me: Me, handoff: Any) -> bool:
    is_of_queue = not me.queues or handoff.queue in me.queues
    return handoff.status in handoffs.OPEN and is_of_queue and (not me.languages or handoff.language in me.languages)


def _was_theirs(me: Me, handoff: Handoff) -> bool:
    session = object_session(handoff)
    if session is None:
        return False
    came = select(HandoffEvent.id).where(HandoffEvent.handoff_id == handoff.id, _came_to(me))
    return session.execute(came.limit(1)).first() is not None


def _came_to(me: Me) -> Any:
    to = HandoffEvent.details["agent"].as_string()
    by_themselves = and_(HandoffEvent.kind == "assigned", HandoffEvent.by == me.name, to.is_(None))
    return and_(HandoffEvent.kind.in_(CAME_TO_SOMEBODY), or_(to == me.name, by_themselves))
