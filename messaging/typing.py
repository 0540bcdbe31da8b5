"""Who is writing at this moment: told to whoever listens in this process, and by PostgreSQL to others. Nothing is kept."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

CHANNEL = "tendero_typing"  # PostgreSQL's notifications
HOLDS = 12.0  # seconds: whoever was to say that it ended may be gone

_HERE = secrets.token_hex(4)
_TELL = select(func.pg_notify(CHANNEL, bindparam("told")))


@dataclass(frozen=True)
class Typing:
    """by: a person of the shop; empty: the shopper."""

    sender_id: str
    on: bool
    by: str = ""


Listener = Callable[[Typing], None]  # called in any thread

_listeners: dict[int, Listener] = {}
_numbers = count()


def listen(listener: Listener) -> Callable[[], None]:
    """From now on this one is told; until what is returned is called."""
    number = next(_numbers)
    _listeners[number] = listener

    def end() -> None:
        _listeners.pop(number, None)

    return end


def tell(sender_id: str, on: bool, by: str = "") -> None:
    """In this process."""
    _pass_on(Typing(sender_id, on, by))


def tell_others(session: Session, sender_id: str, on: bool, by: str = "") -> None:
    """Other processes on the same PostgreSQL, once this transaction is committed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TELL, {"told": json.dumps({**asdict(Typing(sender_id, on, by)), "from": _HERE})})


def hear(told: str) -> None:
    """What a process has said by a notification: passed on here, if it was another."""
    news = json.loads(told)
    if news.pop("from") != _HERE:
        _pass_on(Typing(**news))


def _pass_on(typing: Typing) -> None:
    for listener in list(_listeners.values()):
        listener(typing)
