"""The last step of every write: a summary of exactly what will happen, a "yes", and the deed, once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import Option, picked, tapped
from actions.closing import close_task, say_reason, say_refusal
from actions.failing import never_silent
from actions.order_steps import says_phrase, words_of_message
from actions.task_form import Again, End, Reply, Step, known_slots
from actions.turn import Turn, turn_of
from actions.wording import worded
from commerce import proposals
from commerce.models import Proposal
from commerce.proposals import Done, Operation, Refusal, Stale

SLOT = "confirmation"
NO = "no"
Events = list[dict[str, Any]]


class Write:
    """What a form writes: the operation and its parameters from the slots."""

    form: str
    task: str
    asked_again: Mapping[str, str] = {}  # the slot that is asked for again, by the reason why what fills it cannot be

    def operation(self, turn: Turn) -> Operation:
        raise NotImplementedError

    def parameters(self, turn: Turn) -> dict[str, Any]:
        raise NotImplementedError

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of `utter_confirm_<task>`; more than the summary's own where the words need them."""
        return worded(turn, summary)

    def summary_response(self, turn: Turn, summary: Mapping[str, Any]) -> str:
        return f"utter_confirm_{self.task}"


class ConfirmStep(Step):
    """Shows the summary and waits for yes or no. The slot gets the id of the confirmed proposal, or `no`."""

    slot = SLOT

    def __init__(self, write: Write) -> None:
        self.write = write

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if not asked or turn.slots.get("proposal_id") is None:  # "no, the number is 223" has just changed what it was about
            return None
        if self._is_conditional(turn):
            turn.say("utter_once_more_first")
            return Reply(None)
        value = tapped(SLOT, turn.entities) or picked(turn.text, turn.entities, turn.offered(SLOT))
        if value is not None:
            return self._chosen(turn, value)
        if turn.intent == "affirm":
            return Reply(turn.slots.get("proposal_id"))
        return Reply(NO) if turn.intent == "deny" else None

    def is_meant(self, turn: Turn) -> bool:
        """ "Yes, but first tell me how much": what is asked stands in the summary."""
        is_asked = turn.slots.get("requested_slot") == SLOT and self._is_conditional(turn)
        return is_asked and _says(turn, "in_the_summary_words")

    def _is_conditional(self, turn: Turn) -> bool:
        """A yes with a "but" is no yes: the summary is shown once more."""
        is_yes = turn.intent == "affirm" or picked(turn.text, turn.entities, turn.offered(SLOT)) == turn.slots.get("proposal_id")
        return not turn.is_tap and (is_yes or _says(turn, "yes_words")) and _says(turn, "condition_words")

    def settle(self, turn: Turn) -> Any | End | Again | None:
        if turn.slots.get("proposal_id") is None:
            return self._propose(turn)
        return None

    def ask(self, turn: Turn) -> None:
        proposal = turn.session.get(Proposal, turn.slots["proposal_id"])
        options = [Option(proposal.id, turn.label("yes")), Option(no_to(proposal.id), turn.label("no"))]
        summary = proposal.summary
        turn.offer(SLOT, options, self.write.summary_response(turn, summary), **self.write.summary_values(turn, summary))

    def forget(self, turn: Turn) -> None:
        turn.set(SLOT, None)
        turn.set("proposal_id", None)

    def _propose(self, turn: Turn) -> End | Again | None:
        write = self.write
        outcome = proposals.propose(
            turn.session, write.operation(turn), turn.customer_id, turn.sender_id, write.parameters(turn), turn.now
        )
        if isinstance(outcome, Refusal):
            slot = write.asked_again.get(outcome.reason)
            return Again(slot, outcome) if slot else End(refusal=outcome)
        turn.set("proposal_id", outcome.proposal_id)
        return None

    def _chosen(self, turn: Turn, value: str) -> Reply:
        proposal_id = turn.slots.get("proposal_id")
        if value in (proposal_id, no_to(proposal_id)):
            return Reply(value if value == proposal_id else NO)
        turn.say("utter_summary_is_old")
        return Reply(None)


class SubmitAction(Action, ABC):
    """Does what was confirmed, says what was done, and closes the task."""

    write: Write

    @property
    @abstractmethod
    def action(self) -> str:
        """The action's name in the domain. Abstract, so that rasa_sdk does not register this class."""

    def name(self) -> str:
        return self.action

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            return self._settle(turn)

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        """Say what was done."""
        turn.say(f"utter_done_{self.write.task}", **worded(turn, result))

    def is_settled(self, result: Mapping[str, Any]) -> bool:
        """Whether nothing is left for a person to decide."""
        return True

    def _settle(self, turn: Turn) -> Events:
        if turn.slots.get("current_task") != self.write.form:
            return []  # the form ended by itself: it has said why
        if turn.slots.get(SLOT) == NO:
            return self._not_done(turn)
        return self._confirm(turn, turn.slots[SLOT])

    def _confirm(self, turn: Turn, proposal_id: str) -> Events:
        write = self.write
        outcome = proposals.confirm(turn.session, write.operation(turn), proposal_id, turn.customer_id, turn.sender_id, turn.now)
        if isinstance(outcome, Stale):
            return self._stale(turn, outcome)
        return self._done(turn, outcome)

    def _done(self, turn: Turn, outcome: Done) -> Events:
        if outcome.repeated:
            turn.say("utter_done_before")
        else:
            self.done(turn, outcome.result)
        close_task(turn, settled=self.is_settled(outcome.result), matter=f"{outcome.kind}:{outcome.proposal_id}")
        return turn.events

    def _not_done(self, turn: Turn) -> Events:
        proposals.withdraw(turn.session, turn.sender_id, turn.now)
        turn.say("utter_not_done")
        close_task(turn, settled=False)
        return turn.events

    def _stale(self, turn: Turn, stale: Stale) -> Events:
        """Nothing was done. Where it is still possible the form shows the new summary, else the new reason is said, and
        where something else would do, it is asked for."""
        turn.say("utter_facts_changed" if stale.reason == "facts_changed" else "utter_summary_is_old")
        again = self._known_again(turn, stale)
        if stale.refusal is not None:
            say = say_refusal if again is None else say_reason
            say(turn, self.write.task, stale.refusal)
        close_task(turn, settled=False, is_left=again is not None)
        if again is None:
            return turn.events
        return [*turn.events, SlotSet("carried", again), FollowupAction(self.write.form)]

    def _known_again(self, turn: Turn, stale: Stale) -> dict[str, Any] | None:
        """What the form begins again with: all of it, or all but what cannot be any more; None where it is over."""
        gone = self.write.asked_again.get(stale.refusal.reason) if stale.refusal is not None else None
        if stale.offer is None and gone is None:
            return None
        return {"slots": {slot: value for slot, value in known_slots(turn).items() if slot != gone}}


def _says(turn: Turn, words: str) -> bool:
    """Whether the message holds one of the phrases of this label."""
    return says_phrase(words_of_message(turn), turn.label(words).split("|"))


def no_to(proposal_id: str | None) -> str:
    """The value of the "no" to this summary: a tap on an older one's is no answer to it."""
    return f"{NO}.{proposal_id}"


def say_about_old_summary(turn: Turn, value: str) -> None:
    """A tap on a summary's button when nothing waits for one: it was done already, or it is old and nothing happens."""
    proposal = turn.session.get(Proposal, value.removeprefix(no_to("")))
    own = proposal is not None and proposal.conversation == turn.sender_id
    turn.say("utter_done_before" if own and proposal.effect is not None else "utter_summary_is_old")
