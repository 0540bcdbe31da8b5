"""What the turn engine calls to have a message answered: Rasa, with a tracker that is saved in the engine's transaction."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from sqlalchemy.orm import Session

from bot.action_call import ActionFailed
from bot.language_slots import LANGUAGE_SLOTS
from bot.processor import TurnProcessor
from bot.tracker import ConversationTracker
from bot.tracker_store import FORGET, ConversationTrackerStore
from bot.turn import CurrentTurn, current_turn, turn_under_way
from database import transaction
from messaging import notices, tasks_at_hand
from messaging.agent_messages import is_window_open
from messaging.calendar import Calendar
from messaging.channel_links import UNLINKED
from messaging.handoffs import call_back, open_handoff
from messaging.handoffs.ending import RATING, RECAP, SETTLED
from messaging.proofs import look_for_code
from messaging.tasks_at_hand import MOVED, Task, task_in
from messaging.turns.engine import THE_ASSISTANTS, Outcome
from messaging.turns.inbox import ANSWER, ERASED, Claim
from messaging.turns.timers import cancel_timer, set_timer

IDLE_AFTER = timedelta(hours=24)  # a task that nobody goes on with is put away
PUT_AWAY = "action_put_away_task"
ASK_RATING = "action_ask_rating"
OTHER_CHANNEL = {MOVED: "action_gone_on_elsewhere", UNLINKED: "action_end_link"}  # what a timer of this kind has done
LAST_WORDS = 20  # of the conversation, for the person who takes over


class ReplyCollector(OutputChannel):
    """Keeps replies whole, for the outbox; named as the channel, for answers that differ by channel."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.contents: list[dict[str, Any]] = []

    def name(self) -> str:
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        content = {key: value for key, value in message.items() if value and key != "metadata"}
        if content:
            self.contents.append(content)


