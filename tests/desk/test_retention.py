"""What is over at the desk goes after its time, whole, and what is open stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from database import transaction
from desk import audit, privacy
from desk.models import AgentSession, AuditEntry, DeskDelivery, ReadMark, SignInAttempt
from desk.report import shown
from desk.retention import purge, purge_handoffs
from desk.rules import Kept, RulesError, load_rules
from desk.same_person import Talk
from desk.transcript import Transcript
from messaging import handoffs
from messaging.models import Handoff, HandoffEvent, HandoffNote
from tendero import housekeeping
from tests.commerce.shop import Shop
from tests.desk.people import NOW, POLICIES, asks, minutes, takes

DAY = timedelta(days=1)
KEPT = load_rules(POLICIES / "desk.yml").kept
OF_A_HANDOFF = (HandoffEvent, HandoffNote, DeskDelivery)


def settled(session: Session, sender: str, days_ago: float, **changes: Any) -> int:
    """A matter with a note, of which another desk was told, that a person settled so many days ago."""
    ended = NOW - days_ago * DAY
    handoff = asks(session, sender, ended - minutes(20), **changes)
    takes(session, handoff, "Ana", ended - minutes(10))
    _with_rows(session, handoff, sender, ended)
    handoffs.resolve(session, handoff, ended, by="Ana", reason="answered", topic="order")
    return handoff


def _with_rows(session: Session, handoff: int, sender: str, at: datetime) -> None:
    known: dict[str, Any] = {"handoff_id": handoff, "desk": "webhook", "source": "event", "source_id": handoff}
    session.add(HandoffNote(handoff_id=handoff, sender_id=sender, name=f"n{handoff}", by="Ana", text="a note", at=at))
    session.add(DeskDelivery(name=f"e{handoff}", created_at=at, next_try_at=at, state="sent", **known))
    audit.note(session, "Ana", "took", handoff=handoffs.by_id(session, handoff), now=at)


def left(session: Session, table: Any) -> set[int]:
    return set(session.execute(select(table.handoff_id)).scalars())


def test_ended_conversation_goes_after_its_time_with_all_that_happened_to_it(url: str) -> None:
    with transaction(url) as session:
        old, young = settled(session, "s1", 366), settled(session, "s2", 364)
        given_back, cancelled = asks(session, "s3", NOW - 400 * DAY), asks(session, "s4", NOW - 400 * DAY)
        takes(session, given_back, "Ana", NOW - 400 * DAY)
        handoffs.give_back(session, given_back, NOW - 399 * DAY, by="Ana")
        handoffs.cancel(session, cancelled, NOW - 399 * DAY)
        for sender in ("s1", "s2"):
            session.add(ReadMark(agent_id=1, sender_id=sender, read_up_to=5))
        asks(session, "s5")
    assert purge(url, NOW, KEPT)["ended conversations with people deleted"] == 3
    assert purge(url, NOW, KEPT)["ended conversations with people deleted"] == 0
    with transaction(url) as session:
        assert {old, given_back, cancelled} & set(session.execute(select(Handoff.id)).scalars()) == set()
        for table in OF_A_HANDOFF:
            assert young in left(session, table)
            assert {old, given_back, cancelled} & left(session, table) == set()
        assert session.execute(select(ReadMark.sender_id)).scalars().all() == ["s2"]


def test_what_is_open_stays_however_old(url: str) -> None:
    with transaction(url) as session:
        long_ago = NOW - 3000 * DAY
        waiting, taken, called_back, later = (asks(session, f"s{number}", long_ago) for number in range(4))
        takes(session, taken, "Ana", long_ago, lease=None)
        session.execute(update(Handoff).where(Handoff.id == called_back).values(status="callback", callback_at=long_ago))
        session.execute(update(Handoff).values(closed_at=long_ago))  # whatever stands there
        for number, handoff in enumerate((waiting, taken, called_back, later)):
            _with_rows(session, handoff, f"s{number}", long_ago)
    purge(url, NOW, KEPT)
    with transaction(url) as session:
        assert all(len(left(session, table)) == 4 for table in OF_A_HANDOFF)


def test_number_of_the_newest_one_is_given_to_no_other(url: str) -> None:
    with transaction(url) as session:
        ids = [settled(session, f"s{number}", 400) for number in range(2)]
    assert purge(url, NOW, KEPT)["ended conversations with people deleted"] == 1
    with transaction(url) as session:
        assert asks(session, "s9") not in ids


def test_many_go_a_few_at_a_time_and_once_where_several_processes_do_it(url: str) -> None:
    with transaction(url) as session:
        for number in range(12):
            settled(session, f"s{number}", 400)
        asks(session, "s99")
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: purge_handoffs(url, NOW - 365 * DAY, at_once=5), range(3)))
    assert sum(done) == 12
    with transaction(url) as session:
        assert session.execute(select(func.count()).select_from(Handoff)).scalar_one() == 1
        assert left(session, HandoffNote) | left(session, DeskDelivery) == set()


def test_shop_says_how_long(url: str) -> None:
    with transaction(url) as session:
        settled(session, "s1", 40)
        asks(session, "s2")
    short = Kept(handoffs=30 * DAY, audit=30 * DAY, sessions=DAY, sign_in_tries=DAY)
    assert purge(url, NOW, KEPT)["ended conversations with people deleted"] == 0
    done = purge(url, NOW, short)
    assert (done["ended conversations with people deleted"], done["rows of the audit log deleted"]) == (1, 1)


def test_audit_log_sessions_and_tries_go_after_their_time(url: str) -> None:
    def agents_session(days: float, **ended: datetime) -> AgentSession:
        at = NOW - days * DAY
        known = {"agent_id": 1, "token_hash": f"{days}{sorted(ended)}", "via": "password", "created_at": at, "seen_at": at}
        return AgentSession(**{**known, "expires_at": at + DAY / 2, **ended})

    with transaction(url) as session:
        for days in (729, 731):
            audit.note(session, "Ana", "signed_in", now=NOW - days * DAY)
        for hours in (23, 25):
            at = NOW - timedelta(hours=hours)
            session.add(SignInAttempt(name_hash=str(hours), address_hash="a", has_worked=False, at=at))
        session.add_all([agents_session(31), agents_session(30), agents_session(0)])
        session.add(agents_session(33, revoked_at=NOW - 31 * DAY, expires_at=NOW + DAY))
        session.add(agents_session(33.5, revoked_at=NOW - 29 * DAY, expires_at=NOW + DAY))
    assert purge(url, NOW, KEPT) == {
        "ended conversations with people deleted": 0,
        "rows of the audit log deleted": 1,
        "ended sessions of agents deleted": 2,
        "tries of agents to sign in deleted": 1,
    }
    with transaction(url) as session:
        assert session.execute(select(SignInAttempt.name_hash)).scalars().all() == ["23"]
        assert len(session.execute(select(AgentSession.id)).all()) == 3


# What looks back


def test_report_counts_what_is_left_and_says_since_when_that_is_all(url: str) -> None:
    with transaction(url) as session:
        settled(session, "s1", 380)
        settled(session, "s2", 360)
        settled(session, "s3", 8)
        settled(session, "s3", 3)
    before = _shown(url, 30)
    purge(url, NOW, KEPT)
    assert _shown(url, 30) == before
    assert (before["quiet"], before["complete_since"]) == ({"of": 1, "quiet": 0}, before["since"])
    year = _shown(url, 500)
    assert (year["count"], year["wait_minutes"]["count"], year["handle_minutes"]["count"]) == (3, 3, 3)
    assert year["complete_since"] == (NOW - 365 * DAY).isoformat()


def _shown(url: str, days: int) -> dict[str, Any]:
    with transaction(url) as session:
        return shown(session, days, NOW)


def test_transcript_of_what_is_left_is_as_before_but_for_what_went(url: str) -> None:
    with transaction(url) as session:
        settled(session, "s1", 380)
        later = settled(session, "s1", 3)
        asks(session, "s2")
    whole = _entries(url, later)
    purge(url, NOW, KEPT)
    assert _entries(url, later) == [each for each in whole if each["at"] > (NOW - 10 * DAY).isoformat()]
    assert len(_entries(url, later)) < len(whole)


def _entries(url: str, handoff: int) -> list[dict[str, Any]]:
    with transaction(url) as session:
        talks = [Talk("s1", "webchat")]
        return Transcript(session, handoffs.by_id(session, handoff), talks, lambda path: path).page()[0]


# Erasing


def test_audit_log_leads_to_nobody_once_the_conversation_is_gone(url: str) -> None:
    with transaction(url) as session:
        ana = Shop(session).customer("Ana").id
        settled(session, "s1", 400)
        settled(session, "s2", 400, customer_id=ana)
        settled(session, "s3", 3)
        asks(session, "s4")
    purge(url, NOW, KEPT)
    with transaction(url) as session:
        rows = session.execute(select(AuditEntry.sender_id, AuditEntry.customer_id).order_by(AuditEntry.id)).all()
        assert [tuple(row) for row in rows] == [(None, None), ("s2", ana), ("s3", None)]
        privacy.forget(session, ana, ["s2"])
        assert session.execute(select(AuditEntry.customer_id).where(AuditEntry.customer_id.is_not(None))).all() == []


# By whom


def test_housekeeping_does_it_by_the_shops_own_days(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction(url) as session:
        settled(session, "s1", 400)
        asks(session, "s2")
    done = housekeeping.tidy(url, NOW, tmp_path)
    assert "1 ended conversations with people deleted" in done
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "desk.yml").write_text("desk: [")
    monkeypatch.setenv("TENDERO_DATA", str(tmp_path))
    with pytest.raises(RulesError):
        housekeeping.tidy(url, NOW, tmp_path)
