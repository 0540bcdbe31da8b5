"""Emptying TENDERO_HOME of what Tendero put there, and of nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

FILES = ("tendero.db", "tendero.db-wal", "tendero.db-shm", "endpoints.yml", "credentials.yml", "secret", "desk-password")
FOLDERS = ("outbox", "logs", "labels", "exports", "invoices", "running", "shop-window")
MODELS = "models"


def reset(home: Path, with_models: bool = False) -> list[str]:
    """Delete state, and trained models where asked; the names of what was there."""
    return [
        *(name for name in FILES if _delete(home / name)),
        *(name for name in (*FOLDERS, *([MODELS] if with_models else ())) if _delete(home / name)),
    ]


def _delete(path: Path) -> bool:
    if path.is_dir():
        shutil.rmtree(path)
        return True
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed
