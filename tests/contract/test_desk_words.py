"""The desk's page and its words agree: nothing is said that no file has, and nobody writes words that are never said."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.conversations.stage import ROOT

FOLDER = ROOT / "data" / "desk"
WORDS = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.yml"))}
BORROWED = ["files", "parts", "sheets"]  # of the shop's chat: with the desk's words
OWN = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "web" / "desk").glob("*.js")))
CODE = OWN + "\n".join((ROOT / "web" / "widget" / f"{name}.js").read_text(encoding="utf-8") for name in BORROWED)
# What the chat alone says with these modules: an agent taps nothing, and does not go on in WhatsApp.
NEVER_SAID = {
    "whatsapp_how",
    "whatsapp_open",
    "whatsapp_stay",
    "chosen",
    "send_date",
    "send_rating",
    "rating",
    "stars",
    "no_place",
}
# What the server calls something, after what it is the name of; some are put together: `alert_${kind}_by`.
KINDS = set(re.findall(r'\bnamed\("([a-z_]+)"', OWN)) | set(re.findall(r"`([a-z]+)_\$\{", OWN))
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def test_every_word_that_the_page_says_is_written() -> None:
    said = set(re.findall(r"\bwords\.([a-z_]+)|\bsay\(\s*\"([a-z_]+)\"", CODE))
    named = {name for names in said for name in names if name}
    assert len(named) > 150
    assert named - set(WORDS["en"]) - NEVER_SAID - {"js"} == set()


def test_every_written_word_is_said() -> None:
    named = set(re.findall(r"[a-z_]+", CODE))
    left = {key for key in WORDS["en"] if key not in named}
    assert {key for key in left if not any(key.startswith(f"{kind}_") for kind in KINDS)} == set()


@pytest.mark.parametrize("language", ["es", "pt", "nb"])
def test_every_language_has_the_same_words_and_placeholders(language: str) -> None:
    assert list(WORDS[language]) == list(WORDS["en"])
    for key, text in WORDS["en"].items():
        assert sorted(PLACEHOLDER.findall(WORDS[language][key])) == sorted(PLACEHOLDER.findall(text)), key
