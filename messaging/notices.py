"""What the desk has the assistant say to a shopper, without a message that it answers: "Marta is here now"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from messaging.models import Timer
from messaging.writes import insert_once

KIND = "notice"


def say_soon(
    session: Session,
    *,
    key: str,
    sender_id: str,
    channel: str,
    response: str,
    values: Mapping[str, Any],
    owners: Collection[str],
    now: datetime,
) -> bool:
    """Have this response said, once for a key: False where that was asked for already.

    owners: in whose hands (bot, queue, agent) the conversation may be when it is said; else it is not said at all. values: for
    the response. It is said by the conversation's next turn: `TurnEngine.stir_timers` makes that begin at once.
    """
    details = {"response": response, "values": dict(values), "owners": sorted(owners)}
    row = {"key": key, "sender_id": sender_id, "channel": channel, "kind": KIND, "details": details, "due_at": now}
    return insert_once(session, Timer, {**row, "state": "waiting"})
