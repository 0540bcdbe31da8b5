from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Lock

import pytest
from sqlalchemy import select

from database import transaction
from messaging.mail import EmlFolder, MailError, Round, ServerUnreachable, deliver_due, enqueue, newest
from messaging.models import OutgoingMail

MINUTE = timedelta(minutes=1)


@dataclass
class Failing:
    """A transport that fails as told: one error a try, None for a try that succeeds."""

    errors: Iterator[Exception | None]
    sender: str = "shop@example.com"
    sent: list[str] = field(default_factory=list)

    def send(self, message: EmailMessage, name: str) -> None:
        if error := next(self.errors):
            raise error
        self.sent.append(message["To"])


def put(url: str, now: datetime, key: str = "code:1", to: str = "ana@example.com", **more: object) -> bool:
    with transaction(url) as session:
        return enqueue(session, key, to, "Tu código", "Hola, Íñigo: 123456\n", now, **more)  # type: ignore[arg-type]


def rows(url: str) -> list[OutgoingMail]:
    with transaction(url) as session:
        return list(session.execute(select(OutgoingMail).order_by(OutgoingMail.id)).scalars())


def test_same_cause_sends_one_mail(database_url: str, now: datetime, tmp_path: Path) -> None:
    assert [put(database_url, now), put(database_url, now), put(database_url, now, key="code:2")] == [True, False, True]
    assert deliver_due(database_url, EmlFolder(tmp_path / "outbox"), now, tmp_path) == Round(sent=2)
    assert deliver_due(database_url, EmlFolder(tmp_path / "outbox"), now, tmp_path) == Round()
    assert len(newest(tmp_path / "outbox", 10)) == 2


def test_mail_goes_with_its_transaction(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        enqueue(session, "code:1", "ana@example.com", "Hi", "Hello", now)
        session.rollback()
    assert rows(database_url) == []


def test_eml_is_a_mail_with_attachment_and_accents(database_url: str, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "RMA-20001.pdf").write_bytes(b"%PDF-1.4 label")
    put(database_url, now, attachments=["labels/RMA-20001.pdf"])
    deliver_due(database_url, EmlFolder(tmp_path / "outbox", "shop@example.com"), now, tmp_path)
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.name == "20261118T150000000000Z-00000001.eml"
    raw = file.read_bytes()
    assert raw.isascii()
    assert b"\r\n" in raw
    message = message_from_bytes(raw, policy=policy.default)
    assert (message["From"], message["To"], message["Subject"]) == ("shop@example.com", "ana@example.com", "Tu código")
    assert message["Date"] == "Wed, 18 Nov 2026 15:00:00 +0000"
    assert message["Message-ID"].endswith("@example.com>")
    (part,) = message.iter_attachments()
    assert (part.get_content_type(), part.get_content()) == ("application/pdf", b"%PDF-1.4 label")


def test_newest_mail_is_shown_first_and_decoded(database_url: str, now: datetime, tmp_path: Path) -> None:
    for number in range(3):
        put(database_url, now + number * MINUTE, key=f"code:{number}", to=f"{number}@example.com")
    deliver_due(database_url, EmlFolder(tmp_path / "outbox"), now + 9 * MINUTE, tmp_path)
    (tmp_path / "outbox" / ".half.draft").write_text("half")
    shown = newest(tmp_path / "outbox", 2)
    assert [mail.recipient for mail in shown] == ["2@example.com", "1@example.com"]
    assert (shown[0].subject, shown[0].body) == ("Tu código", "Hola, Íñigo: 123456\n")
    assert newest(tmp_path / "nowhere", 5) == []


def test_failing_mail_keeps_its_error_and_comes_again(database_url: str, now: datetime, tmp_path: Path) -> None:
    put(database_url, now)
    transport = Failing(iter([OSError("disk is full"), None]))
    assert deliver_due(database_url, transport, now, tmp_path) == Round(failed=1)
    assert (rows(database_url)[0].error, rows(database_url)[0].sent_at) == ("OSError: disk is full", None)
    assert deliver_due(database_url, transport, now + MINUTE / 2, tmp_path) == Round()  # not at once
    assert deliver_due(database_url, transport, now + MINUTE, tmp_path) == Round(sent=1)
    assert (rows(database_url)[0].error, rows(database_url)[0].sent_at) == (None, now + MINUTE)


def test_failing_mail_is_tried_at_least_hourly_for_ever(database_url: str, now: datetime, tmp_path: Path) -> None:
    put(database_url, now)
    transport = Failing(iter([ValueError("no")] * 40))
    tried = [deliver_due(database_url, transport, now + timedelta(hours=n), tmp_path).failed for n in range(40)]
    assert tried == [1] * 40


def test_one_bad_mail_does_not_keep_the_next(database_url: str, now: datetime, tmp_path: Path) -> None:
    put(database_url, now, key="bad", attachments=["missing.pdf"])
    put(database_url, now, key="good", to="eva@example.com")
    transport = Failing(iter([None, None]))
    assert deliver_due(database_url, transport, now, tmp_path) == Round(sent=1, failed=1)
    assert transport.sent == ["eva@example.com"]
    assert (rows(database_url)[0].error or "").startswith("FileNotFoundError")


def test_unreachable_server_ends_the_round(database_url: str, now: datetime, tmp_path: Path) -> None:
    for number in range(3):
        put(database_url, now, key=str(number))
    down = Failing(iter([ServerUnreachable("down")]))
    assert deliver_due(database_url, down, now, tmp_path) == Round(failed=1)
    assert deliver_due(database_url, Failing(iter([None] * 3)), now, tmp_path) == Round(sent=2)  # the first one pauses


def test_mail_of_a_crashed_process_is_sent_by_the_next(database_url: str, now: datetime, tmp_path: Path) -> None:
    put(database_url, now)
    with pytest.raises(KeyboardInterrupt):
        deliver_due(database_url, Failing(_interrupted()), now, tmp_path)
    assert deliver_due(database_url, Failing(iter([None])), now + 4 * MINUTE, tmp_path) == Round()
    assert deliver_due(database_url, Failing(iter([None])), now + 5 * MINUTE, tmp_path) == Round(sent=1)


def _interrupted() -> Iterator[Exception | None]:
    raise KeyboardInterrupt
    yield None


def test_attachment_outside_home_is_not_sent(database_url: str, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "home").mkdir()
    put(database_url, now, attachments=["../secret"])
    assert deliver_due(database_url, Failing(iter([None])), now, tmp_path / "home") == Round(failed=1)
    assert "not below" in (rows(database_url)[0].error or "")


def test_two_senders_never_send_the_same_mail(database_url: str, now: datetime, tmp_path: Path) -> None:
    for number in range(20):
        put(database_url, now, key=str(number), to=f"{number}@example.com")
    sent: list[str] = []
    lock = Lock()

    class Counting:
        sender = "shop@example.com"

        def send(self, message: EmailMessage, name: str) -> None:
            with lock:
                sent.append(message["To"])

    with ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(lambda _: deliver_due(database_url, Counting(), now, tmp_path), range(2)))
    assert sum(one.sent for one in rounds) == 20
    assert sorted(sent) == sorted(f"{number}@example.com" for number in range(20))


