"""A turn ends with the model that it began with, the next one is the new model's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lingua import LanguageDetectorBuilder
from rasa.core.channels.channel import UserMessage

from bot.processor import TurnProcessor
from tests.conversations.stage import Stage

CANCEL = "please cancel my order 10233"
ASKED = "which e-mail or phone number did you buy with?"
NEW_WORDS = "Who are you?"


@pytest.fixture
def other(stage: Stage) -> Iterator[TurnProcessor]:
    """The same model again, which asks in other words; afterwards the stage has its own."""
    agent, handler = stage._agent, stage._agent.engine._handler
    before = agent.processor
    other: TurnProcessor = agent.processor_of(stage.model)
    other.nlg.responses["utter_ask_contact"] = [{"text": NEW_WORDS}]  # type: ignore[attr-defined]
    yield other
    agent.go_on_with(before)
    handler.processor = before


def words(played: Any) -> str:
    return "\n".join(reply.get("text") or "" for reply in played.replies)


def test_a_turn_ends_with_the_model_that_it_began_with(
    stage: Stage, other: TurnProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, handler = stage._agent, stage._agent.engine._handler
    call = agent.action_endpoint.call

    async def call_and_swap(*arguments: Any) -> Any:
        answer = await call(*arguments)
        agent.go_on_with(other)
        handler.processor = other
        return answer

    sender = stage.begin({})
    monkeypatch.setattr(agent.action_endpoint, "call", call_and_swap)
    assert ASKED in words(stage.say(sender, CANCEL))
    monkeypatch.undo()
    again = words(stage.say(sender, "I ordered it by mistake"))
    assert NEW_WORDS in again
    assert ASKED not in again
    assert agent.tracker_store.load(sender).domain is other.domain


async def test_a_warm_model_reads_nothing_at_its_first_message(other: TurnProcessor, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[LanguageDetectorBuilder] = []
    build = LanguageDetectorBuilder.build
    monkeypatch.setattr(LanguageDetectorBuilder, "build", lambda builder: built.append(builder) or build(builder))
    await other.warm_up()
    assert len(built) == 1
    assert (await other.parse_message(UserMessage("¿dónde está mi pedido 10203?")))["intent"]["name"] == "track_order"
    assert len(built) == 1
