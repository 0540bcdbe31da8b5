"""Who sees which conversation: one by one, and as a condition for searches, the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.permissions import PERMISSIONS, Me, may_see, may_work_on, visible_to
from messaging.models import Handoff, HandoffEvent
from tests.conftest import NOW


def someone(role: str = "agent", **more: Any) -> Me:
    me = Me(1, "Luis", role, PERMISSIONS[role], languages=(), queues=(), capacity=4, status="available", session_id=1)
    return replace(me, **more)


def handoff(session: Session, events: tuple[tuple[str, str, dict[str, Any]], ...] = (), **values: Any) -> Handoff:
    told: dict[str, Any] = {"status": "waiting", "queue": "returns", "language": "es", "reason": "asked", "channel": "webchat"}
    row = Handoff(sender_id="web-1", created_at=NOW, **{**told, **values})
    session.add(row)
    session.flush()
    for kind, by, details in events:
        session.add(HandoffEvent(handoff_id=row.id, sender_id=row.sender_id, kind=kind, by=by, details=details, at=NOW))
    session.flush()
    return row


OF_RETURNS = someone(queues=("returns",), languages=("es",))
ASSIGNED = {"status": "assigned", "assignee": "Marta"}
ENDED = {"status": "resolved", "assignee": "Marta", "closed_at": NOW}
CASES = {
    "open, of their queue": (OF_RETURNS, {}, (), True, True),
    "open, of another queue": (OF_RETURNS, {"queue": "orders"}, (), False, False),
    "open, of a queue that nobody has found yet": (OF_RETURNS, {"queue": None}, (), False, False),
    "open, in another language": (OF_RETURNS, {"language": "pt"}, (), False, False),
    "open, without limits to queue and language": (someone(), {"queue": None, "language": "no"}, (), True, True),
    "with a colleague of their queue": (OF_RETURNS, ASSIGNED, (), True, False),
    "with a colleague, seen by a supervisor": (someone("supervisor"), ASSIGNED, (), True, True),
    "assigned to them, of another queue": (OF_RETURNS, {**ASSIGNED, "assignee": "Luis", "queue": "orders"}, (), True, True),
    "ended, of their queue": (OF_RETURNS, ENDED, (), False, False),
    "ended, theirs": (OF_RETURNS, {**ENDED, "assignee": "Luis"}, (), True, False),
    "ended, seen by a supervisor": (someone("supervisor"), ENDED, (), True, False),
    "ended, theirs before": (OF_RETURNS, ENDED, (("assigned", "Luis", {}),), True, False),
    "ended, given to them by routing before": (OF_RETURNS, ENDED, (("assigned", "", {"agent": "Luis"}),), True, False),
    "ended, handed to them before": (OF_RETURNS, ENDED, (("transferred", "Ana", {"agent": "Luis"}),), True, False),
    "elsewhere, theirs before": (OF_RETURNS, {**ASSIGNED, "queue": "orders"}, (("assigned", "Luis", {}),), True, False),
    "ended, given by them to another": (OF_RETURNS, ENDED, (("assigned", "Luis", {"agent": "Ana"}),), False, False),
    "ended, somebody else's": (OF_RETURNS, ENDED, (("assigned", "Ana", {}), ("warned", "Luis", {})), False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_somebody_may_see_and_work_on(case: str, session: Session) -> None:
    me, values, events, sees, works = CASES[case]
    row = handoff(session, events, **values)
    assert (may_see(me, row), may_work_on(me, row)) == (sees, works)
    found = session.execute(select(Handoff.id).where(visible_to(me))).scalars().all()
    assert found == ([row.id] if sees else [])


def test_roles_have_what_the_protocol_says() -> None:
    assert {
        "agent": {"exceptions"},
        "supervisor": {"exceptions", "see_all", "take_over", "reports", "audit"},
        "admin": {"exceptions", "see_all", "take_over", "reports", "audit", "manage_agents"},
    } == PERMISSIONS
