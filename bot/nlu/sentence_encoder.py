"""What a sentence means, as numbers: near each other where the meaning is, in whichever words or language it is said."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, cast

import numpy as np
from rasa.shared.utils.common import class_from_module_path

Numbers = np.ndarray[Any, np.dtype[np.float32]]


class SentenceEncoder(Protocol):
    """Whatever has these can take the place of ours: a few lines around an ONNX model or sentence-transformers.

    name: another one whenever its numbers are others; part of a file's name. languages: those that it knows (ISO 639-1); a
    message in another one is told by its words alone, since of such a text an encoder makes numbers, but they mislead.
    """

    name: str
    languages: frozenset[str]

    def encode(self, texts: Sequence[str]) -> Numbers:
        """A row for each text, all of one length (the root of the sum of squares is 1)."""


@cache
def encoder_of(path: str) -> SentenceEncoder:
    """The encoder by the dotted path of its class, which is made without arguments: one a process, since it is large."""
    return cast(SentenceEncoder, class_from_module_path(path)())
