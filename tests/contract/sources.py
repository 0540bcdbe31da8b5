"""What the conversation data and the code say of each other, read from the files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SPEAKERS = ("actions", "bot", "desk", "messaging")


@dataclass(frozen=True)
class Said:
    """A response key in Python: as a literal ("utter_greet") or as a pattern ("utter_progress_*")."""

    pattern: str
    file: str
    line: int

    def fits(self, key: str) -> bool:
        return re.fullmatch(self.pattern.replace("*", "[a-z_]+"), key) is not None


def read(path: str) -> Any:
    return YAML(typ="safe").load(ROOT / path)


def languages() -> list[str]:
    return sorted(folder.name for folder in (ROOT / "data/responses").iterdir() if folder.is_dir())


def responses(language: str) -> dict[str, list[dict[str, Any]]]:
    """Every answer of this language by key."""
    files = sorted((ROOT / "data/responses" / language).glob("*.yml"))
    return {key: value for file in files for key, value in YAML(typ="safe").load(file)["responses"].items()}


def labels(language: str) -> dict[str, str]:
    files = sorted((ROOT / "data/labels" / language).glob("*.yml"))
    return {key: value for file in files for key, value in YAML(typ="safe").load(file).items()}


def said_in_python() -> Iterator[Said]:
    """Every response key that the actions, the turn engine in `bot`, or the desk and what lies below it name."""
    for file in sorted(file for folder in SPEAKERS for file in (ROOT / folder).glob("**/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            pattern = _pattern(node)
            if pattern is not None and pattern.startswith("utter_") and not pattern.startswith("utter_ask_*"):
                yield Said(pattern, file.name, getattr(node, "lineno", 0))


def _pattern(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and node.value == "utter_action":  # Rasa's name of the response in an event
        return None
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"utter_[a-z_]*[a-z]", node.value):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return None


def rule_steps() -> Iterator[dict[str, Any]]:
    """Every step of every rule and story."""
    for file in sorted([*(ROOT / "data/rules").glob("*.yml"), *(ROOT / "data/stories").glob("*.yml")]):
        content = YAML(typ="safe").load(file) or {}
        for each in [*(content.get("rules") or []), *(content.get("stories") or [])]:
            yield from each["steps"]
