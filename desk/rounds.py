"""Once a second: hand out conversations, take them from those who are gone, wake, warn, tell shoppers who wait.

All state is in rows. Several processes may do their rounds at once: each step is a statement, or a transaction, that only one of
them can do; a process that dies has lost nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timezone

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database import transaction
from desk import leases, routing

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0

Step = Callable[[Session, datetime], object]


class Rounds:
    """url: of the database; None: the default one."""

    def __init__(self, url: str | None = None, every_seconds: float = EVERY_SECONDS) -> None:
        self._url = url
        self._every = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk rounds", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def once(self, now: datetime) -> None:
        """Everything that is due, each step in a transaction of its own. The first error is raised after the last step."""
        errors = [error for step in self._steps() if (error := self._try(step, now)) is not None]
        if errors:
            raise errors[0]

    def _steps(self) -> tuple[Step, ...]:
        return (leases.expire, leases.wake, routing.route)

    def _try(self, step: Step, now: datetime) -> Exception | None:
        try:
            with transaction(self._url) as session:
                step(session, now)
        except Exception as error:  # what this step cannot do must not keep the next one from its work
            return error
        return None

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.once(datetime.now(timezone.utc))
            except Exception as error:  # the database may be away for a moment: the next round comes
                logger.warning("the desk's round: %s", type(error).__name__, exc_info=not isinstance(error, DBAPIError))
            self._stopped.wait(self._every)
