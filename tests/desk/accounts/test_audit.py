"""The audit log: what is in it, who reads it, and what is left of a customer who is erased."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from desk import audit, privacy
from desk.audit import Asked
from desk.models import AuditEntry, ReadMark
from desk.permissions import PERMISSIONS, Me
from messaging.models import Handoff
from tendero import housekeeping
from tests.commerce.shop import Shop
from tests.conftest import NOW
from tests.desk.accounts.server import Desk

LUIS = Me(7, "Luis", "agent", PERMISSIONS["agent"], (), (), 4, "available", 1)


def handoff(session: Session, sender_id: str = "web-1", customer_id: int | None = 5) -> Handoff:
    row = Handoff(
        sender_id=sender_id,
        customer_id=customer_id,
        created_at=NOW,
        status="waiting",
        language="es",
        reason="asked",
        channel="webchat",
    )
    session.add(row)
    session.flush()
    return row


def test_a_row_says_who_what_and_whose(session: Session) -> None:
    row = handoff(session)
    audit.note(session, LUIS, "opened_conversation", handoff=row, details={"amount_minor": 500, "to": ["Marta"]}, now=NOW)
    audit.note(session, "Ana", "took", now=NOW)
    first, second = session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars()
    assert (first.agent_id, first.agent_name, first.action, first.at) == (7, "Luis", "opened_conversation", NOW)
    assert (first.handoff_id, first.sender_id, first.customer_id) == (row.id, "web-1", 5)
    assert first.details == {"amount_minor": 500, "to": ["Marta"]}
    assert (second.agent_id, second.agent_name, second.handoff_id) == (None, "Ana", None)


@pytest.mark.parametrize("words", ["w" * 81, ["w" * 81], {"text": "hello"}, object()])
def test_what_could_be_somebodys_words_is_no_detail(session: Session, words: object) -> None:
    with pytest.raises(ValueError, match="note"):
        audit.note(session, LUIS, "took", details={"note": words}, now=NOW)


def test_exceptions_and_rules_have_titles_in_the_readers_language(desk: Desk) -> None:
    with desk.session() as session:
        audit.note(session, LUIS, "did_act", details={"exceptions": ["late_return", "waive_shipping"]}, now=NOW)
        audit.note(session, LUIS, "refused_act", details={"exception": "late_return", "rule": "window_closed"}, now=NOW)
        audit.note(session, LUIS, "refused_act", details={"rule": "of_a_shop_of_its_own"}, now=NOW)
    marta = desk.signed_in("marta")
    assert marta.get("audit?language=nb&action=did_act").json()["titles"] == {
        "exceptions": {"late_return": "Sen retur", "waive_shipping": "Gratis returfrakt"}
    }
    assert marta.get("audit?language=es&action=refused_act").json()["titles"] == {
        "exception": {"late_return": "Devolución fuera de plazo"},
        "rule": {"window_closed": "El plazo de devolución terminó", "of_a_shop_of_its_own": "of a shop of its own"},
    }


def test_the_log_is_read_page_by_page(desk: Desk) -> None:
    with desk.session() as session:
        for _ in range(audit.PAGE + 5):
            audit.note(session, LUIS, "took", now=NOW)
    marta = desk.signed_in("marta")
    first = marta.get("audit?agent=Luis&action=took").json()
    assert (len(first["entries"]), first["has_more"]) == (audit.PAGE, True)
    second = marta.get(f"audit?agent=Luis&action=took&before={first['entries'][-1]['id']}").json()
    assert (len(second["entries"]), second["has_more"]) == (5, False)
    ids = [entry["id"] for entry in (*first["entries"], *second["entries"])]
    assert ids == sorted(set(ids), reverse=True)
    assert set(first["entries"][0]) == {"id", "at", "agent", "action", "handoff", "details"}
    assert marta.get("audit?before=x").json() == {"error": "bad_request", "field": "before"}


def test_the_log_is_searched_by_handoff(session: Session) -> None:
    mine, other = handoff(session, "web-1"), handoff(session, "web-2")
    for row in (mine, other):
        audit.note(session, LUIS, "took", handoff=row, now=NOW)
    found = audit.search(session, Asked(handoff_id=other.id))
    assert [entry["handoff"] for entry in found.entries] == [other.id]


def test_what_managers_do_is_noted(desk: Desk) -> None:
    ada = desk.signed_in("ada")
    new = {"name": "Ana", "sign_in_name": "ana@example.com", "role": "agent", "password": "una frase bastante larga"}
    assert ada.post("agents", new).json()["agent"]["has_password"] is True
    assert ada.patch("agents/Ana", {"role": "supervisor", "password": "otra frase bastante larga"}).status_code == 200
    rows = [(row.agent_name, row.action, row.details) for row in desk.audit() if row.action.endswith("_agent")]
    assert rows == [
        ("Ada", "added_agent", {"agent": "Ana", "role": "agent"}),
        ("Ada", "changed_agent", {"agent": "Ana", "changed": ["role", "password"], "role": "supervisor", "is_active": True}),
    ]
    assert "frase" not in str(rows)


# Erasing


def left(session: Session) -> list[tuple[int | None, str | None]]:
    rows = session.execute(select(AuditEntry).order_by(AuditEntry.id).execution_options(populate_existing=True)).scalars()
    return [(row.customer_id, row.sender_id) for row in rows]


def test_of_an_erased_customer_the_row_stays_and_no_more(session: Session) -> None:
    for row in (handoff(session), handoff(session, "web-2", None), handoff(session, "web-3", 6)):
        audit.note(session, LUIS, "opened_conversation", handoff=row, now=NOW)
    session.add(ReadMark(agent_id=7, sender_id="web-2", read_up_to=3))
    assert privacy.forget(session, 5, ["web-1", "web-2"]) == 3
    assert left(session) == [(None, None), (None, None), (6, "web-3")]
    assert session.execute(select(ReadMark)).all() == []


def test_housekeeping_forgets_whom_the_assistant_has_erased(database_url: str, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        customer = Shop(session).customer("Ana")
        unproven = handoff(session, "web-2", None)
        for row in (handoff(session, "web-1", customer.id), unproven, handoff(session, "web-3", 99)):
            audit.note(session, LUIS, "opened_conversation", handoff=row, now=NOW)
        customer.erased_at = NOW
        unproven.sender_id = "erased-0123"  # as messaging.privacy leaves it
    assert housekeeping.tidy(database_url, NOW, tmp_path) == "2 rows of the desk without the customer who was erased"
    assert housekeeping.tidy(database_url, NOW, tmp_path) == ""
    with transaction(database_url) as session:
        assert left(session) == [(None, None), (None, None), (99, "web-3")]
