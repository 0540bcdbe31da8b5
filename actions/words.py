"""What the designers' files say in each language: labels, which answers there are, and texts kept beside a product."""

from __future__ import annotations

import yaml

from messaging.kept import kept
from messaging.labels import data_folder, in_language, label, labels, languages

__all__ = ["data_folder", "in_language", "label", "languages", "read_ahead", "response_keys"]


@kept
def response_keys() -> frozenset[str]:
    """Every `utter_...` that has an answer in some language."""
    files = sorted((data_folder() / "responses").glob("*/*.yml"))
    contents = (yaml.load(file.read_text(), yaml.CSafeLoader) or {} for file in files)
    return frozenset(key for content in contents for key in content.get("responses") or {})


def read_ahead() -> None:
    """Read the labels and which answers there are."""
    labels()
    response_keys()