class RasaHandler:
    """`calendar`: of the people who help. Sees to it that a turn that is run again comes to the same.

    `processor`: of the model that takes turns; another one takes those that begin afterwards.
    """

    def __init__(
        self, processor: TurnProcessor, store: ConversationTrackerStore, calendar: Callable[[], Calendar] | None = None
    ) -> None:
        self.processor = processor
        self._store = store
        self._calendar = calendar

    async def run(self, claim: Claim) -> Outcome:
        began = time.perf_counter()
        processor = self.processor  # the turn ends with the model that it began with
        tracker = await self._load(claim, processor)
        task_before = _task_of(tracker)
        is_left_in_the_middle = processor.end_unknown_form(tracker)
        loaded = time.perf_counter()
        replies = ReplyCollector(claim.channel)
        turn = CurrentTurn(str(claim.turn_id), claim.trace_id, claim.owner, claim.recap_due)
        with turn_under_way(turn):
            if is_left_in_the_middle:
                with contextlib.suppress(ActionFailed):
                    await processor.do(PUT_AWAY, tracker, replies)  # with it goes what else is known of the task
            if claim.kind == "timer":
                await self._timer(processor, claim, tracker, replies)
            elif claim.details.get(ERASED):
                await self._end_erasure(processor, claim, tracker, replies)
            elif claim.details.get(ANSWER):
                await self._answer_with(str(claim.details[ANSWER]), processor, claim, tracker, replies)
            else:
                await processor.take_turn(_message(claim, replies), tracker)
        thought = time.perf_counter() - loaded - turn.seconds_in_actions
        recapped = claim.recap_due and not turn.recap_due
        stages = {"load": loaded - began, "understand": thought, "actions": turn.seconds_in_actions}
        outcome = self._outcome(claim, tracker, replies, task_before)
        return replace(outcome, stages=stages, recapped=recapped, owners=_owners(claim))

    async def apologise(self, claim: Claim) -> Outcome:
        processor = self.processor
        tracker = await self._load(claim, processor)
        task_before = _task_of(tracker)
        processor.end_unknown_form(tracker)
        replies = ReplyCollector(claim.channel)
        if claim.kind == "message":
            tracker.update(_not_understood(claim))
            if claim.owner != "agent":
                await processor.apologise(replies, tracker, "failed")
        calls_a_person = claim.kind == "message" and claim.owner != "agent"
        return self._outcome(claim, tracker, replies, task_before, calls_a_person)

    async def _load(self, claim: Claim, processor: TurnProcessor) -> ConversationTracker:
        return await asyncio.to_thread(self._store.load, claim.sender_id, processor.domain)

    async def _timer(self, processor: TurnProcessor, claim: Claim, tracker: ConversationTracker, replies: ReplyCollector) -> None:
        """Timers say nothing by themselves, but for a reminder, a notice of the desk's, where a task goes on elsewhere, and where
        a person gave the conversation back.

        A call-back is moved with what the turn saves.
        """
        kind = claim.details.get("timer")
        if kind == RECAP and claim.owner == "bot" and claim.recap_due:
            current_turn().recap_due = False
            await processor.resume(tracker, replies)
        elif kind == SETTLED and claim.owner == "bot" and _is_at_something(tracker) and not _has_written_since(claim, tracker):
            await processor.do(PUT_AWAY, tracker, replies)
        elif kind == notices.KIND and claim.owner in _owners(claim) and await _may_be_written_to(claim):
            await processor.say(str(claim.details["response"]), tracker, replies, claim.details.get("values") or {})
        elif kind == "idle" and tracker.active_loop_name and claim.owner == "bot":
            await processor.do(PUT_AWAY, tracker, replies)
        elif kind == RATING and tracker.active_loop_name is None and claim.owner == "bot":
            await processor.do(ASK_RATING, tracker, replies)
        elif kind in OTHER_CHANNEL and claim.owner != "agent":
            await processor.do(OTHER_CHANNEL[kind], tracker, replies)
        elif kind == "reminder" and claim.owner == "bot":
            await processor.say(str(claim.details["response"]), tracker, replies, claim.details.get("values") or {})

    async def _answer_with(
        self,
        response: str,
        processor: TurnProcessor,
        claim: Claim,
        tracker: ConversationTracker,
        replies: ReplyCollector,
    ) -> None:
        """What the channel has seen to already is only confirmed. A task that is under way goes on with the next message."""
        told = claim.details.get("language")
        if told and not any(tracker.get_slot(slot) for slot in LANGUAGE_SLOTS):
            tracker.update(SlotSet(LANGUAGE_SLOTS[-1], told))
        tracker.update(_not_understood(claim))
        if claim.owner != "agent":
            await processor.say(response, tracker, replies)
        tracker.update(ActionExecuted(ACTION_LISTEN_NAME))

    async def _end_erasure(
        self, processor: TurnProcessor, claim: Claim, tracker: ConversationTracker, replies: ReplyCollector
    ) -> None:
        """The words of the message are erased, by a try of this turn that was not saved or by somebody else.

        What that try did is called again, which does nothing twice and gives the same answer: the goodbye.
        """
        for action in await asyncio.to_thread(self._store.actions_done_in, claim.turn_id):
            await processor.do(action, tracker, replies)
        if not replies.contents:
            await processor.apologise(replies, tracker, "erased")

    def _outcome(
        self,
        claim: Claim,
        tracker: ConversationTracker,
        replies: ReplyCollector,
        task_before: Task | None,
        calls_a_person: bool = False,
    ) -> Outcome:
        was_withheld = False

        def persist(session: Session, withheld: bool) -> None:
            nonlocal was_withheld
            was_withheld = withheld
            self._store.write(session, tracker, withheld)
            if claim.details.get("timer") == "callback":
                call_back(session, int(claim.details["handoff"]), datetime.now(timezone.utc))
            _set_idle_timer(session, claim, tracker)
            task = None if tracker.get_slot(FORGET) else _task_of(tracker)
            tasks_at_hand.note(session, claim.sender_id, task_before, task, datetime.now(timezone.utc))
            if claim.kind == "message" and claim.owner == "agent":
                look_for_code(session, claim.channel, claim.sender_id, claim.text, datetime.now(timezone.utc))
            if calls_a_person and self._calendar is not None:
                self._call_a_person(session, claim, tracker)

        def saved() -> None:
            if was_withheld:
                self._store.drop(claim.sender_id)
            else:
                self._store.keep(tracker)

        return Outcome(replies.contents, persist, saved, language=_language(tracker))

    def _call_a_person(self, session: Session, claim: Claim, tracker: ConversationTracker) -> None:
        assert self._calendar is not None
        open_handoff(
            session,
            sender_id=claim.sender_id,
            channel=claim.channel,
            customer_id=None,
            language=_language(tracker),
            reason="failure",
            goal=None,
            collected={},
            tried=[],
            verdict=None,
            transcript=_last_words(tracker),
            now=datetime.now(timezone.utc),
            calendar=self._calendar(),
        )


