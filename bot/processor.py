"""One turn of Rasa: what it costs does not grow with the conversation, and it ends with a reply whatever an action does."""

from __future__ import annotations

import logging
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rasa.core.actions.action import Action, ActionExecutionRejection, create_bot_utterance
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.engine.graph import ExecutionContext
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.exceptions import ActionLimitReached, ModelNotFound
from rasa.model import get_latest_model
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.core.constants import (
    ACTION_EXTRACT_SLOTS,
    ACTION_LISTEN_NAME,
    ACTION_SESSION_START_NAME,
    REQUESTED_SLOT,
)
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.common import TempDirectoryPath, get_temp_dir_name

from bot.action_call import ActionFailed, ActionServer, ours
from bot.channels.spoken import MAY_BE_SILENT
from bot.graph_runner import PlannedGraphRunner
from bot.language_slots import known_before
from bot.shown_along import with_language, with_what_was_shown
from bot.tracker import ConversationTracker
from bot.trained_domain import schema_with_domain
from bot.trained_policies import schema_with_policies, turns_seen
from bot.turn import current_turn

logger = logging.getLogger(__name__)

KEPT_OF_RANKING = 3  # intents
NOT_RIGHT_NOW = "utter_not_right_now"
LATE = "utter_sorry_late"
RESUME = "action_resume"
TO_A_PERSON = "to_a_person"  # metadata of a message that was written to a person of ours: the assistant has only kept it
SOMETHING = "hello"
AD = "ad"  # slot: the ad that the shopper came from last


