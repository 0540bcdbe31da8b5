"""Who writes in a conversation, for the person who answers: their own orders, returns and points, as far as they are known.

Of a shopper who is not known there is nothing but the conversation: whose e-mail they typed is not said before they show it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce import loyalty, orders
from commerce.models import Customer, Order, OrderLine, Refund, ReturnAuthorization
from commerce.returns.eligibility import Pieces
from commerce.returns.issuing import shown as shown_pieces
from desk.in_words import Json, as_money, goods, iso, title
from desk.known_as import known_as
from desk.same_person import talks_of
from desk.shop_policies import kept_policies
from messaging import consent
from messaging.identities import Level
from messaging.models import Handoff
from messaging.shop import time_zone

LEVELS = {Level.anonymous: "unknown", Level.asserted: "asserted", Level.proven: "proven"}
MOST = 10  # of orders, of returns, of earlier matters
MOST_EXPIRIES = 3
CLOSED = ("given_back", "resolved", "cancelled")


def shown(session: Session, handoff: Handoff, now: datetime, language: str = "en") -> Json:
    """The part `shopper` of docs/desk-protocol.md. language: of the agent."""
    who = known_as(session, handoff, now)
    talks = talks_of(session, handoff, now)
    channels = [{"channel": each.channel, "sender": each.sender_id, "is_this": each is talks[0]} for each in talks]
    told: Json = {"customer": None, "level": LEVELS[who.level], "channels": channels}
    if who.customer_id is None:
        nothing: Json = {"consents": [], "points": None, "orders": [], "returns": []}
        return {**told, **nothing, "earlier": _earlier(session, handoff, None)}
    customer = session.get(Customer, who.customer_id)
    standing = loyalty.standing(session, customer.id, now, kept_policies())
    return {
        **told,
        "customer": _customer(customer, standing.tier),
        "consents": _consents(session, customer),
        "points": _points(session, customer, standing, now, language),
        "orders": [_order(each, now, language) for each in orders.recent(session, customer.id, limit=MOST)],
        "returns": _returns(session, customer.id, language),
        "earlier": _earlier(session, handoff, customer.id),
    }


def _customer(customer: Customer, tier: str) -> Json:
    told = {name: getattr(customer, name) for name in ("id", "number", "name", "email", "phone", "language")}
    return {**told, "tier": tier, "since": iso(customer.created_at)}


def _consents(session: Session, customer: Customer) -> list[Json]:
    contacts = tuple(filter(None, (customer.email, customer.phone)))
    return [
        {"purpose": each.purpose, "channel": each.channel, "granted": each.granted, "at": iso(each.at)}
        for each in consent.newest_of(session, customer.id, contacts)
    ]


def _points(session: Session, customer: Customer, standing: loyalty.Standing, now: datetime, language: str) -> Json:
    by_day: dict[str, int] = {}
    for lot in loyalty.lots(session, customer.id, now):
        if lot.expires_at is not None:
            on = lot.expires_at.date().isoformat()
            by_day[on] = by_day.get(on, 0) + lot.left
    expiring = [{"on": on, "points": points} for on, points in sorted(by_day.items())[:MOST_EXPIRIES]]
    tier = {"tier": standing.tier, "tier_title": title("tier", standing.tier, language)}
    return {"balance": standing.balance, **tier, "expiring": expiring}


def _order(order: Order, now: datetime, language: str) -> Json:
    progress = orders.progress(order, now.astimezone(ZoneInfo(time_zone())).date())
    return {
        "number": order.number,
        "placed_at": iso(order.placed_at),
        "status": progress.kind,
        "title": title("order", progress.kind, language),
        "total": as_money(order.total_minor, order.currency),
        "promised_on": iso(progress.promised_on),
        "items": [_item(line, language) for line in order.lines],
        "tracking": [_parcel(each) for each in progress.parcels],
    }


def _parcel(parcel: orders.Parcel) -> Json:
    return {"carrier": parcel.carrier, "number": parcel.tracking_number, "url": parcel.url, "status": parcel.status}


def _item(line: OrderLine, language: str) -> Json:
    one = orders.item_values(line)
    picture = next(iter(line.variant.product.images or ()), None)
    return {"name": goods({**one, "quantity": 1}, language), "quantity": line.quantity, "picture": picture}


def _returns(session: Session, customer_id: int, language: str) -> list[Json]:
    newest = select(ReturnAuthorization).where(ReturnAuthorization.customer_id == customer_id)
    found = session.execute(newest.order_by(ReturnAuthorization.id.desc()).limit(MOST)).scalars()
    return [_return(each, language) for each in found]


def _return(authorization: ReturnAuthorization, language: str) -> Json:
    pieces = [shown_pieces(Pieces(line.order_line, line.quantity)) for line in authorization.lines]
    return {
        "rma_number": authorization.rma_number,
        "order_number": authorization.order.number,
        "status": authorization.status,
        "title": title("return_status", authorization.status, language),
        "send_by": iso(authorization.send_by),
        "items": [goods(each, language) for each in pieces],
        "refund": _refund(authorization.refunds),
    }


def _refund(refunds: list[Refund]) -> Json | None:
    """All parts of it as one: it is as far as the part that is the least far."""
    steps = ("failed", "waiting_for_goods", "approved", "sent", "settled")
    if not refunds:
        return None
    slowest = min(refunds, key=lambda each: steps.index(each.status))
    amount = as_money(sum(each.amount_minor for each in refunds), slowest.currency)
    return {"amount": amount, "to": slowest.destination, "status": slowest.status, "due_by": iso(slowest.due_by)}


def _earlier(session: Session, handoff: Handoff, customer_id: int | None) -> list[Json]:
    """Matters of the same customer; of nobody known, those of this conversation when nobody was known either."""
    whose: Any = Handoff.customer_id == customer_id
    if customer_id is None:
        whose = Handoff.customer_id.is_(None) & (Handoff.sender_id == handoff.sender_id)
    closed = select(Handoff).where(whose, Handoff.id != handoff.id, Handoff.status.in_(CLOSED))
    found = session.execute(closed.order_by(Handoff.closed_at.desc(), Handoff.id.desc()).limit(MOST)).scalars()
    return [
        {
            "id": each.id,
            "closed_at": iso(each.closed_at),
            "reason": each.reason,
            "topic": each.topic or each.goal,
            "resolution": each.resolution or each.status,
        }
        for each in found
    ]
