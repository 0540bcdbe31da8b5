"""Which code a model was, or would be, made and run by: a model that other code made may not fit this process."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def fingerprint_of_code(folder: Path = FOLDER) -> str:
    """Of every module in this package, as it is on disk now."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
