"""All that is known about one customer, from the shop, the conversations and the files: to read, and to erase.

The shopper asks for it in the chat, the operator with `tendero export-customer` and `tendero erase-customer`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, inspect, or_, select, text
from sqlalchemy.orm import Session

from commerce import privacy
from commerce.models import Customer
from commerce.privacy import Traces
from commerce.proposals import Refusal
from messaging import file_references
from messaging import privacy as conversations_privacy
from messaging.conversations import one_deed_at_a_time
from messaging.mentions import Contacts

TRACKERS = "events"  # Rasa's table


@dataclass(frozen=True)
class Found:
    """A customer, by what stays when everything else is gone."""

    id: int
    number: str
    contacts: tuple[str, ...]


@dataclass(frozen=True)
class Erased:
    """What was erased in the database, and what is left to erase on disk."""

    number: str
    contacts: tuple[str, ...]
    files: tuple[str, ...]  # below TENDERO_HOME
    conversations: int


def find(session: Any, who: str) -> Found | None:
    """By e-mail, phone or number; None where nobody fits."""
    asked = who.strip()
    fits = or_(Customer.email == asked.lower(), Customer.phone == asked, func.upper(Customer.number) == asked.upper())
    customer = session.execute(select(Customer).where(fits)).scalars().first()
    return None if customer is None else found(customer)


def found(customer: Customer) -> Found:
    """Ask before erasing: afterwards the customer has no contacts."""
    return Found(customer.id, customer.number, tuple(each for each in (customer.email, customer.phone) if each))


def export(session: Session, who: Found) -> dict[str, Any]:
    """Fit for JSON. `said` has what the customer and the assistant wrote, by conversation."""
    return {
        "shop": privacy.export_customer(session, who.id),
        "conversations": conversations_privacy.export_conversations(session, who.id, who.contacts, who.number),
        "said": _said(session, who),
    }


def erase(session: Session, who: Found, now: datetime, key: bytes) -> Erased | Refusal:
    """Erase in the database, trackers too. Refusal: an order still needs the customer, and nothing was changed."""
    hold_conversations(session, who)
    traces = privacy.erase_customer(session, who.id, now)
    return traces if isinstance(traces, Refusal) else erase_around(session, who, traces, now, key)


def hold_conversations(session: Session, who: Found) -> None:
    """Before the customer's rows are locked: nothing else is done in any of their conversations meanwhile."""
    one_deed_at_a_time(session, *conversations_privacy.conversations_of(session, who.id, who.number))


def erase_around(session: Session, who: Found, traces: Traces, now: datetime, key: bytes) -> Erased:
    """Erase what conversations, mail and trackers hold of a customer whom commerce has erased in this transaction.

    A conversation in which nobody proved anything, and the customer's e-mail or phone was written, goes too.

    traces: asked for before that. The conversation that is going on is written by Rasa once more when its turn ends: it
    has to be told (the slot `forget_conversation`).
    """
    contacts = tuple(dict.fromkeys([*traces.contacts, *who.contacts]))
    naming = _naming(session, Contacts(contacts))
    received = file_references.erase(session, traces.files)  # pictures of claims, named by reference
    left = conversations_privacy.erase_conversations(
        session, who.id, now, key=key, contacts=contacts, number=who.number, naming=naming
    )
    _forget_trackers(session, left.sender_ids)
    _erase_from_trackers(session, left.quoting, Contacts(contacts))
    return Erased(who.number, contacts, (*traces.files, *received, *left.attachments), len(left.sender_ids))


def erase_files(home: Path, erased: Erased) -> int:
    """Labels, pictures, exports and mails on disk, once the database has forgotten them; how many there were."""
    exports = [str(file.relative_to(home)) for file in (home / "exports").glob(f"{erased.number}-*")]
    gone = sum(_unlink(home, path) for path in {*erased.files, *exports})
    return gone + conversations_privacy.erase_saved_mail(home / "outbox", erased.contacts)


def _unlink(home: Path, path: str) -> bool:
    file = (home / path).resolve()
    if not file.is_relative_to(home.resolve()) or not file.is_file():
        return False
    file.unlink()
    return True


def _said(session: Session, who: Found) -> list[dict[str, Any]]:
    names = sorted(conversations_privacy.conversations_of(session, who.id, who.number))
    if not names or not _has_trackers(session):
        return []
    query = text(
        f"SELECT sender_id, type_name, timestamp, data FROM {TRACKERS} "  # noqa: S608 (a constant)
        "WHERE sender_id IN :names AND type_name IN ('user', 'bot') ORDER BY id"
    ).bindparams(bindparam("names", expanding=True))
    return [_message(row) for row in session.execute(query, {"names": names})]


def _message(row: Any) -> dict[str, Any]:
    by = {"user": "shopper", "bot": "assistant"}[row.type_name]
    return {"conversation": row.sender_id, "by": by, "text": json.loads(row.data).get("text"), "at": row.timestamp}


def _forget_trackers(session: Session, senders: Sequence[str]) -> None:
    if senders and _has_trackers(session):
        forget = text(f"DELETE FROM {TRACKERS} WHERE sender_id IN :names")  # noqa: S608
        session.execute(forget.bindparams(bindparam("names", expanding=True)), {"names": _listed(senders)})


def _naming(session: Session, contacts: Contacts) -> set[str]:
    """The conversations in which somebody wrote one of the contacts, proven to be theirs or not."""
    if not _has_trackers(session) or not contacts.signs:
        return set()
    # An e-mail said in words has its name in it; a phone its last digits, or the mark of one that was understood.
    signs = {f"sign{place}": f"%{_escaped(sign)}%" for place, sign in enumerate((*contacts.signs, '"phone"'))}
    any_sign = " OR ".join(f"lower(data) LIKE :{name} ESCAPE '!'" for name in signs)
    query = text(f"SELECT sender_id, data FROM {TRACKERS} WHERE type_name = 'user' AND ({any_sign})")  # noqa: S608
    return {row.sender_id for row in session.execute(query, signs) if contacts.are_in(json.loads(row.data))}


def _escaped(sign: str) -> str:
    return sign.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _erase_from_trackers(session: Session, senders: Sequence[str], contacts: Contacts) -> None:
    if not senders or not _has_trackers(session):
        return
    query = text(f"SELECT id, data FROM {TRACKERS} WHERE sender_id IN :names")  # noqa: S608
    rows = session.execute(query.bindparams(bindparam("names", expanding=True)), {"names": _listed(senders)}).all()
    rewrite = text(f"UPDATE {TRACKERS} SET data = :data WHERE id = :id")  # noqa: S608
    for row in rows:
        before = json.loads(row.data)
        if (after := contacts.erased_from(before)) != before:
            session.execute(rewrite, {"id": row.id, "data": json.dumps(after)})


def _listed(names: Iterable[str]) -> list[str]:
    return sorted(names)


def _has_trackers(session: Session) -> bool:
    return bool(inspect(session.connection()).has_table(TRACKERS))
