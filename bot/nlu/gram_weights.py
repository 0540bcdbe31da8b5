"""How much each word and piece of a word counts in each text of a training: TF-IDF, by scikit-learn, as in `LinearModel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bot.nlu.linear_model import FEWEST_CHARACTERS, MOST_CHARACTERS, MOST_WORDS, WORD
from bot.nlu.memory import give_back
from bot.nlu.sentence_encoder import Numbers


class Grams(NamedTuple):
    """words, characters: the column of each n-gram. rarity: of each column (idf)."""

    words: dict[str, int]
    characters: dict[str, int]
    rarity: Numbers


def weighted(texts: Sequence[str]) -> tuple[Grams, Any]:
    """The n-grams of the texts, and a sparse matrix in 64 bits, as liblinear takes them: a row for each text, a column for each
    n-gram."""
    # Only a training needs scikit-learn and scipy: the models predict without them.
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    words = CountVectorizer(ngram_range=(1, MOST_WORDS), token_pattern=WORD.pattern, dtype=np.float32)
    pieces, pieces_said = _pieces(texts)
    counts = [words.fit_transform(texts), pieces_said]
    give_back()
    weights = [TfidfTransformer(sublinear_tf=True).fit(each) for each in counts]
    matrix: Any = hstack([weight.transform(each, copy=False) for weight, each in zip(weights, counts, strict=True)], format="csr")
    del counts, pieces_said  # half of what a training holds at this moment
    matrix.data = matrix.data.astype(np.float64)
    give_back()
    rarity = np.concatenate([weight.idf_ for weight in weights])
    return Grams(_columns(words, 0), _columns(pieces, len(words.vocabulary_)), rarity), matrix


def _pieces(texts: Sequence[str]) -> tuple[Any, Any]:
    """Each word is taken to pieces once, however many texts have it: a product of (texts, words) and (words, pieces)."""
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(analyzer=str.split, dtype=np.float32)
    said = words.fit_transform(text.lower() for text in texts)
    give_back()
    pieces = CountVectorizer(analyzer="char_wb", ngram_range=(FEWEST_CHARACTERS, MOST_CHARACTERS), dtype=np.float32)
    return pieces, said @ pieces.fit_transform(words.get_feature_names_out())


def _columns(vectorizer: Any, first: int) -> dict[str, int]:
    return {gram: first + int(column) for gram, column in vectorizer.vocabulary_.items()}
