"""Conversations looked for, open or not: only those that the agent may see, the newest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sanic.request import Request
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from commerce.models import Customer
from desk.errors import bad_request
from desk.items import items_of, read_marks
from desk.permissions import Me, visible_to
from desk.requests import asked_number
from messaging.models import ChannelContact, Handoff, InboundMessage

PAGE = 30
LONGEST = 80  # characters of a word that is looked for
STATES = {
    "open": ("waiting", "callback", "assigned"),
    "closed": ("given_back", "resolved", "cancelled"),
    "queued": ("waiting",),
    "callback": ("callback",),
    "assigned": ("assigned",),
    "snoozed": ("assigned",),
    "resolved": ("resolved",),
    "given_back": ("given_back",),
    "cancelled": ("cancelled",),
}
FILTERS = ("queue", "assignee", "language", "channel", "topic", "reason")
_ESCAPE = "\\"


@dataclass(frozen=True)
class Wanted:
    """state: one of STATES; empty: any. words: what somebody said, is called, or has as a number. before: the id after it."""

    state: str = ""
    words: str = ""
    before: int | None = None
    filters: dict[str, str] = field(default_factory=dict)


def asked_in(request: Request) -> Wanted:
    """From an address. Raises DeskError (bad_request)."""
    told = {name: str(request.args.get(name) or "") for name in ("state", "q", *FILTERS)}
    for name, value in told.items():
        if len(value) > LONGEST or "\x00" in value:
            raise bad_request(name)
    if told["state"] and told["state"] not in STATES:
        raise bad_request("state")
    filters = {name: told[name] for name in FILTERS if told[name]}
    return Wanted(told["state"], told["q"].strip(), asked_number(request, "before"), filters)


def search(session: Session, me: Me, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """The protocol's answer."""
    ids = list(session.execute(_query(me, wanted, now).order_by(Handoff.id.desc()).limit(PAGE + 1)).scalars())
    items = items_of(session, ids[:PAGE], now)[::-1]
    marks = read_marks(session, me.id, {item.sender_id for item in items})
    return {"items": [item.for_agent(marks.get(item.sender_id, 0)) for item in items], "has_more": len(ids) > PAGE}


def _query(me: Me, wanted: Wanted, now: datetime) -> Any:
    query = select(Handoff.id).where(visible_to(me))
    if wanted.state:
        query = query.where(Handoff.status.in_(STATES[wanted.state]))
    if wanted.state in ("snoozed", "assigned"):
        is_snoozed = and_(Handoff.snoozed_until.is_not(None), Handoff.snoozed_until > now)
        query = query.where(is_snoozed if wanted.state == "snoozed" else ~func.coalesce(is_snoozed, False))
    for name, value in wanted.filters.items():
        column = func.coalesce(Handoff.topic, Handoff.goal) if name == "topic" else getattr(Handoff, name)
        query = query.where(column == value)
    if wanted.before is not None:
        query = query.where(Handoff.id < wanted.before)
    return query.where(_has(wanted.words)) if wanted.words else query


def _has(words: str) -> Any:
    """In the customer's name, number or address, in their name on the channel, or in what they wrote to a person."""
    like = f"%{words.lower().replace(_ESCAPE, _ESCAPE * 2).replace('%', _ESCAPE + '%').replace('_', _ESCAPE + '_')}%"

    def is_in(column: Any) -> Any:
        return func.lower(column).like(like, escape=_ESCAPE)

    theirs = or_(*(is_in(getattr(Customer, name)) for name in ("name", "number", "email", "phone")))
    customers = select(Customer.id).where(theirs, Customer.erased_at.is_(None))
    contacts = select(ChannelContact.sender_id).where(is_in(ChannelContact.name))
    wrote = select(InboundMessage.id).where(
        InboundMessage.sender_id == Handoff.sender_id,
        InboundMessage.kind == "message",
        InboundMessage.received_at >= Handoff.created_at,
        or_(Handoff.closed_at.is_(None), InboundMessage.received_at <= Handoff.closed_at),
        is_in(InboundMessage.text),
    )
    number = [Handoff.id == int(words)] if words.isascii() and words.isdecimal() and len(words) < 10 else []
    return or_(Handoff.customer_id.in_(customers), Handoff.sender_id.in_(contacts), wrote.exists(), *number)
