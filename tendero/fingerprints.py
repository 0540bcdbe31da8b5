"""What a model was trained from, as one short name: the same content gives the same name."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Folders of data/ that are read while running.
NOT_TRAINED_ON = frozenset({"policies", "labels", "mail", "demo", "demo-page", "widget", "desk"})
LEARNING = ("bot", "commerce/faq")  # whose code makes a model
IGNORED = frozenset({"__pycache__"})
LENGTH = 16


def trained_files(project: Path) -> Iterator[Path]:
    """Every file whose change can change the model."""
    yield from (file for file in (project / "config.yml", project / "domain.yml") if file.is_file())
    for folder in sorted((project / "data").glob("*")):
        if folder.name not in NOT_TRAINED_ON:
            yield from _files(folder)
    for package in LEARNING:
        yield from (file for file in _files(project / package) if file.suffix == ".py")


def designer_files(project: Path) -> Iterator[Path]:
    """Every file below data/."""
    yield from _files(project / "data")


def fingerprint(project: Path) -> str:
    """The name of what there is to train now: content and names of the files, Rasa's and Python's versions."""
    digest = hashlib.sha256(f"rasa {_rasa_version()} python {sys.version_info[:2]}".encode())
    for file in trained_files(project):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"\n{file.relative_to(project).as_posix()} {content}".encode())
    return digest.hexdigest()[:LENGTH]


def _files(folder: Path) -> list[Path]:
    found = [folder] if folder.is_file() else folder.rglob("*")
    return sorted(file for file in found if file.is_file() and not ignored(file))


def ignored(file: Path) -> bool:
    """What editors and Python leave beside files."""
    return file.name.startswith(".") or file.name.endswith("~") or not IGNORED.isdisjoint(file.parts)


def _rasa_version() -> str:
    try:
        return version("rasa")
    except PackageNotFoundError:
        return "none"
