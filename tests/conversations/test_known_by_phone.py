"""Who writes from a number on file is known without being asked; nobody else learns or does anything by it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from sqlalchemy import update

from commerce.models import Customer
from database import transaction
from messaging.models import ChannelContact
from tests.conversations.stage import Stage

ASKS = {"es": "¿con qué correo o teléfono", "en": "which e-mail or phone"}
CASES = [
    ("es", "ana@example.com", "+525555010001", "¿dónde está mi pedido 10202?", "10202"),
    ("en", "emma@example.com", "+12025550101", "where is my order 10232?", "10232"),
]
everywhere = pytest.mark.parametrize(("language", "email", "phone", "question", "number"), CASES)


def set_phone(sender: str, phone: str | None) -> None:
    with transaction() as session:
        session.execute(update(ChannelContact).where(ChannelContact.sender_id == sender).values(phone=phone))


def add_customer(phone: str, **values: Any) -> None:
    with transaction() as session:
        spoken = {"language": "es", "country": "MX", "currency": "MXN", "created_at": datetime.now(timezone.utc), **values}
        session.add(Customer(number="C-99999", name="Somebody Else", phone=phone, **spoken))


@everywhere
def test_number_on_file_is_known_without_asking(
    stage: Stage, language: str, email: str, phone: str, question: str, number: str
) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": phone})
    played = stage.say(sender, question)
    assert played.actions[-1] == "action_track_order"
    assert number in played.words


@everywhere
def test_number_that_has_moved_shows_nothing_any_more(
    stage: Stage, language: str, email: str, phone: str, question: str, number: str
) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": phone})
    stage.say(sender, question)
    set_phone(sender, None)
    played = stage.say(sender, question)
    assert ASKS[language] in played.words
    assert "action_track_order" not in played.actions


def test_number_that_moves_in_the_middle_of_a_task_ends_it(stage: Stage) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+525555010001"})
    stage.say(sender, "quiero devolver la camisa azul del 10201")
    set_phone(sender, None)
    played = stage.say(sender, "me queda chica")
    assert ASKS["es"] in played.words
    assert "camisa" not in played.words.lower()


@everywhere
def test_number_of_two_customers_makes_neither_known(
    stage: Stage, language: str, email: str, phone: str, question: str, number: str
) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+525555010001"})
    add_customer("+5215555010001")
    played = stage.say(sender, CASES[0][3] if language == "es" else "where is my order 10202?")
    assert ASKS[language] in played.words


@pytest.mark.parametrize(
    ("leaving", "question"), [("no soy Ana", CASES[0][3]), ("I'm not Ana, log me out", "where is my order 10202?")]
)
def test_who_signed_out_is_asked_and_known_again_by_the_number_they_name(stage: Stage, leaving: str, question: str) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+525555010001"})
    stage.say(sender, question)
    assert "action_sign_out" in stage.say(sender, leaving).actions
    assert "action_track_order" not in stage.say(sender, question).actions
    again = stage.say(sender, "+52 1 55 5501 0001")
    assert again.actions[-1] == "action_track_order"
    assert "10202" in again.words


def test_somebody_elses_number_makes_nobody_known(stage: Stage) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+34699999999"})
    stage.say(sender, CASES[0][3])
    played = stage.say(sender, "+52 55 5501 0001")
    assert "action_track_order" not in played.actions  # a code went to its owner


def test_customer_who_registers_later_is_known(stage: Stage) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+525599990000"})
    assert ASKS["es"] in stage.say(sender, "quiero ver mis puntos").words
    stage.say(sender, "olvídalo")
    add_customer("+525599990000")
    assert "action_tell_points" in stage.say(sender, "quiero ver mis puntos").actions


def test_what_needs_proof_still_needs_a_code(stage: Stage) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+525555010001"})
    played = stage.say(sender, "quiero canjear 500 puntos")
    assert "a***@example.com" in played.words


def test_order_of_somebody_else_is_not_found(stage: Stage) -> None:
    sender = stage.begin({"channel": "whatsapp", "phone": "+525555010001"})
    played = stage.say(sender, "¿dónde está mi pedido 10232?")
    assert "action_track_order" not in played.actions
    assert "No encuentro" in played.words or "no encontré" in played.words.lower()
