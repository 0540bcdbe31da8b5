"""Housekeeping does what is due, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select

from commerce.loyalty.ledger import Cause, add_lot
from commerce.models import LedgerEntry
from database import transaction
from messaging import channel_contacts, channel_links, chat_log, codes, received_files, tasks_at_hand
from messaging.models import (
    ActionCall,
    ChannelAddress,
    ChannelLink,
    ChatEntry,
    CodeRequest,
    InboundMessage,
    OutboundMessage,
    ReceivedFile,
    TaskAtHand,
    Timer,
    UsedSignIn,
    WebVisitor,
)
from messaging.turns import ended
from tendero.housekeeping import tidy
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


DAY = timedelta(days=1)


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


def test_uploads_that_were_never_sent_go_with_their_file(database_url: str, now: datetime, tmp_path: Path) -> None:
    kept = {}
    with transaction(database_url) as session:
        for name, message_id, hours in (
            ("orphan", "", 25),
            ("fresh", "", 23),
            ("said", "m-1", 25),
            ("twice", "", 25),
            ("twice", "m-2", 25),
        ):
            kept[name] = received_files.keep_content(session, tmp_path, name.encode())
            session.add(
                ReceivedFile(
                    channel="webchat", provider_id=f"{name}-{message_id}", sender_id="web-1", message_id=message_id, kind="image",
                    state="stored", sha256=kept[name], received_at=now - timedelta(hours=hours),
                )
            )  # fmt: skip
    assert tidy(database_url, now, tmp_path) == "2 uploads that were never sent deleted"
    left = {name for name, sha256 in kept.items() if received_files.path_of(tmp_path, sha256).exists()}
    assert left == {"fresh", "said", "twice"}
    with transaction(database_url) as session:
        assert set(session.execute(select(ReceivedFile.provider_id)).scalars()) == {"fresh-", "said-m-1", "twice-m-2"}
    assert tidy(database_url, now, tmp_path) == ""


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
