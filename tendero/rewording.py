"""Answers are no matter of learning: a model that has learnt the same needs only the new words, which takes seconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from tendero.environment import PROJECT
from tendero.fingerprints import trained_files

LEARNT = ".learnt"  # beside a model: what `learnt` was when it was trained
WORDS_OF_FAQ = ("answer", "next")  # of an entry; its questions are examples


def learnt(project: Path = PROJECT) -> str | None:
    """The name of all that a model learns: the fingerprint without what answers say. None: a file has no such shape."""
    digest = hashlib.sha256()
    try:
        for file in trained_files(project):
            path = file.relative_to(project)
            digest.update(f"{path.as_posix()} {hashlib.sha256(_learnt_of(file, path.parts)).hexdigest()}\n".encode())
    except (yaml.YAMLError, ValueError):
        return None  # the training says in words what is wrong
    return digest.hexdigest()


def base_of(models: Path, wanted: str | None) -> Path | None:
    """The newest model that has learnt what is wanted."""
    found = [model_of(note) for note in models.glob(f"*{LEARNT}") if note.read_text() == wanted]
    return max(filter(Path.is_file, found), key=lambda model: model.stat().st_mtime, default=None)


def note_of(model: Path) -> Path:
    return model.with_name(model.name.removesuffix(".tar.gz") + LEARNT)


def model_of(note: Path) -> Path:
    return note.with_name(note.name.removesuffix(LEARNT) + ".tar.gz")


def _learnt_of(file: Path, parts: tuple[str, ...]) -> bytes:
    content = file.read_bytes()
    if parts[:2] == ("data", "responses") and file.suffix == ".yml":
        answers = _mapping(content)
        return json.dumps([sorted(answers.get("responses") or {}), sorted(answers)]).encode()
    if parts[:2] == ("data", "faq") and file.suffix == ".yml":
        entries = [_without(entry, WORDS_OF_FAQ) for entry in _mapping(content).get("faq") or []]
        return json.dumps(entries, sort_keys=True, default=str).encode()
    return content


def _mapping(content: bytes) -> dict[str, Any]:
    found = yaml.load(content, yaml.CSafeLoader)
    if not isinstance(found, dict):
        raise ValueError("no mapping")
    return found


def _without(entry: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError("no entry")
    return {key: value for key, value in entry.items() if key not in keys}
