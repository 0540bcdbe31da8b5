"""Case and accents, one character for one."""

from __future__ import annotations

import pytest

from bot.nlu.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("¿Dónde ESTÁ?", "¿donde esta?"),
        ("Você não", "voce nao"),
        ("STØRRELSE på", "storrelse pa"),
        ("Æ e læge", "æ e læge"),
        ("It’s", "it's"),
    ],
)
def test_case_and_accents_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["Størrelse Æsj Åpent", "ﬁn ½ İstanbul ǆ", "Ça va"])
def test_folded_text_is_as_long_as_the_original(text: str) -> None:
    assert len(fold(text)) == len(text)
