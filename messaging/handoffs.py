"""From the bot to a person and back: one record a matter, one owner at a time.

waiting <-> callback       open hours and not; asking again moves between them, and a timer when people come to work
waiting, callback -> assigned -> given_back | resolved
waiting, callback -> cancelled | resolved

HandoffError
+-- NoSuchHandoff
+-- AlreadyTaken     somebody has it; `by` says who
+-- IllegalMove      its status does not allow this
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from messaging.calendar import Calendar
from messaging.conversations import conversation, set_owner
from messaging.masking import mask
from messaging.models import Handoff
from messaging.turns.timers import cancel_timer, set_timer
from messaging.writes import insert_once, one_at_a_time

Reason = Literal["asked", "policy", "misunderstood", "anger", "failure"]

REASONS: frozenset[str] = frozenset({"asked", "policy", "misunderstood", "anger", "failure"})
UNTAKEN = ("waiting", "callback")
OPEN = (*UNTAKEN, "assigned")


class HandoffError(Exception):
    """A handoff cannot do this."""


class NoSuchHandoff(HandoffError):
    """No handoff has this id."""


class AlreadyTaken(HandoffError):
    """Somebody has this handoff."""

    def __init__(self, handoff_id: int, by: str) -> None:
        super().__init__(f"Handoff {handoff_id} is with {by}.")
        self.by = by


class IllegalMove(HandoffError):
    """The handoff's status does not allow this."""


@dataclass(frozen=True)
class Opened:
    """What the shopper can be told. Out of hours `next_opening` is when somebody calls back (None: never opens)."""

    handoff: Handoff
    is_open_now: bool
    expected_wait_minutes: int | None  # only while open
    next_opening: datetime | None  # only out of hours
    already_open: bool


def open_handoff(
    session: Session,
    *,
    sender_id: str,
    channel: str,
    customer_id: int | None,
    language: str,
    reason: Reason,
    goal: str | None,
    collected: Mapping[str, Any],
    tried: Sequence[str],
    verdict: Mapping[str, Any] | None,
    transcript: Sequence[Mapping[str, Any]],
    now: datetime,
    calendar: Calendar,
) -> Opened:
    """Ask for a person. A conversation has one open handoff: asking again updates it and keeps its place.

    transcript: [{"by": "shopper" | "assistant" | "agent", "text": ..., "at": ...}]; cards and passwords are masked here
    once more. The conversation goes to the queue in open hours; out of hours the bot keeps it and a call-back is noted.
    """
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no reason; reasons are {', '.join(sorted(REASONS))}")
    one_at_a_time(session, f"handoff:{sender_id}")
    conversation(session, sender_id, channel, now)
    news = {
        "channel": channel,
        "customer_id": customer_id,
        "language": language,
        "reason": reason,
        "goal": goal,
        "collected": _masked(dict(collected)),
        "tried": list(tried),
        "verdict": dict(verdict) if verdict is not None else None,
        "transcript": _masked([dict(line) for line in transcript]),
    }
    is_new = insert_once(session, Handoff, {**news, "sender_id": sender_id, "status": "waiting", "created_at": now, "note": ""})
    handoff = _of_sender(session, sender_id)
    if not is_new:
        _update(handoff, news)
    _place(session, handoff, now, calendar)
    return _opened(handoff, now, calendar, already_open=not is_new)


def take(session: Session, handoff_id: int, agent: str, now: datetime) -> Handoff:
    """Give the handoff, and with it the conversation, to this person. Raises AlreadyTaken, IllegalMove, NoSuchHandoff."""
    taken = {"status": "assigned", "assignee": agent, "assigned_at": now}
    if not agent.strip():
        raise ValueError("an agent needs a name")
    if not _move(session, handoff_id, UNTAKEN, taken):
        handoff = by_id(session, handoff_id)
        raise AlreadyTaken(handoff_id, handoff.assignee) if handoff.status == "assigned" else _illegal(handoff, "taken")
    handoff = by_id(session, handoff_id)
    set_owner(session, handoff.sender_id, "agent", assignee=agent)
    cancel_timer(session, _timer_of(handoff_id))
    return handoff


