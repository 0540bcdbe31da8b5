"""Why a text is taken to be of one intent and not of another, and what one more example would change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bot.nlu.folding import shape
from bot.nlu.intent_model import IntentModel
from bot.nlu.linear_model import LinearModel
from bot.nlu.sentence_encoder import Numbers

TELLING = 8  # words and pieces of words


def evidence(model: IntentModel, text: str, intent: str, rival: str) -> list[tuple[str, float]]:
    """The words and pieces of words that tell most, and how much each speaks for the intent (positive) or for its rival."""
    words = model.words
    names = {row: gram for grams in (words.words, words.characters) for gram, row in grams.items()}
    apart = words.weights[:, words.classes.index(intent)] - words.weights[:, words.classes.index(rival)]
    said = [
        (names[row], float(value * apart[row]))
        for rows, values in words.features(shape(text))
        for row, value in zip(rows, values, strict=True)
    ]
    return sorted(said, key=lambda each: -abs(each[1]))[:TELLING]


def with_example(model: IntentModel, text: str, intent: str, c: float) -> IntentModel:
    """About what a training would make of the model if the text were an example of the intent.

    One step of the training's own method (dual coordinate descent, squared hinge loss) on the new example alone; what the
    sentence means stays as it is. c: that of the training.
    """
    words = model.words
    features = list(words.features(shape(text)))
    length = 1 + len(features)  # the square of it: one for the words, one for their pieces, one for the intercept
    scores = words.scores(shape(text))
    side = np.where(np.array(words.classes) == intent, 1.0, -1.0).astype(np.float32)
    step = side * np.maximum(1 - side * scores, 0) / (length + 1 / (2 * c))
    return replace(model, words=_moved(words, features, step))


def _moved(words: LinearModel, features: list[tuple[list[int], Numbers]], step: Numbers) -> LinearModel:
    weights = words.weights.copy()
    for rows, values in features:
        weights[rows] += np.outer(values, step)
    return replace(words, weights=weights, intercepts=words.intercepts + step)
