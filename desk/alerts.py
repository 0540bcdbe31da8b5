"""Word of a promise that is about to be broken, or is: by mail, and to the shop's own system by webhook.

Written down in the transaction that notes the warning, sent afterwards, kept until it is taken. Where it goes, the environment
alone says: TENDERO_DESK_ALERTS_TO (addresses, with commas), TENDERO_DESK_WEBHOOK_URL, TENDERO_DESK_WEBHOOK_SECRET.

    AlertsError    the environment names no such place; the message says which variable, never its secret

A webhook's body is JSON without a word of the shopper's, signed (`desk.signature`). Anything but an answer from 200 to 299 is
tried again.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from database import transaction
from desk.models import OutgoingAlert
from desk.signature import signed_headers
from messaging import mail
from messaging.kept import kept
from messaging.labels import DEFAULT_LANGUAGE, data_folder
from messaging.mail_texts import MailTexts, load_mail_texts
from messaging.pauses import doubling
from messaging.writes import insert_once

PATIENCE = httpx.Timeout(10.0, connect=5.0)
LEASE = timedelta(minutes=1)  # of an alert that is being sent; if the process dies, another tries after it
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3600.0  # seconds
GIVE_UP_AFTER = timedelta(days=1)  # a warning of yesterday is no news
SHORTEST_SECRET = 16  # characters
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
KEPT = timedelta(days=30)  # once it is sent or given up
MOST_AT_ONCE = 50
MOST_IN_A_MAIL = 30  # lines


class AlertsError(Exception):
    """The environment names no place to which word can go."""


@dataclass(frozen=True)
class Webhook:
    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Alerts:
    """Where word goes. language: of the mail."""

    recipients: Sequence[str] = ()
    webhook: Webhook | None = None
    language: str = DEFAULT_LANGUAGE
    shop: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Alerts:
        """Raises AlertsError."""
        said = environ.get("TENDERO_DESK_ALERTS_TO", "")
        recipients = tuple(address.strip() for address in said.split(",") if address.strip())
        if wrong := [each for each in recipients if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", each)]:
            raise AlertsError(f"TENDERO_DESK_ALERTS_TO: {wrong[0]} is no e-mail address; several go with commas between them.")
        language = environ.get("TENDERO_LANGUAGE", DEFAULT_LANGUAGE)
        return cls(recipients, _webhook(environ), language, environ.get("TENDERO_SHOP_NAME", "Mercado Aurora"))


def _webhook(environ: Mapping[str, str]) -> Webhook | None:
    url, secret = environ.get("TENDERO_DESK_WEBHOOK_URL"), environ.get("TENDERO_DESK_WEBHOOK_SECRET", "")
    if not url:
        return None
    if not _is_safe(url):
        raise AlertsError("TENDERO_DESK_WEBHOOK_URL must be an https:// address, without a name and password in it.")
    if len(secret) < SHORTEST_SECRET:
        raise AlertsError(f"TENDERO_DESK_WEBHOOK_SECRET must have {SHORTEST_SECRET} characters or more: what we send is signed.")
    return Webhook(url, secret)


def _is_safe(url: str) -> bool:
    """https, or http on this machine; never an address that only machines of a cloud have (169.254.169.254 and the like)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    try:
        is_link_local = ipaddress.ip_address(host).is_link_local
    except ValueError:
        is_link_local = False
    is_private = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return bool(host) and is_private and not is_link_local and "@" not in parts.netloc


