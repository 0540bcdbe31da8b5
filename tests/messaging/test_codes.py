from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from messaging.codes import (
    Checked,
    Requested,
    check_code,
    check_confirmation,
    find_code,
    purge,
    request_code,
    request_confirmation,
)
from messaging.models import CodeRequest

KEY = b"a key that only tests know"
ANA = "ana@example.com"
MINUTE = timedelta(minutes=1)

Ask = Callable[..., Requested]
Check = Callable[..., Checked]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@pytest.fixture
def ask(session: Session, now: datetime) -> Ask:
    def _ask(sender: str = "s1", contact: str = ANA, customer: int | None = 7, at: datetime = now) -> Requested:
        return request_code(session, sender, contact, customer, at, KEY)

    return _ask


@pytest.fixture
def check(session: Session, now: datetime) -> Check:
    def _check(text: str | None, sender: str = "s1", at: datetime = now) -> Checked:
        return check_code(session, sender, text or "", at, KEY)

    return _check


def test_code_is_six_digits_and_proves_the_customer(ask: Ask, check: Check) -> None:
    code = ask().code
    assert code is not None
    assert len(code) == 6
    assert code.isdigit()
    assert check(f"mi código es {code[:3]} {code[3:]}, gracias") == Checked(7, "ok")


def test_code_works_once(ask: Ask, check: Check) -> None:
    code = ask().code
    assert check(code).status == "ok"
    assert check(code) == Checked(None, "used")


def test_code_ends_after_ten_minutes(ask: Ask, check: Check, now: datetime) -> None:
    code = ask().code
    assert check(code, at=now + 10 * MINUTE) == Checked(None, "expired")
    assert check(code, at=now + 10 * MINUTE - timedelta(seconds=1)) == Checked(7, "ok")


def test_sixth_try_is_refused_even_with_the_right_code(ask: Ask, check: Check) -> None:
    code = ask().code
    assert code is not None
    assert [check(wrong(code)).status for _ in range(5)] == ["wrong"] * 5
    assert check(code) == Checked(None, "too_many_tries")


def test_fifth_try_may_be_right(ask: Ask, check: Check) -> None:
    code = ask().code
    assert code is not None
    for _ in range(4):
        check(wrong(code))
    assert check(code) == Checked(7, "ok")


def test_text_without_six_digits_costs_no_try(ask: Ask, check: Check) -> None:
    code = ask().code
    assert [check("no me llega").status for _ in range(9)] == ["wrong"] * 9
    assert check(code).status == "ok"


def test_only_the_first_six_digits_of_a_message_count(ask: Ask, check: Check) -> None:
    code = ask().code
    assert code is not None
    assert check(f"{wrong(code)} {code}").status == "wrong"


def test_code_belongs_to_the_sender_who_asked(ask: Ask, check: Check) -> None:
    code = ask(sender="s1").code
    assert check(code, sender="s2") == Checked(None, "none")


def test_new_code_replaces_the_earlier_one(ask: Ask, check: Check) -> None:
    earlier, later = ask().code, ask().code
    assert later is not None
    if earlier != later:
        assert check(earlier).status == "wrong"
    assert check(later).status == "ok"


def test_unknown_address_gets_the_same_answers(ask: Ask, check: Check, now: datetime) -> None:
    code = ask(sender="known").code
    assert code is not None
    assert ask(sender="unknown", contact="nobody@example.com", customer=None) == Requested(None, "sent")

    def statuses(sender: str) -> list[str]:
        tries = [check("hola", sender=sender), *(check(wrong(code), sender=sender) for _ in range(6))]
        return [one.status for one in [*tries, check(wrong(code), sender=sender, at=now + 11 * MINUTE)]]

    assert statuses("known") == statuses("unknown")


def test_limits_are_the_same_for_unknown_addresses(ask: Ask) -> None:
    known = [ask(sender="a", contact=ANA).status for _ in range(4)]
    unknown = [ask(sender="b", contact="nobody@example.com", customer=None).status for _ in range(4)]
    assert known == unknown == ["sent", "sent", "sent", "limited"]


