"""The installation's secret: the key of every keyed hash."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

SHORTEST = 16  # characters


class SecretError(Exception):
    """The secret is there but cannot be used; the message says what to do."""


def secret_key(home: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The key: ``TENDERO_SECRET``, else the content of ``<home>/secret``, made once and readable by its owner only.

    Raises SecretError when it is too short to protect anything.
    """
    if given := environ.get("TENDERO_SECRET"):
        return _long_enough(given, "TENDERO_SECRET")
    file = home / "secret"
    if not file.exists():
        _make(file)
    return _long_enough(file.read_text(encoding="ascii").strip(), str(file))


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(secrets.token_hex(32) + "\n")
    try:
        os.link(draft, file)  # unlike a rename, it fails if another process was first: then its secret is the one
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _long_enough(secret: str, where: str) -> bytes:
    if len(secret) < SHORTEST:
        raise SecretError(f"{where} has {len(secret)} characters; a secret needs at least {SHORTEST}.")
    return secret.encode()
