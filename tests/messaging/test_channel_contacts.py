from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.channel_contacts import contact, known, moved, phone_of, purge, resolve, window_closes_at
from messaging.identities import Level, assert_identity, identity
from messaging.models import ChannelAddress, ChannelContact, OutboundMessage

ANA, ANA_ID = "5511987650001", "BR.1"


@pytest.fixture
def who(session: Session, now: datetime) -> Any:
    def resolved(user_id: str | None = None, phone: str | None = None, **more: Any) -> str:
        return resolve(session, "whatsapp", user_id=user_id, phone=phone, now=now, **more)

    return resolved


def _addresses(session: Session, sender_id: str) -> set[str]:
    return set(session.execute(select(ChannelAddress.value).where(ChannelAddress.sender_id == sender_id)).scalars())


def _person(session: Session, sender_id: str) -> ChannelContact:
    person = contact(session, sender_id)
    assert person is not None
    return person


def test_name_of_a_conversation_tells_nothing_of_the_person(who: Any) -> None:
    sender_id = who(ANA_ID, ANA)
    assert sender_id.startswith("wa-")
    assert len(sender_id) == 27
    assert int(sender_id[3:], 16) >= 0
    assert who(ANA_ID, ANA) == sender_id
    assert who("BR.2", "5511987650002") != sender_id


@pytest.mark.parametrize(
    "variants",
    [
        ("5511987650001", "551187650001", "+55 11 98765-0001"),  # Brazil, with and without the ninth digit
        ("525512345678", "5215512345678"),  # Mexico, with and without the old 1
        ("5491123456789", "541123456789"),  # Argentina, with and without the 9
    ],
)
def test_variants_of_a_number_are_one_person(who: Any, session: Session, variants: tuple[str, ...]) -> None:
    (sender_id,) = {who(phone=phone) for phone in variants}
    assert len(_addresses(session, sender_id)) == 1


def test_number_that_our_tables_do_not_know_is_a_number_all_the_same() -> None:
    assert phone_of("99912345678") == "+99912345678"
    assert [phone_of(each) for each in ("", None, "no number", "12", "1" * 16)] == [None] * 5


def test_without_an_address_nobody_is_resolved(who: Any, session: Session) -> None:
    with pytest.raises(ValueError, match="neither"):
        who("x" * 161, "none")
    assert known(session, "whatsapp", user_id=None, phone=None) is None


def test_user_id_joins_who_was_known_by_number(who: Any, session: Session) -> None:
    by_phone = who(phone=ANA)
    assert [who(ANA_ID, ANA), who(ANA_ID), who(phone=ANA)] == [by_phone] * 3
    assert (_person(session, by_phone).user_id, _person(session, by_phone).phone) == (ANA_ID, f"+{ANA}")


def test_number_joins_who_was_known_by_user_id(who: Any, session: Session) -> None:
    by_id = who(ANA_ID, name="Ana", username="ana")
    assert [who(ANA_ID, ANA), who(phone=ANA)] == [by_id] * 2
    assert (_person(session, by_id).name, _person(session, by_id).username) == ("Ana", "ana")


def test_number_that_changed_hands_is_a_new_person(who: Any, session: Session, now: datetime) -> None:
    before = who(ANA_ID, ANA)
    assert_identity(session, "whatsapp", before, 7, now)
    after = who("BR.2", ANA)
    assert after != before
    assert who(phone=ANA) == after
    assert who(ANA_ID) == before
    assert _person(session, before).phone is None  # nothing that is meant for Ana goes to the number any more
    assert identity(session, "whatsapp", before, now).level is Level.anonymous
    assert identity(session, "whatsapp", after, now).level is Level.anonymous


def test_one_who_writes_from_anothers_number_keeps_their_own_conversation(who: Any, session: Session) -> None:
    first, second = who(ANA_ID, ANA), who("BR.2", "5511987650002")
    assert who("BR.2", ANA) == second
    assert (_person(session, first).phone, _person(session, second).phone) == (None, f"+{ANA}")


