"""The FAQ as training examples."""

from __future__ import annotations

from pathlib import Path

from bot.importer import faq_questions

ENTRIES = """
language: en
faq:
  - id: parking
    question: Is there parking?
    asked_as: [where do i park]
    answer: "Yes."
  - id: howto
    question: How do I return something?
    intent: request_return
    asked_as: [return steps]
    answer: Easily.
"""


def test_questions_train_the_faq_or_the_request_that_their_entry_names(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "shop.yml").write_text(ENTRIES)
    assert list(faq_questions(tmp_path)) == [
        ("en", "Is there parking?", "ask_faq"),
        ("en", "where do i park", "ask_faq"),
        ("en", "How do I return something?", "request_return"),
        ("en", "return steps", "request_return"),
    ]
