"""A code that a shopper writes while a person of ours has the conversation: it proves who they are, though no bot answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from database import home_folder
from messaging import codes, handoffs, identities
from messaging.handoffs import happened
from messaging.secret import secret_key

PROVEN = "proven"  # kind of event


def look_for_code(session: Session, channel: str, sender_id: str, text: str, now: datetime) -> bool:
    """Whether the message brings the code that was sent for this conversation: then its shopper is known from now on.

    Without six digits, or where no code is awaited, nothing is counted.
    """
    handoff = handoffs.open_for(session, sender_id)
    if handoff is None or codes.find_code(text) is None:
        return False
    checked = codes.check_code(session, sender_id, text, now, secret_key(home_folder()))
    if checked.customer_id is None:
        return False
    identities.prove_identity(session, channel, sender_id, checked.customer_id, now)
    handoff.customer_id = checked.customer_id
    happened.note(session, handoff, PROVEN, now)
    return True
