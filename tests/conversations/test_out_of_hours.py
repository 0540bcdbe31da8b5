"""Out of hours one message says honestly when somebody is there; after it the assistant goes on, without saying it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from database import transaction
from desk import waiting
from desk.routing import route
from messaging import handoffs
from messaging.models import Handoff
from tests.conversations.stage import Stage

EMMA = {"as": "emma@example.com", "at": "closed"}
STRANGER = {"at": "closed"}
ANA = {"as": "ana@example.com", "at": "closed"}
NOBODY_IS_HERE = {"en": "Our team isn't in right now", "es": "el equipo no está"}


def talk(stage: Stage, metadata: dict[str, Any], *texts: str) -> list[str]:
    sender = stage.begin(metadata)
    return [stage.say(sender, text).words for text in texts]


def test_one_message_has_the_day_the_hour_and_the_offer_of_a_call_back(stage: Stage) -> None:
    sender = stage.begin(EMMA)
    played = stage.say(sender, "can you put me through to an agent?")
    assert len(played.replies) == 1
    assert all(words in played.words for words in (NOBODY_IS_HERE["en"], "emma@example.com", "Mexico City time"))


@pytest.mark.parametrize(
    ("metadata", "asked", "next_", "noted", "language"),
    [
        (EMMA, "get me a human", ("ok", "blorp flarp"), "whoever answers you will read it", "en"),
        (STRANGER, "get me a human", ("ok", "blorp flarp"), "whoever answers you will read it", "en"),
        (ANA, "quiero un agente", ("ok", "blorp flarp"), "lo va a leer quien te responda", "es"),
    ],
)
def test_what_is_written_afterwards_is_noted_without_the_same_notice(
    stage: Stage, metadata: dict[str, Any], asked: str, next_: tuple[str, ...], noted: str, language: str
) -> None:
    first, *later = talk(stage, metadata, asked, *next_)
    assert NOBODY_IS_HERE[language] in first
    assert all(noted in words for words in later)
    assert not [words for words in later if NOBODY_IS_HERE[language] in words or "9:00" in words]


def test_what_the_assistant_can_answer_is_answered_and_nothing_else_is_said(stage: Stage) -> None:
    _, order, points = talk(stage, EMMA, "get me a human", "where is my order 10232", "how many points do I have?")
    assert "10232" in order
    assert "points" in points
    assert not [words for words in (order, points) if NOBODY_IS_HERE["en"] in words or "whoever answers" in words]


def test_whoever_asks_how_long_is_told_when_again(stage: Stage) -> None:
    _, again = talk(stage, EMMA, "get me a human", "how long do I have to wait?")
    assert "Mexico City time" in again


def test_whoever_asks_for_a_person_again_is_told_in_other_words(stage: Stage) -> None:
    first, again = talk(stage, STRANGER, "get me a human", "I want a real person")
    assert NOBODY_IS_HERE["en"] in first
    assert NOBODY_IS_HERE["en"] not in again
    assert "Which e-mail or phone number" in again


def test_what_is_written_out_of_hours_is_in_the_record(stage: Stage) -> None:
    sender = stage.begin(EMMA)
    for text in ("get me a human", "blorp flarp"):
        stage.say(sender, text)
    with transaction() as session:
        handoff = session.execute(select(Handoff).where(Handoff.sender_id == sender)).scalar_one()
        assert [line["text"] for line in handoff.transcript if line["by"] == "shopper"] == ["get me a human", "blorp flarp"]


# In hours, whoever waits


@pytest.mark.parametrize(
    ("metadata", "asked", "words"),
    [
        (EMMA, "get me a human", ["longer than I said", "number 1 in line", "about 5 minutes", "leave your message here"]),
        (ANA, "quiero un agente", ["más de lo que te dije", "lugar 1", "unos 5 minutos", "dejar aquí tu mensaje"]),
    ],
)
def test_longer_wait_is_told_by_itself_and_whoever_does_not_want_to_wait_taps_never_mind(
    stage: Stage, metadata: dict[str, Any], asked: str, words: list[str]
) -> None:
    sender = stage.begin({**metadata, "at": "open"})
    stage.say(sender, asked)
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        route(session, handoff.created_at)
        assert waiting.tell(session, handoff.created_at + timedelta(minutes=6)) == 1
    stage.let_timers_fire(sender, "notice")
    assert [each for each in words if each not in stage.newest_words()] == []
    assert stage.say(sender, "/stop_task").actions == ["action_stop_task"]
    with transaction() as session:
        assert handoffs.open_for(session, sender) is None


def test_message_that_is_left_while_waiting_is_passed_on(stage: Stage) -> None:
    sender = stage.begin({**EMMA, "at": "open"})
    stage.say(sender, "get me a human")
    stage.say(sender, "tell them gregor flumbed the sprocket")
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        assert handoff.transcript[-1]["text"] == "tell them gregor flumbed the sprocket"
