"""Where the project is, and the environment in which Rasa is quiet, repeatable and keeps to itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

QUIET: Mapping[str, str] = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # the same sums in the same order on every processor
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "PYTHONHASHSEED": "0",  # two trainings of one commit predict the same
    "PYTHONUNBUFFERED": "1",
    "RASA_MAX_CACHE_SIZE": "0",  # Rasa's training cache does not see changes in what a component imports
    "NO_COLOR": "1",
}


def settle_paths(environ: MutableMapping[str, str] = os.environ) -> None:
    """Make TENDERO_HOME and TENDERO_DATA absolute, so that every process means the same folders wherever it works."""
    environ["TENDERO_HOME"] = str(Path(environ.get("TENDERO_HOME") or PROJECT / "var").resolve())
    environ["TENDERO_DATA"] = str(Path(environ.get("TENDERO_DATA") or PROJECT / "data").resolve())


def for_child(**more: str) -> dict[str, str]:
    """The environment of a Rasa process."""
    # Bytecode has to be kept: without it each start compiles TensorFlow anew, which more than doubles its time.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **QUIET, **more}


def python_is_supported(version: tuple[int, int] | None = None) -> bool:
    return (version or sys.version_info[:2]) in {(3, 10), (3, 11)}