def test_number_change_moves_the_conversation(who: Any, session: Session, now: datetime) -> None:
    before = who(ANA_ID, ANA)
    told = {"old_user_id": None, "old_phone": ANA, "new_user_id": None, "new_phone": "5521987650009", "now": now}
    assert moved(session, "whatsapp", **told) == before
    assert who("BR.9", "5521987650009") == before  # a new number brings a new user id
    assert (_person(session, before).user_id, _person(session, before).phone) == ("BR.9", "+5521987650009")
    assert _addresses(session, before) == {ANA_ID, f"+{ANA}", "BR.9", "+5521987650009"}


def test_who_has_the_old_number_afterwards_is_somebody_else(who: Any, session: Session, now: datetime) -> None:
    before = who(phone=ANA)
    told = {"old_user_id": None, "old_phone": ANA, "new_user_id": "BR.9", "new_phone": "5521987650009", "now": now}
    moved(session, "whatsapp", **told)
    assert known(session, "whatsapp", user_id=None, phone=ANA) is None
    stranger = who(phone=ANA)
    assert stranger != before
    assert who("BR.9") == before
    assert moved(session, "whatsapp", **{**told, "old_phone": "5511900000000"}) is None


def test_late_message_from_the_old_number_changes_nothing(who: Any, session: Session, now: datetime) -> None:
    before = who(ANA_ID, ANA)
    told = {"old_user_id": ANA_ID, "old_phone": ANA, "new_user_id": ANA_ID, "new_phone": "5521987650009", "now": now}
    moved(session, "whatsapp", **told)
    assert who(ANA_ID, ANA) == before
    assert _person(session, before).phone == "+5521987650009"


def test_user_id_change_moves_the_conversation_and_keeps_the_number(who: Any, session: Session, now: datetime) -> None:
    before = who(ANA_ID, ANA)
    told = {"old_user_id": ANA_ID, "old_phone": None, "new_user_id": "BR.9", "new_phone": None, "now": now}
    assert moved(session, "whatsapp", **told) == before
    assert [who("BR.9"), who("BR.9", ANA), who(ANA_ID)] == [before] * 3
    assert (_person(session, before).user_id, _person(session, before).phone) == ("BR.9", f"+{ANA}")


def test_change_that_comes_after_the_first_message_takes_the_addresses_back(who: Any, session: Session, now: datetime) -> None:
    before, meanwhile = who(ANA_ID, ANA), who("BR.9", "5521987650009")
    told = {"old_user_id": ANA_ID, "old_phone": ANA, "new_user_id": "BR.9", "new_phone": "5521987650009", "now": now}
    assert moved(session, "whatsapp", **told) == before
    assert who("BR.9", "5521987650009") == before
    assert _addresses(session, meanwhile) == set()


def test_window_is_open_for_a_day_after_the_newest_message(who: Any, session: Session, now: datetime) -> None:
    sender_id = who(ANA_ID)
    assert window_closes_at(session, sender_id) is None
    for minutes in (0, 30, 10):  # messages do not come in their order
        who(ANA_ID, wrote_at=now + timedelta(minutes=minutes))
    assert window_closes_at(session, sender_id) == now + timedelta(hours=24, minutes=30)


def test_who_writes_can_be_reached_again(who: Any, session: Session, now: datetime) -> None:
    sender_id = who(ANA_ID)
    _person(session, sender_id).unreachable = "131026"
    session.flush()
    who(ANA_ID)
    assert _person(session, sender_id).unreachable == "131026"
    who(ANA_ID, wrote_at=now)
    assert _person(session, sender_id).unreachable is None


def test_long_names_are_no_hindrance(who: Any, session: Session) -> None:
    person = _person(session, who(ANA_ID, name="ñ" * 500, username="u" * 500))
    assert (len(person.name), len(person.username)) == (120, 64)


def test_contact_without_an_address_is_purged_once_nothing_is_to_be_sent(who: Any, session: Session, now: datetime) -> None:
    gone, stays = who(ANA_ID), who("BR.2")
    session.execute(ChannelAddress.__table__.delete().where(ChannelAddress.sender_id == gone))
    reply = OutboundMessage(turn_id=1, position=0, channel="whatsapp", sender_id=gone, content={}, trace_id="t", created_at=now)
    session.add(reply)
    session.flush()
    assert purge(session) == 0
    reply.state = "sent"
    session.flush()
    assert purge(session) == 1
    assert (contact(session, gone), _person(session, stays).user_id) == (None, "BR.2")
