"""The two requests of a message that holds two: "where is 10234 and how many points do I have".

A message is split into clauses, each of which has an intent and a confidence. Most clauses say how the wish came about ("my mum
bought me a jacket and I would like to give it back"), so that two of them are two requests only where much speaks for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import log
from pathlib import Path

from rasa.shared.utils.io import read_yaml_file

from bot.nlu.folding import fold

SHORT = 4  # words: a second clause of fewer is rather the end of the first ("and quick please")
SUREST = 0.999  # a confidence beyond it says no more


@dataclass(frozen=True)
class Joints:
    """Words at which a message may hold two requests, folded. strong: those that say so ("by the way"). weak: those that join two
    halves of one request just as well ("and"). things: those with which a thing begins ("the")."""

    strong: Sequence[str]
    weak: Sequence[str]
    things: Sequence[str] = ()

    @cached_property
    def any_of_them(self) -> str:
        """A pattern, the longest first; "" if there are none."""
        return "|".join(re.escape(joint) for joint in sorted((*self.strong, *self.weak), key=lambda joint: (-len(joint), joint)))

    @classmethod
    def read(cls, file: Path) -> Joints:
        """Of the designers' file (data/patterns/joints.yml), whatever the language. Raises OSError where there is none."""
        content = read_yaml_file(file)
        strong, weak, things = (
            {fold(word) for words in (content.get(kind) or {}).values() for word in words}
            for kind in ("joints", "weak", "things")
        )
        return cls(sorted(strong - weak), sorted(weak), sorted(things))


@dataclass(frozen=True)
class Clause:
    """joint: the words that join it to the one before, "" at the end of a sentence. asks: whether a question mark ends it."""

    text: str
    joint: str = ""
    asks: bool = False


@dataclass(frozen=True)
class Request:
    clause: Clause
    intent: str
    confidence: float


def clauses(text: str, joints: Joints) -> list[Clause]:
    """In their order; one word alone is none. A colon ends no clause: what comes after it says what is meant ("a swap: the
    sweater of 10207")."""
    if not joints.any_of_them:
        return [Clause(text, asks=text.rstrip().endswith("?"))]
    pattern = rf"(?P<end>[.?!:;\n]+\s+|,?\s)(?P<joint>{joints.any_of_them})[\s,:]+|(?P<stop>[.?!;]+\s+|\s*\n\s*)"
    found, start, joint = [], 0, ""
    for match in re.finditer(pattern, fold(text)):
        found.append(Clause(text[start : match.start()].strip(), joint, "?" in (match["end"] or match["stop"])))
        start, joint = match.end(), match["joint"] or ""
    rest = text[start:].strip()
    found.append(Clause(rest, joint, rest.endswith("?")))
    return [each for each in found if len(each.text.split()) > 1]


def pieces(text: str, joints: Joints) -> list[str]:
    """What stands between any two marks, commas too, and joints; one word alone is none."""
    found = (piece for clause in clauses(text, joints) for piece in re.split(r"[,:…]+\s+|\.{2,}\s*", clause.text))
    return [piece.strip() for piece in found if len(piece.split()) > 1]


def without_joint(text: str, joints: Joints) -> str:
    """The text without a joint at its head: "by the way, where is the shop?" asks where the shop is."""
    head = re.match(rf"(?:{joints.any_of_them})[\s,:]+(?=\S+\s+\S)", fold(text)) if joints.any_of_them else None
    return text[head.end() :] if head else text


def likeliest_pair(
    requests: Sequence[Request], joints: Joints, one_matter: Sequence[Collection[str]]
) -> tuple[Request, Request] | None:
    """The two of different intents for which most speaks, in their order. None where too little does.

    one_matter: sets of intents that may well be one request in other words ("10233 came broken and I want my money back").
    """

    def evidence(pair: tuple[Request, Request]) -> float:
        return _evidence(*pair, joints, any({each.intent for each in pair} <= set(matter) for matter in one_matter))

    pairs = [pair for pair in combinations(requests, 2) if pair[0].intent != pair[1].intent]
    best = max(pairs, key=evidence, default=None)
    return best if best and evidence(best) > 0 else None


def same_twice(requests: Sequence[Request], named: Sequence[frozenset[str]] | None) -> tuple[Request, Request] | None:
    """The first two that ask for different things of the same kind ("do you have red shoes? and a blue bag?").

    named: what each of the requests names; None: that is not told by names.
    """
    pairs = combinations(range(len(requests)), 2)
    pair = next((pair for pair in pairs if named is None or _are_others(*(named[place] for place in pair))), None)
    return (requests[pair[0]], requests[pair[1]]) if pair else None


def _are_others(first: frozenset[str], second: frozenset[str]) -> bool:
    return bool(first and second) and first.isdisjoint(second)


def _evidence(first: Request, second: Request, joints: Joints, is_one_matter: bool) -> float:
    """The log of the odds that they are two. The weights are a logistic regression's (docs/adr/0013). In one matter only a number
    of the second's own tells them apart, and that of a mere thing is its own only beside another ("the skirt and the scarf of
    10206")."""
    is_shared = is_one_matter and not _has_number(first) and fold(second.clause.text).split()[0] in joints.things
    clues = (
        (0.94, second.clause.joint in joints.strong),
        (0.98, first.clause.asks),
        (2.08, (_has_number(second) and not is_shared) or (_has_number(first) and not is_one_matter)),
        (-1.17, len(second.clause.text.split()) < SHORT),
    )
    return 0.54 * (_odds(first) + _odds(second)) + sum(weight for weight, holds in clues if holds) - 5.38


def _odds(request: Request) -> float:
    """Their logarithm."""
    sure = min(request.confidence, SUREST)
    return log(sure / (1 - sure))


def _has_number(request: Request) -> bool:
    return any(sign.isdigit() for sign in request.clause.text)