def tell(session: Session, alerts: Alerts, told: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Have word sent of these; what was told before (by its "key") is not told again.

    told: [{"key", "kind": "warned" | "breached", "handoff", "level", "due_at", "queue", "assignee", ...}].
    """
    if not told:
        return
    if alerts.webhook is not None:
        for each in told:
            body = {name: value for name, value in each.items() if name != "key"}
            insert_once(
                session, OutgoingAlert, {"key": each["key"], "body": body, "created_at": now, "next_try_at": now, "tries": 0}
            )
    if alerts.recipients:
        lines = [_line(each) for each in told[:MOST_IN_A_MAIL]] + (["…"] if len(told) > MOST_IN_A_MAIL else [])
        text = _texts().render(alerts.language, "desk_alert", shop=alerts.shop, count=len(told), conversations="\n".join(lines))
        for number, recipient in enumerate(alerts.recipients):
            key = f"desk:{hashlib.sha256(told[0]['key'].encode()).hexdigest()[:32]}:{number}"
            mail.enqueue(session, key, recipient, text.subject, text.body, now)


def _line(told: Mapping[str, Any]) -> str:
    sign = "!!" if told["kind"] == "breached" else "!"
    return f"{sign:2} #{told['handoff']}  {told['level']}  {told['due_at'][:16]}Z  {told['queue']}  {told['assignee'] or '-'}"


@kept
def _texts() -> MailTexts:
    return load_mail_texts(data_folder() / "mail")


def deliver_due(url: str | None, webhook: Webhook, client: httpx.Client, clock: Callable[[], datetime]) -> int:
    """Send what is due to the webhook, oldest first, each in transactions of its own: how many were taken.

    client: follows no redirects. clock: asked for each one, since signatures grow old while a receiver is slow. One that is
    refused comes again after a pause that doubles, for a day.
    """
    taken = 0
    for _ in range(MOST_AT_ONCE):
        now = clock()
        alert = _take_due(url, now)
        if alert is None:
            break
        error = _sent(alert, webhook, client, now)
        _note(url, alert, now, error)
        taken += error is None
    return taken


def _take_due(url: str | None, now: datetime) -> OutgoingAlert | None:
    due = (OutgoingAlert.sent_at.is_(None), OutgoingAlert.next_try_at <= now)
    first = select(OutgoingAlert).where(*due).order_by(OutgoingAlert.next_try_at, OutgoingAlert.id).limit(1)
    while True:
        with transaction(url, is_optimistic=True) as session:
            alert: OutgoingAlert | None = session.execute(first).scalar_one_or_none()
        if alert is None:
            return None
        untouched = (OutgoingAlert.id == alert.id, OutgoingAlert.tries == alert.tries, OutgoingAlert.sent_at.is_(None))
        ours = update(OutgoingAlert).where(*untouched).values(tries=alert.tries + 1, next_try_at=now + LEASE)
        with transaction(url) as session:
            if session.execute(ours.execution_options(synchronize_session=False)).rowcount:
                return alert


def _sent(alert: OutgoingAlert, webhook: Webhook, client: httpx.Client, now: datetime) -> str | None:
    """Why it was not taken."""
    body = json.dumps({"id": alert.key, **alert.body}, ensure_ascii=False, separators=(",", ":")).encode()
    headers = signed_headers(body, alert.key, webhook.secret, now.timestamp())
    try:
        answer = client.post(webhook.url, content=body, headers=headers, timeout=PATIENCE)
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answer.is_success else f"answered {answer.status_code}"


def _note(url: str | None, alert: OutgoingAlert, now: datetime, error: str | None) -> None:
    pause = timedelta(seconds=doubling(alert.tries + 1, FIRST_PAUSE, LONGEST_PAUSE))
    is_over = error is None or now - alert.created_at > GIVE_UP_AFTER
    values: dict[str, Any] = {"error": error, **({"sent_at": now} if is_over else {"next_try_at": now + pause})}
    with transaction(url) as session:
        noted = update(OutgoingAlert).where(OutgoingAlert.id == alert.id).values(**values)
        session.execute(noted.execution_options(synchronize_session=False))


def purge(session: Session, now: datetime) -> int:
    """Delete what was sent, or given up, a while ago: how many."""
    old = delete(OutgoingAlert).where(OutgoingAlert.sent_at < now - KEPT)
    return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)