class TurnProcessor(MessageProcessor):
    """Rasa's processor without what it does over and over again, and with an answer for every turn.

    An action that fails ends the turn with an apology: what was done before it stays, of itself nothing is recorded.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._actions: dict[str, Action] = {}
        self._turns_seen = turns_seen(each for each in self.components if isinstance(each, Policy))

    @property
    def components(self) -> list[Any]:
        """Those of the loaded model."""
        assert isinstance(self.graph_runner, PlannedGraphRunner)
        return self.graph_runner.components

    async def warm_up(self) -> None:
        """Understand a sentence of each language: what the components read on first use would hold up the first shoppers by
        a third of a second, and with them every webhook. Raises what the model raises."""
        answers = self.domain.responses.get(NOT_RIGHT_NOW) or []
        for sentence in sorted({str(each.get("text") or "") for each in answers} | {SOMETHING}):
            await self.parse_message(UserMessage(sentence))

    async def take_turn(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        """Answer the message: on its output channel, and with new events in the tracker. Nothing is saved."""
        tracker.model_id = self.model_metadata.model_id
        tracker.assistant_id = tracker.assistant_id or self.model_metadata.assistant_id
        if current_turn().owner == "agent":
            self._keep(message, tracker)
            return
        fault = await self._begin_session(message, tracker)
        await self._handle_message_with_tracker(message, tracker)
        self._note_ad(message, tracker)
        await self.run_action_extract_slots(message.output_channel, tracker)
        if _is_first_late_one(tracker):
            await self.say(LATE, tracker, message.output_channel)
        before = len(tracker.events)
        if fault is not None:
            await self.apologise(message.output_channel, tracker, fault)
            return
        await self._run_prediction_loop(message.output_channel, tracker)
        is_silent = not tracker.is_paused() and not _has_reply(tracker, before)
        if is_silent and message.text not in MAY_BE_SILENT:
            await self.apologise(message.output_channel, tracker, "silent")

    def _keep(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        """A person answers it. What it means is not asked, and no session begins: what the person gives back is as it was."""
        nothing: dict[str, Any] = {"name": None, "confidence": 0.0}
        data = {"text": message.text, "intent": nothing, "entities": []}
        metadata = {**(message.metadata or {}), TO_A_PERSON: True}
        about = {"input_channel": message.input_channel, "message_id": message.message_id, "metadata": metadata}
        tracker.update(UserUttered(message.text, nothing, [], data, **about), self.domain)
        self._note_ad(message, tracker)
        tracker.update(ActionExecuted(ACTION_LISTEN_NAME), self.domain)

    def _note_ad(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        if (ad := (message.metadata or {}).get("referral")) and AD in tracker.slots:
            tracker.update(SlotSet(AD, ad), self.domain)

    def end_unknown_form(self, tracker: DialogueStateTracker) -> bool:
        """Whether there was one, begun with another model: each turn in it would end in an error."""
        is_unknown = bool(tracker.active_loop_name) and tracker.active_loop_name not in self.domain.action_names_or_texts
        if is_unknown:
            tracker.update_with_events([ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)], self.domain)
        return is_unknown

    async def _begin_session(self, message: UserMessage, tracker: DialogueStateTracker) -> str | None:
        """A new session, where one is due. What went wrong with its action: it then begins with nothing known."""
        try:
            await self._update_tracker_session(tracker, message.output_channel, message.metadata)
        except ActionFailed as failure:
            logger.error("an action failed: %s", failure)
            begun = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted(), ActionExecuted(ACTION_LISTEN_NAME)]
            tracker.update_with_events(begun, self.domain)
            return failure.fault
        return None

    async def apologise(self, output_channel: OutputChannel, tracker: DialogueStateTracker, reason: str) -> None:
        """Say that it could not be done right now, and listen."""
        self._watch_apology(reason)
        tracker.clear_followup_action()
        await self.say(NOT_RIGHT_NOW, tracker, output_channel)
        tracker.update(ActionExecuted(ACTION_LISTEN_NAME))

    async def do(self, action_name: str, tracker: DialogueStateTracker, output_channel: OutputChannel) -> None:
        """One action that no message asked for. Raises ActionFailed."""
        action = self._get_action(action_name)
        assert action is not None
        await self._run_action(
            action, tracker, output_channel, self.nlg, PolicyPrediction.for_action_name(self.domain, action_name)
        )
        tracker.update(ActionExecuted(ACTION_LISTEN_NAME))

    async def resume(self, tracker: DialogueStateTracker, output_channel: OutputChannel) -> None:
        """A person gave the conversation back: a recap, and what was asked last is asked again. No message is answered by it."""
        tracker.followup_action = RESUME
        await self._run_prediction_loop(output_channel, tracker)

    async def say(
        self, response: str, tracker: DialogueStateTracker, output_channel: OutputChannel, values: Mapping[str, Any] | None = None
    ) -> bool:
        """Answer with a response; False where there is none of this name."""
        draft = await self.nlg.generate(response, tracker, output_channel.name(), **(values or {}))
        if draft:
            said = create_bot_utterance({**draft, "utter_action": response})
            tracker.update(said, self.domain)
            await self._send_bot_messages([said], tracker, output_channel)
        return bool(draft)

    # What Rasa calls

    def _has_session_expired(self, tracker: DialogueStateTracker) -> bool:
        """Also counted from the moment at which a person gave the conversation back: that went on with what was before."""
        if not super()._has_session_expired(tracker):
            return False
        resumed = [
            event.timestamp for event in tracker.events if isinstance(event, ActionExecuted) and event.action_name == RESUME
        ]
        longest = self.domain.session_config.session_expiration_time * 60
        return not resumed or time.time() - max(resumed) > longest

    @staticmethod
    def _load_model(model_path: str | Path) -> tuple[str, ModelMetadata, GraphRunner]:
        """Rasa's own, with our runner and without reading the domain twice."""
        found = str(model_path) if os.path.isfile(model_path) else get_latest_model(model_path)
        if not found:
            raise ModelNotFound(f"No model found at path '{model_path}'.")
        with TempDirectoryPath(get_temp_dir_name()) as folder:
            try:
                storage, metadata = LocalModelStorage.from_model_archive(Path(folder), Path(found))
            except tarfile.ReadError as error:
                raise ModelNotFound(f"Model {model_path} can not be loaded.") from error
            schema = schema_with_policies(schema_with_domain(metadata))
            runner = PlannedGraphRunner.create(schema, storage, ExecutionContext(schema, metadata.model_id))
        return os.path.basename(found), metadata, runner

    def _get_action(self, action_name: str) -> Action | None:
        known = self._actions.get(action_name)
        if known is None:
            known = self._actions[action_name] = ours(super()._get_action(action_name), self.action_endpoint)
        return known

    def predict_next_with_tracker_if_should(self, tracker: DialogueStateTracker) -> tuple[Action, PolicyPrediction]:
        if self.is_action_limit_reached(tracker, self.should_predict_another_action(tracker.latest_action_name)):
            raise ActionLimitReached("The limit of actions to predict has been reached.")
        prediction = self._predict_next_with_tracker(tracker)
        action = self._get_action(self.domain.action_names_or_texts[prediction.max_confidence_index])
        assert action is not None
        return action, prediction

    async def parse_message(
        self, message: UserMessage, tracker: DialogueStateTracker | None = None, only_output_properties: bool = True
    ) -> dict[str, Any]:
        if not (message.text or "").strip():  # a sticker, say: classifiers that find no word find no intent either
            nothing = {"name": DEFAULT_NLU_FALLBACK_INTENT_NAME, "confidence": 1.0}
            return {"text": "", "intent": nothing, "entities": [], "intent_ranking": [nothing]}
        with known_before(tracker.current_slot_values() if tracker is not None else {}):
            parsed: dict[str, Any] = await super().parse_message(message, tracker, only_output_properties)
        parsed["intent_ranking"] = (parsed.get("intent_ranking") or [])[:KEPT_OF_RANKING]  # it goes wherever the message goes
        parsed.pop("text_tokens", None)
        shown = message.metadata or {}
        return with_language(with_what_was_shown(parsed, shown), shown)

    def _predict_next_with_tracker(self, tracker: DialogueStateTracker) -> PolicyPrediction:
        seen = tracker.window(self._turns_seen) if isinstance(tracker, ConversationTracker) else tracker
        prediction = super()._predict_next_with_tracker(seen)
        if seen is not tracker:
            tracker.followup_action = seen.followup_action  # taking it up clears it
        return prediction

    async def run_action_extract_slots(
        self, output_channel: OutputChannel, tracker: DialogueStateTracker
    ) -> DialogueStateTracker:
        extract = self._get_action(ACTION_EXTRACT_SLOTS)
        assert extract is not None
        events = await extract.run(output_channel, self.nlg, tracker, self.domain)
        await self._send_bot_messages(events, tracker, output_channel)
        tracker.update_with_events(events, self.domain)
        return tracker

    async def _run_prediction_loop(self, output_channel: OutputChannel, tracker: DialogueStateTracker) -> None:
        try:
            goes_on = True
            while goes_on and self._should_handle_message(tracker):
                action, prediction = self.predict_next_with_tracker_if_should(tracker)
                goes_on = await self._run_action(action, tracker, output_channel, self.nlg, prediction)
        except ActionLimitReached:
            # Without a listen the limit would be reached again by every later message.
            logger.error("a turn went round in circles: %s", _latest_actions(tracker))
            await self.apologise(output_channel, tracker, "circle")
        except ActionFailed as failure:
            logger.error("an action failed: %s", failure, extra={"trace_id": current_turn().trace_id})
            await self.apologise(output_channel, tracker, failure.fault)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        seen = tracker.copy() if prediction.events else tracker  # the policy's events are discarded if it is rejected
        seen.update_with_events(prediction.events, self.domain)
        try:
            events: list[Event] = await action.run(output_channel, nlg, seen, self.domain)
        except ActionExecutionRejection:
            tracker.update(ActionExecutionRejected(action.name(), prediction.policy_name, prediction.max_confidence))
            return self.should_predict_another_action(action.name())
        self._log_action_on_tracker(tracker, action, events, prediction)
        if any(isinstance(event, UserUttered) for event in events):
            tracker = await self.run_action_extract_slots(output_channel, tracker)
        await self._send_bot_messages(events, tracker, output_channel)
        return self.should_predict_another_action(action.name())

    def _log_action_on_tracker(
        self, tracker: DialogueStateTracker, action: Action, events: list[Event] | None, prediction: PolicyPrediction
    ) -> None:
        if not any(isinstance(event, ActionExecutionRejected) for event in events or []):
            tracker.update_with_events(prediction.events, self.domain)
            tracker.update(action.event_for_successful_execution(prediction))
        tracker.update_with_events(events or [], self.domain)

    @staticmethod
    def _log_slots(tracker: DialogueStateTracker) -> None:
        """Rasa writes them all down on every turn, for a log that nobody reads."""

    def _watch_apology(self, reason: str) -> None:
        if isinstance(self.action_endpoint, ActionServer):
            self.action_endpoint.watch.apologised(reason)


def _is_first_late_one(tracker: DialogueStateTracker) -> bool:
    """Whether this message waited long for its answer, after an outage, and the one before it did not."""
    late = [bool((event.metadata or {}).get("late")) for event in tracker.events if isinstance(event, UserUttered)]
    return late[-1:] == [True] and late[-2:-1] != [True]


def _has_reply(tracker: DialogueStateTracker, before: int) -> bool:
    return any(isinstance(event, BotUttered) for event in list(tracker.events)[before:])


def _latest_actions(tracker: DialogueStateTracker) -> str:
    names = [event.action_name for event in tracker.events if isinstance(event, (ActionExecuted, ActionExecutionRejected))]
    return ", ".join(str(name) for name in names[-6:])
