"""The desk's page as an agent sees it, a shop's worth of conversations behind it, and where screenshots go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect

from tests.browser.desk_stand_in import DeskStandIn, ago, ahead
from tests.browser.stand_in import ROOT

WIDE = ViewportSize(width=1440, height=900)  # three panes
SHOTS = Path(os.environ.get("TENDERO_SHOTS", ROOT / "results" / "desk-page"))


class DeskPage:
    def __init__(self, page: Page, desk: DeskStandIn) -> None:
        self.page, self.desk = page, desk
        self.list = page.locator(".pane.list")
        self.rows = self.list.locator(".row")
        self.conversation = page.locator(".pane.conversation")
        self.title = page.locator("#conversation-title")
        self.log = page.get_by_role("log")
        self.entries = self.log.locator(".entry")
        self.last = self.entries.last
        self.known = page.locator(".pane.known")
        self.box = page.locator("textarea.write")
        self.dialog = page.locator("dialog[open]")
        self.toasts = page.locator(".toast")

    def visit(self, place: str = "", **keys: Any) -> DeskPage:
        """The page of who is signed in, connected."""
        self.page.goto(f"{self.desk.url}desk#/{place}", **keys)
        expect(self.page.locator("body[data-link=up]")).to_be_visible()
        return self

    def button(self, name: str, **keys: Any) -> Locator:
        return self.page.get_by_role("button", name=name, **keys)

    def row(self, name: str) -> Locator:
        return self.rows.filter(has=self.page.locator(".row-name", has_text=name))

    def names(self) -> list[str]:
        return self.rows.locator(".row-name").all_text_contents()

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def menu(self, name: str) -> None:
        self.page.locator("header").get_by_role("button", name="Menu", exact=True).click()
        self.page.locator("header .menu:visible").get_by_role("button", name=name).click()

    def shot(self, name: str) -> None:
        """Written for somebody to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"))


def signed_in(context: BrowserContext, desk: DeskStandIn, name: str = "marta") -> DeskPage:
    """A page of this agent's, in a browser that has signed in."""
    context.add_cookies([{"name": "tendero_desk", "value": desk.sign_in_as(name), "url": desk.url}])
    return DeskPage(context.new_page(), desk)


def a_days_work(desk: DeskStandIn) -> None:
    """Conversations as they are on an ordinary morning. Ana's (12) is Marta's, and much is known about it."""
    ana = {"name": "Ana Torres", "number": "C-1001", "tier": "gold"}
    desk.add_item(
        12,
        state="assigned",
        assignee="Marta",
        channel="whatsapp",
        customer=ana,
        shown_name="Ana Torres",
        unread=2,
        awaiting_since=ago(minutes=6),
        last={"by": "shopper", "text": "El zapato izquierdo vino con la suela despegada", "at": ago(minutes=6)},
        sla={"level": "next_reply", "due_at": ahead(minutes=9), "warn_at": ahead(minutes=4), "is_breached": False},
        window={"closes_at": ahead(hours=3, minutes=12), "is_open": True},
        known=known_about_ana(),
        entries=talk_with_ana(desk),
    )
    late = {"level": "first_reply", "due_at": ago(minutes=3), "warn_at": ago(minutes=6), "is_breached": True}
    soon = {"level": "first_reply", "due_at": ahead(minutes=1, seconds=40), "warn_at": ago(seconds=20), "is_breached": False}
    fine = {"level": "first_reply", "due_at": ahead(minutes=8), "warn_at": ahead(minutes=5), "is_breached": False}
    desk.add_item(
        21,
        shown_name="João Pereira",
        language="pt",
        reason="anger",
        sla=late,
        customer={"name": "João Pereira", "number": "C-1044", "tier": "silver"},
        channel="whatsapp",
        awaiting_since=ago(minutes=13),
        last={"by": "shopper", "text": "Já é a terceira vez que escrevo. Cadê meu pedido?", "at": ago(minutes=13)},
        queue="orders",
        topic="track_order",
    )
    desk.add_item(
        22,
        shown_name="Kari Nordmann",
        language="nb",
        reason="misunderstood",
        sla=soon,
        topic="get_invoice",
        queue="orders",
        last={"by": "shopper", "text": "Jeg trenger kvitteringen med firmanavn", "at": ago(minutes=8)},
        awaiting_since=ago(minutes=8),
    )
    desk.add_item(
        23,
        shown_name="",
        language="en",
        reason="asked",
        sla=fine,
        last={"by": "shopper", "text": "agent please", "at": ago(minutes=2)},
        awaiting_since=ago(minutes=2),
        typing=True,
    )
    desk.add_item(24, shown_name="Lucía Fernández de la Vega y Montenegro", reason="failure", sla=fine, unread=1)
    desk.add_item(
        31,
        state="assigned",
        assignee="Marta",
        shown_name="Pedro",
        awaiting_since=None,
        last={"by": "agent", "text": "Te aviso mañana en cuanto llegue.", "at": ago(hours=1)},
        window=None,
    )
    desk.add_item(32, state="snoozed", assignee="Marta", shown_name="Rosa", snoozed_until=ahead(hours=20), awaiting_since=None)
    desk.add_item(33, state="assigned", assignee="Olav", shown_name="Ingrid", language="nb", sla=fine)
    desk.add_item(41, state="resolved", shown_name="Miguel", awaiting_since=None)
    desk.add_item(42, state="given_back", shown_name="Sofía", awaiting_since=None, entries=[desk.entry("shopper", "gracias")])
    desk.canned = [
        {"key": "hello", "title": "Hello", "text": "Hola Ana, soy Marta. Ya vi todo lo que contaste."},
        {"key": "tracking", "title": "Where it is", "text": "Tu pedido A-1001 va en camino con la guía {tracking_number}."},
        {"key": "sorry", "title": "We are sorry", "text": "Perdona la molestia, Ana. Lo arreglamos ahora."},
    ]


