from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from messaging.conversations import conversation, owner, set_owner, take_recap


def test_new_conversation_belongs_to_the_bot(session: Session, now: datetime) -> None:
    assert owner(session, "s1") == "bot"
    assert conversation(session, "s1", "webchat", now).owner == "bot"


def test_same_sender_has_one_conversation(session: Session, now: datetime) -> None:
    first = conversation(session, "s1", "webchat", now)
    assert conversation(session, "s1", "webchat", now) is first


def test_recap_is_due_once(session: Session, now: datetime) -> None:
    conversation(session, "s1", "webchat", now)
    assert take_recap(session, "s1") is False
    set_owner(session, "s1", "bot", recap_due=True)
    assert [take_recap(session, "s1"), take_recap(session, "s1")] == [True, False]


def test_database_refuses_an_agent_without_a_name(session: Session, now: datetime) -> None:
    conversation(session, "s1", "webchat", now)
    with pytest.raises(IntegrityError):
        set_owner(session, "s1", "agent")
