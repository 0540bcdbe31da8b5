"""The numbers of scikit-learn, used without it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bot.nlu.intent_training import _classifier, _vectorizers, importance
from bot.nlu.linear_model import LinearModel

EXAMPLES = [
    ("where is my order", "track"),
    ("where is order 00000", "track"),
    ("¿donde esta mi pedido?", "track"),
    ("i want to return the shirt", "return"),
    ("quiero devolver la camisa", "return"),
    ("send it back, please", "return"),
    ("hello", "greet"),
    ("hola", "greet"),
]
TEXTS = [
    *(text for text, _ in EXAMPLES),
    "",
    " ",
    "a",
    "x 1",
    "WHERE  is\tmy",
    "never seen",
    "?!",
    "no no no order",
    "日本語 ñandú",
    "é" * 90,
]


@pytest.mark.parametrize("intents", [{"track", "return", "greet"}, {"track", "return"}])
def test_it_predicts_what_scikit_learn_predicts(intents: set[str], tmp_path: Path) -> None:
    known = [(text, intent) for text, intent in EXAMPLES if intent in intents]
    union = _vectorizers().fit([text for text, _ in known])
    classifier = _classifier(1.0, importance(intent for _, intent in known))
    classifier.fit(union.transform([text for text, _ in known]), [intent for _, intent in known])
    LinearModel.of(union, classifier).save(tmp_path)
    model = LinearModel.load(tmp_path)
    expected = classifier.decision_function(union.transform(TEXTS))
    assert Counter(model.classes) == Counter(intents)
    for text, scores in zip(TEXTS, expected, strict=True):
        either_side = scores if len(intents) > 2 else np.array([-scores, scores])
        np.testing.assert_allclose(model.scores(text), either_side, atol=2e-3)
