"""Mail goes out by itself while the shop runs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select

from database import transaction
from messaging.mail import enqueue, newest
from messaging.models import ReceivedFile
from tendero.housekeeping import DAYS_OF_FILES
from tendero.mail_rounds import MailRounds
from tendero.settings import Settings


def test_due_mail_is_delivered_in_the_background(home: Path, database_url: str) -> None:
    rounds = MailRounds(Settings(home, database_url), every_seconds=0.05)
    rounds.start()
    with transaction(database_url) as session:
        enqueue(session, "k", "ana@example.com", "Hola", "Tu código", datetime.now(timezone.utc) - timedelta(seconds=1))
    deadline = time.monotonic() + 10
    while not newest(home / "outbox", 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    rounds.stop()
    assert [mail.recipient for mail in newest(home / "outbox", 5)] == ["ana@example.com"]


def test_database_that_is_away_does_not_end_the_rounds(home: Path) -> None:
    rounds = MailRounds(Settings(home, "postgresql://shop@127.0.0.1:1/shop"), every_seconds=0.05)
    rounds.start()
    time.sleep(0.3)
    assert rounds._thread.is_alive()
    rounds.stop()
    assert "OperationalError" in (home / "logs" / "mail.log").read_text()


def test_files_of_shoppers_are_kept_as_long_as_the_environment_says(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(timezone.utc)
    with transaction(database_url) as session:
        for days in (6, 8):
            at = now - timedelta(days=days)
            about = {"channel": "whatsapp", "sender_id": "wa-1", "message_id": "m", "kind": "image", "received_at": at}
            session.add(ReceivedFile(provider_id=f"{days}", **about))
    monkeypatch.setenv(DAYS_OF_FILES, "7")
    MailRounds(Settings(home, database_url))._tidy(now)
    with transaction(database_url) as session:
        assert session.execute(select(ReceivedFile.provider_id)).scalars().all() == ["6"]
