"""A place that the shopper shares: the stores near it, how far they are, and when they are open today."""

from __future__ import annotations

from typing import Any

from babel.units import format_unit
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.failing import never_silent
from actions.faq import calendars
from actions.turn import Turn, turn_of
from commerce import stores
from commerce.stores import Near
from messaging import formats

FAR = 100  # kilometres from which nobody goes there for a shirt


class ActionTellNearestStore(Action):
    def name(self) -> str:
        return "action_tell_nearest_store"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            tell_nearest(turn)
            return turn.events


def tell_nearest(turn: Turn) -> None:
    place = turn.shown.get("location") or {}
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)):
        turn.say("utter_place_unreadable")
        return
    near = stores.nearest(turn.session, latitude, longitude)
    if not near:
        turn.say("utter_no_stores")
    elif near[0].kilometres > FAR:
        turn.say("utter_stores_far", stores=formats.bullets(_in_words(turn, each) for each in near[:1]))
    else:
        close = [each for each in near if each.kilometres <= FAR]
        turn.say("utter_stores_near", stores=formats.bullets(_in_words(turn, each) for each in close))


def _in_words(turn: Turn, near: Near) -> str:
    """ "Malasaña: Calle del Espíritu Santo 18, Madrid (2.3 km), open today 10:30-14:30 & 17:00-20:30"."""
    store = near.store
    values = {"store": store.name, "address": f"{store.address}, {store.city}", "distance": _distance(turn, near.kilometres)}
    return turn.label("store_line").format(**values, hours=_today(turn, store.code))


def _distance(turn: Turn, kilometres: float) -> str:
    if kilometres < 1:
        return format_unit(max(50, round(kilometres * 20) * 50), "length-meter", "short", locale=turn.locale)
    return format_unit(round(kilometres, 1 if kilometres < 10 else None), "length-kilometer", "short", locale=turn.locale)


def _today(turn: Turn, code: str) -> str:
    """Today's hours by the clock of the store; nothing where nobody has written down when it is open."""
    calendar = calendars().get(code)
    if calendar is None:
        return ""
    spans = calendar.hours_on(turn.now.astimezone(calendar.time_zone).date())
    hours = " & ".join(str(span) for span in spans)
    return turn.label("store_open_today").format(hours=hours) if hours else turn.label("store_closed_today")
