"""Short words by language from `data/labels/<lang>/*.yml`: the titles of choices, statuses, reasons. Sentences are responses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from messaging.kept import kept


def data_folder() -> Path:
    """`TENDERO_DATA`, or `data` in the working folder."""
    return Path(os.environ.get("TENDERO_DATA", "data"))


@kept
def _labels() -> dict[str, dict[str, str]]:
    labels: dict[str, dict[str, str]] = {}
    for file in sorted((data_folder() / "labels").glob("*/*.yml")):
        labels.setdefault(file.parent.name, {}).update(yaml.safe_load(file.read_text()) or {})
    return labels


@kept
def response_keys() -> frozenset[str]:
    """Every `utter_...` that has an answer in some language."""
    files = sorted((data_folder() / "responses").glob("*/*.yml"))
    return frozenset(key for file in files for key in (yaml.safe_load(file.read_text()) or {}).get("responses") or {})


def read_ahead() -> None:
    """Read the labels and which answers there are."""
    _labels()
    response_keys()


def languages() -> list[str]:
    """The languages that have labels, in alphabetical order."""
    return sorted(_labels())


def label(key: str, language: str, default_language: str = "en") -> str:
    """The word for this key; in the default language where this language lacks it; the key itself where all do."""
    labels = _labels()
    return labels.get(language, {}).get(key) or labels.get(default_language, {}).get(key) or key


def in_language(texts: Mapping[str, str], language: str, default_language: str = "en") -> str:
    """One of the translations kept beside a product or category."""
    return texts.get(language) or texts.get(default_language) or next(iter(texts.values()), "")