def give_back(session: Session, handoff_id: int, now: datetime, note: str = "") -> Handoff:
    """The person is done and the bot goes on, with a recap. note: what the recap should know."""
    return _close(session, handoff_id, ("assigned",), "given_back", now, note, recap_due=True)


def resolve(session: Session, handoff_id: int, now: datetime, note: str = "") -> Handoff:
    """The matter is settled, with or without somebody having taken the conversation (a phone call)."""
    return _close(session, handoff_id, OPEN, "resolved", now, note)


def call_back(session: Session, handoff_id: int, now: datetime) -> bool:
    """A call-back that is due joins those who wait. False: it is not due, or does not wait any more."""
    due = update(Handoff).where(Handoff.id == handoff_id, Handoff.status == "callback", Handoff.callback_at <= now)
    moved = due.values(status="waiting", callback_at=None).execution_options(synchronize_session=False)
    if not session.execute(moved).rowcount:
        return False
    set_owner(session, by_id(session, handoff_id).sender_id, "queue")
    return True


def cancel(session: Session, handoff_id: int, now: datetime) -> Handoff:
    """The shopper says never mind. Once somebody has it, that person ends it: IllegalMove."""
    return _close(session, handoff_id, UNTAKEN, "cancelled", now, note="")


def open_for(session: Session, sender_id: str) -> Handoff | None:
    """The conversation's open handoff, if there is one."""
    return session.execute(_select().where(Handoff.sender_id == sender_id, Handoff.status.in_(OPEN))).scalar_one_or_none()


def collected_by_open(session: Session) -> list[dict[str, Any]]:
    """What was collected for each matter that is not settled."""
    return list(session.execute(select(Handoff.collected).where(Handoff.status.in_(OPEN))).scalars())


def with_a_person(session: Session) -> list[Handoff]:
    """Everybody who is with a person, the longest first."""
    return list(session.execute(_select().where(Handoff.status == "assigned").order_by(Handoff.assigned_at)).scalars())


def by_id(session: Session, handoff_id: int) -> Handoff:
    """One record, open or not. Raises NoSuchHandoff."""
    handoff = session.execute(_select().where(Handoff.id == handoff_id)).scalar_one_or_none()
    if handoff is None:
        raise NoSuchHandoff(f"There is no handoff {handoff_id}.")
    return handoff


def last_given_back(session: Session, sender_id: str) -> Handoff | None:
    """What a person had last in this conversation and gave back: what a recap is about."""
    given_back = _select().where(Handoff.sender_id == sender_id, Handoff.status == "given_back")
    found: Handoff | None = session.execute(given_back.order_by(Handoff.closed_at.desc(), Handoff.id.desc())).scalars().first()
    return found


def waiting(session: Session) -> list[Handoff]:
    """Everybody who waits for a person, call-backs included, in the order in which they asked."""
    return list(session.execute(_select().where(Handoff.status.in_(UNTAKEN)).order_by(*_turn())).scalars())


def position(session: Session, handoff_id: int) -> int | None:
    """The place in the queue from 1; None when it does not wait (any more)."""
    ids = list(session.execute(select(Handoff.id).where(Handoff.status.in_(UNTAKEN)).order_by(*_turn())).scalars())
    return ids.index(handoff_id) + 1 if handoff_id in ids else None


def _turn() -> tuple[Any, ...]:
    return (Handoff.created_at, Handoff.id)


