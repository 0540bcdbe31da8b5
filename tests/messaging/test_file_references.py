"""References to files that came with messages, and what is deleted when they are erased."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from messaging import file_references
from messaging.models import ReceivedFile

HASH = "ab" + "1" * 62


def add(session: Session, name: str, at: datetime, sender: str = "wa-1", **values: object) -> ReceivedFile:
    row = {"kind": "image", "state": "stored", "sha256": HASH, **values}
    file = ReceivedFile(channel="whatsapp", provider_id=name, sender_id=sender, message_id=name, received_at=at, **row)
    session.add(file)
    session.flush()
    return file


def test_newest_files_come_in_their_order_without_failed_and_older_ones(session: Session, now: datetime) -> None:
    add(session, "old", now - timedelta(hours=1))
    add(session, "first", now - timedelta(minutes=5), state="waiting", sha256=None)
    add(session, "failed", now, state="failed", sha256=None)
    add(session, "voice", now, kind="voice")
    add(session, "second", now)
    add(session, "somebody's", now, sender="wa-2")
    found = file_references.since(session, "wa-1", now - timedelta(minutes=30), file_references.PICTURES, limit=10)
    assert [each.provider_id for each in found] == ["first", "second"]
    found = file_references.since(session, "wa-1", now - timedelta(minutes=30), file_references.PICTURES, limit=1)
    assert [each.provider_id for each in found] == ["second"]


def test_reference_leads_to_its_file_and_a_path_to_none(session: Session, now: datetime) -> None:
    file = add(session, "m1", now)
    name = file_references.reference(file)
    assert file_references.referred(session, [name, "evidence/a.jpg", "received:999", "received:x"]) == {name: file}


def test_erased_file_is_deleted_unless_somebody_else_sent_the_same(session: Session, now: datetime) -> None:
    mine = [file_references.reference(add(session, name, now)) for name in ("m1", "m2")]
    waiting = file_references.reference(add(session, "m3", now, state="waiting", sha256=None))
    other = file_references.reference(add(session, "m4", now, sender="wa-2"))
    assert file_references.erase(session, [*mine, waiting]) == []
    assert file_references.referred(session, [*mine, waiting]) == {}
    assert file_references.erase(session, [other]) == [f"received/ab/{HASH}"]
