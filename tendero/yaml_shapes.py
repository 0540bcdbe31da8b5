"""What a YAML file looks like from outside, checked before anybody uses it: each problem has its line and is said in words.

A shape is a function of a node (YAML with its place in the file) that yields what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LINE_LENGTH_SHOWN = 40
FILES_KEPT = 1024  # what was found in so many files: who validates after each save finds most of them as they were
NEVER_CLOSED = "found unexpected end of stream"
_TEXT_TAG, _NOTHING_TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
# What libyaml says, and what it means to somebody who writes texts.
_IN_WORDS = {
    "found character that cannot start any token": "something that cannot begin a text: put the text in quotes",
    "mapping values are not allowed in this context": "a colon where none can be: quote the text, or mend the indentation",
    "could not find expected ':'": "a key without its colon, or a text that needs quotes",
    NEVER_CLOSED: "a quote that is opened and never closed",
    "did not find expected key": "a wrong indentation, or a text that needs quotes",
    "did not find expected '-' indicator": "a wrong indentation in a list",
    "did not find expected ',' or ']'": "a [ that is never closed, or a comma that is missing",
    "did not find expected ',' or '}'": "a { that is never closed, or a text with braces that needs quotes",
    "found unknown escape character": "a \\\\ in double quotes that begins no escape: use single quotes",
    "found undefined tag handle": "an ! that begins a text: put the text in quotes",
    "found undefined alias": "a * that begins a text: put the text in quotes",
}


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend. line: 0 where the whole file is meant."""

    line: int
    text: str

    def of(self, file: Path) -> str:
        return f"{file}:{self.line}: {self.text}" if self.line else f"{file}: {self.text}"


Shape = Callable[[Node], Iterator[Problem]]


def problems_in(file: Path, shape: Shape) -> list[Problem]:
    """What keeps this file from being read, else what its shape finds wrong, by line."""
    try:
        return list(_problems_in(file.read_text(encoding="utf-8"), shape))
    except UnicodeDecodeError:
        return [Problem(0, "is not in UTF-8: save it again with that encoding")]
    except OSError as error:
        return [Problem(0, f"cannot be read: {error.strerror}")]
    except yaml.YAMLError as error:
        return [_not_yaml(error, file)]
    except RecursionError:
        return [Problem(0, "is nested too deep to be read")]


@lru_cache(maxsize=FILES_KEPT)
def _problems_in(content: str, shape: Shape) -> tuple[Problem, ...]:
    """Raises YAMLError, RecursionError."""
    node = yaml.compose(content, Loader=yaml.CSafeLoader)
    return tuple(sorted(set(shape(node)))) if node is not None else (Problem(0, "is empty"),)


def _not_yaml(error: yaml.YAMLError, file: Path) -> Problem:
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return Problem(0, f"is not YAML: {said}")
    lines = file.read_text(encoding="utf-8").splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[mark.column : mark.column + 1] == "\t" or line[: mark.column + 1].strip(" -") == "\t":
        return Problem(mark.line + 1, "is not YAML: a tab where spaces are needed")
    words = _IN_WORDS.get(said, said)
    if said == NEVER_CLOSED and begun is not None:
        return Problem(begun.line + 1, f"is not YAML: {words}")
    began = f" (what it belongs to begins in line {begun.line + 1})" if begun is not None and begun.line < mark.line else ""
    return Problem(mark.line + 1, f"is not YAML: {words}{began}")


# Shapes


def anything(_node: Node) -> Iterator[Problem]:
    """Whatever it is, somebody else looks at it."""
    yield from ()


def text(node: Node) -> Iterator[Problem]:
    """A text that is not empty."""
    if not isinstance(node, ScalarNode):
        yield _wrong(node, "a text")
    elif node.tag == _NOTHING_TAG or not node.value.strip():
        yield Problem(_line(node), "there is no text here")
    elif node.tag != _TEXT_TAG:
        yield Problem(_line(node), f"{node.value} is read as a number, a date or yes/no: put it in quotes")


def value(node: Node) -> Iterator[Problem]:
    """A text, a number, or yes/no."""
    if not isinstance(node, ScalarNode):
        yield _wrong(node, "a single value")


def expression(node: Node) -> Iterator[Problem]:
    """A regular expression."""
    found = list(text(node))
    yield from found
    if not found:
        try:
            re.compile(str(node.value))
        except re.error as error:
            yield Problem(_line(node), f"is no regular expression: {error}")


def list_of(shape: Shape) -> Shape:
    """A list, each of whose entries has this shape."""

    def check(node: Node) -> Iterator[Problem]:
        if not isinstance(node, SequenceNode):
            yield _wrong(node, "a list")
            return
        for entry in node.value:
            yield from shape(entry)

    return check


def either(first: type[Node], one: Shape, other: Shape) -> Shape:
    """`one` where the node is of this type, `other` where it is not."""
    return lambda node: one(node) if isinstance(node, first) else other(node)


def keys(shapes: Mapping[str, Shape], required: Collection[str] = (), others: Shape | None = None) -> Shape:
    """Keys with values. others: the shape of every key that is not named here; without it there may be none."""

    def check(node: Node) -> Iterator[Problem]:
        if not isinstance(node, MappingNode):
            yield _wrong(node, "keys with values (key: value)")
            return
        seen: dict[str, int] = {}
        for key, inner in node.value:
            name = str(key.value)
            if not isinstance(key, ScalarNode):
                yield Problem(_line(key), "a key has to be a text")
            elif name in seen:
                yield Problem(_line(key), f"{name} is here twice (first in line {seen[name]})")
            elif name not in shapes and others is None:
                yield Problem(_line(key), f"{name} is no key that is known here{_meant(name, shapes)}")
            else:
                yield from (_below(name, problem) for problem in (shapes.get(name) or others or anything)(inner))
            seen.setdefault(name, _line(key))
        for name in required:
            if name not in seen:
                yield Problem(_line(node), f"{name} is missing")

    return check


def names(pattern: str, shape: Shape, what: str) -> Shape:
    """Keys that fit the pattern, each of which has this shape."""

    def check(node: Node) -> Iterator[Problem]:
        yield from keys({}, others=shape)(node)
        for key, _ in node.value if isinstance(node, MappingNode) else ():
            if isinstance(key, ScalarNode) and not re.fullmatch(pattern, key.value):
                yield Problem(_line(key), f"{key.value} is no name for {what}")

    return check


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _wrong(node: Node, wanted: str) -> Problem:
    return Problem(_line(node), f"should be {wanted}, and is {_said(node)}")


def _said(node: Node) -> str:
    if isinstance(node, SequenceNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "keys with values"
    shown = " ".join(node.value.split())
    cut = shown if len(shown) <= LINE_LENGTH_SHOWN else shown[:LINE_LENGTH_SHOWN] + "…"
    return "nothing" if node.tag == _NOTHING_TAG else f'the text "{cut}"'


def _below(name: str, problem: Problem) -> Problem:
    return Problem(problem.line, f"{name}: {problem.text}")


def _meant(name: str, shapes: Mapping[str, Shape]) -> str:
    close = get_close_matches(name, shapes, 1)
    return f": is {close[0]} meant?" if close else f"; there may be {', '.join(shapes)}"
