"""Conversations at rest: what is masked, and what is forgotten."""

from __future__ import annotations

from pathlib import Path

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.tracker import mask_message
from bot.tracker_store import FORGET, ConversationTrackerStore

DOMAIN = Domain.from_dict(
    {
        "intents": ["affirm"],
        "slots": {FORGET: {"type": "bool", "mappings": [{"type": "custom"}]}},
        "actions": ["action_erase_data"],
    }
)


def said(sender: str, words: str) -> DialogueStateTracker:
    tracker = DialogueStateTracker(sender, DOMAIN.slots)
    tracker.update(ActionExecuted("action_listen"))
    tracker.update(UserUttered(words, {"name": "affirm", "confidence": 1.0}))
    return tracker


async def test_card_number_does_not_even_get_into_the_tracker(tmp_path: Path) -> None:
    store = ConversationTrackerStore(DOMAIN, host=f"sqlite:///{tmp_path / 'events.db'}")
    tracker = await store.get_or_create_tracker("web-1")
    tracker.update(UserUttered("take 4111 1111 1111 1111", {"name": "affirm", "confidence": 1.0}))
    assert tracker.latest_message.text == "take [card]"
    await store.save(tracker)
    again = await store.get_or_create_tracker("web-1")
    again.update(UserUttered("or 5500 0055 5555 5559", {"name": "affirm", "confidence": 1.0}))
    assert [event.text for event in again.events if isinstance(event, UserUttered)] == ["take [card]", "or [card]"]


def test_card_number_is_in_nothing_that_was_understood() -> None:
    card = "4111 1111 1111 1111"
    found = {"requests": [{"text": card}], "faq": [{"text": card}], "entities": [{"entity": "number", "value": card}]}
    event = UserUttered(f"take {card}", {"name": "affirm", "confidence": 1.0}, [], {"text": f"take {card}", **found})
    mask_message(event)
    assert card not in str(event.as_dict())


async def test_conversation_that_is_to_be_forgotten_leaves_nothing(tmp_path: Path) -> None:
    store = ConversationTrackerStore(DOMAIN, host=f"sqlite:///{tmp_path / 'events.db'}")
    tracker = said("web-1", "I am Ana")
    await store.save(tracker)
    await store.save(said("web-2", "I am Eva"))
    for event in (ActionExecuted("action_erase_data"), SlotSet(FORGET, True), BotUttered("Goodbye, Ana")):
        tracker.update(event)
    await store.save(tracker)
    assert await store.retrieve("web-1") is None
    assert await store.retrieve("web-2") is not None


async def test_forgotten_conversation_begins_anew(tmp_path: Path) -> None:
    store = ConversationTrackerStore(DOMAIN, host=f"sqlite:///{tmp_path / 'events.db'}")
    tracker = said("web-1", "yes, erase me")
    tracker.update(SlotSet(FORGET, True))
    await store.save(tracker)
    await store.save(said("web-1", "hi"))
    again = await store.retrieve("web-1")
    assert [event.text for event in again.events if isinstance(event, UserUttered)] == ["hi"]


async def test_turn_without_events_does_not_get_ahead_of_what_another_process_saves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}"
    here, there = (ConversationTrackerStore(DOMAIN, host=url) for _ in range(2))
    await here.save(said("web-1", "hi"))
    here.keep(here.load("web-1"))  # a timer that had nothing to do
    tracker = there.load("web-1")
    tracker.update(UserUttered("yes", {"name": "affirm", "confidence": 1.0}))
    await there.save(tracker)
    assert [event.text for event in here.load("web-1").events if isinstance(event, UserUttered)] == ["hi", "yes"]


async def test_a_conversation_at_hand_has_the_slots_of_the_domain_that_is_asked_for(tmp_path: Path) -> None:
    store = ConversationTrackerStore(DOMAIN, host=f"sqlite:///{tmp_path / 'events.db'}")
    await store.save(said("web-1", "hi"))
    other = Domain.from_dict({"intents": ["affirm"], "slots": {"size": {"type": "text", "mappings": [{"type": "custom"}]}}})
    store.keep(store.load("web-1"))
    assert (FORGET in store.load("web-1").slots, "size" in store.load("web-1", other).slots) == (True, True)
    store.keep(store.load("web-1"))
    store.go_on_with(other)
    assert ("size" in store.load("web-1").slots, FORGET in store.load("web-1", DOMAIN).slots) == (True, True)
