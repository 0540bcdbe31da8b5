"""What people of another desk wrote to the shopper is in the transcript, and nothing stands there twice."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from desk.adapters.chatwoot.parsing import Answered, Place
from desk.adapters.chatwoot.receiving import receive
from desk.conversation import transcript_of
from messaging import agent_messages, handoffs
from tests.desk.people import NOW, asks, minutes, takes


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_SECRET", "a secret of the tests, long enough")


def test_what_somebody_wrote_over_there_is_read_here_by_their_name(session: Session) -> None:
    sender = "chatwoot-1-42"
    handoff = asks(session, sender, channel="chatwoot")
    answer = Answered(Place(1, 42, "open", "John"), 7, "Hola, soy John", "John")
    receive(session, lambda _inbound: None, answer, NOW + minutes(1))
    entries, _ = transcript_of(session, handoffs.by_id(session, handoff), NOW + minutes(2)).page()
    said = [(entry["by"], entry.get("name"), entry["parts"][0]["text"]) for entry in entries if entry["parts"]]
    assert said == [("agent", "John · Chatwoot", "Hola, soy John")]


def test_what_one_of_ours_wrote_stands_there_once(session: Session) -> None:
    handoff = asks(session)
    takes(session, handoff, "Luis")
    agent_messages.say(session, handoff, "Luis", "m1", {"text": "Hola"}, NOW)
    entries, _ = transcript_of(session, handoffs.by_id(session, handoff), NOW + minutes(2)).page()
    assert [entry["parts"][0]["text"] for entry in entries if entry["parts"]] == ["Hola"]
