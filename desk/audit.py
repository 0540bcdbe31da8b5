"""Who saw or did what at the desk. Rows are added, never edited, and have names and numbers: nothing that a shopper wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.in_words import title
from desk.models import AuditEntry
from desk.permissions import Me
from messaging.models import Handoff

LONGEST_FACT = 80  # characters: a name, a number, an amount; not a message
PAGE = 100


def note(
    session: Session,
    who: Me | str,
    action: str,
    *,
    handoff: Handoff | None = None,
    customer_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Add a row; it is kept if the transaction is.

    who: a name alone where nobody is signed in (the command line). action: in the past tense ("opened_conversation").
    details: numbers, names, yes and no, and lists of these. Raises ValueError for a text that could be somebody's words.
    """
    session.add(
        AuditEntry(
            agent_id=who.id if isinstance(who, Me) else None,
            agent_name=who.name if isinstance(who, Me) else who,
            action=action,
            handoff_id=handoff.id if handoff is not None else None,
            sender_id=handoff.sender_id if handoff is not None else None,
            customer_id=customer_id if customer_id is not None or handoff is None else handoff.customer_id,
            details={name: _fact(name, value) for name, value in (details or {}).items()},
            at=now,
        )
    )
    session.flush()


@dataclass(frozen=True)
class Asked:
    """before: the id of the last entry of the page before."""

    agent: str = ""
    handoff_id: int | None = None
    action: str = ""
    before: int | None = None


@dataclass(frozen=True)
class Found:
    entries: list[dict[str, Any]]  # the newest first, fit for JSON
    has_more: bool


def search(session: Session, asked: Asked) -> Found:
    """What was noted, a page of it."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(PAGE + 1)
    wanted = {
        AuditEntry.agent_name: asked.agent,
        AuditEntry.handoff_id: asked.handoff_id,
        AuditEntry.action: asked.action,
    }
    for column, value in wanted.items():
        query = query.where(column == value) if value not in ("", None) else query
    if asked.before is not None:
        query = query.where(AuditEntry.id < asked.before)
    rows = list(session.execute(query).scalars())
    return Found([_shown(row) for row in rows[:PAGE]], len(rows) > PAGE)


TITLED = {"exception": "exception", "exceptions": "exception", "rule": "refused"}  # kinds of labels, by facts that are names


def titles(found: Found, language: str) -> dict[str, dict[str, str]]:
    """What names among the facts are called in this language, by the facts' own names."""
    called: dict[str, dict[str, str]] = {}
    for entry in found.entries:
        for fact in TITLED.keys() & entry["details"].keys():
            said = entry["details"][fact]
            names = said if isinstance(said, list) else [said]
            called.setdefault(fact, {}).update({str(name): title(TITLED[fact], str(name), language) for name in names})
    return called


def _shown(row: AuditEntry) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "agent": row.agent_name,
        "action": row.action,
        "handoff": row.handoff_id,
        "details": row.details,
    }


def _fact(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_fact(name, each) for each in value]
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_FACT):
        return value
    raise ValueError(f"audit: {name} is no fact of at most {LONGEST_FACT} characters")
