from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from database import Base, transaction
from messaging import agent_messages, chat_log
from messaging.channel_contacts import purge
from messaging.channel_contacts import resolve as resolve_contact
from messaging.codes import check_code, request_code
from messaging.consent import grant, may_send
from messaging.conversations import owner
from messaging.handoffs import open_for, resolve, take, transfer
from messaging.identities import assert_identity, forget, identity, prove_identity
from messaging.mail import EmlFolder, deliver_due, enqueue, newest
from messaging.models import (
    ActionCall,
    ChannelAddress,
    ChannelContact,
    ChannelLink,
    ChatEntry,
    Handoff,
    HandoffEvent,
    HandoffNote,
    InboundMessage,
    OutboundMessage,
    ReceivedFile,
    TaskAtHand,
    TrackerState,
    UsedSignIn,
    WebVisitor,
)
from messaging.privacy import Erased, erase_conversations, erase_saved_mail, export_conversations
from messaging.satisfaction import answer, ask
from messaging.turns import calls, inbox, outbox
from messaging.turns.inbox import Claim, Inbound
from messaging.turns.timers import set_timer
from tests.messaging.test_handoffs import asked

KEY = b"a key that only tests know"
DAY = timedelta(days=1)
ANA, EVA = 7, 8
NUMBER = "C-7"  # Ana's
CONTACTS = ["Ana@example.com", "+525512345678"]
PHONE_SENDER = "525512345678"


def live(session: Session, now: datetime, customer: int, sender: str, email: str) -> None:
    """Leave a trace in every table."""
    code = request_code(session, sender, email, customer, now, KEY).code or ""
    check_code(session, sender, code, now, KEY)
    assert_identity(session, "whatsapp", sender, customer, now)
    prove_identity(session, "whatsapp", sender, customer, now)
    enqueue(session, f"code:{sender}", email, "Your code", f"Code {code}", now, attachments=[f"labels/{sender}.pdf"])
    opened = asked(
        session,
        now,
        sender,
        customer_id=customer,
        collected={"email": email},
        transcript=[{"by": "shopper", "text": f"I am {email}", "at": "x"}],
        verdict={"of": email},
        sources={"email": {"from": "said", "text": f"I am {email}", "at": "x"}},
    )
    take(session, opened.handoff.id, "Marta", now)
    transfer(session, opened.handoff.id, now, by="Marta", queue="returns", note=f"ask {email} for a picture")
    grant(session, customer_id=customer, contact=email, purpose="marketing", channel="email", source="chat", now=now)
    ask(session, sender, f"matter:{sender}", now)
    answer(session, sender, 5, f"thanks, {email}", now)
    claim = begin_turn(session, sender, f"I am {email}", now)
    inbox.finish(session, claim, now)
    reply = {"text": f"Hello {email}"}
    outbox.put(
        session, turn_id=claim.turn_id, channel="test", sender_id=sender, contents=[reply], trace_id=claim.trace_id, now=now
    )
    calls.store(session, f"{claim.turn_id}/action_greet/1", sender, {"events": [], "responses": [reply]}, now)
    set_timer(session, key=f"idle:{sender}", sender_id=sender, channel="test", kind="idle", due_at=now, details={"of": email})
    session.add(TrackerState(sender_id=sender, version=1, prefix=json.dumps([email]), tail_from=0))
    contact = {"channel": "whatsapp", "sender_id": sender}
    session.add(ChannelContact(**contact, user_id=f"MX.{email}", phone=None, name=email, created_at=now))
    session.add(ChannelAddress(**contact, kind="user_id", value=f"MX.{email}", since=now))
    picture = {"message_id": f"m-{email}", "kind": "image", "file_name": email, "received_at": now, "state": "stored"}
    session.add(ReceivedFile(**contact, provider_id=f"f-{email}", sha256=f"hash-{sender}", **picture))
    visit(session, sender, f"C-{customer}", now)
    chat_log.append(session, sender, "shopper", "m-1", {"text": f"I am {email}"}, now)
    session.add(UsedSignIn(name=f"sign-in of {email}", sender_id=sender, expires_at=now))
    session.add(ChannelLink(code_hash=f"link of {email}", from_sender_id=sender, created_at=now, expires_at=now))
    session.add(TaskAtHand(sender_id=sender, form="claim_form", slots={"email": email}, at=now))
    session.flush()


