"""The questions of the FAQ as a trained model keeps them: without answers, which may change without a training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from commerce.faq.files import FaqEntry, FaqWords, readable
from commerce.faq.index import FaqIndex, FaqMatch, SentenceEncoder, phrases

Questions = Mapping[str, Any]  # by language, as JSON has it: `entries` and `words`
Ranking = dict[str, Any]  # of a text, as JSON has it: `text`, `language`, `version` of the questions, `entries` (as FaqMatch)


class LearntFaq:
    """Finds entries by the questions that a model was trained with."""

    def __init__(self, questions: Questions, encoder: SentenceEncoder) -> None:
        entries = [entry for language in questions for entry in _entries(questions, language)]
        self._index = FaqIndex(entries, {language: _words(questions, language) for language in questions}, encoder)
        self._versions = versions(questions)

    @staticmethod
    def read(folder: Path) -> dict[str, Any]:
        """Of the files that can be read; what is wrong with others is told by `load_faq`, and by no training."""
        return questions_of(*readable(folder))

    @staticmethod
    def texts(questions: Questions) -> list[str]:
        """Those that are encoded for the index."""
        known = ((_entries(questions, language), _words(questions, language)) for language in questions)
        return [phrase.text for entries, words in known for phrase in phrases(entries, words)]

    def ranking(self, text: str, language: str, limit: int) -> Ranking:
        """The entries that fit best, the best first."""
        matches = self._index.search(text, language, limit)
        entries = [{"id": each.entry.id, "score": round(each.score, 4), "words": round(each.words, 4)} for each in matches]
        return {"text": text, "language": language, "version": self._versions[language], "entries": entries}


def questions_of(entries: Sequence[FaqEntry], words: Mapping[str, FaqWords]) -> dict[str, Any]:
    """What has to be known of these: all but the answers."""
    return {
        language: {
            "entries": [_kept(entry) for entry in entries if entry.language == language],
            "words": vars(words.get(language, FaqWords())),
        }
        for language in sorted({entry.language for entry in entries})
    }


def versions(questions: Questions) -> dict[str, str]:
    """By language: another one whenever something else is asked, or read otherwise."""
    written = {language: json.dumps(own, sort_keys=True, ensure_ascii=False) for language, own in questions.items()}
    return {language: hashlib.blake2b(own.encode(), digest_size=4).hexdigest() for language, own in written.items()}


def ranked(
    text: str, language: str, rankings: Iterable[Ranking], entries: Sequence[FaqEntry], version: str | None
) -> list[FaqMatch] | None:
    """What a model has found for exactly this text; None: nothing, or by other questions than those of this version."""
    sought = (text, language, version)
    ranking = next((each for each in rankings if (each["text"], each["language"], each["version"]) == sought), None)
    if ranking is None:
        return None
    known = {entry.id: entry for entry in entries if entry.language == language}
    return [FaqMatch(known[each["id"]], each["score"], each["words"]) for each in ranking["entries"] if each["id"] in known]


def _kept(entry: FaqEntry) -> dict[str, Any]:
    asked = {"asked_as": entry.asked_as, "not_asked_as": entry.not_asked_as}
    return {"id": entry.id, "question": entry.question, **asked}


def _entries(questions: Questions, language: str) -> Iterator[FaqEntry]:
    for kept in questions[language]["entries"]:
        asked_as, not_asked_as = tuple(kept["asked_as"]), tuple(kept["not_asked_as"])
        yield FaqEntry(kept["id"], language, kept["question"], asked_as, "", "", "", not_asked_as)


def _words(questions: Questions, language: str) -> FaqWords:
    kept = questions[language]["words"]
    return FaqWords(tuple(map(tuple, kept["synonyms"])), tuple(kept["filler"]), tuple(kept["not_questions"]))
