"""The numbers of scikit-learn, used without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_union

from bot.nlu.gram_weights import weighted
from bot.nlu.linear_model import WORD, LinearModel
from bot.nlu.one_vs_rest import OneVsRest

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


@pytest.fixture
def scikit_learns() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD.pattern)
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True)
    return make_union(words, pieces).fit([text for text, _ in EXAMPLES])


def test_weights_are_those_of_scikit_learns_vectorizers(scikit_learns: FeatureUnion) -> None:
    texts = [text for text, _ in EXAMPLES]
    grams, matrix = weighted(texts)
    names = {column: gram for each in (grams.words, grams.characters) for gram, column in each.items()}
    named = [name.split("__", 1)[1] for name in scikit_learns.get_feature_names_out()]
    assert [names[column] for column in range(matrix.shape[1])] == named
    np.testing.assert_allclose(matrix.toarray(), scikit_learns.transform(texts).toarray(), atol=1e-12)


@pytest.mark.parametrize("intents", [["greet", "return", "track"], ["return", "track"]])
def test_it_predicts_what_scikit_learn_predicts(intents: list[str], scikit_learns: FeatureUnion, tmp_path: Path) -> None:
    grams, matrix = weighted([text for text, _ in EXAMPLES])
    classes = np.array([[intent == each for each in intents] for _, intent in EXAMPLES])
    fitted = OneVsRest.fit(matrix, classes, 1.0, np.ones(len(intents)), 0.1)
    LinearModel(intents, *grams, fitted.weights, fitted.intercepts).save(tmp_path)
    model = LinearModel.load(tmp_path)
    for text, scores in zip(TEXTS, fitted.scores(scikit_learns.transform(TEXTS)), strict=True):
        np.testing.assert_allclose(model.scores(text), scores, atol=2e-3)