def visit(session: Session, sender: str, number: str | None, now: datetime) -> None:
    session.add(WebVisitor(sender_id=sender, customer=number, customer_until=now, rotated_at=now, created_at=now, seen_at=now))
    session.flush()


def begin_turn(session: Session, sender: str, words: str, now: datetime) -> Claim:
    inbox.receive(session, Inbound("test", f"{sender}: {words}", sender, words, {"page": words}), now)
    claim = inbox.claim(session, sender, now)
    assert claim is not None
    return claim


def dump(session: Session) -> str:
    tables = [table for table in Base.metadata.sorted_tables if table.name in MESSAGING]
    return json.dumps({table.name: [list(row) for row in session.execute(table.select())] for table in tables}, default=str)


MESSAGING = {
    "conversation", "channel_identity", "code_request", "outgoing_mail", "handoff", "handoff_event", "handoff_note",
    "consent", "satisfaction_rating", "inbound_message", "outbound_message", "action_call", "timer", "tracker_state",
    "channel_contact", "channel_address", "received_file", "web_visitor", "chat_entry", "used_sign_in", "channel_link",
    "task_at_hand",
}  # fmt: skip


def erase(session: Session, now: datetime) -> Erased:
    return erase_conversations(session, ANA, now, key=KEY, contacts=CONTACTS, number=NUMBER)


