"""What runs in a process of its own, because importing Rasa takes seconds: `python -m tendero.rasa_jobs.<name>`."""

from __future__ import annotations

import logging


def speak_only_of_importance() -> None:
    """Log from INFO on, as the command `rasa` does; else Rasa says everything."""
    from rasa.utils.common import configure_logging_and_warnings
    from rasa.utils.log_utils import configure_structlog

    configure_logging_and_warnings(log_level=logging.INFO)
    configure_structlog(logging.INFO)
