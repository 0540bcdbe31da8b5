"""A shopper who comes from an ad: a mere greeting is about what the ad shows."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import catalog
from actions.failing import never_silent
from actions.menu import show_menu
from actions.turn import Turn, turn_of


class ActionOpenAd(Action):
    def name(self) -> str:
        return "action_open_ad"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            open_topic(turn)
            return turn.events


def comes_from_ad(turn: Turn) -> bool:
    """Whether this very message was begun at an ad."""
    return bool(turn.shown.get("referral"))


def open_topic(turn: Turn) -> None:
    """What the ad's headline, else its text, names of what is sold; a menu where it names nothing."""
    ad = turn.shown.get("referral") or {}
    texts = [str(ad[part]) for part in ("headline", "body") if ad.get(part)]
    if turn.tracker.active_loop_name:
        turn.say("utter_greet")
    elif not any(catalog.show_named_in(turn, text, "utter_ad_welcome") for text in texts):
        show_menu(turn, "utter_greet")
