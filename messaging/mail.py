"""Mail to shoppers: written down with the change that caused it, sent afterwards, kept until it is sent."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database import transaction
from messaging.mail_transports import EmlFolder, MailError, ServerUnreachable, Smtp, Transport, transport_from
from messaging.models import OutgoingMail
from messaging.outbox import SavedMail, newest
from messaging.pauses import doubling
from messaging.writes import insert_once

__all__ = [
    "LAST_MAIL",
    "EmlFolder",
    "MailError",
    "Round",
    "SavedMail",
    "ServerUnreachable",
    "Smtp",
    "Transport",
    "deliver_due",
    "enqueue",
    "newest",
    "transport_from",
]

LEASE = timedelta(minutes=5)  # of a mail that is being sent; if the process dies, another tries after it
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0  # seconds
MOST_A_ROUND = 200
# A mail whose key begins so says goodbye to somebody who is erased: its row is emptied once it is sent, or given up.
LAST_MAIL, LAST_MAIL_TRIED_FOR = "last:", timedelta(days=1)
NOTHING_KEPT = {"recipient": "erased", "subject": "", "body": "", "attachments": []}


@dataclass(frozen=True)
class Round:
    """What one round of delivery did."""

    sent: int = 0
    failed: int = 0


def enqueue(
    session: Session,
    key: str,
    recipient: str,
    subject: str,
    body: str,
    now: datetime,
    attachments: Sequence[str] = (),
) -> bool:
    """Write down a mail to be sent. False: this key has its mail already, and nothing is added.

    key: what caused it, at most 80 characters. attachments: paths below TENDERO_HOME.
    Raises MailError for a recipient or subject that could not be a header.
    """
    if len(key) > 80:
        raise MailError(f"The key {key!r} has more than 80 characters.")
    if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", recipient) or len(recipient) > 254:
        raise MailError(f"The recipient of mail {key!r} is no e-mail address.")
    if not subject.strip() or re.search(r"[\r\n]", subject):
        raise MailError(f"The subject of mail {key!r} is empty or has more than one line.")
    values = {"key": key, "recipient": recipient, "subject": subject[:200], "body": body}
    times = {"created_at": now, "next_try_at": now}
    return insert_once(session, OutgoingMail, {**values, **times, "attachments": [str(path) for path in attachments]})


def deliver_due(url: str | None, transport: Transport, now: datetime, home: Path, most: int = MOST_A_ROUND) -> Round:
    """Send what is due, oldest first, each mail in transactions of its own; no lock is held while a server is slow.

    url: of the database; None: the default one. home: TENDERO_HOME, where attachments are.
    A mail that fails keeps its error and comes again after a pause that doubles up to an hour. A server that cannot be
    reached ends the round. Nothing is lost; after a crash between sending and noting it, a mail can go out twice (with
    the same Message-ID).
    """
    sent = failed = 0
    while sent + failed < most and (mail := _take_due(url, now)) is not None:
        error = _try(mail, transport, home)
        _note(url, mail, now, error)
        sent, failed = sent + (error is None), failed + (error is not None)
        if isinstance(error, ServerUnreachable):
            break
    return Round(sent, failed)


def _take_due(url: str | None, now: datetime) -> OutgoingMail | None:
    while True:
        with transaction(url) as session:
            mail = session.execute(
                select(OutgoingMail)
                .where(OutgoingMail.sent_at.is_(None), OutgoingMail.next_try_at <= now)
                .order_by(OutgoingMail.next_try_at, OutgoingMail.id)
                .limit(1)
            ).scalar_one_or_none()
            if mail is None or _lease(session, mail, now):
                return mail


def _lease(session: Session, mail: OutgoingMail, now: datetime) -> bool:
    untouched = (OutgoingMail.id == mail.id, OutgoingMail.tries == mail.tries, OutgoingMail.sent_at.is_(None))
    lease = update(OutgoingMail).where(*untouched).values(tries=mail.tries + 1, next_try_at=now + LEASE)
    return bool(session.execute(lease.execution_options(synchronize_session=False)).rowcount == 1)


def _try(mail: OutgoingMail, transport: Transport, home: Path) -> Exception | None:
    try:
        transport.send(_compose(mail, transport.sender, home), _name(mail))
    except Exception as error:  # whatever it is, it is this mail's error and must not keep the next one
        return error
    return None


def _note(url: str | None, mail: OutgoingMail, now: datetime, error: Exception | None) -> None:
    pause = timedelta(seconds=doubling(mail.tries + 1, FIRST_PAUSE, LONGEST_PAUSE))
    result: dict[str, object] = (
        {"sent_at": now, "error": None}
        if error is None
        else {"error": f"{type(error).__name__}: {error}"[:300], "next_try_at": now + pause}
    )
    if mail.key.startswith(LAST_MAIL) and (error is None or now - mail.created_at > LAST_MAIL_TRIED_FOR):
        # A server's refusal may quote the address: it is not kept either.
        result = {"sent_at": now, "error": None if error is None else "given up", **NOTHING_KEPT}
    with transaction(url) as session:
        noted = update(OutgoingMail).where(OutgoingMail.id == mail.id).values(**result)
        session.execute(noted.execution_options(synchronize_session=False))


def _compose(mail: OutgoingMail, sender: str, home: Path) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, mail.recipient, mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office replies
    message.set_content(mail.body, cte="quoted-printable")  # passes through servers that know ASCII only
    for path in mail.attachments:
        _attach(message, home, path)
    return message


def _attach(message: EmailMessage, home: Path, path: str) -> None:
    file = (home / path).resolve()
    if not file.is_relative_to(home.resolve()):
        raise MailError(f"The attachment {path} is not below {home}.")
    main, _, sub = (mimetypes.guess_type(file.name)[0] or "application/octet-stream").partition("/")
    message.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)


def _name(mail: OutgoingMail) -> str:
    return f"{mail.created_at:%Y%m%dT%H%M%S%fZ}-{mail.id:08d}"
