"""What a message takes back of itself: in "cancel 10256, sorry, 10258" only the last number is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.choices import folded, folded_words
from actions.words import label, languages
from messaging.kept import kept

# What can be taken back by naming another of its kind.
KINDS = frozenset("order_number tracking_number category color size payment_method points email".split())


def without_taken_back(text: str, entities: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The entities of a message without those that it corrects by the next one of the same kind."""
    found = [dict(entity) for entity in entities]
    return [entity for index, entity in enumerate(found) if not _is_taken_back(text, entity, found[index + 1 :])]


def _is_taken_back(text: str, entity: Mapping[str, Any], later: Sequence[Mapping[str, Any]]) -> bool:
    following = next((other for other in later if other["entity"] == entity["entity"]), None)
    if entity["entity"] not in KINDS or following is None or following["value"] == entity["value"]:
        return False
    return is_correction(text[int(entity.get("end", 0)) : int(following.get("start", 0))])


def is_correction(between: str) -> bool:
    """Whether these words between two things say that the second is meant: "sorry, the", and no "and" or "but not"."""
    said = folded_words(between)
    marks, beside, alone = (_words_of(key) for key in ("correction_words", "beside_a_correction", "correction_alone"))
    if not said or not set(said) <= marks | beside | alone:
        return False
    # "10256, no 10258" and "10256 no, the 10258"; but "10256, no el 10258" may as well mean the first.
    is_alone = any(re.search(rf"\b{word}\s*([,.;:!]|\.\.\.|$)", folded(between)) for word in alone)
    return bool(marks & set(said)) or is_alone


@kept
def _words_of(key: str) -> frozenset[str]:
    return frozenset(folded_words(" ".join(label(key, language) for language in languages())))
