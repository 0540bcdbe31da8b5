"""Entries of a web conversation: numbered without gaps, each once."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy.orm import Session

from messaging import chat_log
from messaging.models import WebVisitor

NOW = datetime(2026, 11, 26, 8, tzinfo=timezone.utc)
ANA, BOB = "web-ana", "web-bob"


def say(session: Session, sender_id: str, *names: str) -> list[tuple[int, bool]]:
    return [chat_log.append(session, sender_id, "shopper", name, {"text": name}, NOW) for name in names]


def test_numbers_rise_by_one_within_a_conversation(session: Session) -> None:
    assert say(session, ANA, "a", "b") == [(1, True), (2, True)]
    assert say(session, BOB, "a") == [(1, True)]
    assert say(session, ANA, "c") == [(3, True)]


def test_the_same_name_again_adds_nothing(session: Session) -> None:
    say(session, ANA, "a", "b")
    assert say(session, ANA, "a") == [(1, False)]
    assert chat_log.newest(session, ANA) == 2


def test_pages_are_read_from_the_end_and_what_is_new_from_where_one_was(session: Session) -> None:
    say(session, ANA, *"abcde")
    say(session, BOB, "x")
    assert [each.seq for each in chat_log.before(session, ANA, most=2)] == [4, 5]
    assert [each.seq for each in chat_log.before(session, ANA, 4, most=2)] == [2, 3]
    assert [each.seq for each in chat_log.after(session, ANA, 3)] == [4, 5]
    assert chat_log.after(session, ANA, 5) == []


def test_what_the_shop_has_read_only_grows(session: Session) -> None:
    session.add(WebVisitor(sender_id=ANA, rotated_at=NOW, created_at=NOW, seen_at=NOW))
    say(session, ANA, "a", "b")
    session.flush()
    assert chat_log.note_read_by_shop(session, ANA, "b") == 2
    assert chat_log.note_read_by_shop(session, ANA, "a") is None
    assert chat_log.note_read_by_shop(session, ANA, "of somebody else") is None
    assert chat_log.read_by_shop(session, ANA) == 2
    assert chat_log.read_by_shop(session, BOB) == 0


def test_an_entry_is_found_by_its_name_in_its_conversation_only(session: Session) -> None:
    say(session, ANA, "a", "b")
    found = chat_log.named(session, ANA, "b")
    assert found is not None
    assert found.seq == 2
    assert chat_log.named(session, BOB, "b") is None


def test_what_is_new_in_any_conversation_is_found_by_rows(session: Session) -> None:
    say(session, ANA, "a")
    row = chat_log.newest_row(session)
    say(session, BOB, "x", "y")
    assert [(each.sender_id, each.seq) for each in chat_log.later(session, row)] == [(BOB, 1), (BOB, 2)]


def test_the_newest_names_of_one_who_speaks_up_to_an_entry(session: Session) -> None:
    say(session, ANA, *"abc")
    chat_log.append(session, ANA, "assistant", "r", {}, NOW)
    assert chat_log.names_up_to(session, ANA, 3, ["shopper"], most=2) == ["c", "b"]
    assert chat_log.names_up_to(session, ANA, 9, ["assistant", "agent"]) == ["r"]
