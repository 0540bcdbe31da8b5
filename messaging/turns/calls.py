"""The ledger of action calls: what an action did and answered is stored together, so that it is done once.

A call is named by its turn. Run again, it gets the answer of the first time. One that was given up on, because it was slow,
can do nothing any more: its transaction fails on the name that is taken.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from messaging.models import ActionCall
from messaging.writes import insert_once

NAME_OF_CALL = "Idempotency-Key"  # the HTTP header


class Abandoned(Exception):
    """The shopper was told that this could not be done: it must not be done any more."""


class AnsweredMeanwhile(Exception):
    """The same call was answered by another process while this one ran: this one must leave nothing."""


def answer_of(session: Session, key: str) -> dict[str, Any] | None:
    """What this call answered before; None where it was not made yet. Raises Abandoned."""
    row = session.execute(_OF_KEY, {"key": key}).one_or_none()
    if row is None:
        return None
    if row.state == "abandoned":
        raise Abandoned(key)
    return dict(json.loads(row.answer))


_OF_KEY = select(ActionCall.state, ActionCall.answer).where(ActionCall.key == bindparam("key"))


def made_in(session: Session, turn_id: int) -> list[str]:
    """The actions of this turn that have an answer, in the order in which they were done."""
    done = select(ActionCall.key).where(ActionCall.key.like(f"{turn_id}/%"), ActionCall.state == "done")
    return [str(key).split("/")[1] for key in session.execute(done.order_by(ActionCall.at, ActionCall.key)).scalars()]


def store(session: Session, key: str, sender_id: str, answer: dict[str, Any], now: datetime) -> None:
    """The last thing in the action's transaction. Raises AnsweredMeanwhile: roll it back, and look again."""
    values = {"key": key, "sender_id": sender_id, "state": "done", "answer": json.dumps(answer, ensure_ascii=False), "at": now}
    if not insert_once(session, ActionCall, values):
        raise AnsweredMeanwhile(key)


def abandon(session: Session, key: str, sender_id: str, now: datetime) -> dict[str, Any] | None:
    """Give the call up; or, where it was done after all, its answer."""
    if insert_once(session, ActionCall, {"key": key, "sender_id": sender_id, "state": "abandoned", "answer": None, "at": now}):
        return None
    try:
        return answer_of(session, key)
    except Abandoned:
        return None
