"""Short words by language from `data/labels/<lang>/*.yml`: the titles of choices, statuses, reasons. Sentences are responses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from messaging.kept import kept

DEFAULT_LANGUAGE = "en"


def data_folder() -> Path:
    """`TENDERO_DATA`, or `data` in the working folder."""
    return Path(os.environ.get("TENDERO_DATA", "data"))


@kept
def labels() -> dict[str, dict[str, str]]:
    """Every label by its key, by language."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((data_folder() / "labels").glob("*/*.yml")):
        found.setdefault(file.parent.name, {}).update(yaml.load(file.read_text(), yaml.CSafeLoader) or {})
    return found


def languages() -> list[str]:
    """The languages that have labels, in alphabetical order."""
    return sorted(labels())


def label(key: str, language: str, default_language: str = DEFAULT_LANGUAGE) -> str:
    """The word for this key; in the default language where this language lacks it; the key itself where all do."""
    known = labels()
    return known.get(language, {}).get(key) or known.get(default_language, {}).get(key) or key


def in_language(texts: Mapping[str, str], language: str, default_language: str = DEFAULT_LANGUAGE) -> str:
    """One of the translations kept beside a product or category."""
    return texts.get(language) or texts.get(default_language) or next(iter(texts.values()), "")