def test_no_code_fits_an_unknown_address(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.codes.secrets.token_hex", lambda _bytes: "123456")
    request_code(session, "s1", "nobody@example.com", None, now, KEY)
    assert check_code(session, "s1", "123456", now, KEY) == Checked(None, "wrong")


def test_code_is_stored_only_as_a_keyed_hash(session: Session, ask: Ask) -> None:
    requested = ask()
    row = session.execute(select(CodeRequest)).scalar_one()
    stored = " ".join(str(getattr(row, column.name)) for column in CodeRequest.__table__.columns)
    assert requested.code is not None
    assert ANA not in stored
    assert requested.code not in (row.code_hash, row.contact_hash)
    assert requested.code not in repr(requested)
    assert len(row.code_hash) == 64


def test_another_key_fits_nothing(session: Session, now: datetime, ask: Ask) -> None:
    code = ask().code
    assert code is not None
    assert check_code(session, "s1", code, now, b"another key of this shop").status == "wrong"


def test_sender_gets_three_codes_in_fifteen_minutes(ask: Ask, now: datetime) -> None:
    assert [ask(at=now + n * MINUTE, contact=f"{n}@example.com").status for n in range(4)] == ["sent"] * 3 + ["limited"]
    assert ask(at=now + 15 * MINUTE).status == "sent"


def test_address_gets_five_codes_an_hour_whoever_asks(ask: Ask, now: datetime) -> None:
    assert [ask(sender=f"s{n}").status for n in range(6)] == ["sent"] * 5 + ["limited"]
    assert ask(sender="s9", contact=" ANA@example.com ").status == "limited"
    assert ask(sender="s9", contact="eva@example.com").status == "sent"
    assert ask(sender="s9", at=now + 60 * MINUTE).status == "sent"


def test_sender_gets_ten_codes_a_day(ask: Ask, now: datetime) -> None:
    at = [now + 20 * n * MINUTE for n in range(11)]
    assert [ask(at=at[n], contact=f"{n}@example.com").status for n in range(11)] == ["sent"] * 10 + ["limited"]
    assert ask(at=now + timedelta(days=1)).status == "sent"


def test_limited_request_leaves_the_earlier_code_good(ask: Ask, check: Check) -> None:
    code = [ask().code for _ in range(4)][2]
    assert check(code).status == "ok"


def test_simultaneous_guesses_are_looked_at_five_times(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        code = request_code(session, "s1", ANA, 7, now, KEY).code
    assert code is not None

    def guess(_: int) -> str:
        with transaction(database_url) as session:
            return check_code(session, "s1", wrong(code), now, KEY).status

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(guess, range(12)))
    assert sorted(statuses) == ["too_many_tries"] * 7 + ["wrong"] * 5


def test_simultaneous_right_answers_are_accepted_once(database_url: str, now: datetime) -> None:
    with transaction(database_url) as session:
        code = request_code(session, "s1", ANA, 7, now, KEY).code or ""

    def enter(_: int) -> str:
        with transaction(database_url) as session:
            return check_code(session, "s1", code, now, KEY).status

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == ["ok", "used", "used", "used"]


def test_purge_keeps_what_limits_still_count(session: Session, ask: Ask, now: datetime) -> None:
    ask(at=now - timedelta(days=2))
    ask(at=now)
    assert purge(session, now) == 1
    assert len(session.execute(select(CodeRequest)).all()) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("123-456", "123456"),
        ("es 1 2 3 4 5 6.", "123456"),
        ("pedido 10234, código 654321", "654321"),
        ("１２３４５６", "123456"),
        ("1234567", None),
        ("12345", None),
        ("", None),
    ],
)
def test_six_digits_are_found_as_people_write_them(text: str, code: str | None) -> None:
    assert find_code(text) == code


@given(st.text(max_size=200))
def test_any_text_can_be_checked(text: str) -> None:
    found = find_code(text)
    assert found is None or (len(found) == 6 and found.isascii() and found.isdigit())


def test_code_for_a_confirmation_fits_its_address_and_proves_nobody(session: Session, now: datetime, check: Check) -> None:
    code = request_confirmation(session, "s1", ANA, now, KEY).code
    assert code is not None
    assert check(code) == Checked(None, "wrong")
    assert check_confirmation(session, "s1", "eva@example.com", code, now, KEY).status == "none"
    assert check_confirmation(session, "s1", ANA, wrong(code), now, KEY).status == "wrong"
    assert check_confirmation(session, "s1", ANA, code, now, KEY) == Checked(None, "ok")
    assert check_confirmation(session, "s1", ANA, code, now, KEY).status == "used"


def test_code_that_proves_who_writes_confirms_nothing(session: Session, now: datetime, ask: Ask) -> None:
    assert check_confirmation(session, "s1", ANA, ask().code or "", now, KEY).status == "wrong"


def test_confirmations_count_for_the_same_limits(session: Session, now: datetime, ask: Ask) -> None:
    for _ in range(3):
        request_confirmation(session, "s1", ANA, now, KEY)
    assert request_confirmation(session, "s1", ANA, now, KEY) == Requested(None, "limited")
    assert ask().status == "limited"
