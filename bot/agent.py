"""Rasa's agent with the turn engine before it: every channel's message goes through the inbox."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.nlg import TemplatedNaturalLanguageGenerator

from bot.action_call import ActionServer
from bot.processor import TurnProcessor
from bot.tracker_store import ConversationTrackerStore
from messaging.turns.engine import Answer, TurnEngine
from messaging.turns.inbox import Inbound
from messaging.turns.own_loop import OwnLoop

T = TypeVar("T")

logger = logging.getLogger(__name__)


class TurnAgent(Agent):
    """What Rasa's channels call. `engine` has to be set, and started, before the first message."""

    engine: TurnEngine
    processor: TurnProcessor
    turns: OwnLoop | None = None  # where the engine runs, if that is not where messages come in

    def __init__(self, store: ConversationTrackerStore, action_server: ActionServer) -> None:
        super().__init__(action_endpoint=action_server)
        self.tracker_store = store  # as it is: Rasa's wrapper would hide our methods

    def load_model(self, model_path: str | Path, fingerprint: str | None = None) -> None:
        self.go_on_with(self.processor_of(model_path), fingerprint)

    def processor_of(self, model_path: str | Path) -> TurnProcessor:
        """A loaded model, with the answers that belong to it. Nothing of the one in use is changed."""
        nlg = TemplatedNaturalLanguageGenerator({})
        processor = TurnProcessor(
            model_path=model_path,
            tracker_store=self.tracker_store,
            lock_store=self.lock_store,
            action_endpoint=self.action_endpoint,
            generator=nlg,
        )
        nlg.responses = processor.domain.responses
        return processor

    def go_on_with(self, processor: TurnProcessor, fingerprint: str | None = None) -> None:
        """Turns that begin from now on are this model's."""
        self.processor = processor
        self.domain = processor.domain
        self.nlg = processor.nlg
        self._set_fingerprint(fingerprint)
        self.tracker_store.go_on_with(processor.domain)

    @property
    def model_name(self) -> str:
        """The file's name of the model in use."""
        return str(self.processor.model_filename)

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """Keep the message, wait for its turn, hand its replies to its output channel.

        Raises what `TurnEngine.receive` and `TurnEngine.answer` raise.
        """
        answer = await self.among_turns(self._answer(message))
        for reply in answer.replies:
            await message.output_channel.send_response(message.sender_id, dict(reply))
        return answer.replies

    async def _answer(self, message: UserMessage) -> Answer:
        receipt = await self.engine.receive(
            Inbound(
                channel=message.input_channel or "unknown",
                provider_id=message.message_id,
                sender_id=message.sender_id,
                text=message.text or "",
                details=message.metadata or {},
            )
        )
        return await self.engine.answer(receipt)

    async def among_turns(self, work: Coroutine[Any, Any, T]) -> T:
        """Done where the turns are done."""
        return await (work if self.turns is None else self.turns.run(work))
