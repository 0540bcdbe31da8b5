"""Which answers the code says: Rasa's validation looks at rules and stories only."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

ANSWER = "utter_"
SOURCES_KEPT = 1024  # what was found in so many files: who validates after each save finds most of them as they were
NO_ANSWERS = frozenset({ANSWER, "utter_action"})  # a bare beginning would be every answer; Rasa's name of one in its events


@dataclass(frozen=True)
class Said:
    """Answers that the code names ("utter_menu"), and beginnings of names that it puts together ("utter_progress_").

    Each with the place where it is.
    """

    names: Mapping[str, str]
    beginnings: Mapping[str, str]

    def has(self, answer: str) -> bool:
        return answer in self.names or answer.startswith(tuple(self.beginnings))


def said_in(folders: Iterable[Path], project: Path) -> Said:
    """What the Python files of these folders say."""
    names: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        for name, is_whole, line in _answers_in(file.read_text(encoding="utf-8")):
            (names if is_whole else beginnings).setdefault(name, f"{file.relative_to(project)}:{line}")
    return Said(names, beginnings)


def asked_by_forms(domain: Mapping[str, Any]) -> set[str]:
    """The questions that Rasa itself asks for a form's slots."""
    forms = domain.get("forms") or {}
    slots = {(form, slot) for form, content in forms.items() for slot in (content or {}).get("required_slots") or []}
    return {f"utter_ask_{form}_{slot}" for form, slot in slots} | {f"utter_ask_{slot}" for _, slot in slots}


@lru_cache(maxsize=SOURCES_KEPT)
def _answers_in(source: str) -> tuple[tuple[str, bool, int], ...]:
    """Raises SyntaxError."""
    return tuple(_answers(ast.parse(source)))


def _answers(tree: ast.AST) -> Iterator[tuple[str, bool, int]]:
    """(text, whether it is a whole name, line) of every string that begins like an answer's name."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            first = node.values[0] if node.values else None
            if text := _answer(first):
                yield text, False, node.lineno
        elif isinstance(node, ast.Constant) and id(node) not in parts and (text := _answer(node)):
            yield text, not text.endswith("_"), node.lineno


def _answer(node: ast.AST | None) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    is_name = isinstance(value, str) and value.startswith(ANSWER) and value.isidentifier() and value not in NO_ANSWERS
    return str(value) if is_name else None