@pytest.mark.parametrize(
    ("key", "to", "subject"),
    [
        ("k", "nobody", "Hi"),
        ("k", "a@b.c\nBcc: eva@example.com", "Hi"),
        ("k", "a@b.c, eva@example.com", "Hi"),
        ("k", "ana@example.com", "Hi\nBcc: eva@example.com"),
        ("k", "ana@example.com", " "),
        ("k" * 81, "ana@example.com", "Hi"),
    ],
)
def test_header_injection_is_refused(database_url: str, now: datetime, key: str, to: str, subject: str) -> None:
    with pytest.raises(MailError), transaction(database_url) as session:
        enqueue(session, key, to, subject, "Hello", now)


def test_last_mail_leaves_no_address_once_it_is_sent(database_url: str, now: datetime) -> None:
    put(database_url, now, key="last:C-1")
    put(database_url, now, key="code:1")
    deliver_due(database_url, Failing(iter([None, None])), now, Path())
    assert [(row.recipient, row.body == "") for row in rows(database_url)] == [("erased", True), ("ana@example.com", False)]


def test_last_mail_is_given_up_after_a_day_and_leaves_no_address(database_url: str, now: datetime) -> None:
    put(database_url, now, key="last:C-1")
    refused = MailError("ana@example.com is unknown")
    for hours in (0, 12, 25):
        deliver_due(database_url, Failing(iter([refused])), now + timedelta(hours=hours), Path())
    (row,) = rows(database_url)
    assert (row.recipient, row.subject, row.body, row.error) == ("erased", "", "", "given up")
    assert deliver_due(database_url, Failing(iter([])), now + timedelta(hours=40), Path()) == Round()
