"""Questions answered from the shop's FAQ: one answer, a choice of two, or none rather than a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import catalog
from actions.failing import never_silent
from actions.handoff import asks_for_the_wait, pass_on, support_calendar
from actions.levels import is_known_well_enough
from actions.loyalty import tell_expiries
from actions.offers import Next, go_on_with_second, offer
from actions.reported import claimed
from actions.shop import policies
from actions.skus import SKU
from actions.turn import Turn, turn_of
from actions.words import data_folder
from commerce import faq
from commerce.faq import FaqEntry, FaqIndex, FaqMatch, FaqWords, Ranking
from commerce.policies import policy_facts
from messaging import formats
from messaging.calendar import Calendar, load_calendars
from messaging.kept import kept
from messaging.shop import shop_name

OFFERED = 3
INTENT = "ask_faq"
OWN_ANSWERS = {"points_expiry": tell_expiries}  # what is told besides, where it is known who asks


@dataclass(frozen=True)
class Found:
    """matches: the entries that fit best, the best first. answer_from, near: the scores from which one of them is an answer, or
    is told where there is no answer."""

    matches: list[FaqMatch]
    answer_from: float
    near: float

    @property
    def answers(self) -> list[FaqEntry]:
        """One, or two that fit about equally; none where nothing fits."""
        return faq.choose(self.matches, self.answer_from)

    @property
    def told(self) -> list[FaqEntry]:
        """The answers, or what is near where nothing fits well: of several the shopper chooses, one alone is told."""
        return self.answers or [match.entry for match in self.matches if match.score >= self.near]


class ActionAnswerFaq(Action):
    def name(self) -> str:
        return "action_answer_faq"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if asks_for_the_wait(turn) and pass_on(turn):
                return turn.events
            chosen = (turn.carried.get("slots") or {}).get("faq") if not turn.is_fresh else None
            if not chosen and (report := claimed(turn)):
                return report
            if _asks_one_thing(turn):
                turn.take_as_one()
            is_about_product = not chosen and not turn.tracker.active_loop_name and catalog.goes_on(turn)
            entries = [entry_of(chosen, turn.language)] if chosen else [] if is_about_product else _fitting(turn)
            if turn.entity(SKU) and len(entries) > 1 and not turn.tracker.active_loop_name:
                entries = []
            if not entries and (catalog.names_product(turn) or turn.slots.get(catalog.LAST)):
                catalog.search(turn)  # "do you sell shirts?" and "how much is it?" sound like questions about the shop
            else:
                turn.set("carried", None)
                self._answer(turn, entries, bool(turn.tracker.active_loop_name) or _is_second_beside_choice(turn, chosen))
            return turn.events

    def _answer(self, turn: Turn, entries: list[FaqEntry], is_beside: bool) -> None:
        """is_beside: within a form, or beside a choice, there is no second question: the likelier one is answered, or it is said
        that none fits."""
        if len(entries) > 1 and not is_beside:
            offer(turn, [_as_choice(entry) for entry in entries], "utter_faq_which")
            is_beside = True
        elif entries:
            answer(turn, entries[0])
            if entries[0].id in OWN_ANSWERS and is_known_well_enough(turn, "check_points"):
                OWN_ANSWERS[entries[0].id](turn)
        else:
            turn.say("utter_faq_none")
        go_on_with_second(turn, beside=is_beside)


def _asks_one_thing(turn: Turn) -> bool:
    """Whether what was taken for two questions is one."""
    texts = [each["text"] for each in turn.requests if each["intent"] == INTENT]
    return turn.is_fresh and len(texts) == 2 and not are_two(texts, turn.language, turn.faq_rankings)


def are_two(texts: Sequence[str], language: str, rankings: Sequence[Ranking]) -> bool:
    """Whether each of two texts has an answer, and none that the other has."""
    first, second = ({entry.id for entry in find(text, language, rankings).answers} for text in texts)
    return bool(first and second) and first.isdisjoint(second)


def _is_second_beside_choice(turn: Turn, chosen: str | None) -> bool:
    """Whether the first request of this message is answered by a choice that is open now."""
    return not chosen and not turn.is_fresh and bool(turn.slots.get("offers"))


def answer_where_one_fits(turn: Turn) -> bool:
    """Whether the message was answered: only by an entry that fits well, and better than any other."""
    fitting = find(turn.text, turn.language, turn.faq_rankings).answers
    if len(fitting) != 1:
        return False
    answer(turn, fitting[0])
    return True


def find(text: str, language: str, rankings: Iterable[Ranking]) -> Found:
    """By words and meaning, where the bot has ranked exactly this text by the questions that stand in the files now; else by
    words."""
    matches = faq.ranked(text, language, rankings, _entries(), _versions().get(language))
    if matches is not None:
        return Found(matches, faq.ANSWER_FROM_MEANING, faq.NEAR_MEANING)
    return Found(_index().search(text, language, limit=OFFERED), faq.ANSWER_FROM, faq.NEAR)


def answer(turn: Turn, entry: FaqEntry) -> None:
    """The answer with its source, which a widget or an agent can show."""
    text = faq.render(entry, facts(turn))
    turn.dispatcher.utter_message(response="utter_faq_answer", answer=text, custom={"source": entry.source, "faq": entry.id})


def entry_of(entry_id: str, language: str) -> FaqEntry:
    """The entry in this language. Raises StopIteration for an id that no file has."""
    return next(entry for entry in _entries() if (entry.id, entry.language) == (entry_id, language))


def facts(turn: Turn) -> dict[str, str]:
    """What the answers' placeholders stand for: figures of the policy tables, and hours in the shopper's language."""
    hours = {
        f"store_hours_{name}": _hours_in_words(turn, calendar) for name, calendar in calendars().items() if name != "support"
    }
    figures = {
        name: turn.number(int(figure)) if figure.isdigit() else figure
        for name, figure in policy_facts(policies(), turn.today).items()
    }
    known = {**figures, **hours, "free_shipping_from": _free_shipping_from(turn)}
    return {**known, "shop": shop_name(), "support_hours": _hours_in_words(turn, support_calendar())}


def _free_shipping_from(turn: Turn) -> str:
    """In the shopper's own currency: nobody reads a list of five."""
    currency = catalog.currency_of(turn)
    return turn.money(policies().number("shipping_fee", "free_shipping_from", turn.today, currency=currency), currency)


