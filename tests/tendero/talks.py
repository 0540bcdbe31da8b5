"""Conversations in the tracker store, as the turn engine leaves them, and a small project to write examples into."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SlotSet, UserUttered

from bot.tracker_store import ConversationTrackerStore
from database import transaction

GUESSES = (("track_order", 0.28), ("list_orders", 0.2), ("cancel_order", 0.1))
DAY = 86_400
SLOTS = ("misunderstood", "requested_slot")
DOMAIN = Domain.from_dict({"slots": {name: {"type": "any", "mappings": [{"type": "custom"}]} for name in SLOTS}})

ORDERS = """version: "3.1"

# What shoppers say of their orders.
nlu:
- intent: track_order   # the most frequent one
  examples: |
    - where is my order
    - where's my parcel
    - has it shipped yet

- intent: cancel_order
  examples: |
    - cancel my order
    - I do not want it any more
"""
CONVERSATION = """version: "3.1"
nlu:
- intent: out_of_scope
  examples: |
    - tell me a joke
- intent: greet
  examples: |
    - hello there
- intent: list_orders
  examples:
  - text: show my orders   # a list, with a comment
  - text: |
      all of my orders

  # nothing below
"""
ORDERS_ES = ORDERS.replace("where is my order", "dónde está mi pedido").replace("cancel my order", "cancela mi pedido")
STORE = """language: en
faq:
  - id: store_parking   # beside the shop
    question: Is there parking?
    asked_as:
      - where can i park
      - parking at the store
    answer: |
      Yes, round the corner.

  - id: how_to_return
    question: How do I return something?
    intent: request_return
    asked_as:
      - return steps
    answer: Easily.
"""
FILES = {
    "nlu/en/orders.yml": ORDERS,
    "nlu/en/conversation.yml": CONVERSATION,
    "nlu/es/orders.yml": ORDERS_ES,
    "faq/en/store.yml": STORE,
}


def small_project(folder: Path) -> Path:
    for name, content in FILES.items():
        file = folder / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())
    return folder


@dataclass(frozen=True)
class Said:
    """A turn: what the shopper wrote, what was made of it, and what came of it. answered: the response that was said. reply: its
    words; none: the assistant was silent."""

    text: str
    intent: str = "nlu_fallback"
    confidence: float = 0.3
    ranking: Sequence[tuple[str, float]] = GUESSES
    missed: bool = False
    answered: str = "utter_misunderstood"
    reply: str = "I did not get that."
    asks_for: str | None = None
    language: str = "en"
    events: Sequence[Event] = ()

    def made(self, at: float) -> list[Event]:
        ranked = [(self.intent, self.confidence), *self.ranking]
        parsed = {
            "text": self.text,
            "intent": {"name": self.intent, "confidence": self.confidence},
            "intent_ranking": [{"name": name, "confidence": likely} for name, likely in ranked],
            "entities": [{"entity": "language", "value": self.language}],
        }
        marks = [SlotSet("misunderstood", 1, timestamp=at)] if self.missed else []
        return [
            ActionExecuted("action_listen", timestamp=at),
            UserUttered(self.text, parsed["intent"], parsed["entities"], parsed, at),
            *marks,
            *self.events,
            *([BotUttered(self.reply, {}, {"utter_action": self.answered}, at + 1)] if self.reply else []),
            SlotSet("requested_slot", self.asks_for, timestamp=at + 1),
        ]


def missed(text: str, **more: Any) -> Said:
    """A message that was not understood."""
    return Said(text, missed=True, **more)


def understood(text: str, intent: str = "track_order", **more: Any) -> Said:
    return Said(text, intent, 0.95, (("list_orders", 0.02),), answered="utter_order", **more)


def talk(url: str, sender: str, *turns: Said, days_ago: float = 1) -> None:
    """Store turns of a conversation, half a minute apart."""
    store = ConversationTrackerStore(DOMAIN, host=url)
    tracker = store.load(sender)
    at = time.time() - days_ago * DAY
    for place, turn in enumerate(turns):
        for event in turn.made(at + 30 * place):
            tracker.update(event)
    with transaction(url) as session:
        store.write(session, tracker)
