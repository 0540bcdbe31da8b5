"""A stored conversation once more on a model, without any effect: where would it go another way?

Each message is parsed anew, and the next action is predicted as often as one was decided on then. No action is called: what
each of them did is taken from the stored events. So a turn is compared up to its first difference, and the next turn begins
from what was stored, not from what would have come of the difference. Messages that a person answered, and what timers did,
are not compared; cards and passwords were masked before they were stored, and are parsed as they were stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    DefinePrevUserUtteredFeaturization,
    EntitiesAdded,
    Event,
    LoopInterrupted,
    UserUttered,
)

from bot.processor import TurnProcessor
from bot.tracker import ConversationTracker
from bot.tracker_store import ConversationTrackerStore
from bot.turn import CurrentTurn, turn_under_way

RECAP = "action_recap"
HEARD_AGAIN = "heard_again"  # metadata of a message that an action has put to the rules a second time
BY_POLICIES = (LoopInterrupted, DefinePrevUserUtteredFeaturization, EntitiesAdded)  # they belong to the action that follows


@dataclass(frozen=True)
class ReplayedTurn:
    """`actions`: what was decided then; `predicted`: the same as far as it goes, and then what would be done now."""

    number: int  # from 1
    text: str
    at: float
    intent: str | None
    predicted_intent: str | None
    actions: list[str]
    predicted: list[str]

    @property
    def differs(self) -> bool:
        return self.intent != self.predicted_intent or self.actions != self.predicted


@dataclass
class _Step:
    """An action that was decided on, and what came of it."""

    decision: ActionExecuted | ActionExecutionRejected
    decided_with: list[Event] = field(default_factory=list)
    results: list[Event] = field(default_factory=list)


@dataclass
class _StoredTurn:
    """before: since the turn before it. heard: what was made of the message at once, slots for instance."""

    before: list[Event]
    message: UserUttered
    heard: list[Event] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    was_answered_by_rasa: bool = True


class Replayer:
    """model: a trained model. store: where the conversations are."""

    def __init__(self, model: Path, store: ConversationTrackerStore) -> None:
        self._store = store
        self._processor = TurnProcessor(
            model_path=model,
            tracker_store=store,
            lock_store=InMemoryLockStore(),
            generator=TemplatedNaturalLanguageGenerator({}),
        )
        store.domain = self._processor.domain

    async def replay(self, sender_id: str) -> list[ReplayedTurn] | None:
        """All turns that Rasa answered; None where there is no such conversation."""
        stored = await self._store.retrieve_full_tracker(sender_id)
        if stored is None:
            return None
        tracker = self._store.init_tracker(sender_id)
        replayed = []
        for number, turn in enumerate(_turns(list(stored.events)), 1):
            tracker.update_with_events(turn.before, self._processor.domain)
            if turn.was_answered_by_rasa:
                replayed.append(await self._turn(number, turn, tracker.copy()))
            tracker.update_with_events(_all_events(turn), self._processor.domain)
        return replayed

    async def _turn(self, number: int, turn: _StoredTurn, tracker: ConversationTracker) -> ReplayedTurn:
        message = turn.message
        parsed = await self._processor.parse_message(
            UserMessage(message.text, None, tracker.sender_id, input_channel=message.input_channel, metadata=message.metadata),
            tracker,
        )
        heard = UserUttered(
            message.text,
            parsed["intent"],
            parsed["entities"],
            parsed,
            message.timestamp,
            message.input_channel,
            message.message_id,
            message.metadata,
        )
        tracker.update_with_events([heard, *turn.heard], self._processor.domain)
        return ReplayedTurn(
            number=number,
            text=message.text or "",
            at=message.timestamp,
            intent=(message.intent or {}).get("name"),
            predicted_intent=(parsed["intent"] or {}).get("name"),
            actions=[str(step.decision.action_name) for step in turn.steps],
            predicted=list(self._predicted(turn.steps, tracker)),
        )

    def _predicted(self, steps: Sequence[_Step], tracker: ConversationTracker) -> Iterator[str]:
        begins_with_recap = bool(steps) and steps[0].decision.action_name == RECAP
        with turn_under_way(CurrentTurn(owner="bot", recap_due=begins_with_recap)):
            for step in steps:
                action, _prediction = self._processor.predict_next_with_tracker_if_should(tracker)
                yield action.name()
                if action.name() != step.decision.action_name:
                    return
                tracker.update_with_events([*step.decided_with, step.decision, *step.results], self._processor.domain)


def _turns(events: Sequence[Event]) -> Iterator[_StoredTurn]:
    """The conversation, cut before each message and after each listening."""
    before: list[Event] = []
    turn: _StoredTurn | None = None
    for event in events:
        if isinstance(event, UserUttered) and HEARD_AGAIN not in (event.metadata or {}):
            if turn is not None:
                yield turn
            turn, before = _StoredTurn(before, event), []
        elif turn is None:
            before.append(event)
        elif _ends(turn, event):
            yield turn
            turn = None
    if turn is not None:
        yield turn


def _ends(turn: _StoredTurn, event: Event) -> bool:
    """Put the event where it belongs; whether the turn ends with it."""
    is_listening = isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
    if isinstance(event, (ActionExecuted, ActionExecutionRejected)) and event.policy:
        turn.steps.append(_Step(event, _taken_back(turn)))
        return is_listening
    if is_listening and not turn.steps:
        turn.was_answered_by_rasa = False
    (turn.steps[-1].results if turn.steps else turn.heard).append(event)
    return is_listening and not _is_recap(turn)


def _is_recap(turn: _StoredTurn) -> bool:
    """After a recap the same message is heard once more, in the same turn."""
    return bool(turn.steps) and turn.steps[-1].decision.action_name == RECAP


def _taken_back(turn: _StoredTurn) -> list[Event]:
    """What the policies said with their decision was stored just before it."""
    earlier = turn.steps[-1].results if turn.steps else turn.heard
    theirs: list[Event] = []
    while earlier and isinstance(earlier[-1], BY_POLICIES):
        theirs.insert(0, earlier.pop())
    return theirs


def _all_events(turn: _StoredTurn) -> list[Event]:
    steps = [[*step.decided_with, step.decision, *step.results] for step in turn.steps]
    return [turn.message, *turn.heard, *(event for step in steps for event in step)]
