"""What shoppers wrote, as the tracker store has it, with the signs that it was not understood. Any channel, the newest first.

What was erased is not there: a customer's conversations go with their data, and one that only quotes them has marks instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import groupby
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from bot.language_slots import LANGUAGE_SLOTS, surest_language
from bot.nlu.folding import fold
from messaging.models import Handoff

FALLBACK = "nlu_fallback"
UNSURE_BELOW = 0.5  # probability of the likeliest intent
NEAR_TIE = 0.15  # between the two likeliest
SAID_AGAIN = 85  # of 100: how alike a message and the next are where the second is the first once more
SOON = 10 * 60  # seconds, for a correction
LINES_BEFORE = 2
TO_A_PERSON = "to_a_person"  # metadata of a message that a person of the shop was to answer
HEARD_AGAIN = "heard_again"  # metadata of a message that an action has put to the rules a second time
PERSONAL_ANSWERS = frozenset(
    {"code", "contact", "new_address", "newsletter_address"}
)  # slots: who is asked for these tells who they are

_EVENTS = text(
    "SELECT sender_id, type_name, data FROM events WHERE timestamp >= :since AND (type_name IN ('user', 'bot') "
    "OR (type_name = 'action' AND action_name = 'action_default_fallback') "
    "OR (type_name = 'slot' AND (data LIKE '%misunderstood%' OR data LIKE '%requested_slot%'))) ORDER BY sender_id, id"
)

# Why a message is shown, with how much an assignment would help: 1 is most. docs/review.md says the same in words.
REASONS = {
    "not understood": 1.0,  # the assistant asked again, offered choices, or broke off
    "led to a person": 0.9,
    "corrected": 0.8,  # "no, I meant ..." came next, or the same once more
    "guessed": 0.7,  # no intent was likely enough; what was done came from elsewhere, an answer of the FAQ for instance
    "unsure": 0.6,  # an unlikely intent, or two about as likely
    "asked again": 0.5,  # a form put the same question once more
    "out of scope": 0.4,
}


@dataclass(frozen=True)
class Line:
    by: str  # shopper | assistant
    text: str


@dataclass(frozen=True)
class Heard:
    """A message of a shopper's. ranking: (intent, probability), the likeliest first, without the fallback. before: the lines
    that came before it."""

    sender_id: str
    text: str
    at: float
    language: str
    ranking: list[tuple[str, float]]
    reasons: frozenset[str]
    before: tuple[Line, ...]


@dataclass
class _Turn:
    """asked: the slot that a form had asked for. questions, earlier: what was asked by name after and before the message."""

    said: dict[str, Any]
    asked: str | None
    before: tuple[Line, ...]
    language: str
    earlier: frozenset[str]
    questions: set[str] = field(default_factory=set)
    was_answered: bool = False  # else a person had the conversation
    was_missed: bool = False
    led_to_person: bool = False

    @property
    def text(self) -> str:
        return str(self.said.get("text") or "")

    @property
    def at(self) -> float:
        return float(self.said.get("timestamp") or 0)

    @property
    def intent(self) -> str:
        return str((_parsed(self.said).get("intent") or {}).get("name") or "")

    @property
    def is_to_person(self) -> bool:
        return TO_A_PERSON in (self.said.get("metadata") or {})

    @property
    def is_tap(self) -> bool:
        return self.text.startswith("/")


def heard_since(session: Session, since: datetime, default_language: str = "en") -> list[Heard]:
    """Every message since then that has a sign of not being understood; not what buttons said, answers that tell who
    somebody is (codes, addresses), and what was written to a person while the assistant was silent."""
    if not inspect(session.connection()).has_table("events"):
        return []
    handoffs = _handoffs(session, since)
    rows = session.execute(_EVENTS, {"since": since.timestamp()})
    found: list[Heard] = []
    for sender_id, of_sender in groupby(rows, key=lambda row: row.sender_id):
        turns = list(_turns((json.loads(row.data) for row in of_sender), default_language))
        _note_handoffs(turns, handoffs.get(sender_id, ()))
        found += _with_signs(sender_id, turns)
    return sorted(found, key=lambda heard: -heard.at)


def _with_signs(sender_id: str, turns: Sequence[_Turn]) -> Iterator[Heard]:
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        if turn.is_tap or not turn.text.strip() or turn.asked in PERSONAL_ANSWERS or turn.is_to_person or not turn.was_answered:
            continue
        ranking = _ranking(turn.said)
        if reasons := frozenset(_reasons(turn, following, ranking)):
            yield Heard(sender_id, turn.text, turn.at, turn.language, ranking, reasons, turn.before)


def _reasons(turn: _Turn, following: _Turn | None, ranking: Sequence[tuple[str, float]]) -> Iterator[str]:
    if turn.was_missed:
        yield "not understood"
    elif turn.intent == FALLBACK:
        yield "guessed"
    elif turn.questions & turn.earlier:
        yield "asked again"
    if turn.led_to_person:
        yield "led to a person"
    if following is not None and _corrects(following, turn):
        yield "corrected"
    if turn.intent == "out_of_scope":
        yield "out of scope"
    elif turn.intent != FALLBACK and _is_unsure(ranking):
        yield "unsure"


def _is_unsure(ranking: Sequence[tuple[str, float]]) -> bool:
    likely = [probability for _, probability in ranking[:2]]
    return bool(likely) and (likely[0] < UNSURE_BELOW or (len(likely) > 1 and likely[0] - likely[1] < NEAR_TIE))


def _corrects(following: _Turn, turn: _Turn) -> bool:
    if following.at - turn.at > SOON or following.is_tap:
        return False
    is_same = len(turn.text.split()) > 1 and fuzz.ratio(fold(following.text), fold(turn.text)) >= SAID_AGAIN
    return is_same or (following.intent == "correct_choice" and turn.intent != "correct_choice")


def _turns(events: Iterable[dict[str, Any]], language: str) -> Iterator[_Turn]:
    turn: _Turn | None = None
    asked: str | None = None
    lines: list[Line] = []
    titles: dict[str, str] = {}
    for event in events:
        kind = event["event"]
        if kind == "user" and HEARD_AGAIN not in (event.get("metadata") or {}):
            if turn is not None:
                yield turn
            language = _language(event, language)
            before = tuple(lines[-LINES_BEFORE:])
            turn = _Turn(event, asked, before, language, frozenset(turn.questions) if turn is not None else frozenset())
            lines.append(Line("shopper", titles.get(turn.text, turn.text)))
        elif kind == "bot":
            lines.append(Line("assistant", event.get("text") or ""))
            titles |= {button["payload"]: button["title"] for button in (event.get("data") or {}).get("buttons") or []}
            said = str((event.get("metadata") or {}).get("utter_action") or "")
            if turn is not None:
                turn.was_answered = True
                turn.questions |= {said} if said.startswith("utter_ask_") else set()
        elif kind == "slot" and event.get("name") == "requested_slot":
            asked = event.get("value")
        elif turn is not None and (kind == "action" or (event.get("name") == "misunderstood" and event.get("value"))):
            turn.was_missed = True
    if turn is not None:
        yield turn


def _language(said: dict[str, Any], so_far: str) -> str:
    """A sure sign in the message, else the conversation's so far; a hint counts before there is any sign."""
    told = surest_language(_parsed(said).get("entities") or [])
    return told[0] if told is not None and told[1] in LANGUAGE_SLOTS[:2] else so_far


