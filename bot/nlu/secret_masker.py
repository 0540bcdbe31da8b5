"""Takes a typed card number or password out of a message before anything else looks at it."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from messaging.masking import CARD_MARK, PASSWORD_MARK, mask

MARKS = {"card": CARD_MARK, "password": PASSWORD_MARK}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class SecretMasker(GraphComponent):
    """Replaces the secret in the text and leaves the entity `secret` (card, password), on which a rule tells the shopper."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SecretMasker:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            _take_out(message)
        return messages


def _take_out(message: Message) -> None:
    masked = mask(message.get(TEXT) or "")
    kinds = masked.found | {kind for kind, mark in MARKS.items() if mark in masked.text}  # the inbox has masked it already
    if not kinds:
        return
    message.set(TEXT, masked.text)
    found = [{"entity": "secret", "value": kind, "start": 0, "end": 0, "extractor": "SecretMasker"} for kind in sorted(kinds)]
    message.set(ENTITIES, [*(message.get(ENTITIES) or []), *found], add_to_output=True)
