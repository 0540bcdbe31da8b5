"""A shopper who says the same thing again gets an answer again: at every question of every form, in each language."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sources import read
from tests.conversations.runner import Played
from tests.conversations.stage import Stage

WHO = {"en": "emma@example.com", "es": "ana@example.com"}
MOST_QUESTIONS = 6
REQUESTS = {
    "track_order_form": {"en": "where is my order", "es": "¿dónde está mi pedido?"},
    "list_orders_form": {"en": "show me my orders", "es": "quiero ver mis pedidos"},
    "cancel_order_form": {"en": "i want to cancel my order", "es": "quiero cancelar mi pedido"},
    "change_order_form": {"en": "i want to change the size in my order", "es": "quiero cambiar la talla en mi pedido"},
    "change_address_form": {"en": "change the delivery address of my order", "es": "quiero cambiar la dirección de entrega"},
    "change_payment_form": {"en": "i want to pay my order another way", "es": "quiero cambiar la forma de pago de mi pedido"},
    "return_request_form": {"en": "i want to return something", "es": "quiero devolver algo"},
    "exchange_request_form": {"en": "i want to exchange something for another size", "es": "quiero cambiar algo por otra talla"},
    "problem_report_form": {"en": "my package arrived damaged", "es": "mi paquete llegó dañado"},
    "refund_status_form": {"en": "where is my refund", "es": "¿dónde está mi reembolso?"},
    "check_points_form": {"en": "how many points do i have", "es": "¿cuántos puntos tengo?"},
    "redeem_points_form": {"en": "i want to redeem my points", "es": "quiero canjear mis puntos"},
    "dispute_points_form": {"en": "i am missing points from a purchase", "es": "me faltan puntos de una compra"},
    "invoice_form": {"en": "i need an invoice", "es": "necesito una factura"},
    "payment_issue_form": {"en": "my payment was declined", "es": "me rechazaron el pago"},
    "data_export_form": {"en": "i want a copy of my data", "es": "quiero una copia de mis datos"},
    "data_erasure_form": {"en": "delete my data", "es": "borren mis datos"},
    "newsletter_form": {"en": "send me your newsletter", "es": "quiero suscribirme al boletín"},
}


def test_every_form_has_its_request() -> None:
    assert REQUESTS.keys() == read("domain.yml")["forms"].keys()


@pytest.mark.parametrize("language", WHO)
@pytest.mark.parametrize("form", REQUESTS)
def test_a_request_that_is_said_twice_is_answered_twice_at_every_question(stage: Stage, form: str, language: str) -> None:
    request, sender = REQUESTS[form][language], stage.begin({})
    answers = [request, WHO[language], "{code}"] if form != "newsletter_form" else [request, WHO[language]]
    for answer in answers:
        played = answered(stage, sender, answer)
        assert form in played.actions or answer != request, f"{request!r} does not begin {form}"
        played = twice(stage, sender, request, played)
    for _ in range(MOST_QUESTIONS):
        choice = to_go_on(played)
        if choice is None or form not in played.actions:
            break
        played = twice(stage, sender, request, answered(stage, sender, choice))


def twice(stage: Stage, sender: str, request: str, before: Played) -> Played:
    """The same request two times; what was shown last."""
    shown = before
    for _ in range(2):
        shown = answered(stage, sender, request)
    return shown


def answered(stage: Stage, sender: str, text: str) -> Played:
    """A turn that says something, by a few actions, and without a failure."""
    played = stage.say(sender, text)
    assert played.words.strip(), f"silence after {text!r}: {played.actions}"
    assert "action_default_fallback" not in played.actions, text
    assert len(played.actions) <= 4, f"{text!r} runs in a circle: {played.actions}"
    return played


def to_go_on(played: Played) -> str | None:
    """The payload of the first button; of the second where the first one would do what a summary says."""
    buttons: list[dict[str, Any]] = [button for reply in played.replies for button in reply.get("buttons") or []]
    if not buttons:
        return None
    is_summary = "confirmation:" in buttons[0]["payload"] and len(buttons) > 1
    return str(buttons[is_summary]["payload"])
