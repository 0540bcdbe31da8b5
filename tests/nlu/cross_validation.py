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

import numpy as np
import pytest

from bench.nlu.__main__ import ONE_THREAD
from bench.nlu.examples import Example, folds, training_examples
from bench.nlu.measures import Prediction
from bench.nlu.systems import Ours
from bot.nlu.kept_encodings import encoded
from bot.nlu.sentence_encoder import Numbers, encoder_of
from bot.nlu.universal_sentence_encoder import UniversalSentenceEncoder

OURS = f"{UniversalSentenceEncoder.__module__}.{UniversalSentenceEncoder.__name__}"


class KeepingEncoder(UniversalSentenceEncoder):
    """Ours, which keeps what was encoded when so many messages were asked at once, as a training does."""

    def encode(self, texts: Sequence[str]) -> Numbers:
        return encoded(texts, encoder_of(OURS)).astype(np.float32)


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
    system = Ours(encoder=f"{KeepingEncoder.__module__}.{KeepingEncoder.__name__}")
    with tempfile.TemporaryDirectory() as folder:
        Ours(encoder=OURS).train([each for part in others for each in part], Path(folder))
        system.load(Path(folder))
        found = system.likeliest_of_all([each.text for each in asked])
        return [Prediction(each.language, each.intent, *likeliest) for each, likeliest in zip(asked, found, strict=True)]
