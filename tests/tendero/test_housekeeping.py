"""Housekeeping does what is due, once."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from commerce.loyalty.ledger import Cause, add_lot
from commerce.models import Claim, LedgerEntry
from database import transaction
from messaging import channel_contacts, channel_links, chat_log, codes, file_retention, received_files, tasks_at_hand
from messaging.models import (
    ActionCall,
    ChannelAddress,
    ChannelLink,
    ChatEntry,
    CodeRequest,
    Handoff,
    InboundMessage,
    OutboundMessage,
    ReceivedFile,
    TaskAtHand,
    Timer,
    UsedSignIn,
    WebVisitor,
)
from messaging.received_files import Due
from messaging.turns import ended
from tendero.housekeeping import DAYS_OF_FILES, files_kept, tidy
from tendero.obstacles import Obstacle
from tests.commerce.shop import Shop


def test_points_past_their_day_get_their_expiry_row_and_only_one(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        customer = Shop(session).customer("Ana")
        cause = Cause("earn", "purchase", "earn:1", now - timedelta(days=400))
        add_lot(session, customer.id, 300, cause, now - timedelta(days=1))
    assert tidy(database_url, now, tmp_path) == "300 points expired"
    assert tidy(database_url, now, tmp_path) == ""
    with transaction(database_url) as session:
        rows = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.kind == "expire")
        assert session.execute(rows).scalar_one() == 1


def test_code_requests_are_deleted_when_no_limit_counts_them(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        codes.request_code(session, "web-1", "ana@example.com", None, now - timedelta(days=30), b"k" * 32)
        codes.request_code(session, "web-1", "ana@example.com", None, now, b"k" * 32)
    assert tidy(database_url, now, tmp_path) == "1 code requests deleted"
    with transaction(database_url) as session:
        assert session.execute(select(func.count()).select_from(CodeRequest)).scalar_one() == 1


def test_contact_that_no_address_leads_to_is_deleted(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        for user_id in ("BR.1", "BR.2"):
            channel_contacts.resolve(session, "whatsapp", user_id=user_id, phone=None, now=now)
        session.execute(delete(ChannelAddress).where(ChannelAddress.value == "BR.1"))
    assert tidy(database_url, now, tmp_path) == "1 contacts without an address deleted"
    assert tidy(database_url, now, tmp_path) == ""


DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_what_is_left_of_ended_turns_goes_after_its_time_and_what_is_open_stays(
    database_url: str, now: datetime, tmp_path: Path
) -> None:
    with transaction(database_url) as session:
        for days in (31, 29):
            for state in ("waiting", "taken", "done", "failed"):
                session.add(_inbound(f"{state}-{days}", state, now - days * DAY))
            for position, state in enumerate(("pending", "sending", "sent", "read", "failed", "withheld")):
                session.add(_outbound(days, position, state, now - days * DAY))
            for state in ("waiting", "fired", "cancelled"):
                session.add(_timer(f"{state}-{days}", state, now - days * DAY))
        for days in (8, 6):
            session.add(ActionCall(key=f"{days}/action_x/1", sender_id="s", state="done", answer="{}", at=now - days * DAY))
    assert tidy(database_url, now, tmp_path) == "9 rows of ended turns deleted"
    with transaction(database_url) as session:
        left = set(session.execute(select(InboundMessage.provider_id)).scalars())
        assert left == {"waiting-31", "taken-31", "waiting-29", "taken-29", "done-29", "failed-29"}
        assert session.execute(select(OutboundMessage.state).where(OutboundMessage.turn_id == 31)).scalars().all() == [
            "pending",
            "sending",
        ]
        assert session.execute(select(Timer.key).where(Timer.due_at < now - 30 * DAY)).scalars().all() == ["waiting-31"]
        assert session.execute(select(ActionCall.key)).scalars().all() == ["6/action_x/1"]
    assert tidy(database_url, now, tmp_path) == ""


def test_many_rows_go_a_few_at_a_time(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        session.add_all(_inbound(f"m-{number}", "done", now - 31 * DAY) for number in range(25))
    assert ended.purge(database_url, now, at_once=10) == 25
    assert ended.purge(database_url, now, at_once=10) == 0


OLD = 181 * DAY
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"


def test_received_files_go_after_half_a_year_with_their_bytes(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        old = [_file(session, tmp_path, name, now - OLD) for name in ("a", "b")]
        young = _file(session, tmp_path, "c", now - 179 * DAY)
        _file(session, tmp_path, "d", now - OLD, state="waiting")
    assert tidy(database_url, now, tmp_path) == "3 received files deleted"
    assert _left(database_url) == {"c"}
    assert [_bytes(tmp_path, each).exists() for each in (*old, young)] == [False, False, True]
    assert tidy(database_url, now, tmp_path) == ""
    assert tidy(database_url, now, tmp_path, kept=178 * DAY) == "1 received files deleted"


def test_bytes_that_a_younger_message_has_too_stay(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        sha256 = _file(session, tmp_path, "a", now - OLD)
        _file(session, tmp_path, "b", now, sha256=sha256)
    assert tidy(database_url, now, tmp_path) == "1 received files deleted"
    assert _bytes(tmp_path, sha256).exists()


def test_bytes_that_are_just_fetched_again_stay(database_url: str, tmp_path: Path) -> None:
    """Their new row is written when the download is done."""
    now = datetime.now(timezone.utc)
    due = Due(2, "b", "image", None, 1)
    with transaction(database_url) as session:
        sha256, _ = received_files.keep(tmp_path, due, PICTURE)
        _file(session, tmp_path, "a", now - OLD, sha256=sha256)
    received_files.keep(tmp_path, due, PICTURE)
    assert tidy(database_url, now, tmp_path) == "1 received files deleted"
    assert _bytes(tmp_path, sha256).exists()


@pytest.mark.parametrize(("status", "stays"), [("open", True), ("with_agent", True), ("closed", False)])
def test_evidence_of_an_open_claim_stays(database_url: str, now: datetime, tmp_path: Path, status: str, stays: bool) -> None:
    with transaction(database_url) as session:
        shop = Shop(session)
        order = shop.order(shop.customer("Ana"))
        sha256 = _file(session, tmp_path, "a", now - OLD)
        about = {"problem": "damaged", "resolution": "agent", "policy_rule": "r", "opened_at": now - OLD}
        session.add(Claim(claim_number="K-1", order_id=order.id, status=status, evidence=["received:1"], **about))
    tidy(database_url, now, tmp_path)
    assert _left(database_url) == ({"a"} if stays else set())
    assert _bytes(tmp_path, sha256).exists() == stays


@pytest.mark.parametrize(
    ("status", "stays"), [("waiting", True), ("callback", True), ("assigned", True), ("resolved", False), ("given_back", False)]
)
def test_file_that_an_open_handoff_names_stays(
    database_url: str, now: datetime, tmp_path: Path, status: str, stays: bool
) -> None:
    with transaction(database_url) as session:
        _file(session, tmp_path, "a", now - OLD)
        files = {"files": [{"file": "received:1", "kind": "image", "name": ""}], "order_number": "10201"}
        about = {"sender_id": "s", "channel": "whatsapp", "language": "es", "reason": "asked", "assignee": "Eva"}
        session.add(Handoff(status=status, collected=files, created_at=now - OLD, **about))
    tidy(database_url, now, tmp_path)
    assert _left(database_url) == ({"a"} if stays else set())


def test_half_written_files_of_yesterday_go(database_url: str, now: datetime, tmp_path: Path) -> None:
    drafts = [received_files.path_of(tmp_path, sha256).with_name(f".{sha256}-0011aabb") for sha256 in ("aa" * 32, "bb" * 32)]
    for draft, age in zip(drafts, (25, 23), strict=True):
        draft.parent.mkdir(parents=True)
        draft.write_bytes(b"half")
        _touch(draft, now - age * HOUR)
    assert tidy(database_url, now, tmp_path) == "1 half-written files deleted"
    assert [draft.exists() for draft in drafts] == [False, True]


def test_days_that_files_are_kept_are_told_by_the_environment() -> None:
    assert files_kept({}) == 180 * DAY
    assert files_kept({DAYS_OF_FILES: "30"}) == 30 * DAY
    for wrong in ("6", "0", "-1", "soon", "1.5", "9999999"):
        with pytest.raises(Obstacle, match=DAYS_OF_FILES):
            files_kept({DAYS_OF_FILES: wrong})


def _file(session: Session, home: Path, name: str, at: datetime, state: str = "stored", sha256: str = "") -> str:
    """Its hash. The bytes are there since then, if they are stored."""
    if state == "stored":
        sha256 = sha256 or hashlib.sha256(name.encode()).hexdigest()
        file = _bytes(home, sha256)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"a picture")
        _touch(file, at)
    about = {"channel": "whatsapp", "sender_id": "wa-1", "message_id": name, "kind": "image", "received_at": at}
    session.add(ReceivedFile(provider_id=name, state=state, sha256=sha256 or None, **about))
    session.flush()
    return sha256


def _bytes(home: Path, sha256: str) -> Path:
    return received_files.path_of(home, sha256)


def _touch(file: Path, at: datetime) -> None:
    os.utime(file, (at.timestamp(), at.timestamp()))


def _left(url: str) -> set[str]:
    with transaction(url) as session:
        return set(session.execute(select(ReceivedFile.provider_id)).scalars())


def _inbound(name: str, state: str, at: datetime) -> InboundMessage:
    done_at = at if state in ("done", "failed") else None
    known: dict[str, Any] = {"channel": "test", "sender_id": "s", "text": "", "trace_id": "0" * 32}
    return InboundMessage(provider_id=name, state=state, received_at=at, done_at=done_at, **known)


def _outbound(turn: int, position: int, state: str, at: datetime) -> OutboundMessage:
    known: dict[str, Any] = {"channel": "test", "sender_id": "s", "content": {}, "trace_id": "0" * 32}
    return OutboundMessage(turn_id=turn, position=position, state=state, created_at=at, **known)


def _timer(key: str, state: str, at: datetime) -> Timer:
    return Timer(key=key, sender_id="s", channel="test", kind="idle", due_at=at, state=state)


# The web chat


def test_web_visitors_who_do_not_come_back_go_with_their_conversation(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        for name, seen, revoked in (
            ("web-unseen", 181, None),
            ("web-revoked", 31, 31),
            ("web-revoked-of-late", 29, 29),
            ("web-seen", 179, None),
        ):
            at = now - seen * DAY
            revoked_at = now - revoked * DAY if revoked else None
            session.add(WebVisitor(sender_id=name, rotated_at=at, created_at=at, seen_at=at, revoked_at=revoked_at))
            session.add(TaskAtHand(sender_id=name, form="claim_form", at=now))
            session.add(ChannelLink(code_hash=name, from_sender_id=name, created_at=at, expires_at=at, used_at=at))
            chat_log.append(session, name, "shopper", "m-1", {"text": "hello"}, at)
    assert tidy(database_url, now, tmp_path) == "8 rows of web visitors deleted"
    assert tidy(database_url, now, tmp_path) == ""
    left = ["web-revoked-of-late", "web-seen"]
    with transaction(database_url) as session:
        for column in (WebVisitor.sender_id, TaskAtHand.sender_id, ChannelLink.from_sender_id, ChatEntry.sender_id):
            assert session.execute(select(column).order_by(column)).scalars().all() == left


def test_sign_ins_that_nobody_can_show_any_more_go(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        for name, expires_at in (("old", now - timedelta(seconds=1)), ("new", now)):
            session.add(UsedSignIn(name=name, sender_id="web-1", expires_at=expires_at))
    assert tidy(database_url, now, tmp_path) == "1 rows of web visitors deleted"
    with transaction(database_url) as session:
        assert session.execute(select(UsedSignIn.name)).scalars().all() == ["new"]


def uploaded(session: Session, home: Path, name: str, message_id: str, at: datetime) -> Path:
    """Its path: written when it came in."""
    sha256 = received_files.keep_content(home, name.encode())
    known: dict[str, Any] = {"channel": "webchat", "sender_id": "web-1", "kind": "image", "state": "stored"}
    session.add(ReceivedFile(provider_id=f"{name}-{message_id}", message_id=message_id, sha256=sha256, received_at=at, **known))
    session.flush()
    path = received_files.path_of(home, sha256)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_uploads_that_were_never_sent_go_with_their_file(database_url: str, now: datetime, tmp_path: Path) -> None:
    files = (("orphan", "", 25), ("fresh", "", 23), ("said", "m-1", 25), ("twice", "", 25), ("twice", "m-2", 25))
    with transaction(database_url) as session:
        paths = {name: uploaded(session, tmp_path, name, message, now - timedelta(hours=hours)) for name, message, hours in files}
    assert tidy(database_url, now, tmp_path) == "2 uploads that were never sent deleted"
    assert {name for name, path in paths.items() if path.exists()} == {"fresh", "said", "twice"}
    with transaction(database_url) as session:
        assert set(session.execute(select(ReceivedFile.provider_id)).scalars()) == {"fresh-", "said-m-1", "twice-m-2"}
    assert tidy(database_url, now, tmp_path) == ""


def test_upload_that_comes_again_meanwhile_keeps_its_bytes(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        path = uploaded(session, tmp_path, "picture", "", now - timedelta(hours=25))
    assert received_files.keep_content(tmp_path, b"picture")  # by a process whose row is not there yet
    assert tidy(database_url, now, tmp_path) == "1 uploads that were never sent deleted"
    assert path.exists()


def test_many_uploads_go_a_few_at_a_time(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        for number in range(25):
            uploaded(session, tmp_path, f"picture {number}", "", now - timedelta(hours=25))
    assert file_retention.purge_unsaid(database_url, tmp_path, now, at_once=10) == 25
    assert not [file for file in (tmp_path / "received").rglob("*") if file.is_file()]


def test_codes_for_another_channel_and_tasks_that_nobody_goes_on_with_are_deleted(
    database_url: str, now: datetime, tmp_path: Path
) -> None:
    task = tasks_at_hand.Task("return_request_form", {})
    for at in (now - timedelta(days=3), now):
        with transaction(database_url) as session:
            channel_links.offer(session, "web-1", at)
            tasks_at_hand.note(session, f"web-{at:%d}", None, task, at)
    assert tidy(database_url, now, tmp_path) == "1 links between channels deleted, 1 tasks at hand forgotten"
    assert tidy(database_url, now, tmp_path) == ""
