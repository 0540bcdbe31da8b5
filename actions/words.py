"""What the designers' files say in each language: labels, which answers there are, and texts kept beside a product."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from messaging.kept import kept
from messaging.labels import DEFAULT_LANGUAGE, data_folder, label, labels, languages

__all__ = ["data_folder", "in_language", "label", "languages", "read_ahead", "response_keys"]


@kept
def response_keys() -> frozenset[str]:
    """Every `utter_...` that has an answer in some language."""
    files = sorted((data_folder() / "responses").glob("*/*.yml"))
    return frozenset(key for file in files for key in (yaml.safe_load(file.read_text()) or {}).get("responses") or {})


def read_ahead() -> None:
    """Read the labels and which answers there are."""
    labels()
    response_keys()


def in_language(texts: Mapping[str, str], language: str, default_language: str = DEFAULT_LANGUAGE) -> str:
    """One of the translations kept beside a product or category."""
    return texts.get(language) or texts.get(default_language) or next(iter(texts.values()), "")