def _update(handoff: Handoff, news: Mapping[str, Any]) -> None:
    told = {name: value for name, value in news.items() if value not in (None, [], {})}
    is_anothers = None not in (handoff.customer_id, news["customer_id"]) and handoff.customer_id != news["customer_id"]
    told["collected"] = {**({} if is_anothers else handoff.collected), **news["collected"]}
    told["tried"] = list(dict.fromkeys([*handoff.tried, *news["tried"]]))
    for name, value in told.items():
        setattr(handoff, name, value)


def _place(session: Session, handoff: Handoff, now: datetime, calendar: Calendar) -> None:
    if handoff.status in UNTAKEN:
        is_open = calendar.is_open(now)
        handoff.status = "waiting" if is_open else "callback"
        handoff.callback_at = None if is_open else calendar.next_opening(now)
        set_owner(session, handoff.sender_id, "queue" if is_open else "bot")
        _set_timer(session, handoff)
    session.flush()


def _set_timer(session: Session, handoff: Handoff) -> None:
    """So that somebody calls back when people come to work."""
    key = _timer_of(handoff.id)
    if handoff.callback_at is None:
        cancel_timer(session, key)
        return
    whose = {"sender_id": handoff.sender_id, "channel": handoff.channel}
    set_timer(session, key=key, kind="callback", due_at=handoff.callback_at, details={"handoff": handoff.id}, **whose)


def _timer_of(handoff_id: int) -> str:
    return f"callback:{handoff_id}"


def _opened(handoff: Handoff, now: datetime, calendar: Calendar, already_open: bool) -> Opened:
    is_open = calendar.is_open(now)
    return Opened(
        handoff=handoff,
        is_open_now=is_open,
        expected_wait_minutes=calendar.expected_wait(now) if is_open else None,
        next_opening=None if is_open else calendar.next_opening(now),
        already_open=already_open,
    )


def _close(
    session: Session,
    handoff_id: int,
    allowed: Sequence[str],
    status: str,
    now: datetime,
    note: str,
    recap_due: bool = False,
) -> Handoff:
    if not _move(session, handoff_id, allowed, {"status": status, "closed_at": now, "note": mask(note).text}):
        raise _illegal(by_id(session, handoff_id), status)
    handoff = by_id(session, handoff_id)
    set_owner(session, handoff.sender_id, "bot", recap_due=recap_due)
    cancel_timer(session, _timer_of(handoff_id))
    return handoff


def _move(session: Session, handoff_id: int, allowed: Sequence[str], values: Mapping[str, Any]) -> bool:
    # One statement looks and moves: of two people who take at once, one gets it.
    moved = update(Handoff).where(Handoff.id == handoff_id, Handoff.status.in_(allowed)).values(**values)
    return bool(session.execute(moved.execution_options(synchronize_session=False)).rowcount)


# What happened to a handoff and who may do what with it, for the person who tried something else.
_STANDS = {
    "waiting": "is waiting: nobody has taken it yet",
    "callback": "is waiting for a call-back: nobody has taken it yet",
    "assigned": "is with {assignee}",
    "given_back": "was given back to the assistant already",
    "resolved": "is settled already",
    "cancelled": "is over: the shopper did not want a person any more",
}
_NEEDS = {
    "taken": "Only one that waits can be taken",
    "given_back": "Only one that somebody has taken can be given back",
    "resolved": "Only one that is open can be resolved",
    "cancelled": "Only one that waits can be left by the shopper",
}


def _illegal(handoff: Handoff, what: str) -> IllegalMove:
    stands = _STANDS[handoff.status].format(assignee=handoff.assignee)
    return IllegalMove(f"Handoff {handoff.id} {stands}. {_NEEDS[what]}.")


def _of_sender(session: Session, sender_id: str) -> Handoff:
    return session.execute(
        _select().where(Handoff.sender_id == sender_id, Handoff.status.in_(OPEN)).with_for_update()
    ).scalar_one()


def _select() -> Any:
    return select(Handoff).execution_options(populate_existing=True)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value).text
    if isinstance(value, dict):
        return {name: _masked(inner) for name, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list) else value
