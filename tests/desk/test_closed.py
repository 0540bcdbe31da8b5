"""Of a matter that is closed, nobody learns what was written in that conversation afterwards: it may be by somebody else."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from desk.items import items_of
from desk.permissions import PERMISSIONS, Me
from desk.searching import Wanted, search
from messaging import handoffs
from messaging.turns import inbox, outbox
from messaging.turns.inbox import Inbound
from tests.desk.people import NOW, asks, minutes, takes

LUIS = Me(1, "Luis", "agent", PERMISSIONS["agent"], (), ("returns",), 4, "available", 1)


def writes(session: Session, text: str, now: datetime) -> None:
    inbox.receive(session, Inbound("webchat", text, "s1", text), now)
    contents = [{"text": f"re: {text}"}]
    outbox.put(session, turn_id=int(now.timestamp()), channel="webchat", sender_id="s1", contents=contents, trace_id="t", now=now)


@pytest.fixture
def id_(session: Session) -> int:
    handoff = asks(session)
    takes(session, handoff, "Luis")
    writes(session, "zapatos", NOW + minutes(1))
    handoffs.resolve(session, handoff, NOW + minutes(2), by="Luis")
    writes(session, "diagnosis", NOW + minutes(60))
    return handoff


def found(session: Session, words: str) -> list[int]:
    return [item["id"] for item in search(session, LUIS, Wanted(words=words), NOW + minutes(90))["items"]]


def test_what_was_written_later_is_not_searched(session: Session, id_: int) -> None:
    assert (found(session, "zapatos"), found(session, "diagnosis")) == ([id_], [])


def test_the_newest_message_of_a_closed_matter_is_one_of_its_time(session: Session, id_: int) -> None:
    [item] = items_of(session, [id_], NOW + minutes(90))
    assert item.shown["last"]["text"] == "zapatos"
    assert item.unread(0) == 1


def test_open_one_has_the_newest_of_all(session: Session, id_: int) -> None:
    again = asks(session, now=NOW + minutes(70))
    [item] = items_of(session, [again], NOW + minutes(90))
    assert item.shown["last"]["text"] == "re: diagnosis"
