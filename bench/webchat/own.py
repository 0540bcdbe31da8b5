"""Which files of ours a page loads, and when: what is imported is read from the modules themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from tendero.environment import PROJECT

WEB = PROJECT / "web"
WIDGET = WEB / "widget"
WORDS = PROJECT / "data" / "widget" / "en.yml"
ENTRY = WEB / "widget.js"
_STATIC = re.compile(r"""^(?:import\s*|(?:import|export)\b[^;'"]*\bfrom\s*)["']\./([\w/-]+\.js)["']""", re.MULTILINE)
_OPENED = re.compile(r"MODULES = \[([^\]]*)\]")


def at_first_paint() -> list[Path]:
    """All that the launcher needs."""
    return _with_imports([ENTRY])


def when_opened() -> list[Path]:
    """And what the open panel needs; the words come as one more file."""
    named = re.findall(r'"(\w+)"', _OPENED.search(ENTRY.read_text(encoding="utf-8"))[1])  # type: ignore[index]
    return _with_imports([ENTRY, *(WIDGET / f"{name}.js" for name in named)])


def all_there_is() -> list[Path]:
    """And what some shoppers need at some time: uploads, the transcript, ..."""
    return [ENTRY, *sorted(WIDGET.glob("*.js"))]


def words() -> bytes:
    return json.dumps(yaml.safe_load(WORDS.read_text(encoding="utf-8")), ensure_ascii=False).encode()


def _with_imports(files: Iterable[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop(0)
        if file not in found:
            found[file] = None
            waiting += [(file.parent / name).resolve() for name in _STATIC.findall(file.read_text(encoding="utf-8"))]
    return list(found)
