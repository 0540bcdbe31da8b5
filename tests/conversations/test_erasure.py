"""A shopper has their data deleted in the chat: the turn that does it comes to its end, and nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from commerce.models import Customer
from database import transaction
from messaging.models import ActionCall, InboundMessage, OutboundMessage, TrackerState
from tests.conversations.stage import Stage

OWEN = {"as": "owen.thompson85@example.org"}
ASKED = ("i want all my personal information deleted", "{code}")


def begin(stage: Stage) -> str:
    sender = stage.begin(OWEN)
    for text in ASKED:
        stage.say(sender, text)
    return sender


def kept(sender: str) -> tuple[list[str], list[int]]:
    """Texts of the sender's messages, and the turns of which replies or action calls are left."""
    with transaction() as session:
        texts = session.execute(select(InboundMessage.text).where(InboundMessage.sender_id == sender)).scalars().all()
        replied = session.execute(select(OutboundMessage.turn_id).where(OutboundMessage.sender_id == sender)).scalars().all()
        called = session.execute(select(ActionCall.key).where(ActionCall.sender_id == sender)).scalars().all()
        assert session.execute(select(TrackerState).where(TrackerState.sender_id == sender)).all() == []
        assert session.execute(select(Customer.id).where(Customer.email == OWEN["as"])).all() == []
    return list(texts), sorted({*replied, *(int(key.partition("/")[0]) for key in called)})


def test_the_goodbye_is_delivered_and_no_earlier_word_is_left(stage: Stage) -> None:
    sender = begin(stage)
    goodbye = stage.say(sender, "yes, erase it")
    assert "your data is erased" in goodbye.words
    assert kept(sender) == ([""], [3])


def test_a_crash_after_the_erasure_does_it_once_and_still_says_goodbye(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = begin(stage)
    engine = stage._agent.engine
    save = engine._save

    def crash_once(*arguments: Any) -> str:
        monkeypatch.setattr(engine, "_save", save)
        raise RuntimeError("as if the process had died before it saved the turn")

    monkeypatch.setattr(engine, "_save", crash_once)
    again = stage.say(sender, "yes, erase it")
    assert stage.newest_actions()[0] == "action_erase_data"
    assert "eliminé tus datos" in again.words or "data is erased" in again.words
    assert kept(sender) == ([""], [3])
