"""One part of a cross-validation on the training examples: every fourth, predicted by a model of the others.

All four parts take four times as long: `python -m bench.nlu --cross-validate`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.nlu.__main__ import ONE_THREAD
from bench.nlu.examples import Example, folds, training_examples
from bench.nlu.measures import Prediction
from bench.nlu.systems import Ours
from bot.nlu.folding import plain
from bot.nlu.kept_encodings import encoded
from bot.nlu.sentence_encoder import Numbers, encoder_of
from bot.nlu.universal_sentence_encoder import UniversalSentenceEncoder


class KnowingEncoder(UniversalSentenceEncoder):
    """Ours, which looks up what the training has encoded instead of encoding it once more."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Numbers] = {}

    def look_up(self, texts: Sequence[str]) -> None:
        texts = sorted({plain(text) for text in texts})
        self._known = dict(zip(texts, encoded(texts, self), strict=True))

    def encode(self, texts: Sequence[str]) -> Numbers:
        known = [self._known[text] for text in texts if text in self._known] if texts and hasattr(self, "_known") else []
        return np.array(known) if known and len(known) == len(texts) else super().encode(texts)


@contextmanager
def cross_validation() -> Iterator[Future[list[Prediction]]]:
    """Under way in a process of its own while the caller does something else."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ONE_THREAD.items():
            patch.setenv(name, value)
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        with pool:
            yield pool.submit(predicted, folds(training_examples()))


def predicted(parts: list[list[Example]]) -> list[Prediction]:
    """The first part by a model of the others."""
    asked, *others = parts
    system = _system(parts)
    with tempfile.TemporaryDirectory() as folder:
        system.train([each for part in others for each in part], Path(folder))
        system.load(Path(folder))
        return [Prediction(each.language, each.intent, *system.likeliest(each.text)) for each in asked]


def _system(parts: list[list[Example]]) -> Any:
    path = f"{KnowingEncoder.__module__}.{KnowingEncoder.__name__}"
    encoder: Any = encoder_of(path)
    encoder.look_up([each.text for part in parts for each in part])
    return Ours(encoder=path)