def talk_with_ana(desk: DeskStandIn) -> list[dict[str, Any]]:
    on = {"channel": "whatsapp"}
    offered = {
        "kind": "choices",
        "text": "¿Qué pasó con el par?",
        "choices": [{"title": "No me quedó"}, {"title": "Llegó dañado"}],
    }
    picture = {"kind": "picture", "url": "/webhooks/desk/v1/files/shoe.png", "name": "zapato.jpg", "type": "image/jpeg"}
    document = {"kind": "file", "url": "/webhooks/desk/v1/files/ticket.pdf", "name": "ticket.pdf", "type": "application/pdf"}
    return [
        desk.entry("shopper", "Hola, quiero saber cómo va mi pedido A-1001", at=ago(days=2, hours=3), is_other_conversation=True),
        desk.entry(
            "assistant", "Tu pedido A-1001 se entregó el lunes.", at=ago(days=2, hours=3), mark="read", is_other_conversation=True
        ),
        desk.entry("shopper", "Quiero devolver los tenis", at=ago(minutes=24), **on),
        desk.entry("assistant", parts=[offered], at=ago(minutes=24), mark="read", **on),
        desk.entry("shopper", "Llegó dañado", at=ago(minutes=23), **on),
        desk.entry("shopper", at=ago(minutes=22), parts=[picture, document], **on),
        desk.entry(
            "assistant", "Esto lo decide una persona de nuestro equipo. Ya le pasé todo.", at=ago(minutes=22), mark="read", **on
        ),
        desk.entry("event", at=ago(minutes=22), event="opened", details={}),
        desk.entry("event", at=ago(minutes=20), name="Marta", event="assigned", details={}),
        desk.entry("note", "Es clienta gold, ya tuvo un par dañado en mayo.", name="Sara", at=ago(minutes=15), channel=""),
        desk.entry(
            "agent", "Hola Ana, soy Marta. Gracias por la foto, ya la vi.", name="Marta", at=ago(minutes=10), mark="read", **on
        ),
        desk.entry("agent", "¿Prefieres el reembolso o un par nuevo?", name="Marta", at=ago(minutes=9), mark="delivered", **on),
        desk.entry("shopper", "El zapato izquierdo vino con la suela despegada", at=ago(minutes=6), **on),
    ]


