"""Replies that agents pick, from `data/desk/canned/<language>.yml`, with what is known of a conversation filled in.

CannedError    a file does not make replies; the message names the file and the entry
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.loyalty.ledger import balance
from commerce.models import Customer, Fulfilment, Order, Refund, ReturnAuthorization, Shipment
from desk.in_words import day, money, number
from desk.known_as import known_as
from desk.permissions import Me
from messaging.kept import kept
from messaging.labels import DEFAULT_LANGUAGE, data_folder
from messaging.models import ChannelContact, Handoff

VARIABLES = frozenset("customer_name agent_name order_number tracking_number rma_number refund_amount send_by points".split())
LONGEST_TITLE, LONGEST_TEXT = 60, 1000
_VARIABLE = re.compile(r"\{(\w*)\}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class CannedError(Exception):
    """A file does not make replies."""


@dataclass(frozen=True)
class Canned:
    key: str
    title: str
    text: str

    @property
    def variables(self) -> list[str]:
        return _VARIABLE.findall(self.text)


@kept
def kept_replies() -> dict[str, tuple[Canned, ...]]:
    """By language. Raises CannedError."""
    return {file.stem: load(file) for file in sorted((data_folder() / "desk" / "canned").glob("*.yml"))}


def load(file: Path) -> tuple[Canned, ...]:
    """Raises CannedError."""
    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise CannedError(f"{file.name} is not YAML: {error}") from error
    if not isinstance(content, dict) or not content:
        raise CannedError(f"{file.name} needs replies, each with a key")
    return tuple(_reply(file.name, str(key), entry) for key, entry in content.items())


def differences(replies: Mapping[str, Iterable[Canned]]) -> Iterator[str]:
    """What one language has and another has not, in words."""
    keys = {language: {each.key for each in several} for language, several in replies.items()}
    everything = set().union(*keys.values()) if keys else set()
    for language, known in keys.items():
        if missing := sorted(everything - known):
            yield f"data/desk/canned/{language}.yml lacks {', '.join(missing)}"


def offered(language: str, wanted: str = "") -> list[Canned]:
    """Those of this language, or of the default one, that have all of these words."""
    replies = kept_replies()
    found = replies.get(language) or replies.get(DEFAULT_LANGUAGE) or ()
    words = wanted.casefold().split()
    return [each for each in found if all(word in f"{each.key} {each.title} {each.text}".casefold() for word in words)]


def shown(reply: Canned, values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """As the protocol has it. values: what is known; what is not stays visible as a gap, and is said in `missing`."""
    told: dict[str, Any] = {"key": reply.key, "title": reply.title, "text": reply.text}
    if values is None:
        return told
    missing = [name for name in dict.fromkeys(reply.variables) if not values.get(name)]
    text = _VARIABLE.sub(lambda match: values.get(match[1]) or match[0], reply.text)
    return {**told, "text": text, "missing": missing}


# What is known


def values_for(session: Session, handoff: Handoff, me: Me, now: datetime) -> dict[str, str]:
    """By variable; of orders and returns only those that are the shopper's own, as far as it is known who that is."""
    customer_id = known_as(session, handoff, now).customer_id
    customer = session.get(Customer, customer_id) if customer_id is not None else None
    contact = session.get(ChannelContact, handoff.sender_id)
    name = customer.name if customer is not None else contact.name if contact is not None else ""
    known = {"agent_name": me.name, "customer_name": next(iter(name.split()), "")}
    if customer is None:
        return known
    known["points"] = number(balance(session, customer.id, now), handoff.language)
    return {**known, **_of_order(session, handoff, customer), **_of_return(session, handoff, customer)}


def _of_order(session: Session, handoff: Handoff, customer: Customer) -> dict[str, str]:
    order = _order(session, handoff, customer)
    if order is None:
        return {}
    sent = select(Shipment.tracking_number).join(Fulfilment, Fulfilment.id == Shipment.fulfilment_id)
    newest = sent.where(Fulfilment.order_id == order.id).order_by(Shipment.id.desc()).limit(1)
    tracking = session.execute(newest).scalar_one_or_none()
    return {"order_number": order.number, **({"tracking_number": tracking} if tracking else {})}


def _order(session: Session, handoff: Handoff, customer: Customer) -> Order | None:
    """The one that the conversation is about."""
    named = handoff.collected.get("order_number") or handoff.collected.get("last_order")
    if not isinstance(named, str):
        return None
    found: Order | None = session.execute(
        select(Order).where(Order.number == named, Order.customer_id == customer.id)
    ).scalar_one_or_none()
    return found


def _of_return(session: Session, handoff: Handoff, customer: Customer) -> dict[str, str]:
    """The newest return of that order, or of the customer where no order was named."""
    order = _order(session, handoff, customer)
    theirs = select(ReturnAuthorization).where(ReturnAuthorization.customer_id == customer.id)
    theirs = theirs if order is None else theirs.where(ReturnAuthorization.order_id == order.id)
    found = session.execute(theirs.order_by(ReturnAuthorization.id.desc()).limit(1)).scalar_one_or_none()
    if found is None:
        return {}
    told = {"rma_number": found.rma_number, "send_by": day(found.send_by, handoff.language)}
    refund = session.execute(
        select(Refund).where(Refund.authorization_id == found.id).order_by(Refund.id.desc()).limit(1)
    ).scalar_one_or_none()
    if refund is not None:
        told["refund_amount"] = money(refund.amount_minor, refund.currency, handoff.language)
    return told


# Reading


def _reply(file: str, key: str, entry: Any) -> Canned:
    place = f"{file}: {key}"
    if not _KEY.fullmatch(key):
        raise CannedError(f"{place}: a key has small letters, digits and _")
    if not isinstance(entry, dict) or set(entry) != {"title", "text"}:
        raise CannedError(f"{place} needs title and text, and nothing else")
    title, text = str(entry["title"] or "").strip(), str(entry["text"] or "").strip()
    if not 0 < len(title) <= LONGEST_TITLE or not 0 < len(text) <= LONGEST_TEXT:
        raise CannedError(f"{place}: a title has 1 to {LONGEST_TITLE} characters, a text 1 to {LONGEST_TEXT}")
    if strange := sorted({each for each in _VARIABLE.findall(text) if each not in VARIABLES}):
        raise CannedError(f"{place}: unknown {', '.join(strange)}; known are {', '.join(sorted(VARIABLES))}")
    if text.count("{") != len(_VARIABLE.findall(text)) or text.count("}") != text.count("{"):
        raise CannedError(f"{place}: a brace too many; a variable is written like {{customer_name}}")
    return Canned(key, title, text)
