"""Messages without an answer, for the people who run the shop: what waits, what failed, and a second chance for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from messaging.models import ActionCall, InboundMessage
from messaging.turns.timers import set_timer

UNANSWERED = ("waiting", "taken", "failed")


class NotFailed(Exception):
    """Only a message whose turn has failed can be put back."""


def unanswered(session: Session, most: int = 200) -> list[InboundMessage]:
    """Messages that wait or have failed, the oldest first; timers only where they have failed."""
    listed = select(InboundMessage).where(InboundMessage.state.in_(UNANSWERED))
    return list(session.execute(listed.order_by(InboundMessage.id).limit(most)).scalars())


def put_back(session: Session, message_id: int, now: datetime) -> list[int]:
    """Let a failed message, and those that shared its turn, be answered once more: their ids. Raises NotFailed.

    The turn keeps its name: what its actions did is not done again, and what they gave up may be tried anew. A timer brings
    it to whichever process works on this database.
    """
    message = session.get(InboundMessage, message_id, with_for_update=True)
    if message is None:
        raise NotFailed(f"there is no message {message_id}")
    if message.state != "failed":
        raise NotFailed(f"message {message_id} has not failed: it is {message.state}")
    rows = _of_turn(session, message)
    for row in rows:
        row.state, row.claim, row.tries, row.done_at = "waiting", None, 0, None
    given_up = (ActionCall.key.like(f"{message.turn_id}/%"), ActionCall.state == "abandoned")
    session.execute(delete(ActionCall).where(*given_up).execution_options(synchronize_session=False))
    key = f"retry:{message.turn_id}"
    set_timer(session, key=key, sender_id=message.sender_id, channel=message.channel, kind="retry", due_at=now)
    return [row.id for row in rows]


def _of_turn(session: Session, message: InboundMessage) -> Sequence[InboundMessage]:
    of_turn = select(InboundMessage).where(InboundMessage.turn_id == message.turn_id, InboundMessage.state == "failed")
    return list(session.execute(of_turn.order_by(InboundMessage.id).with_for_update()).scalars())