def known_about_ana() -> dict[str, Any]:
    customer = {"id": 1, "number": "C-1001", "name": "Ana Torres", "email": "ana@example.com", "phone": "+52 55 5501 0001"}
    order = {
        "number": "A-1001",
        "placed_at": ago(days=12),
        "status": "delivered",
        "total": {"minor": 189900, "currency": "MXN"},
        "items": [
            {"name": "Running shoes, red, 39", "quantity": 1, "picture": "/webhooks/desk/static/products/running-shoes.png"},
            {"name": "Socks", "quantity": 3, "picture": None},
        ],
        "tracking": {"carrier": "Estafeta", "number": "EST-889-221", "status": "delivered"},
    }
    return {
        "shopper": {
            "customer": {**customer, "tier": "gold", "since": "2023-04-02", "language": "es"},
            "level": "proven",
            "channels": [
                {"channel": "whatsapp", "sender": "whatsapp-1", "is_this": True},
                {"channel": "webchat", "sender": "web-1", "is_this": False},
            ],
            "consents": [
                {"purpose": "marketing", "channel": "whatsapp", "granted": True, "at": ago(days=90)},
                {"purpose": "marketing", "channel": "email", "granted": False, "at": ago(days=90)},
            ],
            "points": {"balance": 2450, "tier": "gold", "expiring": [{"points": 200, "at": ahead(days=20)}]},
            "orders": [order],
            "returns": [
                {
                    "rma_number": "R-2001",
                    "status": "settled",
                    "items": [{"name": "Running shoes, blue, 39", "quantity": 1}],
                    "refund": {"minor": 149900, "currency": "MXN"},
                }
            ],
            "earlier": [{"id": 41, "closed_at": ago(days=190), "reason": "policy", "topic": "return", "resolution": "done"}],
        },
        "packet": {
            "goal": {"name": "request_return", "title": "Return something"},
            "reason": {"name": "policy", "title": "The rules leave it to a person"},
            "collected": [
                {"name": "order_number", "title": "Order", "value": "A-1001", "from": "account", "text": "", "at": None},
                {
                    "name": "return_reason",
                    "title": "Reason",
                    "value": "Arrived damaged",
                    "from": "chosen",
                    "text": "Llegó dañado",
                    "at": ago(minutes=23),
                },
                {
                    "name": "size",
                    "title": "Size",
                    "value": "39",
                    "from": "said",
                    "text": "los tenis rojos del 39",
                    "at": ago(minutes=23),
                },
            ],
            "tried": [{"name": "action_check_return", "title": "Checked the return window"}],
            "verdict": {
                "verdict": "needs_human",
                "rule": "high_value_claim",
                "title": "Damage on an expensive item is looked at by a person",
                "change": "A total below $1,500 would be refunded at once.",
            },
            "suspended": {"name": "return_request_form", "title": "Return something"},
            "files": [{"kind": "picture", "name": "zapato.jpg", "address": "/webhooks/desk/v1/files/shoe.png"}],
            "ad": None,
        },
        "acts": [
            {
                "kind": "refund",
                "title": "Refund exception",
                "is_allowed": True,
                "parameters": [
                    {"name": "amount", "type": "money", "currency": "MXN", "required": True},
                    {"name": "reason", "type": "text", "required": True},
                ],
            },
            {
                "kind": "points",
                "title": "Add points",
                "is_allowed": True,
                "parameters": [
                    {"name": "points", "type": "integer", "required": True},
                    {
                        "name": "why",
                        "title": "Why",
                        "type": "choice",
                        "choices": [{"value": "goodwill", "title": "Goodwill"}, {"value": "mistake", "title": "Our mistake"}],
                        "required": True,
                    },
                ],
            },
            {
                "kind": "cancel",
                "title": "Cancel the order",
                "is_allowed": False,
                "why_not": "It was delivered already.",
                "parameters": [],
            },
        ],
        "templates": [
            {"name": "we_have_news", "text": "Hola {{1}}, tenemos noticias de tu devolución. ¿Seguimos por aquí?"},
            {"name": "still_there", "text": "Hola, ¿sigues ahí?"},
        ],
    }
