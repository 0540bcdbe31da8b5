"""Frequent questions: read from `data/faq/<language>/*.yml`, found by what a shopper types.

The words are the designers'; docs/faq.md is their guide. Languages are the folders that exist.

    FaqError        what is wrong in the files, all of it at once; or an answer's fact that nobody gave
"""

from __future__ import annotations

from commerce.faq.files import (
    ANSWER_LIMIT,
    FACT_NAMES,
    QUESTION_LIMIT,
    FaqEntry,
    FaqError,
    FaqWords,
    load_faq,
    load_words,
    render,
)
from commerce.faq.index import (
    ANSWER_FROM,
    ANSWER_FROM_MEANING,
    NEAR,
    NEAR_MEANING,
    SAME_WITHIN,
    FaqIndex,
    FaqMatch,
    SentenceEncoder,
    choose,
)
from commerce.faq.learnt import LearntFaq, Ranking, questions_of, ranked, versions

__all__ = [
    "ANSWER_FROM",
    "ANSWER_FROM_MEANING",
    "ANSWER_LIMIT",
    "FACT_NAMES",
    "NEAR",
    "NEAR_MEANING",
    "QUESTION_LIMIT",
    "SAME_WITHIN",
    "FaqEntry",
    "FaqError",
    "FaqIndex",
    "FaqMatch",
    "FaqWords",
    "LearntFaq",
    "Ranking",
    "SentenceEncoder",
    "choose",
    "load_faq",
    "load_words",
    "questions_of",
    "ranked",
    "render",
    "versions",
]
