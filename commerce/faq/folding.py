"""Texts made alike: case, accents, punctuation, lengthened letters and order numbers do not tell questions apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

_LONG_NUMBER = re.compile(r"#?\d[\d-]{3,}")  # an order number or the like: which one does not matter here
_APOSTROPHE = re.compile(r"['’´`]")
_NOT_A_WORD = re.compile(r"[\W_]+")
_NORDIC = str.maketrans({"ø": "o", "æ": "ae"})
_REPEATED_LETTER = re.compile(r"([^\W\d])\1+")


def fold(text: str) -> str:
    """`"¿Cuánto   tardaaa?"` and `"cuanto tarda"` become the same words, parted by single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_NORDIC))
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    words = _NOT_A_WORD.sub(" ", _LONG_NUMBER.sub(" longnumber ", _APOSTROPHE.sub("", plain)))
    return _REPEATED_LETTER.sub(r"\1", words).strip()


class WordFolder:
    """Folds, replaces words and phrases by the one that stands for them, and drops filler."""

    def __init__(self, synonyms: Iterable[Iterable[str]] = (), filler: Iterable[str] = ()) -> None:
        self._meaning: Mapping[str, str] = _meanings(synonyms, filler)
        longest_first = sorted(self._meaning, key=lambda phrase: (-len(phrase), phrase))
        self._known = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b") if longest_first else None

    def fold(self, text: str) -> str:
        """A text of nothing but filler stays as it is: it must not look like every other."""
        folded = fold(text)
        if self._known is None:
            return folded
        return " ".join(self._known.sub(lambda found: self._meaning[found[0]], folded).split()) or folded


def _meanings(synonyms: Iterable[Iterable[str]], filler: Iterable[str]) -> dict[str, str]:
    meaning = {fold(phrase): "" for phrase in filler}
    for group in synonyms:
        first, *rest = map(fold, group)
        meaning.update(dict.fromkeys((first, *rest), first))
    return meaning
