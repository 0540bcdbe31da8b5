"""Tokens: what opens a conversation, and all that does not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.webchat import visitors
from bot.channels.webchat.visitors import begin, current, known, public_name, resume, revoke
from messaging.models import WebVisitor

SHOP, OTHER = "https://shop.example", "https://other.example"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def opens(session: Session, token: str, now: datetime, origin: str = SHOP) -> str | None:
    """The conversation that the token opens; both ways of asking say the same."""
    name = known(session, token, origin, now)
    found = resume(session, token, origin, now)
    assert name == (found.sender_id if found else None)
    return name


def row(session: Session, sender_id: str) -> WebVisitor:
    found = select(WebVisitor).where(WebVisitor.sender_id == sender_id).execution_options(populate_existing=True)
    return session.execute(found).scalar_one()


def test_token_opens_its_conversation_as_it_is(session: Session, now: datetime) -> None:
    visitor = begin(session, SHOP, "nb", now)
    session.execute(update(WebVisitor).values(read_seq=7))
    again = resume(session, visitor.token_to_keep, SHOP, now + MINUTE)
    assert again is not None
    assert (again.sender_id, again.token_to_keep) == (visitor.sender_id, visitor.token_to_keep)
    assert (again.language, again.read_seq, again.customer) == ("nb", 7, None)
    assert current(session, visitor.sender_id, now) == again


def test_each_visitor_has_a_conversation_of_their_own(session: Session, now: datetime) -> None:
    ana, bob = begin(session, SHOP, "es", now), begin(session, SHOP, "es", now)
    assert ana.sender_id != bob.sender_id
    assert opens(session, ana.token_to_keep, now) == ana.sender_id
    assert opens(session, bob.token_to_keep, now) == bob.sender_id


def test_token_that_we_did_not_sign_opens_nothing(session: Session, now: datetime) -> None:
    ana, bob = begin(session, SHOP, "es", now), begin(session, SHOP, "es", now)
    name, generation, signature = ana.token_to_keep.split(".")
    bobs_name, _, bobs_signature = bob.token_to_keep.split(".")
    forged = [
        "",
        "x",
        name,
        f"{name}.{generation}",
        f"{name}.{generation}.",
        f"{bobs_name}.{generation}.{signature}",
        f"{name}.{generation}.{bobs_signature}",
        f"{name}.2.{signature}",
        f"{name}.0.{signature}",
        f"{name}.01.{signature}",
        f"{name}.{generation}.{'0' * 64}",
        f"{name}.{generation}.{signature[:-1]}",
        f"{name}.{generation}.{signature.upper()}",
        f"{ana.token_to_keep}\n",
        f"{ana.token_to_keep}.{bob.token_to_keep}",
        f"{name}.{generation}.{signature}é",
        f"{ana.sender_id}.{generation}.{signature}",
        "a" * 100_000,
    ]
    assert [opens(session, token, now) for token in forged] == [None] * len(forged)
    assert opens(session, ana.token_to_keep, now) == ana.sender_id


def test_token_of_another_installation_opens_nothing(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = begin(session, SHOP, "es", now)
    monkeypatch.setenv("TENDERO_SECRET", "the secret of another installation")
    assert opens(session, ana.token_to_keep, now) is None


@pytest.mark.parametrize(
    "origin", [OTHER, "http://shop.example", "https://shop.example:8443", "https://shop.example.evil", "", "null"]
)
def test_token_of_another_origin_opens_nothing(session: Session, now: datetime, origin: str) -> None:
    ana = begin(session, SHOP, "es", now)
    assert opens(session, ana.token_to_keep, now, origin=origin) is None


def test_token_is_not_good_where_only_the_row_has_moved_to(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    session.execute(update(WebVisitor).values(origin=OTHER))
    assert opens(session, ana.token_to_keep, now) is None
    assert opens(session, ana.token_to_keep, now, origin=OTHER) is None


def test_token_of_a_visitor_who_is_gone_opens_nothing(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    session.delete(row(session, ana.sender_id))
    session.flush()
    assert opens(session, ana.token_to_keep, now) is None
    assert current(session, ana.sender_id, now) is None


def test_revoked_token_opens_nothing_in_any_generation(session: Session, now: datetime) -> None:
    ana, bob = begin(session, SHOP, "es", now), begin(session, SHOP, "es", now)
    old, new = rotated(session, ana.token_to_keep, now)
    later = now + 2 * DAY
    revoke(session, ana.sender_id, later)
    assert opens(session, old, later) is None
    assert opens(session, new, later) is None
    assert current(session, ana.sender_id, later) is None
    assert opens(session, bob.token_to_keep, later) == bob.sender_id


def test_revoking_again_later_changes_nothing(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    revoke(session, ana.sender_id, now)
    revoke(session, ana.sender_id, now + DAY)
    assert opens(session, ana.token_to_keep, now + HOUR) is None


# Rotation


def rotated(session: Session, token: str, now: datetime) -> tuple[str, str]:
    """(the token, the next one): it was shown, and shown again a day later."""
    assert resume(session, token, SHOP, now) is not None
    later = resume(session, token, SHOP, now + DAY)
    assert later is not None
    assert later.token_to_keep != token
    return token, later.token_to_keep


def test_token_is_kept_for_a_day_and_then_replaced(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    for at in (now, now + HOUR, now + DAY - SECOND):
        visitor = resume(session, ana.token_to_keep, SHOP, at)
        assert visitor is not None
        assert visitor.token_to_keep == ana.token_to_keep
    visitor = resume(session, ana.token_to_keep, SHOP, now + DAY)
    assert visitor is not None
    assert visitor.token_to_keep != ana.token_to_keep
    assert visitor.sender_id == ana.sender_id


def test_lost_answer_to_a_rotation_loses_no_conversation(session: Session, now: datetime) -> None:
    old, new = rotated(session, begin(session, SHOP, "es", now).token_to_keep, now)
    for days in (1, 2, 30):  # the browser still has the old one, and gets the same new one each time
        visitor = resume(session, old, SHOP, now + days * DAY)
        assert visitor is not None
        assert visitor.token_to_keep == new


def test_old_token_holds_for_an_hour_after_the_new_one_was_shown(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    old, new = rotated(session, ana.token_to_keep, now)
    shown_at = now + 5 * DAY
    assert opens(session, new, shown_at) == ana.sender_id
    assert opens(session, old, shown_at + HOUR - SECOND) == ana.sender_id
    assert opens(session, old, shown_at + HOUR) is None
    assert opens(session, new, shown_at + HOUR) == ana.sender_id


def test_old_token_has_its_hour_even_where_the_new_one_is_shown_late(session: Session, now: datetime) -> None:
    old, new = rotated(session, begin(session, SHOP, "es", now).token_to_keep, now)
    shown_at = now + 9 * DAY
    first = resume(session, new, SHOP, shown_at)
    assert first is not None
    assert first.token_to_keep == new  # old as it is: the one before would end with another rotation
    soon = resume(session, new, SHOP, shown_at + MINUTE)
    assert soon is not None
    assert soon.token_to_keep == new
    assert opens(session, old, shown_at + MINUTE) is not None
    later = resume(session, new, SHOP, shown_at + HOUR)
    assert later is not None
    assert later.token_to_keep != new


def test_generation_before_the_last_but_one_opens_nothing(session: Session, now: datetime) -> None:
    first, second = rotated(session, begin(session, SHOP, "es", now).token_to_keep, now)
    _, third = rotated(session, second, now + 2 * DAY)
    at = now + 3 * DAY
    assert opens(session, first, at) is None
    assert opens(session, second, at) is not None
    assert opens(session, third, at) is not None


def test_two_tabs_that_rotate_get_the_same_token(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    assert opens(session, ana.token_to_keep, now) is not None
    tabs = [resume(session, ana.token_to_keep, SHOP, now + DAY) for _ in range(2)]
    assert len({tab.token_to_keep for tab in tabs if tab}) == 1
    assert row(session, ana.sender_id).generation == 2


def test_asking_whose_it_is_rotates_nothing(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    assert known(session, ana.token_to_keep, SHOP, now + 9 * DAY) == ana.sender_id
    assert (row(session, ana.sender_id).generation, row(session, ana.sender_id).confirmed_at) == (1, None)


def test_being_seen_is_noted_once_an_hour(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    for minutes, seen in ((0, 0), (59, 0), (60, 60), (90, 60), (120, 120)):
        resume(session, ana.token_to_keep, SHOP, now + minutes * MINUTE)
        assert row(session, ana.sender_id).seen_at == now + seen * MINUTE


# Names


def test_public_name_tells_conversations_apart_and_opens_nothing(session: Session, now: datetime) -> None:
    ana, bob = begin(session, SHOP, "es", now), begin(session, SHOP, "es", now)
    assert public_name(ana.sender_id) == public_name(ana.sender_id) != public_name(bob.sender_id)
    assert ana.sender_id.removeprefix("web-") not in public_name(ana.sender_id)
    assert opens(session, public_name(ana.sender_id), now) is None


def test_signatures_are_for_one_purpose_only(session: Session, now: datetime) -> None:
    ana = begin(session, SHOP, "es", now)
    name, _, signature = ana.token_to_keep.split(".")
    assert signature[:32] != public_name(ana.sender_id)
    assert visitors._signature(f"web-{name}", 1, SHOP) == signature  # the test compares what it means to compare
