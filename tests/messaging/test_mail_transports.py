from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from database import transaction
from messaging.mail import EmlFolder, MailError, Round, ServerUnreachable, Smtp, deliver_due, enqueue, transport_from
from messaging.mail_transports import parse_smtp_url
from messaging.models import OutgoingMail


class Sink:
    """Keeps what arrives; refuses mail to "full@"."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if address.startswith("full@"):
            return "552 mailbox is full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def running(sink: Sink, **options: Any) -> Iterator[Controller]:
    controller = Controller(sink, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def server(sink: Sink) -> Iterator[Controller]:
    yield from running(sink)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    file = tmp_path / "server.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([*made, *subject, "-keyout", f"{file}.key", "-out", str(file)], check=True, capture_output=True)
    return file


@pytest.fixture
def tls_server(sink: Sink, certificate: Path) -> Iterator[Controller]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, f"{certificate}.key")

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.login == b"shop@example.com" and data.password == b"p@ss/word")

    yield from running(sink, tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True)


def put(url: str, now: datetime, key: str, to: str) -> None:
    with transaction(url) as session:
        enqueue(session, key, to, "Tu código", "Hola, Íñigo\n", now)


def test_smtp_server_gets_the_mail(server: Controller, sink: Sink, database_url: str, now: datetime, tmp_path: Path) -> None:
    put(database_url, now, "code:1", "ana@example.com")
    smtp = parse_smtp_url(f"smtp://127.0.0.1:{server.port}", sender="shop@example.com")
    assert deliver_due(database_url, smtp, now, tmp_path) == Round(sent=1)
    (envelope,) = sink.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@example.com", ["ana@example.com"])
    message = message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[arg-type]
    assert (message["Subject"], message.get_content()) == ("Tu código", "Hola, Íñigo\r\n")


def test_refused_recipient_fails_alone(server: Controller, sink: Sink, database_url: str, now: datetime, tmp_path: Path) -> None:
    put(database_url, now, "code:1", "full@example.com")
    put(database_url, now, "code:2", "ana@example.com")
    smtp = parse_smtp_url(f"smtp://127.0.0.1:{server.port}", sender="shop@example.com")
    assert deliver_due(database_url, smtp, now, tmp_path) == Round(sent=1, failed=1)
    with transaction(database_url) as session:
        assert "mailbox is full" in session.get(OutgoingMail, 1).error
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["ana@example.com"]]


def test_login_goes_through_starttls(tls_server: Controller, certificate: Path, sink: Sink) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    smtp = Smtp("127.0.0.1", tls_server.port, "shop@example.com", "p@ss/word", True, "shop@example.com", context=context)
    smtp.send(_message(), "name")
    assert len(sink.envelopes) == 1


def test_untrusted_certificate_is_refused(tls_server: Controller, sink: Sink) -> None:
    smtp = Smtp("127.0.0.1", tls_server.port, "shop@example.com", "p@ss/word", True, "shop@example.com")
    with pytest.raises(ServerUnreachable, match="certificate"):
        smtp.send(_message(), "name")
    assert sink.envelopes == []


def test_server_without_starttls_gets_nothing(server: Controller, sink: Sink) -> None:
    smtp = parse_smtp_url(f"smtp://127.0.0.1:{server.port}?starttls", sender="shop@example.com")
    with pytest.raises(ServerUnreachable, match="STARTTLS"):
        smtp.send(_message(), "name")
    assert sink.envelopes == []


def test_server_that_is_down_is_unreachable() -> None:
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1"):
        parse_smtp_url(f"smtp://127.0.0.1:{free_port()}", sender="shop@example.com").send(_message(), "name")


def test_url_is_read_with_percent_encoding() -> None:
    smtp = parse_smtp_url("smtp://shop%40example.com:p%40ss%2Fword@mail.example.com?starttls")
    assert smtp == Smtp("mail.example.com", 587, "shop@example.com", "p@ss/word", True, "shop@example.com")
    assert parse_smtp_url("smtps://shop%40example.com:x@mail.example.com").port == 465


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://mail.example.com", "must look like"),
        ("smtp://", "must look like"),
        ("smtp://u:hunter2@host:abc?starttls", "port"),
        ("smtp://u:hunter2@mail.example.com?starttls", "TENDERO_MAIL_FROM"),
        ("smtp://u%40e.com:hunter2@mail.example.com", "in clear"),
    ],
)
def test_wrong_url_is_explained_without_the_password(url: str, says: str) -> None:
    with pytest.raises(MailError, match=says) as caught:
        parse_smtp_url(url)
    assert "hunter2" not in str(caught.value)


def test_password_is_not_in_the_repr() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtps://u%40e.com:hunter2@mail.example.com"))


def test_without_a_url_mail_goes_to_the_outbox_folder(tmp_path: Path) -> None:
    assert transport_from({}, tmp_path) == EmlFolder(tmp_path / "outbox")
    environ = {"TENDERO_SMTP_URL": "smtp://localhost:2525", "TENDERO_MAIL_FROM": "shop@example.com"}
    assert transport_from(environ, tmp_path) == Smtp("localhost", 2525, None, None, False, "shop@example.com")


def test_half_written_eml_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("messaging.mail_transports.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        EmlFolder(tmp_path).send(_message(), "name")
    assert list(tmp_path.iterdir()) == []


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", "ana@example.com", "Hi"
    message.set_content("Hello")
    return message
