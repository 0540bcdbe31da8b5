"""Which intent a text has, by two opinions: a linear model of its words and pieces of words, and the examples that mean the same.

The first costs a tenth of a millisecond and knows what it has read; the second knows what it has never read, and the sentence
encoder takes some milliseconds. Where the first is sure, the second is not asked; nor where no word was ever read, since
of letters typed at random it would make something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rasa.shared.utils.io import dump_obj_as_json_to_file, read_json_file

from bot.nlu.folding import plain, shape
from bot.nlu.linear_model import WORD, LinearModel
from bot.nlu.neighbour_model import NeighbourModel, softmax
from bot.nlu.sentence_encoder import Numbers, SentenceEncoder

SHORT = 40  # characters: what is not longer is said again and again, and is remembered
MOST_REMEMBERED = 5000  # texts, some 1 MB
UNREAD = 0.4  # what pieces of words count in two words or more of which none was ever read: keys typed at random


@dataclass(frozen=True)
class Scales:
    """By how much scores are multiplied before they become probabilities, so that of what is 80% sure 80% is right."""

    alone: float = 6.0  # words, if only they are asked
    words: float = 3.4
    meaning: float = 0.8


@dataclass
class IntentModel:
    """encoder: None where only words count. odds: by how much an intent is likelier than the examples tell. sure: the
    probability from which words alone decide."""

    words: LinearModel
    meaning: NeighbourModel | None = None
    encoder: SentenceEncoder | None = None
    scales: Scales = Scales()
    odds: dict[str, float] = field(default_factory=dict)
    sure: float = 1.0

    def __post_init__(self) -> None:
        self._remembered: dict[tuple[str, bool], Numbers] = {}  # by text, and whether it might be encoded
        self._raised = np.log([self.odds.get(intent, 1.0) for intent in self.classes]).astype(np.float32)

    @property
    def classes(self) -> list[str]:
        return self.words.classes

    def probabilities(self, texts: Sequence[str], language: str | None = None) -> list[Numbers]:
        """Of each class, for each text; many at once take less time than one after the other. language: theirs, if known."""
        may_encode = self._may_encode(language)
        known = {text: self._remembered[text, may_encode] for text in texts if (text, may_encode) in self._remembered}
        new = self._of_new([text for text in dict.fromkeys(texts) if text not in known], may_encode)
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered.update({(text, may_encode): likely for text, likely in new.items() if len(text) <= SHORT})
        found = known | new
        return [found[text] for text in texts]

    def _may_encode(self, language: str | None) -> bool:
        return self.encoder is not None and (language is None or language in self.encoder.languages)

    def _of_new(self, texts: list[str], may_encode: bool) -> dict[str, Numbers]:
        shapes = {text: shape(text) for text in texts}
        scores = {text: self.words.scores(seen) for text, seen in shapes.items()}
        known = {text: self.words.knows_a_word(seen) for text, seen in shapes.items()}
        alone = {text: self.scales.alone * (1 if known[text] or not _says_words(text) else UNREAD) for text in texts}
        likely = {text: softmax(alone[text] * each + known[text] * self._raised) for text, each in scores.items()}
        unsure = [text for text in texts if known[text] and likely[text].max() < self.sure]
        if self.meaning and self.encoder and may_encode and unsure:
            meant = self.meaning.scores(self.encoder.encode([plain(text) for text in unsure]))
            both = self.scales.words * np.array([scores[text] for text in unsure]) + self.scales.meaning * meant
            likely.update(zip(unsure, softmax(both + self._raised), strict=True))
        return likely

    def save(self, folder: Path) -> None:
        self.words.save(folder)
        if self.meaning:
            self.meaning.save(folder)
        dump_obj_as_json_to_file(folder / "scales.json", vars(self.scales))

    @classmethod
    def load(cls, folder: Path, encoder: SentenceEncoder | None, odds: dict[str, float], sure: float) -> IntentModel:
        scales = Scales(**read_json_file(folder / "scales.json"))
        return cls(LinearModel.load(folder), NeighbourModel.load(folder), encoder, scales, odds, sure)


def _says_words(text: str) -> bool:
    """Whether there are two words or more; numbers and signs are none."""
    return sum(word.isalpha() for word in WORD.findall(text)) > 1
