"""The ways out for mail: a folder of .eml files, or an SMTP server."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

SMTP_SECONDS = 20.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailError(Exception):
    """A mail, or the way to send it, is not as it must be; the message says what.

    +-- ServerUnreachable   no mail of this round can be sent
    """


class ServerUnreachable(MailError):
    """The mail server does not answer, or turns us away before any mail."""


class Transport(Protocol):
    """A way out for mail. `sender` is the From address."""

    @property
    def sender(self) -> str: ...

    def send(self, message: EmailMessage, name: str) -> None:
        """Send, or raise. name: of the mail, sortable by time; the same for each try of one mail."""


@dataclass(frozen=True)
class EmlFolder:
    """Writes each mail as a file ``<time>-<number>.eml`` (RFC 5322), whole or not at all."""

    folder: Path
    sender: str = "shop@localhost"

    def send(self, message: EmailMessage, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}.{os.getpid()}.draft"
        try:
            with draft.open("wb") as file:
                file.write(message.as_bytes(policy=policy.SMTP))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.folder / f"{name}.eml")
        finally:
            draft.unlink(missing_ok=True)


@dataclass(frozen=True)
class Smtp:
    """Hands each mail to an SMTP server. With `starttls` nothing is said in clear but the greeting."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    starttls: bool
    sender: str
    implicit_tls: bool = False  # smtps://
    context: ssl.SSLContext | None = field(default=None, repr=False)  # None: the system's certificates

    def send(self, message: EmailMessage, name: str) -> None:
        with self._connection() as server:
            server.send_message(message)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        try:
            server = self._greet()
        except (OSError, smtplib.SMTPException) as error:
            raise ServerUnreachable(f"{self.host}:{self.port}: {error}") from error
        try:
            yield server
        finally:
            # The mail is accepted or refused by now: a server that is rude at the end changes neither.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _greet(self) -> smtplib.SMTP:
        context = self.context or ssl.create_default_context()
        server: smtplib.SMTP = (
            smtplib.SMTP_SSL(self.host, self.port, timeout=SMTP_SECONDS, context=context)
            if self.implicit_tls
            else smtplib.SMTP(self.host, self.port, timeout=SMTP_SECONDS)
        )
        try:
            if self.starttls:
                server.starttls(context=context)
            if self.user and self.password is not None:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def transport_from(environ: Mapping[str, str], home: Path) -> Smtp | EmlFolder:
    """``TENDERO_SMTP_URL``'s server, or without it the folder ``<home>/outbox``. ``TENDERO_MAIL_FROM`` is the sender."""
    sender = environ.get("TENDERO_MAIL_FROM")
    if url := environ.get("TENDERO_SMTP_URL"):
        return parse_smtp_url(url, sender)
    return EmlFolder(home / "outbox", sender or EmlFolder.sender)


def parse_smtp_url(url: str, sender: str | None = None) -> Smtp:
    """``smtp://user:password@host:587?starttls`` or ``smtps://...:465``; special signs percent-encoded.

    sender: the From address; without it, the user if that is an address. Raises MailError, which never shows the password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise MailError("TENDERO_SMTP_URL: the port is no number.") from error
    if parts.scheme not in ("smtp", "smtps") or not host:
        raise MailError("TENDERO_SMTP_URL must look like smtp://user:password@host:587?starttls")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password is not None else None
    tls, starttls = parts.scheme == "smtps", "starttls" in parse_qs(parts.query, keep_blank_values=True)
    sender = sender or (user if user and "@" in user else None)
    if sender is None:
        raise MailError("TENDERO_MAIL_FROM must name the sender of mail: the user in TENDERO_SMTP_URL is no address.")
    if password is not None and not (tls or starttls or host in LOOPBACK):
        raise MailError("TENDERO_SMTP_URL would send the password in clear: add ?starttls, or use smtps://")
    return Smtp(host, port or (465 if tls else 587), user, password, starttls and not tls, sender, tls)
