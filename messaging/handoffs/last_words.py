"""Whether whoever ends a conversation, or puts it aside, knows what the shopper wrote last: else nobody would answer it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from messaging.handoffs.errors import Unread
from messaging.models import Handoff, InboundMessage

COMMITTED_WITHIN = timedelta(minutes=1)  # a message may be committed after one with a higher id, and not much later


def check_seen(session: Session, handoff: Handoff, seen: Collection[int] | None, now: datetime) -> None:
    """Raises Unread where there is a message of the shopper's that is not among those.

    seen: ids of the inbox, those of the shopper's newest messages that are known; None: it is not asked. To be called when the
    handoff has moved: its row is locked by then. A message that is being kept either has this row already, so that it was
    waited for and is found here, or gets it when the move is committed, and finds the conversation as it is then.
    """
    if seen is None:
        return
    own = InboundMessage.sender_id == handoff.sender_id
    newest = select(func.max(InboundMessage.id))
    up_to = session.execute(newest.where(own, InboundMessage.id.in_(seen))).scalar_one()
    may_be_new = InboundMessage.received_at >= handoff.created_at
    if up_to is not None:
        lately = max(handoff.created_at, now - COMMITTED_WITHIN)
        may_be_new = or_(InboundMessage.id > up_to, InboundMessage.received_at >= lately)
    unseen = newest.where(own, InboundMessage.kind == "message", InboundMessage.id.not_in(seen), may_be_new)
    if (unread := session.execute(unseen).scalar_one()) is not None:
        raise Unread(handoff.id, unread)