def test_export_has_every_table_and_no_secrets(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    exported = export_conversations(session, ANA, CONTACTS, NUMBER)
    assert {name: len(rows) for name, rows in exported.items()} == {
        "identities": 2, "conversations": 1, "code_requests": 1, "mails": 1, "handoffs": 1, "handoff_events": 3,
        "handoff_notes": 1, "consents": 1, "ratings": 1,
        "messages": 1, "replies": 1, "timers": 3, "action_calls": 1, "trackers": 1, "contacts": 1,
        "addresses": 1, "received_files": 1, "web_visitors": 1, "chat_entries": 1, "sign_ins": 1, "channel_links": 1,
        "tasks_at_hand": 1,
    }  # fmt: skip
    assert exported["handoffs"][0]["transcript"] == [{"by": "shopper", "text": "I am ana@example.com", "at": "x"}]
    assert exported["handoffs"][0]["sources"]["email"]["text"] == "I am ana@example.com"
    assert exported["handoff_notes"][0]["text"] == "ask ana@example.com for a picture"
    assert exported["messages"][0]["text"] == "I am ana@example.com"
    assert exported["replies"][0]["content"] == {"text": "Hello ana@example.com"}
    assert exported["chat_entries"][0]["content"] == {"text": "I am ana@example.com"}
    assert exported["web_visitors"][0]["customer"] == NUMBER
    assert exported["ratings"][0]["answered_at"] == "2026-11-18T15:00:00+00:00"
    assert "hash" not in json.dumps(exported).replace(f"hash-{PHONE_SENDER}", "")


def test_what_people_of_the_shop_wrote_goes_and_what_happened_stays_to_be_counted(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    live(session, now, EVA, "s-eva", "eva@example.com")
    handoff = open_for(session, "s-eva")
    assert handoff is not None
    transfer(session, handoff.id, now, by="Marta", queue="orders", note="a friend of ana@example.com wrote")
    erase(session, now)
    notes = session.execute(select(HandoffNote.text).order_by(HandoffNote.id)).scalars().all()
    assert notes[0] == "ask eva@example.com for a picture"
    assert len(notes) == 2
    assert "ana@example.com" not in notes[1]
    theirs = session.execute(select(HandoffEvent.kind).where(HandoffEvent.sender_id.like("erased-%")).order_by(HandoffEvent.id))
    assert theirs.scalars().all() == ["opened", "assigned", "transferred", "resolved"]


def test_what_a_person_wrote_to_them_goes(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    handoff = open_for(session, PHONE_SENDER)
    assert handoff is not None
    take(session, handoff.id, "Marta", now)
    agent_messages.say(session, handoff.id, "Marta", "m-1", {"text": "Hello ana@example.com, it is on its way"}, now)
    assert "it is on its way" in json.dumps(export_conversations(session, ANA, CONTACTS, NUMBER))
    erase(session, now)
    assert "it is on its way" not in dump(session)


def test_export_has_nothing_of_others(session: Session, now: datetime) -> None:
    live(session, now, EVA, "s-eva", "eva@example.com")
    assert not any(export_conversations(session, ANA, CONTACTS, NUMBER).values())


def test_erasing_leaves_no_trace_of_the_person(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    erase(session, now)
    left = dump(session)
    assert not [trace for trace in ("ana@example.com", PHONE_SENDER) if trace in left.replace("matter:" + PHONE_SENDER, "")]
    assert identity(session, "whatsapp", PHONE_SENDER, now).customer_id is None
    assert not any(rows for name, rows in export_conversations(session, ANA, CONTACTS, NUMBER).items() if name != "consents")


def test_erasing_changes_nothing_of_others(session: Session, now: datetime) -> None:
    live(session, now, EVA, "s-eva", "eva@example.com")
    before = dump(session)
    erase(session, now)
    assert dump(session) == before


def test_score_and_withdrawn_consent_stay_without_a_name(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    erase(session, now)
    assert session.execute(text("SELECT score, comment FROM satisfaction_rating")).all() == [(5, "")]
    assert session.execute(text("SELECT granted FROM consent ORDER BY id")).scalars().all() == [1, 0]
    what: Any = {"purpose": "marketing", "channel": "email"}
    assert may_send(session, customer_id=ANA, contact="ana@example.com", **what) is False
    assert may_send(session, contact="ana@example.com", **what) is False


def test_open_handoff_is_closed_and_the_agent_lets_go(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    take(session, 1, "eva", now)
    erase(session, now)
    handoff = session.execute(select(Handoff)).scalar_one()
    assert (handoff.status, handoff.customer_id, handoff.transcript, handoff.collected) == ("resolved", None, [], {})
    assert owner(session, PHONE_SENDER) == "bot"


def test_caller_learns_which_trackers_and_files_must_go(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    prove_identity(session, "webchat", "earlier", ANA, now - DAY)
    forget(session, "webchat", "earlier", now - DAY)  # signed out: still hers
    erased = erase(session, now)
    assert erased.sender_ids == (PHONE_SENDER, "earlier")
    assert erased.attachments == (f"labels/{PHONE_SENDER}.pdf", f"received/ha/hash-{PHONE_SENDER}")


def test_picture_that_another_sent_too_stays(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    live(session, now, EVA, "s-eva", "eva@example.com")
    session.execute(update(ReceivedFile).values(sha256="the-same"))
    assert erase(session, now).attachments == (f"labels/{PHONE_SENDER}.pdf",)


def test_conversation_on_the_persons_own_number_is_theirs(session: Session, now: datetime) -> None:
    hers = resolve_contact(session, "whatsapp", user_id=None, phone="5215512345678", now=now)
    another = resolve_contact(session, "whatsapp", user_id=None, phone="5511987650001", now=now)
    assert erase(session, now).sender_ids == (hers,)
    assert [row.sender_id for row in session.execute(select(ChannelContact)).scalars()] == [another]


def test_last_words_know_where_to_go_until_they_are_sent(session: Session, now: datetime) -> None:
    sender = resolve_contact(session, "whatsapp", user_id="MX.1", phone=CONTACTS[1], name="Ana", now=now)
    prove_identity(session, "whatsapp", sender, ANA, now)
    claim = begin_turn(session, sender, "delete my data", now)
    erase(session, now)
    left = session.execute(select(ChannelContact)).scalar_one()
    assert (left.user_id, left.name) == ("MX.1", "")
    inbox.finish(session, claim, now)
    assert (purge(session), session.execute(select(ChannelContact)).all()) == (1, [])
    assert resolve_contact(session, "whatsapp", user_id="MX.1", phone=None, now=now) != sender


def test_shared_device_keeps_what_the_other_customer_said(session: Session, now: datetime) -> None:
    prove_identity(session, "webchat", "tablet", ANA, now - DAY)
    live(session, now, EVA, "tablet", "eva@example.com")
    erase(session, now)
    left = dump(session)
    assert "I am eva@example.com" in left
    assert "Hello eva@example.com" in left
    assert "thanks, eva@example.com" in left
    assert owner(session, "tablet") == "queue"


def test_handoff_of_nobody_that_names_the_person_is_theirs(session: Session, now: datetime) -> None:
    said = [{"by": "shopper", "text": "subscribe ANA@example.com to the newsletter", "at": "x"}]
    asked(session, now, "nobody", transcript=said, collected={"problem": "x"})
    asked(session, now, "nobody-else", transcript=[{"by": "shopper", "text": "I am banana@example.com", "at": "x"}])
    erased = erase(session, now)
    assert (erased.sender_ids, erased.quoting) == (("nobody",), ())
    left = dump(session)
    assert "ANA@example.com" not in left
    assert "banana@example.com" in left
    assert [row.status for row in session.execute(select(Handoff).order_by(Handoff.id)).scalars()] == ["resolved", "waiting"]


def test_handoff_of_another_keeps_all_but_the_persons_contacts(session: Session, now: datetime) -> None:
    live(session, now, EVA, "s-eva", "eva@example.com")
    said = [{"by": "shopper", "text": "my friend ana@example.com, +52 55 1234 5678, told me", "at": "x"}]
    asked(session, now, "s-eva", customer_id=EVA, transcript=said)
    erased = erase(session, now)
    assert (erased.sender_ids, erased.quoting) == ((), ("s-eva",))
    handoff = session.execute(select(Handoff)).scalar_one()
    assert handoff.transcript[0]["text"] == "my friend [erased], [erased], told me"
    assert (handoff.status, handoff.collected) == ("waiting", {"email": "eva@example.com"})


def test_erasing_twice_is_harmless(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    resolve(session, 1, now)
    erase(session, now)
    once = dump(session)
    erase(session, now)
    assert dump(session) == once


def test_mail_not_yet_sent_is_not_sent_any_more(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        live(session, now, ANA, PHONE_SENDER, "ana@example.com")
        erase(session, now)
    deliver_due(database_url, EmlFolder(tmp_path / "outbox"), now, tmp_path)
    assert newest(tmp_path / "outbox", 9) == []


def test_outbox_files_of_the_person_are_deleted(database_url: str, now: datetime, tmp_path: Path) -> None:
    with transaction(database_url) as session:
        enqueue(session, "1", "ana@example.com", "Hi", "Hello", now)
        enqueue(session, "2", "eva@example.com", "Hi", "Hello", now)
    deliver_due(database_url, EmlFolder(tmp_path / "outbox"), now, tmp_path)
    assert erase_saved_mail(tmp_path / "outbox", CONTACTS) == 1
    assert [mail.recipient for mail in newest(tmp_path / "outbox", 9)] == ["eva@example.com"]


def test_the_turn_that_erases_can_be_finished_and_its_goodbye_is_delivered(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    claim = begin_turn(session, PHONE_SENDER, "yes, erase ana@example.com", now)
    erase(session, now)
    message = session.execute(select(InboundMessage)).scalar_one()
    assert (message.id, message.state, message.text, message.details) == (claim.turn_id, "taken", "", {"erased": True})
    assert inbox.finish(session, claim, now) == "bot"
    said = {"turn_id": claim.turn_id, "channel": "test", "sender_id": PHONE_SENDER, "trace_id": claim.trace_id}
    outbox.put(session, contents=[{"text": "Goodbye"}], now=now, **said)
    taken = outbox.take(session, "test", PHONE_SENDER, now)
    assert isinstance(taken, outbox.Outgoing)
    assert taken.content == {"text": "Goodbye"}


def test_replies_of_earlier_turns_are_not_sent_any_more(session: Session, now: datetime) -> None:
    live(session, now, ANA, PHONE_SENDER, "ana@example.com")
    erase(session, now)
    assert outbox.take(session, "test", PHONE_SENDER, now) is None
    assert session.execute(select(OutboundMessage)).all() == session.execute(select(ActionCall)).all() == []


# Web chats


def test_web_chat_that_the_shop_signed_in_is_theirs_though_no_turn_came_of_it(session: Session, now: datetime) -> None:
    visit(session, "web-hers", NUMBER, now)
    visit(session, "web-of-another", "C-8", now)
    for sender in ("web-hers", "web-of-another"):
        chat_log.append(session, sender, "shopper", "m-1", {"text": "hello"}, now)
    exported = export_conversations(session, ANA, CONTACTS, NUMBER)
    assert [row["sender_id"] for row in exported["chat_entries"]] == ["web-hers"]
    assert erase(session, now).sender_ids == ("web-hers",)
    assert session.execute(select(ChatEntry.sender_id)).scalars().all() == ["web-of-another"]
    assert session.execute(select(WebVisitor.sender_id)).scalars().all() == ["web-of-another"]


def test_web_chat_of_nobody_that_names_the_person_is_theirs(session: Session, now: datetime) -> None:
    for sender, said in (("web-1", "write to ANA@example.com"), ("web-2", "write to banana@example.com")):
        visit(session, sender, None, now)
        chat_log.append(session, sender, "shopper", "m-1", {"text": said}, now)
    assert erase(session, now).sender_ids == ("web-1",)
    assert session.execute(select(ChatEntry.sender_id)).scalars().all() == ["web-2"]


def test_web_chat_of_another_keeps_all_but_the_persons_contacts(session: Session, now: datetime) -> None:
    visit(session, "web-eva", "C-8", now)
    chat_log.append(session, "web-eva", "shopper", "m-1", {"text": "my friend is ana@example.com, and I want 10202"}, now)
    erased = erase(session, now)
    assert (erased.sender_ids, erased.quoting) == ((), ("web-eva",))
    assert session.execute(select(ChatEntry.content)).scalars().all() == [{"text": "my friend is [erased], and I want 10202"}]


def test_shared_web_chat_stays_with_the_customer_whom_the_shop_names(session: Session, now: datetime) -> None:
    prove_identity(session, "webchat", "web-eva", ANA, now - DAY)
    visit(session, "web-eva", "C-8", now)
    chat_log.append(session, "web-eva", "shopper", "m-1", {"text": "ana@example.com and eva@example.com"}, now)
    erase(session, now)
    assert session.execute(select(ChatEntry.content)).scalars().all() == [{"text": "[erased] and eva@example.com"}]


def test_page_gets_the_last_words_of_a_conversation_that_is_erased(session: Session, now: datetime) -> None:
    live(session, now, ANA, "web-ana", "ana@example.com")
    chat_log.append(session, "web-ana", "assistant", "r-1", {"text": "Hello ana@example.com"}, now)
    begin_turn(session, "web-ana", "yes, erase ana@example.com", now)
    erase(session, now)
    assert chat_log.append(session, "web-ana", "assistant", "r-2", {"text": "Goodbye"}, now) == (3, True)
    assert [(each.seq, each.by, each.content) for each in chat_log.after(session, "web-ana", 0)] == [
        (2, "shop", {"event": "erased"}),
        (3, "assistant", {"text": "Goodbye"}),
    ]
    visitor = session.execute(select(WebVisitor)).scalar_one()
    assert (visitor.customer, visitor.revoked_at) == (None, now + timedelta(hours=1))


def test_conversation_that_was_closed_to_its_page_is_not_opened_by_erasing_it(session: Session, now: datetime) -> None:
    live(session, now, ANA, "web-ana", "ana@example.com")
    session.execute(update(WebVisitor).values(revoked_at=now - DAY))
    begin_turn(session, "web-ana", "yes, erase ana@example.com", now)
    erase(session, now)
    assert session.execute(select(WebVisitor.revoked_at)).scalar_one() == now - DAY
