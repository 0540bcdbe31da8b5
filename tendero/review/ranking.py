"""Messages that say the same in one row, the most useful row first."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process

from bot.nlu.folding import shape
from tendero.review.heard import REASONS, Heard, Line
from tendero.review.personal import StandIns

SAYS_THE_SAME = 90  # of 100
HALF_LIFE = 30.0  # days: a message that old counts half
A_DAY = 86_400.0
ID_LENGTH = 12
LONGEST = 300  # characters: longer ones are letters, of which no example can be made as they are

_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Row:
    """Messages that say the same. text, ranking, before: of the newest of those that are worded as most of them are.

    ids: of every wording, its own first. people: in how many conversations.
    """

    ids: tuple[str, ...]
    text: str
    language: str
    count: int
    people: int
    newest: float
    ranking: list[tuple[str, float]]
    reasons: tuple[str, ...]
    before: tuple[Line, ...]
    score: float

    @property
    def id(self) -> str:
        return self.ids[0]


class _Said(NamedTuple):
    """A message with stand-ins for personal data, in its own words and those around it."""

    heard: Heard
    text: str
    key: str


def said_alike(text: str) -> str:
    """The same for texts that differ by capitals, accents, signs and digits only."""
    return " ".join(_SIGNS.sub(" ", shape(text)).split())


def id_of(language: str, key: str) -> str:
    """A row's name, on every machine and at any time the same for the same wording."""
    return hashlib.sha256(f"{language}\n{key}".encode()).hexdigest()[:ID_LENGTH]


def rows_of(
    heard: Iterable[Heard], stand_ins: StandIns, known: Collection[str], decided: Collection[str], now: float
) -> list[Row]:
    """The most useful first. known: what is an example already, as `said_alike` has it. decided: ids of what was dealt with."""
    by_wording: dict[tuple[str, str], list[_Said]] = {}
    for each in heard:
        stood_in = stand_ins.put_in(each.text, each.sender_id)
        key = said_alike(stood_in.text)
        if stood_in.says_something and not stood_in.had_secret and key not in known and len(stood_in.text) <= LONGEST:
            by_wording.setdefault((each.language, key), []).append(_Said(each, stood_in.text, key))
    groups = _grouped(by_wording)
    rows = [_row(group, stand_ins, now) for group in groups]
    return sorted((row for row in rows if decided_not(row, decided)), key=lambda row: (-row.score, row.id))


def decided_not(row: Row, decided: Collection[str]) -> bool:
    return not any(each in decided for each in row.ids)


def score(people: int, reasons: Collection[str], days: float) -> float:
    """How useful it is to assign such messages: frequent, uncertain, recent.

    log2(1 + people) x the gravest reason's weight (REASONS) x 0.5 ** (days / 30): twice as many people do not count twice, a
    shopper who repeats a message counts once, and what was last said a month ago counts half.
    """
    return math.log2(1 + people) * max(REASONS[reason] for reason in reasons) * 0.5 ** (max(days, 0.0) / HALF_LIFE)


def _grouped(by_wording: dict[tuple[str, str], list[_Said]]) -> list[list[_Said]]:
    """Near duplicates of a language together, around the most frequent wording."""
    groups: dict[str, dict[str, list[_Said]]] = {}
    for (language, key), said in sorted(by_wording.items(), key=lambda each: (-len(each[1]), each[0])):
        of_language = groups.setdefault(language, {})
        near = process.extractOne(key, of_language.keys(), scorer=fuzz.ratio, score_cutoff=SAYS_THE_SAME)
        of_language.setdefault(near[0] if near else key, []).extend(said)
    return [group for of_language in groups.values() for group in of_language.values()]


def _row(group: Sequence[_Said], stand_ins: StandIns, now: float) -> Row:
    wordings = [key for key, _ in Counter(said.key for said in group).most_common()]
    shown = max((said for said in group if said.key == wordings[0]), key=lambda said: said.heard.at)
    reasons = {reason for said in group for reason in said.heard.reasons}
    people = len({said.heard.sender_id for said in group})
    newest = max(said.heard.at for said in group)
    heard = shown.heard
    return Row(
        ids=tuple(id_of(heard.language, key) for key in wordings),
        text=shown.text,
        language=heard.language,
        count=len(group),
        people=people,
        newest=newest,
        ranking=heard.ranking,
        reasons=tuple(reason for reason in REASONS if reason in reasons),
        before=tuple(_shown(line, heard.sender_id, stand_ins) for line in heard.before),
        score=score(people, reasons, (now - newest) / A_DAY),
    )


def _shown(line: Line, sender_id: str, stand_ins: StandIns) -> Line:
    return Line(line.by, stand_ins.put_in(line.text, sender_id).text)
