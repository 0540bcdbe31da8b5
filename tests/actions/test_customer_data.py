"""Export and erasure reach the shop, the conversations, Rasa's trackers and the files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from actions import customer_data
from commerce.models import Customer, Order
from commerce.proposals import Refusal
from messaging.mail import EmlFolder, deliver_due, enqueue
from messaging.models import ChannelIdentity, WebVisitor

KEY = b"k" * 32


@pytest.fixture
def ana(session: Session, now: datetime) -> Customer:
    """A customer with a conversation in Rasa's tracker store; a stranger has another."""
    ana = Customer(
        number="C-1", name="Ana García", email="ana@example.com", phone="+525555010001",
        language="es", country="MX", currency="MXN", created_at=now,
    )  # fmt: skip
    session.add(ana)
    session.flush()
    session.add(
        ChannelIdentity(
            channel="webchat", sender_id="web-1", customer_id=ana.id, level="proven", verified_at=now, expires_at=None
        )
    )
    session.execute(
        text("CREATE TABLE events (id INTEGER PRIMARY KEY, sender_id TEXT, type_name TEXT, timestamp FLOAT, data TEXT)")
    )
    for sender, said in (("web-1", "soy Ana"), ("web-2", "soy otra persona")):
        row = {"sender": sender, "data": json.dumps({"text": said})}
        session.execute(
            text("INSERT INTO events (sender_id, type_name, timestamp, data) VALUES (:sender, 'user', 1, :data)"), row
        )
    return ana


@pytest.mark.parametrize("who", ["ana@example.com", "ANA@example.com", "+525555010001", "C-1", "c-1"])
def test_customer_is_found_by_any_of_their_names(session: Session, ana: Customer, who: str) -> None:
    found = customer_data.find(session, who)
    assert found is not None
    assert found.id == ana.id


def test_unknown_customer_is_not_found(session: Session, ana: Customer) -> None:
    assert customer_data.find(session, "eva@example.com") is None


def test_export_has_what_was_said_and_nobody_elses_words(session: Session, ana: Customer) -> None:
    found = customer_data.find(session, "C-1")
    assert found is not None
    everything = customer_data.export(session, found)
    assert everything["shop"]["customer"]["email"] == "ana@example.com"
    assert everything["said"] == [{"conversation": "web-1", "by": "shopper", "text": "soy Ana", "at": 1.0}]


def test_web_chat_that_the_shop_signed_in_is_exported_and_erased(session: Session, ana: Customer, now: datetime) -> None:
    session.add(WebVisitor(sender_id="web-2", customer="C-1", customer_until=now, rotated_at=now, created_at=now, seen_at=now))
    session.flush()
    found = customer_data.find(session, "C-1")
    assert found is not None
    everything = customer_data.export(session, found)
    assert [each["text"] for each in everything["said"]] == ["soy Ana", "soy otra persona"]
    assert [each["sender_id"] for each in everything["conversations"]["web_visitors"]] == ["web-2"]
    customer_data.erase(session, found, now, KEY)
    assert session.execute(text("SELECT count(*) FROM events")).scalar_one() == 0
    assert session.execute(text("SELECT count(*) FROM web_visitor")).scalar_one() == 0


def test_erasure_forgets_trackers_of_the_customer_only(session: Session, ana: Customer, now: datetime) -> None:
    found = customer_data.find(session, "C-1")
    assert found is not None
    erased = customer_data.erase(session, found, now, KEY)
    assert isinstance(erased, customer_data.Erased)
    assert list(session.execute(text("SELECT sender_id FROM events")).scalars()) == ["web-2"]
    assert customer_data.find(session, "ana@example.com") is None


@pytest.mark.parametrize(
    "said",
    [
        "suscribe ana@example.com al boletín",
        "subscribe ANA@Example.com, please",
        "mi correo es ana arroba example punto com",
        "llámame al +52 55 5501 0001",
        "my phone is 55-5501-0001",
        "mi whats es 525555010001",
    ],
)
def test_erasure_forgets_what_was_written_where_nobody_proved_anything(
    session: Session, ana: Customer, now: datetime, said: str
) -> None:
    _said_by(session, "web-3", said)
    _said_by(session, "web-4", "suscribe mariana@example.com.mx al boletín, o llama al 55 5501 0002")
    found = customer_data.find(session, "C-1")
    assert found is not None
    customer_data.erase(session, found, now, KEY)
    assert list(session.execute(text("SELECT DISTINCT sender_id FROM events ORDER BY 1")).scalars()) == ["web-2", "web-4"]


def test_erasure_takes_the_contacts_out_of_the_conversations_of_others(session: Session, ana: Customer, now: datetime) -> None:
    session.add(
        ChannelIdentity(channel="webchat", sender_id="web-2", customer_id=99, level="proven", verified_at=now, expires_at=None)
    )
    session.flush()
    _said_by(session, "web-2", "mi amiga es Ana@example.com, su número es 55 5501 0001 y yo quiero mi pedido 10202")
    _said_by(session, "web-2", "otra vez: ana arroba example punto com")
    found = customer_data.find(session, "C-1")
    assert found is not None
    customer_data.erase(session, found, now, KEY)
    left = [json.loads(data)["text"] for data in session.execute(text("SELECT data FROM events ORDER BY id")).scalars()]
    assert left == [
        "soy otra persona",
        "mi amiga es [erased], su número es [erased] y yo quiero mi pedido 10202",
        "[erased]",
    ]


def _said_by(session: Session, sender: str, said: str) -> None:
    data = json.dumps({"text": said, "parse_data": {"text": said, "entities": [{"entity": "phone", "value": "x"}]}})
    row = {"sender": sender, "data": data}
    session.execute(text("INSERT INTO events (sender_id, type_name, timestamp, data) VALUES (:sender, 'user', 2, :data)"), row)


def test_erasure_is_refused_while_an_order_needs_the_customer(session: Session, ana: Customer, now: datetime) -> None:
    address = {"recipient": "Ana García", "line1": "Calle 1", "city": "CDMX", "country": "MX"}
    session.add(
        Order(
            number="10001", customer_id=ana.id, email=ana.email, status="paid", currency="MXN", placed_at=now,
            shipping_minor=0, discount_minor=0, total_minor=0, shipping_address=address,
        )
    )  # fmt: skip
    session.flush()
    found = customer_data.find(session, "C-1")
    assert found is not None
    assert isinstance(customer_data.erase(session, found, now, KEY), Refusal)
    assert len(list(session.execute(text("SELECT id FROM events")))) == 2


def test_files_of_the_customer_are_erased_and_those_of_others_kept(database_url: str, tmp_path: Path, now: datetime) -> None:
    from database import transaction

    home = tmp_path / "home"

    with transaction(database_url) as session:
        for number, recipient in enumerate(("ana@example.com", "eva@example.com")):
            enqueue(session, f"k{number}", recipient, "Hola", "Texto", now)
    deliver_due(database_url, EmlFolder(home / "outbox"), now, home)
    for name in ("labels/RMA-1.pdf", "labels/RMA-2.pdf", "exports/C-1-2026.json", "exports/C-11-2026.json"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    erased = customer_data.Erased("C-1", ("ana@example.com",), ("labels/RMA-1.pdf", "../outside"), 1)
    assert customer_data.erase_files(home, erased) == 3
    left = sorted(file.name for file in home.rglob("*") if file.suffix in (".pdf", ".json"))
    assert left == ["C-11-2026.json", "RMA-2.pdf"]
