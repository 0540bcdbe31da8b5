"""A trained model for a command that only looks at it."""

from __future__ import annotations

import logging
from pathlib import Path

from database import home_folder
from tendero.environment import PROJECT
from tendero.obstacles import Obstacle
from tendero.training import current_model


def chosen_model(model: Path | None) -> Path:
    """The model that was asked for, else the one of the present data. Raises Obstacle: there is none yet."""
    chosen = model or current_model(home_folder())
    if not chosen.is_file():
        raise Obstacle("There is no model of the present data yet. `tendero train` makes it, or give one with --model.")
    return chosen


def make_ready_for(model: Path) -> None:
    """Before Rasa is imported: without what this model does not need, and without a word on what is loaded."""
    from bot.without_tensorflow import leave_out_unused
    from tendero.rasa_jobs import prepare

    leave_out_unused(model, PROJECT / "credentials.yml")
    prepare()
    logging.captureWarnings(True)  # spaCy switches Python's on again
    logging.disable(logging.WARNING)  # Rasa says what it loads
