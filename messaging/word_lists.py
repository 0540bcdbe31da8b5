"""Lists of words that designers keep under `data/patterns/`, by kind and language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PATTERNS = Path(__file__).resolve().parents[1] / "data" / "patterns"

Words = dict[str, tuple[str, ...]]  # kind -> words of every language


class WordListError(Exception):
    """A list of words cannot be used; the message names the file and the place."""


def read_words(file: Path, name: str, kinds: frozenset[str]) -> Words:
    """The lists under the key `name`, shaped kind: language: [words]; languages are put together.

    A shopper may write in any language, so nothing here asks which one it is.
    Raises WordListError when a kind is missing or unknown, or something is not a list of words.
    """
    content = _read(file).get(name)
    if not isinstance(content, dict) or set(content) != kinds:
        raise WordListError(f"{file}: '{name}' needs exactly these lists: {', '.join(sorted(kinds))}.")
    return {kind: _words(file, kind, lists) for kind, lists in content.items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(file)
    except (OSError, YAMLError) as error:
        raise WordListError(f"{file}: {error}") from error
    return content if isinstance(content, dict) else {}


def _words(file: Path, kind: str, lists: Any) -> tuple[str, ...]:
    if not isinstance(lists, dict) or not all(isinstance(words, list) for words in lists.values()):
        raise WordListError(f"{file}: '{kind}' needs a list of words for each language.")
    words = [word for language in lists.values() for word in language]
    if bad := [word for word in words if not isinstance(word, str) or not word.strip()]:
        raise WordListError(f"{file}: '{kind}' has {bad[0]!r}, which is not a word; put it in quotes.")
    return tuple(dict.fromkeys(words))
