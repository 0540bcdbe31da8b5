"""An example written where its intent or FAQ entry stands, and taken back: one line, everything else byte for byte as it was.

Files are edited as text at the place that the YAML parser tells; whoever writes YAML anew loses comments and style. Before
a file is replaced, Rasa's own reader has read the new one and found the old one in it, and this example.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tendero.examples import FAQ_INTENT
from tendero.review.errors import CannotRead, CannotWrite

_PLAIN = re.compile(r"[^\W\d_][\w ,.?!¿¡'’()/%-]*")  # begins with a letter, and no sign in it means anything in YAML
_NOT_TEXT = frozenset("true false yes no on off null y n".split())
TEXT_KEY = "text"  # of an example in a list: Rasa wants them so
_JOINER = "\u200d"  # of emojis: not printable, and part of them


@dataclass(frozen=True)
class Written:
    """line: as it stands in the file, without its end."""

    file: Path
    language: str
    place: str
    text: str
    line: str


def as_example(text: str) -> str:
    """In one line, without signs that nobody sees, and without brackets that Rasa would take for an entity."""
    from rasa.shared.nlu.training_data.entities_parser import ENTITY_REGEX

    line = " ".join(text.split())
    line = "".join(sign for sign in line if sign.isprintable() or sign == _JOINER)
    return line.translate(str.maketrans("[]", "()")) if ENTITY_REGEX.search(line) else line


def add_example(project: Path, language: str, place: str, text: str) -> Written:
    """Write the text below the other examples of the place in this language. Raises CannotWrite, CannotRead."""
    home = _home(place)
    found = list(_entries(project, language, home))
    if not found:
        raise CannotWrite(f"{place} stands nowhere in data/{home.kind}/{language}. Write its first example there by hand.")
    entry = max(found, key=lambda each: each.length)  # an intent may stand in several files
    before = entry.file.read_bytes()
    lines = _lines(before)
    spot, line = _spot(entry, lines, text)
    after = _joined(lines[:spot], line, lines[spot:])
    _check(entry, home, before.decode(), after, text)
    _replace(entry.file, before, after.encode())
    return Written(entry.file, language, place, text, line)


def take_back(project: Path, written: Written) -> None:
    """Take the line out again, wherever in its list it stands by now. Raises CannotWrite, CannotRead."""
    before = written.file.read_bytes()
    lines = _lines(before)
    entries = [each for each in _entries(project, written.language, _home(written.place)) if each.file == written.file]
    within = [number for entry in entries for number in range(entry.node.start_mark.line, entry.node.end_mark.line + 1)]
    here = [number for number in within if number < len(lines) and lines[number].rstrip("\r\n") == written.line]
    if not here:
        raise CannotWrite(f"{written.file.name}: this example is not there any more.")
    rest = lines[: here[-1]] + lines[here[-1] + 1 :]
    if here[-1] == len(lines) - 1 and not lines[-1].endswith("\n"):
        rest[-1] = rest[-1].rstrip("\r\n")  # as the last line was before
    _replace(written.file, before, "".join(rest).encode())


class _Home(NamedTuple):
    """Where in a file a place stands: in the list `kind`, the entry whose `name` is `called`; its examples are under `key`."""

    kind: str
    name: str
    called: str
    key: str


@dataclass(frozen=True)
class _Entry:
    """index: in the list of its file. node: its examples."""

    file: Path
    index: int
    node: Node

    @property
    def length(self) -> int:
        return int(self.node.end_mark.line - self.node.start_mark.line)


def _home(place: str) -> _Home:
    entry = place.removeprefix(f"{FAQ_INTENT}/")
    return _Home("nlu", "intent", place, "examples") if entry == place else _Home("faq", "id", entry, "asked_as")


def _entries(project: Path, language: str, home: _Home) -> Iterator[_Entry]:
    for file in sorted((project / "data" / home.kind / language).glob("*.yml")):
        try:
            root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CannotRead(f"{file.relative_to(project)} cannot be read: `tendero validate` says why.") from error
        for index, each in enumerate(_items(_value(root, home.kind))):
            name, examples = _value(each, home.name), _value(each, home.key)
            if name is not None and name.value == home.called and examples is not None:
                yield _Entry(file, index, examples)


def _value(node: Node | None, key: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _items(node: Node | None) -> Iterable[Node]:
    return node.value if isinstance(node, SequenceNode) else []


def _spot(entry: _Entry, lines: list[str], text: str) -> tuple[int, str]:
    """Before which line to write, and what."""
    node = entry.node
    if isinstance(node, ScalarNode) and node.style == "|":
        filled = [number for number in range(node.start_mark.line + 1, len(lines)) if lines[number].strip()]
        indent = _indent(lines[filled[0]])
        block = list(takewhile(lambda number: _indent(lines[number]) >= indent, filled))
        return block[-1] + 1, f"{' ' * indent}- {text}"
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        spot = last.end_mark.line + (last.end_mark.column > 0)
        while not lines[spot - 1].strip() or lines[spot - 1].lstrip().startswith("#"):
            spot -= 1
        key = f"{TEXT_KEY}: " if isinstance(last, MappingNode) else ""
        return spot, f"{' ' * node.start_mark.column}- {key}{_in_yaml(text)}"
    where = f"{entry.file.name}:{node.start_mark.line + 1}"
    raise CannotWrite(f'{where}: examples have to stand below each other, after "|" or as a list.')


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _in_yaml(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _lines(content: bytes) -> list[str]:
    """With their ends, at "\\n" only: a text may have other signs that Python takes for ends of lines."""
    return re.findall(r"[^\n]*\n|[^\n]+", content.decode())


def _joined(before: list[str], line: str, after: list[str]) -> str:
    end = "\r\n" if before[-1].endswith("\r\n") else "\n"
    if not before[-1].endswith("\n"):  # the last line of the file
        return "".join(before) + end + line
    return "".join([*before, line + end, *after])


def _check(entry: _Entry, home: _Home, before: str, after: str, text: str) -> None:
    """Rasa reads the file as before, and this example more. Raises CannotWrite."""
    from rasa.shared.utils.io import read_yaml

    added: Any
    try:
        old, new = read_yaml(before), read_yaml(after)
        was, is_now = (content[home.kind][entry.index].pop(home.key) for content in (old, new))
        if isinstance(was, str):
            was, is_now, added = was.splitlines(), is_now.splitlines(), f"- {text}"
        else:
            added = {TEXT_KEY: text} if isinstance(was[-1], dict) else text
        is_right = is_now == [*was, added] and old == new
    except Exception:  # whatever the reader makes of it: this file would be broken
        is_right = False
    if not is_right:
        raise CannotWrite(f"{entry.file.name}: Rasa would read this text as something else. Write it in other words, or by hand.")


def _replace(file: Path, before: bytes, after: bytes) -> None:
    """All of it or nothing; not where somebody has saved the file since it was read."""
    real = file.resolve()
    draft = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        with draft.open("wb") as new:
            new.write(after)
            new.flush()
            os.fsync(new.fileno())
        shutil.copymode(real, draft)
        if real.read_bytes() != before:
            raise CannotWrite(f"{file.name} was changed at this moment by somebody else. Try again.")
        draft.replace(real)
    finally:
        draft.unlink(missing_ok=True)
