"""Once a second: hand out conversations, take them from those who are gone, wake, warn, tell shoppers who wait.

All state is in rows. Several processes may do their rounds at once: what one of them does, the others find done; a process that
dies has lost nothing, and the next one says nothing twice.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime, timezone

import httpx
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database import transaction
from desk import alerts, leases, routing, waiting
from desk.adapters import chosen
from desk.alerts import Alerts
from desk.rules import kept_rules
from desk.staffing import StaffingCheck
from desk.warnings import Warnings

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0

Step = Callable[[Session, datetime], int]  # how much it has done


class Rounds:
    """url: of the database; None: the default one. stir: called when there is something that the assistant has to say
    (`TurnEngine.stir_timers`); without it, it is said within the engine's own time. ways: where alerts go; None: what the
    environment says, which may raise AlertsError.
    """

    def __init__(
        self,
        url: str | None = None,
        stir: Callable[[], object] | None = None,
        ways: Alerts | None = None,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._url = url
        self._stir = stir or (lambda: None)
        self._ways = ways if ways is not None else Alerts.of(os.environ)
        self._every = every_seconds
        self._stopped = threading.Event()
        self._nobody_is_gone_before: datetime | None = None
        warnings = Warnings(self._ways)
        self._steps: tuple[Step, ...] = (
            chosen.take_back,
            self._expire,
            leases.wake,
            routing.place_new,
            lambda session, now: len(routing.route(session, now)),
            lambda session, now: len(warnings.tell(session, now)),
            waiting.tell,
            StaffingCheck().tell,
        )
        self._threads = [threading.Thread(target=self._run, name="desk rounds", daemon=True)]
        if self._ways.webhook is not None:  # a server that is slow must not hold up the rounds
            self._threads.append(threading.Thread(target=self._deliver, name="desk alerts", daemon=True))

    def start(self) -> None:
        """Who is gone is judged once their pages have had the time to come back: while we were away, nobody could be there."""
        self._nobody_is_gone_before = datetime.now(timezone.utc) + kept_rules().limits.absent
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    def once(self, now: datetime) -> None:
        """Everything that is due, step by step, some of it in a transaction. The first error is raised after the last step."""
        errors = []
        for step in self._steps:
            try:
                while self._done(step, now) and not self._stopped.is_set():
                    self._stir()
            except Exception as error:  # what this step cannot do must not keep the next one from its work
                errors.append(error)
        if errors:
            raise errors[0]

    def _expire(self, session: Session, now: datetime) -> int:
        is_early = self._nobody_is_gone_before is not None and now < self._nobody_is_gone_before
        return 0 if is_early else leases.expire(session, now)

    def _done(self, step: Step, now: datetime) -> int:
        """Looking takes no lock on SQLite; where somebody else writes in between, it is done again with the lock."""
        try:
            with transaction(self._url, is_optimistic=True) as session:
                return step(session, now)
        except OperationalError:
            with transaction(self._url) as session:
                return step(session, now)

    def _run(self) -> None:
        self._again_and_again(lambda: self.once(datetime.now(timezone.utc)))

    def _deliver(self) -> None:
        webhook = self._ways.webhook
        assert webhook is not None
        with httpx.Client(follow_redirects=False) as client:
            self._again_and_again(lambda: alerts.deliver_due(self._url, webhook, client, lambda: datetime.now(timezone.utc)))

    def _again_and_again(self, work: Callable[[], object]) -> None:
        while not self._stopped.is_set():
            try:
                work()
            except Exception as error:  # the database may be away for a moment: the next round comes
                logger.warning("the desk's round: %s", type(error).__name__, exc_info=not isinstance(error, DBAPIError))
            self._stopped.wait(self._every)
