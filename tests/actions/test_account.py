"""The shopper's own data, asked for in the chat: consent that is written down, an export that is mailed, a real erasure."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select, text

from actions.account import ActionEraseData, ActionExportData, DataErasureForm, DataExportForm
from actions.newsletter import ActionSubscribeNewsletter, ActionUnsubscribeNewsletter, NewsletterForm
from commerce import privacy, proposals
from commerce.models import Customer
from database import transaction
from messaging import identities, mail
from messaging.models import ChannelIdentity, Consent, OutgoingMail
from tests.databases import sqlite_with_tables

ANA = "ana@example.com"
SENDER, OTHER = "web-1", "whatsapp-2"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    monkeypatch.delenv("TENDERO_SMTP_URL", raising=False)
    monkeypatch.setenv("TENDERO_DATA", str(Path(__file__).parents[2] / "data"))
    sqlite_with_tables(tmp_path / "tendero.db")
    return tmp_path


@pytest.fixture
def ana() -> int:
    """The id of a customer with two conversations, whose words Rasa has stored, and a mail on the way."""
    at = datetime.now(timezone.utc)
    with transaction() as session:
        customer = Customer(
            number="C-1", name="Ana García", email=ANA, country="MX", language="es", currency="MXN", created_at=at
        )
        session.add(customer)
        session.flush()
        for sender in (SENDER, OTHER):
            identities.prove_identity(session, "test", sender, customer.id, at)
        mail.enqueue(session, "invoice:1", ANA, "Your invoice", "Dear Ana", at)
        columns = "id INTEGER PRIMARY KEY, sender_id TEXT, type_name TEXT, timestamp FLOAT, data TEXT"
        session.execute(text(f"CREATE TABLE events ({columns})"))
        for sender in (SENDER, OTHER, "web-of-eva"):
            said = {"sender": sender, "data": json.dumps({"text": f"I am {sender}"})}
            session.execute(text("INSERT INTO events VALUES (NULL, :sender, 'user', 1.0, :data)"), said)
        found: int = customer.id
    return found


def played(
    action: Any, intent: str, entities: list[dict[str, Any]] | None = None, said: str = "", **slots: Any
) -> list[dict[str, Any]]:
    """What the action returns for a message of this intent."""
    message = {"intent": {"name": intent, "confidence": 1.0}, "text": said, "entities": entities or []}
    heard = [{"event": "action", "name": "action_listen"}, {"event": "user", "input_channel": "test"}]
    known = {"language": "en", **slots}
    tracker = Tracker(SENDER, known, message, heard, False, None, {}, "action_listen")
    events: list[dict[str, Any]] = action.run(CollectingDispatcher(), tracker, {})
    return events


def consents() -> list[tuple[str | None, int | None, bool, str]]:
    with transaction() as session:
        rows = session.execute(select(Consent).order_by(Consent.id)).scalars()
        return [(row.contact, row.customer_id, row.granted, row.source) for row in rows]


def mails(home: Path) -> list[EmailMessage]:
    files = sorted((home / "outbox").glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]  # type: ignore[misc]


def test_newsletter_is_written_down_as_consent_of_the_customer_only_after_a_yes(ana: int) -> None:
    known = {"current_task": NewsletterForm.form, "newsletter_address": ANA, "code": "-"}
    played(ActionSubscribeNewsletter(), "deny", confirmation="no", **known)
    assert consents() == []
    played(ActionSubscribeNewsletter(), "affirm", confirmation="yes", **known)
    assert consents() == [(ANA, ana, True, "chat:test")]


def test_a_stray_word_takes_nobody_off_the_list(ana: int) -> None:
    played(ActionUnsubscribeNewsletter(), "unsubscribe_newsletter", said="mails")
    played(ActionUnsubscribeNewsletter(), "unsubscribe_newsletter", said="no more")
    assert consents() == []
    played(ActionUnsubscribeNewsletter(), "unsubscribe_newsletter", said="no more emails please")
    assert consents() == [(ANA, ana, False, "chat:test")]


def test_another_address_than_ones_own_is_written_down_without_the_customer(ana: int) -> None:
    lucy = [{"entity": "email", "value": "Lucy@Example.com"}]
    played(ActionUnsubscribeNewsletter(), "unsubscribe_newsletter", lucy, said="take Lucy@Example.com off the mailing list")
    assert consents() == [("lucy@example.com", None, False, "chat:test")]


def test_a_stranger_who_wants_no_newsletter_is_asked_for_the_address() -> None:
    events = played(ActionUnsubscribeNewsletter(), "unsubscribe_newsletter", said="unsubscribe me from the newsletter")
    assert consents() == []
    assert {"event": "slot", "timestamp": None, "name": "newsletter_wish", "value": "unsubscribe_newsletter"} in events


def test_export_is_mailed_as_a_file_with_shop_conversations_and_words(home: Path, ana: int) -> None:
    played(ActionExportData(), "export_my_data", current_task=DataExportForm.form)
    (message,) = [each for each in mails(home) if list(each.iter_attachments())]
    (part,) = message.iter_attachments()
    everything = json.loads(part.get_content())
    assert message["To"] == ANA
    assert everything["shop"]["customer"]["email"] == ANA
    assert [each["text"] for each in everything["said"]] == [f"I am {SENDER}", f"I am {OTHER}"]


def confirmed(ana: int) -> str:
    """A proposal to erase, as the summary shows it."""
    with transaction() as session:
        now = datetime.now(timezone.utc)
        offer = proposals.propose(session, privacy.EraseCustomer(), ana, SENDER, {}, now)
        assert isinstance(offer, proposals.Offer)
        return offer.proposal_id


def erase(ana: int) -> list[dict[str, Any]]:
    return played(ActionEraseData(), "affirm", current_task=DataErasureForm.form, confirmation=confirmed(ana))


def test_erasing_leaves_no_name_and_no_word_of_any_conversation(ana: int) -> None:
    erase(ana)
    with transaction() as session:
        customer = session.get(Customer, ana)
        assert (customer.name, customer.email) == ("", None)
        assert session.execute(select(ChannelIdentity)).all() == []
        assert session.execute(text("SELECT sender_id FROM events")).scalars().all() == ["web-of-eva"]


def test_erasing_tells_the_tracker_store_to_forget_the_conversation_that_is_going_on(ana: int) -> None:
    assert [(event["name"], event["value"]) for event in erase(ana)] == [("forget_conversation", True)]


def test_erasing_removes_exports_and_saved_mail_and_sends_one_last_mail(home: Path, ana: int) -> None:
    played(ActionExportData(), "export_my_data", current_task=DataExportForm.form)
    assert len(mails(home)) == 2
    erase(ana)
    assert list((home / "exports").iterdir()) == []
    (last,) = mails(home)
    assert (last["To"], last["Subject"]) == (ANA, "We deleted your data")


def test_after_the_last_mail_the_address_is_in_no_row(ana: int) -> None:
    erase(ana)
    with transaction() as session:
        rows = session.execute(select(OutgoingMail)).scalars().all()
        assert [(row.key, row.recipient, row.body, row.sent_at is not None) for row in rows] == [("last:C-1", "erased", "", True)]


def test_no_to_erasing_keeps_everything(home: Path, ana: int) -> None:
    played(ActionEraseData(), "deny", current_task=DataErasureForm.form, confirmation="no")
    with transaction() as session:
        assert session.get(Customer, ana).email == ANA
        assert len(session.execute(text("SELECT sender_id FROM events")).all()) == 3
