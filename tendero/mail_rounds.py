"""What goes on in the background while the shop runs: due mail every half minute, housekeeping every hour."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta, timezone

from messaging.mail import deliver_due, transport_from
from tendero.housekeeping import files_kept, tidy
from tendero.logs import Log
from tendero.settings import Settings

EVERY_SECONDS = 30.0
TIDY_EVERY = timedelta(hours=1)


class MailRounds:
    """A thread that sends due mail every half minute until it is stopped."""

    def __init__(self, settings: Settings, every_seconds: float = EVERY_SECONDS) -> None:
        self._settings = settings
        self._every = every_seconds
        self._stopped = threading.Event()
        self._log = Log(settings.home / "logs" / "mail.log")
        self._transport = transport_from(os.environ, settings.home)  # a wrong TENDERO_SMTP_URL is told at the start
        self._files_kept = files_kept(os.environ)
        self._tidied_at: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._log.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            now = datetime.now(timezone.utc)
            self._round(now)
            self._tidy(now)
            self._stopped.wait(self._every)

    def _round(self, now: datetime) -> None:
        try:
            done = deliver_due(self._settings.database_url, self._transport, now, self._settings.home)
        except Exception as error:  # the database may be away for a moment: the next round comes
            self._log.write(f"{now:%Y-%m-%d %H:%M:%S} {type(error).__name__}: {error}")
            return
        if done.sent or done.failed:
            self._log.write(f"{now:%Y-%m-%d %H:%M:%S} sent {done.sent}, failed {done.failed}")

    def _tidy(self, now: datetime) -> None:
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY:
            return
        self._tidied_at = now
        try:
            done = tidy(self._settings.database_url, now, self._settings.home, self._files_kept)
        except Exception as error:  # as above: the next hour comes
            done = f"housekeeping failed: {type(error).__name__}: {error}"
        if done:
            self._log.write(f"{now:%Y-%m-%d %H:%M:%S} {done}")
