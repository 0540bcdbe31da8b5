"""The numbers of scikit-learn, used without it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bot.nlu.linear_intent_classifier import _untrained, _weights
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
    pipeline = _untrained(20.0, _weights(intent for _, intent in known))
    pipeline.fit([text for text, _ in known], [intent for _, intent in known])
    LinearModel.of(pipeline).save(tmp_path)
    model = LinearModel.load(tmp_path)
    assert Counter(model.classes) == Counter(intents)
    np.testing.assert_allclose([model.probabilities(text) for text in TEXTS], pipeline.predict_proba(TEXTS), rtol=1e-12)
