"""Whether the examples of a topic are really different ones, or a few sentences with other words put in."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import yaml
from rapidfuzz import fuzz, process
from scipy.stats import hypergeom

from bot.nlu.folding import fold
from tests.nlu.understanding import ROOT

ALIKE = 85  # of 100: the same letters, but for a word
SAMPLE = 100  # pairs of words
FILLED_IN = ("color", "size", "category", "placed_on", "ordinal")  # what a template would have as a slot
_ADDRESS = re.compile(r"\S+@\S+")
_NUMBER = re.compile(r"#?\d[\d.,-]*")
_WORD = re.compile(r"\w+")


@cache
def without_slots(text: str) -> str:
    """Folded; numbers, addresses, colours, sizes, kinds of goods, days and positions are all alike."""
    words = _WORD.findall(_NUMBER.sub("0", _ADDRESS.sub("0", fold(text))))
    kept: list[str] = []
    while words:
        filled_in = next((phrase for phrase in _slot_phrases().get(words[0], ()) if words[: len(phrase)] == phrase), [])
        kept.append("_" if filled_in else words[0])
        words = words[len(filled_in) or 1 :]
    return " ".join(kept)


def near_duplicates(texts: Sequence[str]) -> float:
    """The share of different examples that another one of the topic is nearly the same as."""
    different = sorted(set(texts))
    plain = [without_slots(text) for text in different]
    alike = process.cdist(plain, plain, scorer=fuzz.ratio, score_cutoff=ALIKE, dtype=np.uint8)
    np.fill_diagonal(alike, 0)
    return float((alike.max(axis=1, initial=0) > 0).mean()) if different else 0.0


def variety(texts: Iterable[str]) -> float:
    """How many of `SAMPLE` pairs of neighbouring words, drawn from all of them at random, are different: from 0 to 1.

    Expected and not drawn (HD-D, McCarthy and Jarvis 2007): always the same, and a large topic is not poorer for being large.
    """
    counts = Counter(pair for text in texts for pair in _pairs(without_slots(text)))
    total = sum(counts.values())
    sample = min(SAMPLE, total)
    frequencies = Counter(counts.values())  # how many pairs occur once, twice, ...
    different = sum(number * (1 - hypergeom.pmf(0, total, frequency, sample)) for frequency, number in frequencies.items())
    return float(different / sample) if sample else 0.0


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    words = ["^", *text.split()]
    return pairwise(words)


@cache
def _slot_phrases() -> dict[str, list[list[str]]]:
    """The words of each phrase of data/patterns that stands for a colour, a size and so on, by the first one, longest first."""
    found = defaultdict(list)
    for file in sorted((ROOT / "data" / "patterns").glob("??.yml")):
        entities = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)["entities"]
        for phrase in (phrase for kind in FILLED_IN for said in entities[kind].values() for phrase in said):
            words = _WORD.findall(fold(str(phrase)))
            found[words[0]].append(words)
    return {first: sorted(phrases, key=len, reverse=True) for first, phrases in found.items()}
