"""What all forms have in common: skip what is known, read the reply, correct, ask the next question, confirm, end.

A form here is the action `validate_<form>`, which Rasa's FormAction calls on each turn of the form. It fills the slots of its
steps in order. Where a message holds nothing for the form, it returns nothing: Rasa then looks for a rule (a digression),
and comes back to the form's question.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecutionRejected, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import Option, picked, tapped
from actions.closing import close_task, say_reason, say_refusal
from actions.elsewhere import BEGUN, ELSEWHERE, fill_in_rest, offer_same_begun_elsewhere, take_over
from actions.failing import never_silent
from actions.turn import SIGNED_IN, Turn, turn_of
from actions.wording import first_name
from actions.words import response_keys
from commerce.proposals import Refusal
from messaging.tasks_at_hand import ITEM_WORDS, SUSPENDED, TASK_SLOTS, tells
from messaging.tasks_at_hand import NOT_NEEDED as NOT_NEEDED

SURELY_ANOTHER = 0.6  # confidence at which a message within a form is taken for another request

# Intents that never fill a slot: they are said about the conversation, not in answer to a question.
ASIDE = frozenset(
    (
        "stop_task ask_why repeat_that human_agent bot_challenge insult thank goodbye greet ask_help switch_language share_secret"
    ).split()
)
# Intents of a plain answer to the question.
ANSWERS = frozenset(["inform", "affirm", "deny", "correct_choice", "out_of_scope", "nlu_fallback"])


@dataclass(frozen=True)
class Reply:
    """What a step read: a value, or no value with words already said about why not (`understood`)."""

    value: Any = None
    understood: bool = True


@dataclass(frozen=True)
class End:
    """The task cannot go on: say why. `switch`: a form that does what is meant, begun with what is known of order and item."""

    refusal: Refusal | None = None
    response: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    switch: str | None = None


@dataclass(frozen=True)
class Again:
    """What fills this slot cannot be: say why, and ask for it again."""

    slot: str
    refusal: Refusal


class Step:
    """One slot of a form. `keeps`: the later slots whose answers stay when this one is corrected.

    `read` looks for its value in the message: None where there is nothing, whoever asked. `settle` fills it without asking
    (only one order fits, not needed here), returns None to ask, `End`, or `Again` to ask an earlier question again. `ask`
    puts the question.
    """

    slot: str
    keeps: tuple[str, ...] = ()

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        return None

    def settle(self, turn: Turn) -> Any | End | Again | None:
        return None

    def ask(self, turn: Turn) -> None:
        """By default, words are Rasa's business: `utter_ask_<form>_<slot>` or `utter_ask_<slot>`."""

    def holds(self, turn: Turn) -> bool:
        """Whether what fills the slot still holds; where it does not, the form begins anew."""
        return True

    def is_meant(self, turn: Turn) -> bool:
        """Whether the message is surely for this step, whatever else it sounds like: "the chinos too"."""
        return False

    def sets_aside(self, turn: Turn) -> bool:
        """Whether the message asks for the same of something else as well: kept for when this is done, and said so."""
        return False

    def forget(self, turn: Turn) -> None:
        turn.set(self.slot, None)


class ChoiceStep(Step):
    """A step that is answered by one of the options shown."""

    question: str

    def options(self, turn: Turn) -> Sequence[Option]:
        raise NotImplementedError

    def values(self, turn: Turn) -> dict[str, Any]:
        """The variables of the question."""
        return {}

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if not asked:
            return None
        shown = turn.offered(self.slot)
        value = tapped(self.slot, turn.entities)
        chosen = value if value in {option.value for option in shown} else picked(turn.text, turn.entities, shown)
        return Reply(chosen) if chosen is not None else None

    def settle(self, turn: Turn) -> Any | End | None:
        options = self.options(turn)
        return options[0].value if len(options) == 1 else None

    def named(self, turn: Turn) -> Any | None:
        """The answer that a correction names: "no, the blue one"."""
        return picked(turn.text, turn.entities, self.options(turn))

    def other_than(self, turn: Turn, before: Any) -> Any | None:
        """What "no, the other one" means; None where there are several others."""
        others = [option.value for option in self.options(turn) if option.value != before]
        return others[0] if len(others) == 1 else None

    def recognizes(self, turn: Turn) -> bool:
        """Whether this message surely speaks of what is asked for, beyond the options shown."""
        return False

    def in_words(self, turn: Turn, value: Any) -> str:
        """What was understood, for a word of assurance after a correction."""
        return next((option.title for option in self.options(turn) if option.value == value), "")

    def ask(self, turn: Turn) -> None:
        turn.offer(self.slot, list(self.options(turn)), self.question, **self.values(turn))


