"""What a sentence means, as numbers: near each other where the meaning is, in whichever words or language it is said."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, cast

import numpy as np
from rasa.shared.utils.common import class_from_module_path

Numbers = np.ndarray[Any, np.dtype[np.float32]]
MOST_REMEMBERED = 32  # texts, 2 KB each: those of the messages of a moment


class SentenceEncoder(Protocol):
    """Whatever has these can take the place of ours: a few lines around an ONNX model or sentence-transformers.

    name: another one whenever its numbers are others; part of a file's name. languages: those that it knows (ISO 639-1); a
    message in another one is told by its words alone, since of such a text an encoder makes numbers, but they mislead.
    """

    name: str
    languages: frozenset[str]

    def encode(self, texts: Sequence[str]) -> Numbers:
        """A row for each text, all of one length (the root of the sum of squares is 1)."""


class RememberingEncoder:
    """An encoder that knows its newest texts: components that look at the same message ask for the same. Safe between threads."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self.name, self.languages = encoder.name, encoder.languages
        self._encoder = encoder
        self._newest: dict[str, Numbers] = {}

    def encode(self, texts: Sequence[str]) -> Numbers:
        if not 0 < len(texts) <= MOST_REMEMBERED:
            return self._encoder.encode(texts)
        before = self._newest
        asked = {text: before[text] for text in texts if text in before}
        if new := [text for text in dict.fromkeys(texts) if text not in asked]:
            asked.update(zip(new, self._encoder.encode(new), strict=True))
        others = [(text, row) for text, row in before.items() if text not in asked]
        self._newest = dict([*others, *asked.items()][-MOST_REMEMBERED:])
        return np.array([asked[text] for text in texts])


@cache
def encoder_of(path: str) -> SentenceEncoder:
    """The encoder by the dotted path of its class, which is made without arguments: one a process, since it is large."""
    return RememberingEncoder(cast(SentenceEncoder, class_from_module_path(path)()))
