"""The {variables} of answers, and what fills them in: a slot, or the code that says the answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tendero.said_by_actions import SOURCES_KEPT

VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
SAYING = frozenset({"say", "offer"})  # of a turn: its keywords are the variables
MONEY_SUFFIX = "_minor"  # a value of this name fills in one without it: refund_minor is {refund}

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def variables(variations: Any) -> set[str]:
    """The variables in the texts and buttons of an answer."""
    return set(VARIABLE.findall(str(variations)))


def stray_braces(variations: Any) -> Iterator[str]:
    """The texts of an answer, with a brace that begins or ends no variable."""
    for each in [variations] if isinstance(variations, str) else variations or []:
        text = each.get("text") if isinstance(each, dict) else each
        if isinstance(text, str) and re.search(r"[{}]", VARIABLE.sub("", text)):
            yield text


@dataclass(frozen=True)
class Saying:
    """A place in the code that names an answer. given: what it fills in; None where that is not to be seen."""

    answer: str
    given: frozenset[str] | None
    place: str


def sayings(folders: Iterable[Path], project: Path) -> list[Saying]:
    """Every place in the Python files of these folders that names an answer."""
    return [
        Saying(answer, given, f"{file.relative_to(project)}:{line}")
        for file in sorted(file for folder in folders for file in folder.rglob("*.py"))
        for answer, given, line in _sayings_in(file.read_text(encoding="utf-8"))
    ]


def unfilled(answer: str, used: Collection[str], slots: Collection[str], said: Iterable[Saying]) -> Iterator[tuple[str, Saying]]:
    """(variable, place) of each that a place does not fill in when it says this answer, nor a slot."""
    for saying in said:
        if saying.answer == answer and saying.given is not None:
            yield from ((name, saying) for name in sorted(set(used) - set(slots) - saying.given))


def names_in(files: Iterable[Path]) -> set[str]:
    """Every name in these files: what is none of them, nothing can be called."""
    found = {name for file in files for name in _names_in(file.read_text(encoding="utf-8"))}
    return found | {name.removesuffix(MONEY_SUFFIX) for name in found}


def different(by_language: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, set[str]]]:
    """(language, answer, variables) that another language uses in this answer and this one does not."""
    for answer in sorted({answer for answers in by_language.values() for answer in answers}):
        used = {language: variables(answers[answer]) for language, answers in by_language.items() if answer in answers}
        for language, own in sorted(used.items()):
            if lacking := set().union(*used.values()) - own:
                yield language, answer, lacking


@lru_cache(maxsize=SOURCES_KEPT)
def _sayings_in(source: str) -> tuple[tuple[str, frozenset[str] | None, int], ...]:
    """(answer, what it is given, line). Raises SyntaxError."""
    tree = ast.parse(source)
    given = {id(answer): names for call in ast.walk(tree) for answer, names in _given_by(call)}
    return tuple(
        (node.value, given.get(id(node)), node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"utter_\w+", node.value)
    )


@lru_cache(maxsize=SOURCES_KEPT)
def _names_in(text: str) -> frozenset[str]:
    return frozenset(_NAME.findall(text))


def _given_by(node: ast.AST) -> Iterator[tuple[ast.AST, frozenset[str] | None]]:
    """Each answer among the arguments of `turn.say(...)`, with the names of the other arguments."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAYING):
        return
    if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "turn"):
        return
    names = [keyword.arg for keyword in node.keywords]
    given = None if None in names else frozenset(name for name in names if name)
    for argument in node.args:
        for part in [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]:
            yield part, given