class TaskForm(Action, ABC):
    """The validation action of one form. `steps` are shared by all conversations: they keep nothing."""

    task: str  # the intent that begins it, also the operation's name in the identity policy
    steps: Sequence[Step]

    @property
    @abstractmethod
    def form(self) -> str:
        """The form's name in the domain. Abstract, so that rasa_sdk does not register this class."""

    def name(self) -> str:
        return f"validate_{self.form}"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            return self.advance(turn)

    def advance(self, turn: Turn) -> list[dict[str, Any]]:
        if turn.begins_form:
            self._begin(turn)
            self._read_all(turn)
        elif not all(step.holds(turn) for step in self.steps):
            self._begin_anew(turn)
        elif turn.is_fresh:
            if turn.intent == SIGNED_IN:
                self._thank_for_signing_in(turn)
            elif not self._take_reply(turn) and not self._is_said_again(turn):
                return self._reject(turn)
            turn.events.append(SlotSet("current_task", self.form))  # a form that sets nothing is taken for one that rejects
        fill_in_rest(turn, self.form)
        return self._next(turn) if not self._goes_on_elsewhere(turn) else self._end(turn, End())

    def _goes_on_elsewhere(self, turn: Turn) -> bool:
        """Whether the very same was begun on another channel, and the shopper is asked which of the two goes on."""
        said = any(tells(turn.slots.get(slot)) for slot in (*TASK_SLOTS, "wanted_order", ITEM_WORDS))
        return not said and offer_same_begun_elsewhere(turn, self.form)

    def _thank_for_signing_in(self, turn: Turn) -> None:
        """What was asked to know them is asked no more; any other open question comes again, with what is theirs to choose."""
        if turn.customer is not None:
            turn.say("utter_known_by_sign_in", name=first_name(turn.customer))

    # Beginning

    def _begin(self, turn: Turn) -> None:
        interrupted = turn.slots.get("current_task")
        if interrupted and interrupted != self.form:
            suspend(turn, interrupted)
        for step in self.steps:
            step.forget(turn)
        turn.set("current_task", self.form)
        turn.set("in_task", True)
        turn.set("choices", None)
        turn.set("offers", None)
        turn.set("rated_matter", None)
        turn.set(BEGUN, None)
        if (elsewhere := turn.carried.get(ELSEWHERE)) is not None:
            turn.set("carried", take_over(turn, elsewhere, self.form))
        for slot, value in (turn.carried.get("slots") or {}).items():
            turn.set(slot, value)
        if (second := turn.second_request()) and second["intent"] != self.task:
            turn.set("queued_request", second)

    def _read_all(self, turn: Turn) -> None:
        for step in self.steps:
            if turn.slots.get(step.slot) is None and (reply := step.read(turn, asked=False)) is not None:
                turn.set(step.slot, reply.value)
        if turn.carried:
            turn.set("carried", None)

    def _begin_anew(self, turn: Turn) -> None:
        """Who was asking may be another person by now: only an order's number is kept, to be looked for among theirs."""
        order_number = turn.slots.get("order_number")
        for step in self.steps:
            step.forget(turn)
        turn.set("wanted_order", order_number if order_number != NOT_NEEDED else None)
        turn.set("choices", None)
        turn.say("utter_identity_ended")

    # A reply

    def _take_reply(self, turn: Turn) -> bool:
        """Whether the message had something for this form."""
        if self._is_aside(turn):
            return False
        asked = turn.slots.get("requested_slot")
        is_for_a_step = any(step.is_meant(turn) for step in self.steps)
        if turn.is_tap and tapped(str(asked), turn.entities) is None and not is_for_a_step:
            return self._take_earlier_tap(turn)
        if any(step.sets_aside(turn) for step in self.steps):
            return True
        taken = [self._take(turn, step, step.slot == asked) for step in self.steps]
        return any(taken) or self._take_back(turn)

    def _is_aside(self, turn: Turn) -> bool:
        if tapped(str(turn.slots.get("requested_slot")), turn.entities):
            return False
        if turn.intent in ASIDE:
            return turn.confidence >= SURELY_ANOTHER and not self._is_plain_answer(turn)
        is_other = turn.intent not in ANSWERS and turn.intent != self.task
        return is_other and turn.confidence >= SURELY_ANOTHER and not self._is_plain_answer(turn)

    def _is_plain_answer(self, turn: Turn) -> bool:
        """A short message that picks one of the options shown answers, whatever else it sounds like."""
        if any(step.is_meant(turn) for step in self.steps):
            return True
        if len(turn.text.split()) > 6:
            return False
        asked = str(turn.slots.get("requested_slot"))
        step = next((step for step in self.steps if step.slot == asked), None)
        recognized = isinstance(step, ChoiceStep) and step.recognizes(turn)
        return recognized or picked(turn.text, turn.entities, turn.offered(asked)) is not None

    def _take(self, turn: Turn, step: Step, asked: bool) -> bool:
        reply = step.read(turn, asked)
        if reply is None:
            return False
        before = turn.slots.get(step.slot)
        if None not in (before, reply.value) and reply.value != before:  # what was said ahead of a first answer stays
            self._forget_after(turn, step)
        turn.set(step.slot, reply.value)
        turn.events.append(SlotSet(step.slot, reply.value))  # also where nothing changed: Rasa must see that it was read
        return True

    def _is_said_again(self, turn: Turn) -> bool:
        """The very request that is under way: its question is put again. Rejected, the rules would begin it anew, for ever."""
        return turn.intent == self.task

    def _take_earlier_tap(self, turn: Turn) -> bool:
        """A tap on a choice of a question that was answered before: the answer is that one now, if it still is a choice."""
        step = next((each for each in self._answered(turn) if tapped(each.slot, turn.entities) is not None), None)
        if step is None:
            return False
        before = turn.slots[step.slot]
        turn.set("choices", {"slot": step.slot, "options": [option.stored() for option in step.options(turn)]})
        if not self._take(turn, step, asked=True):
            return False
        if turn.slots[step.slot] not in (None, before):
            turn.say("utter_corrected", choice=step.in_words(turn, turn.slots[step.slot]))
        return True

    def _take_back(self, turn: Turn) -> bool:
        """ "No, the blue one": the answer that it names; "no, the other one": the other of two; else the last question again."""
        if turn.intent != "correct_choice":
            return False
        answered = self._answered(turn)
        if not answered:
            return False
        named = ((each, each.named(turn)) for each in answered)
        step, meant = next(((s, value) for s, value in named if value not in (None, turn.slots[s.slot])), (answered[0], None))
        if meant is None and turn.entity("other") is not None:
            meant = step.other_than(turn, turn.slots[step.slot])
        self._forget_after(turn, step)
        step.forget(turn)
        turn.set(step.slot, meant)
        turn.events.append(SlotSet(step.slot, meant))
        if meant is None:
            turn.set("reopened", step.slot)
        else:
            turn.say("utter_corrected", choice=step.in_words(turn, meant))
        return True

    def _answered(self, turn: Turn) -> list[ChoiceStep]:
        """The questions that have an answer, the last one first."""
        answered = [s for s in self.steps if isinstance(s, ChoiceStep) and turn.slots.get(s.slot) not in (None, NOT_NEEDED)]
        return answered[::-1]

    def _forget_after(self, turn: Turn, step: Step) -> None:
        for later in self.steps[list(self.steps).index(step) + 1 :]:
            # What was not needed was no answer: it may be needed now.
            if later.slot not in step.keeps or turn.slots.get(later.slot) == NOT_NEEDED:
                later.forget(turn)

    # The next question

    def _next(self, turn: Turn) -> list[dict[str, Any]]:
        for step in self._open_steps(turn):
            outcome = None if turn.slots.get("reopened") == step.slot else step.settle(turn)
            if isinstance(outcome, End):
                return self._end(turn, outcome)
            if isinstance(outcome, Again):
                return self._ask_again(turn, outcome)
            if outcome is None:
                return self._ask(turn, step)
            turn.set(step.slot, outcome)
        return [*turn.events, SlotSet("requested_slot", None)]

    def _open_steps(self, turn: Turn) -> Iterator[Step]:
        return (step for step in self.steps if turn.slots.get(step.slot) is None)

    def _ask(self, turn: Turn, step: Step) -> list[dict[str, Any]]:
        turn.set("reopened", None)
        if not rasa_asks(self.form, step.slot):
            step.ask(turn)
        return [*turn.events, SlotSet("requested_slot", step.slot)]

    def _ask_again(self, turn: Turn, again: Again) -> list[dict[str, Any]]:
        say_reason(turn, self.task, again.refusal)
        step = next(step for step in self.steps if step.slot == again.slot)
        self._forget_after(turn, step)
        step.forget(turn)
        return self._ask(turn, step)

    def _switch(self, turn: Turn, form: str) -> list[dict[str, Any]]:
        known = {slot: turn.slots[slot] for slot in SAME_ITEM if turn.slots.get(slot) is not None}
        turn.set("carried", {"text": turn.text, "entities": turn.entities, "slots": known})
        turn.set("current_task", None)  # it goes on as something else: nothing is left to come back to
        return [*turn.events, SlotSet("requested_slot", None), FollowupAction(form)]

    def _end(self, turn: Turn, end: End) -> list[dict[str, Any]]:
        if end.response is not None:
            turn.say(end.response, **end.values)
        if end.switch is not None:
            return self._switch(turn, end.switch)
        if end.refusal is not None:
            say_refusal(turn, self.task, end.refusal)
        close_task(turn, settled=False)
        # `-` fills what is left, so that the rules see the form as it was left; the submit action sees `current_task` gone.
        return [*turn.events, SlotSet("requested_slot", None)]

    def _reject(self, turn: Turn) -> list[dict[str, Any]]:
        return [ActionExecutionRejected(self.form)]


SAME_ITEM = ("order_number", "line_id", "item_words")


def rasa_asks(form: str, slot: str) -> bool:
    """Whether a response exists that Rasa's FormAction says by itself."""
    return bool({f"utter_ask_{form}_{slot}", f"utter_ask_{slot}"} & response_keys())


def suspend(turn: Turn, form: str) -> None:
    """Keep what this task knows, to offer going on with it once the task that interrupts it has ended."""
    before = turn.slots.get(SUSPENDED)
    turn.set(SUSPENDED, {"form": form, "slots": known_slots(turn), "before": before})


def known_slots(turn: Turn) -> dict[str, Any]:
    """What the present task knows, without the confirmation: a summary is made anew."""
    return {slot: turn.slots[slot] for slot in TASK_SLOTS if turn.slots.get(slot) is not None}