def _fitting(turn: Turn) -> list[FaqEntry]:
    found = find(turn.text, turn.language, turn.faq_rankings)
    if not found.answers and (catalog.names_product(turn) or turn.slots.get(catalog.LAST)):
        return []
    return found.answers if turn.tracker.active_loop_name else found.told


def _as_choice(entry: FaqEntry) -> Next:
    return Next("action_answer_faq", entry.question, {"slots": {"faq": entry.id}})


def _hours_in_words(turn: Turn, calendar: Calendar) -> str:
    """ "Mon to Fri 9:00-18:00, Sat 10:00-14:00": days with the same hours together."""
    days = formats.weekday_names(turn.locale)
    groups: list[tuple[int, int, str]] = []
    for index, spans in enumerate(calendar.hours):
        hours = " & ".join(str(span) for span in spans)
        if groups and groups[-1][2] == hours:
            groups[-1] = (groups[-1][0], index, hours)
        else:
            groups.append((index, index, hours))
    told = [(days[first] if first == last else f"{days[first]}–{days[last]}", hours) for first, last, hours in groups if hours]
    return ", ".join(f"{name} {hours}" for name, hours in told)


def read_ahead() -> None:
    """Read the answers, and when people are there."""
    _index()
    _versions()
    calendars()


@kept
def _entries() -> tuple[FaqEntry, ...]:
    return tuple(faq.load_faq(data_folder() / "faq"))


@kept
def _words() -> dict[str, FaqWords]:
    return faq.load_words(data_folder() / "faq")


@kept
def _index() -> FaqIndex:
    return FaqIndex(list(_entries()), _words())


@kept
def _versions() -> dict[str, str]:
    """Of the questions in each language: by others a model has ranked nothing that counts here."""
    return faq.versions(faq.questions_of(_entries(), _words()))


@kept
def calendars() -> dict[str, Calendar]:
    return load_calendars(data_folder() / "policies" / "support.yml")
