"""Pictures that a shopper sends: evidence of a claim, or something to ask about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import offers
from actions.choices import Option, picked, tapped
from actions.failing import never_silent
from actions.handoff import pass_on
from actions.offers import Next
from actions.order_steps import says_phrase, words_of_message
from actions.task_form import NOT_NEEDED, Reply, Step
from actions.tasks import TASKS
from actions.turn import Turn, turn_of
from commerce import claims
from commerce.proposals import Refusal
from messaging import file_references
from messaging.channel_abilities import TAKES_FILES

INTENTS = ("share_picture", "share_video", "share_document")
JUST_SENT = timedelta(minutes=30)  # before a claim began: its pictures
MOST = 10
FEW_WORDS = 7
NONE = "none"  # fills the slot `evidence` where the shopper has no picture


def just_sent(turn: Turn) -> list[str]:
    """References to the conversation's newest pictures that no claim of this shopper has yet; empty where nobody is known.

    Those that came before anybody was known are theirs; those that came while another customer was are not."""
    if turn.channel not in TAKES_FILES or turn.identity.customer_id is None:
        return []
    begin = turn.since_nobody_else(turn.now - JUST_SENT)
    files = file_references.since(turn.session, turn.sender_id, begin, file_references.PICTURES, MOST)
    used = claims.evidence_of(turn.session, turn.customer_id) if files else frozenset()
    return [each for each in map(file_references.reference, files) if each not in used]


class EvidenceStep(Step):
    """Pictures of what is wrong: those that were just sent; asked for where they decide, and the channel can bring them."""

    slot = "evidence"
    keeps = ("resolution",)

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        if turn.shown.get("files") and (pictures := just_sent(turn)):
            turn.say("utter_picture_noted")
            return Reply(pictures)
        if not asked:
            return None
        if self._comes_soon(turn):
            turn.say("utter_picture_awaited")
            return Reply(None)
        chosen = tapped(self.slot, turn.entities) or picked(turn.text, turn.entities, turn.offered(self.slot))
        return Reply(NONE) if chosen == NONE or turn.intent == "deny" else None

    def is_meant(self, turn: Turn) -> bool:
        is_picture = turn.intent in INTENTS and bool(turn.shown.get("files"))
        return is_picture or (turn.slots.get("requested_slot") == self.slot and self._comes_soon(turn))

    def _comes_soon(self, turn: Turn) -> bool:
        """ "Yes", "one moment", "I'll take one"."""
        if turn.is_tap or len(turn.text.split()) > FEW_WORDS:
            return False
        return turn.intent == "affirm" or says_phrase(words_of_message(turn), turn.label("picture_soon_words").split("|"))

    def settle(self, turn: Turn) -> Any:
        if turn.channel not in TAKES_FILES:
            return NOT_NEEDED
        if pictures := just_sent(turn):
            turn.say("utter_picture_noted")
            return pictures
        outcome = self.assessed(turn)
        return None if isinstance(outcome, Refusal) and outcome.nearest == "send_picture" else NOT_NEEDED

    def assessed(self, turn: Turn) -> Any:
        """What would be done without a picture."""
        raise NotImplementedError

    def ask(self, turn: Turn) -> None:
        if "utter_picture_awaited" in turn.said:
            return  # it is on its way
        words = tuple(turn.label("no_picture_words").split("|"))
        turn.offer(self.slot, [Option(NONE, turn.label("no_picture"), words)], "utter_choose_picture")


class ActionTakePicture(Action):
    """A picture that answers no question: what is it about? Within a form it is kept, and the form goes on."""

    def name(self) -> str:
        return "action_take_picture"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if tracker.active_loop_name:
                turn.say("utter_picture_kept")
            elif not pass_on(turn):
                ask_what_it_shows(turn)
            return turn.events


def ask_what_it_shows(turn: Turn) -> None:
    """With what is mostly meant by a picture to choose from."""
    nexts = [
        Next(TASKS["report_problem"], turn.label("picture_of_problem")),
        Next(TASKS["search_product"], turn.label("picture_of_product")),
        offers.next_task(turn, "human_agent"),
    ]
    offers.offer(turn, nexts, "utter_picture_of_what")
