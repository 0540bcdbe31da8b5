"""What runs in a process of its own, because importing Rasa takes seconds: `python -m tendero.rasa_jobs.<name>`."""

from __future__ import annotations

import logging


def prepare() -> None:
    """Log from INFO on, as the command `rasa` does (else Rasa says everything), and read YAML and examples without delay."""
    from rasa.utils.common import configure_logging_and_warnings
    from rasa.utils.log_utils import configure_structlog

    from tendero.rasa_jobs.examples import join_without_copies
    from tendero.rasa_jobs.yaml_checks import check_fast
    from tendero.rasa_jobs.yaml_lists import keep_resolvers

    keep_resolvers()
    check_fast()
    join_without_copies()

    configure_logging_and_warnings(log_level=logging.INFO)
    configure_structlog(logging.INFO)