def _ranking(said: dict[str, Any]) -> list[tuple[str, float]]:
    parsed = _parsed(said)
    ranked = parsed.get("intent_ranking") or [parsed.get("intent") or {}]
    return [(each["name"], float(each.get("confidence") or 0)) for each in ranked if each.get("name") not in (None, FALLBACK)]


def _parsed(said: dict[str, Any]) -> dict[str, Any]:
    return said.get("parse_data") or {}


def _handoffs(session: Session, since: datetime) -> dict[str, list[tuple[float, str]]]:
    """By conversation: when a person was called, and why."""
    called = select(Handoff.sender_id, Handoff.created_at, Handoff.reason).where(Handoff.created_at >= since)
    found: dict[str, list[tuple[float, str]]] = {}
    for row in session.execute(called):
        found.setdefault(row.sender_id, []).append((row.created_at.astimezone(timezone.utc).timestamp(), row.reason))
    return found


def _note_handoffs(turns: Sequence[_Turn], handoffs: Iterable[tuple[float, str]]) -> None:
    """Mark the message that made it necessary: the one before the wish for a person, else the last one."""
    for at, reason in handoffs:
        until = [turn for turn in turns if turn.at <= at and not turn.is_tap]
        if reason == "asked":
            wishes = [place for place, turn in enumerate(until) if turn.intent == "human_agent"]
            until = until[: wishes[-1]] if wishes else []
        if until and reason in ("asked", "misunderstood", "anger"):
            until[-1].led_to_person = True
