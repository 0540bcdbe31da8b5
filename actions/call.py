"""One call of an action: done once, however often it is made, and together with its answer or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from actions import clock
from database import is_overtaken, rows_changed, transaction
from messaging.turns import calls

MOST_TRIES = 12  # of a transaction that somebody else's write has overtaken

Answer = dict[str, Any]


@dataclass
class Call:
    """The call's transaction; `after_commit`: what cannot be rolled back."""

    session: Session
    after_commit: list[Callable[[], object]] = field(default_factory=list)


_under_way: ContextVar[Call | None] = ContextVar("call", default=None)


def call_under_way() -> Call | None:
    """The call that this code runs in; None where the action is called by something else than our server."""
    return _under_way.get()


def answer_once(key: str | None, sender_id: str, act: Callable[[], Answer]) -> Answer:
    """What `act` answers, or what it answered when this call was made before. Raises calls.Abandoned, and what `act` raises.

    `act` may run again, then with the write lock in hand, where its transaction was overtaken: it must do nothing outside of it.
    """
    for attempt in range(1, MOST_TRIES + 1):
        try:
            return _answer(key, sender_id, act, is_optimistic=attempt == 1)
        except calls.AnsweredMeanwhile:
            continue  # it has an answer now
        except DBAPIError as error:
            if attempt == MOST_TRIES or not _is_overtaken(error):
                raise
            time.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311
    raise AssertionError("a call has an answer or an error")


def _is_overtaken(error: DBAPIError) -> bool:
    return is_overtaken(error) or (isinstance(error, OperationalError) and "is locked" in str(error.orig))


def _answer(key: str | None, sender_id: str, act: Callable[[], Answer], is_optimistic: bool) -> Answer:
    with transaction(is_optimistic=is_optimistic) as session:
        before = calls.answer_of(session, key) if key is not None else None
        if before is not None:
            return before
        call = Call(session)
        changed = rows_changed(session)
        token = _under_way.set(call)
        try:
            answer = act()
        finally:
            _under_way.reset(token)
        session.flush()
        has_only_read = changed is not None and rows_changed(session) == changed
        if key is not None and not has_only_read:
            calls.store(session, key, sender_id, answer, clock.now())
    if key is not None and has_only_read:
        # Apart from what was read: that cannot be overtaken, and nothing hangs on the two being one.
        with transaction() as session:
            calls.store(session, key, sender_id, answer, clock.now())
    for deed in call.after_commit:
        deed()
    return answer
