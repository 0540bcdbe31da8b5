"""How it was with a person of ours is asked once, on every channel, after they have settled the matter; and never otherwise."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.channels.whatsapp.templates import templates
from database import transaction
from messaging import handoffs
from messaging.handoffs.ending import RATING
from messaging.models import SatisfactionRating, Timer
from tests.conversations.stage import Stage

ANA = {"as": "ana@example.com", "at": "open"}
EMMA = {"as": "emma@example.com", "at": "open"}
ASKED = {"es": "¿Qué tal te atendimos en esto", "en": "How well did we help you with this"}


def now() -> datetime:
    return datetime.now(timezone.utc)


def with_a_person(stage: Stage, metadata: dict[str, Any], *texts: str, is_answered: bool = True) -> tuple[str, int]:
    """(sender, handoff) of a shopper to whom a person has written."""
    sender = stage.begin(metadata)
    for text in texts or ("quiero hablar con una persona",):
        stage.say(sender, text)
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        handoffs.take(session, handoff.id, "Lucía", now())
        if is_answered:
            handoffs.note_agent_wrote(session, handoff.id, now())
        return sender, int(handoff.id)


def settle(handoff_id: int) -> None:
    with transaction() as session:
        handoffs.resolve(session, handoff_id, now(), by="Lucía", reason="answered", topic="order")


def is_to_be_asked(sender: str) -> bool:
    with transaction() as session:
        theirs = (Timer.sender_id == sender, Timer.kind == RATING, Timer.state == "waiting")
        return session.execute(select(Timer.id).where(*theirs)).scalar_one_or_none() is not None


def ratings(sender: str) -> list[tuple[str, int | None]]:
    with transaction() as session:
        wanted = select(SatisfactionRating.matter, SatisfactionRating.score).where(SatisfactionRating.sender_id == sender)
        return [tuple(row) for row in session.execute(wanted.order_by(SatisfactionRating.id))]


@pytest.mark.parametrize(("metadata", "request_", "language"), [(ANA, "quiero un agente", "es"), (EMMA, "get me a human", "en")])
def test_answer_counts_for_the_person_though_the_conversation_is_the_assistants_again(
    stage: Stage, metadata: dict[str, Any], request_: str, language: str
) -> None:
    sender, handoff = with_a_person(stage, metadata, request_)
    settle(handoff)
    stage.let_timers_fire(sender, RATING)
    assert ASKED[language] in stage.newest_words()
    assert ratings(sender) == [(f"handoff:{handoff}", None)]
    stage.say(sender, "5")
    assert ratings(sender) == [(f"handoff:{handoff}", 5)]


def test_low_rating_of_a_person_offers_another_one(stage: Stage) -> None:
    sender, handoff = with_a_person(stage, EMMA, "get me a human")
    settle(handoff)
    stage.let_timers_fire(sender, RATING)
    stage.say(sender, "1")
    assert "minutes" in stage.say(sender, "yes").words
    assert ratings(sender) == [(f"handoff:{handoff}", 1)]


@pytest.mark.parametrize(("channel", "stars"), [("webchat", {"rating_request": {"most": 5}}), ("test", None)])
def test_it_is_asked_as_the_channel_can_show_it(stage: Stage, channel: str, stars: dict[str, Any] | None) -> None:
    sender, handoff = with_a_person(stage, {**EMMA, "channel": channel}, "get me a human")
    settle(handoff)
    stage.let_timers_fire(sender, RATING)
    (asked,) = [event for event in stage._agent.tracker_store.last_saved if event["event"] == "bot"]
    assert asked["metadata"]["utter_action"] == "utter_ask_rating_person"  # by which WhatsApp finds the template after a day
    assert (asked["data"].get("custom") or None) == stars
    assert [each["title"] for each in asked["data"].get("buttons") or []] == ([] if stars else ["1", "2", "3", "4", "5"])


def test_whoever_never_got_a_persons_word_is_not_asked(stage: Stage) -> None:
    sender, handoff = with_a_person(stage, ANA, is_answered=False)
    settle(handoff)
    assert not is_to_be_asked(sender)


def test_conversation_that_was_given_back_is_not_rated(stage: Stage) -> None:
    sender, handoff = with_a_person(stage, ANA)
    with transaction() as session:
        handoffs.give_back(session, handoff, now(), by="Lucía")
    assert not is_to_be_asked(sender)


def test_whoever_left_the_queue_is_not_asked(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "quiero hablar con una persona")
    stage.say(sender, "olvídalo")
    assert not is_to_be_asked(sender)


def test_whoever_wants_a_person_again_is_not_asked_meanwhile(stage: Stage) -> None:
    sender, handoff = with_a_person(stage, ANA)
    settle(handoff)
    stage.say(sender, "quiero hablar con una persona")
    stage.let_timers_fire(sender, RATING)
    assert ratings(sender) == []


def test_whoever_is_in_the_middle_of_a_task_is_not_asked(stage: Stage) -> None:
    sender, handoff = with_a_person(stage, EMMA, "get me a human")
    settle(handoff)
    stage.say(sender, "I want to return the shirt from 10231")
    stage.let_timers_fire(sender, RATING)
    assert ratings(sender) == []


def test_second_matter_of_a_day_is_not_asked_about(stage: Stage) -> None:
    sender, first = with_a_person(stage, EMMA, "get me a human")
    settle(first)
    stage.let_timers_fire(sender, RATING)
    stage.say(sender, "4")
    stage.say(sender, "get me a human")
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        handoffs.take(session, handoff.id, "Lucía", now())
        handoffs.note_agent_wrote(session, handoff.id, now())
    settle(int(handoff.id))
    stage.let_timers_fire(sender, RATING)
    assert ratings(sender) == [(f"handoff:{first}", 4)]


def test_answer_that_comes_a_day_later_still_counts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    sender, handoff = with_a_person(stage, EMMA, "get me a human")
    settle(handoff)
    stage.let_timers_fire(sender, RATING)
    monkeypatch.setattr(type(stage._agent.processor), "_has_session_expired", lambda *_: True)
    assert "action_session_start" in [each["name"] for each in _actions(stage, sender, "4")]
    assert ratings(sender) == [(f"handoff:{handoff}", 4)]


def _actions(stage: Stage, sender: str, text: str) -> list[dict[str, Any]]:
    stage.say(sender, text)
    return [event for event in stage._agent.tracker_store.last_saved if event["event"] == "action"]


@pytest.mark.parametrize("language", ["en", "es", "pt", "nb"])
def test_whatsapp_has_a_template_that_asks_after_a_day(language: str) -> None:
    template = templates(Path("data/templates/whatsapp.yml")).of("utter_ask_rating_person", language)
    assert template is not None
    assert "1" in template.text
    assert "5" in template.text
    assert template.filled({})["template"]["name"] == "tendero_rating"
