"""The widget's code and its words agree: nothing is said that no file has, and nobody writes words that are never said."""

from __future__ import annotations

import re

import yaml

from tests.conversations.stage import ROOT

WORDS = frozenset(yaml.safe_load((ROOT / "data" / "widget" / "en.yml").read_text(encoding="utf-8")))
FILES = [ROOT / "web" / "widget.js", *(ROOT / "web" / "widget").glob("*.js")]
# The words of transcript.js are other ones: it gets them from menu.js.
CODE = "\n".join(file.read_text(encoding="utf-8") for file in FILES if file.name != "transcript.js")
BY_KEY = {"notifications_blocked"}  # put together: `${key}_blocked`


def test_every_word_that_the_widget_says_is_written() -> None:
    said = set(re.findall(r"\bwords\??\.([a-z_]+)", CODE))
    assert len(said) > 40
    assert said - WORDS == set()


def test_every_written_word_is_said() -> None:
    named = set(re.findall(r"\bwords\??\.([a-z_]+)|\"([a-z_]+)\"|^ *([a-z_]+):|[{ ]([a-z_]+)[,:] ", CODE, re.MULTILINE))
    assert WORDS - BY_KEY - {name for names in named for name in names} == set()