def _owners(claim: Claim) -> frozenset[str]:
    """In whose hands the conversation may be for what this turn says."""
    return frozenset(claim.details["owners"]) if claim.details.get("timer") == notices.KIND else THE_ASSISTANTS


async def _may_be_written_to(claim: Claim) -> bool:
    """A notice is not worth a template that asks the shopper to write."""

    def look() -> bool:
        with transaction(is_optimistic=True) as session:
            return is_window_open(session, claim.channel, claim.sender_id, datetime.now(timezone.utc))

    return await asyncio.to_thread(look)


def _is_at_something(tracker: ConversationTracker) -> bool:
    return bool(tracker.active_loop_name or tracker.get_slot("suspended_task"))


def _has_written_since(claim: Claim, tracker: ConversationTracker) -> bool:
    """Since the timer was due: the turn of a message may have come first, and begun something new."""
    newest = tracker.get_last_event_for(UserUttered)
    return newest is not None and newest.timestamp > datetime.fromisoformat(claim.details["due_at"]).timestamp()


def _message(claim: Claim, replies: ReplyCollector) -> UserMessage:
    return UserMessage(
        claim.text,
        replies,
        claim.sender_id,
        input_channel=claim.channel,
        message_id=claim.provider_id,
        metadata=dict(claim.details),
    )


def _not_understood(claim: Claim) -> UserUttered:
    nothing = {"name": None, "confidence": 0.0}
    data = {"text": claim.text, "intent": nothing, "entities": []}
    return UserUttered(claim.text, nothing, [], data, input_channel=claim.channel, message_id=claim.provider_id)


def _language(tracker: ConversationTracker) -> str:
    """The shopper's, as far as it is known."""
    return next((str(known) for slot in LANGUAGE_SLOTS if (known := tracker.get_slot(slot))), "en")


def _last_words(tracker: ConversationTracker) -> list[dict[str, Any]]:
    speakers = {"user": "shopper", "bot": "assistant"}
    said = [event for event in tracker.events if event.type_name in speakers and getattr(event, "text", None)]
    return [{"by": speakers[each.type_name], "text": each.text, "at": each.timestamp} for each in said[-LAST_WORDS:]]


def _task_of(tracker: ConversationTracker) -> Task | None:
    return task_in(tracker.active_loop_name, tracker.current_slot_values())


def _set_idle_timer(session: Session, claim: Claim, tracker: ConversationTracker) -> None:
    key = f"idle:{claim.sender_id}"
    if tracker.active_loop_name:
        due_at = datetime.now(timezone.utc) + IDLE_AFTER
        set_timer(session, key=key, sender_id=claim.sender_id, channel=claim.channel, kind="idle", due_at=due_at)
    elif claim.kind == "message":
        cancel_timer(session, key)
