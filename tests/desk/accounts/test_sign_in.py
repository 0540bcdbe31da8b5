"""Names and passwords: what is refused looks the same and costs the same, and can be tried only so often."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from database import Base, engine_for, transaction
from desk import accounts, passwords, sessions, sign_in
from desk.models import Agent, SignInAttempt
from desk.sign_in import TRIES_OF_ADDRESS, TRIES_OF_NAME, WINDOW, SignInRefused
from tests.conftest import NOW
from tests.desk.accounts.server import PASSWORD, Desk

pytestmark = pytest.mark.usefixtures("people")


def tried(name: str, password: str = "not the password", address: str = "192.0.2.1", now: datetime = NOW) -> str:
    try:
        sign_in.sign_in(name, password, address, "Firefox", now)
    except SignInRefused as refused:
        return refused.code
    return "in"


def test_whoever_signs_in_is_told_who_they_are(desk: Desk) -> None:
    browser = desk.browser()
    assert browser.sign_in("LUIS ").json()["me"] == {
        "id": desk.agent("Luis").id,
        "name": "Luis",
        "role": "agent",
        "permissions": ["exceptions"],
        "languages": [],
        "queues": [],
        "capacity": 4,
        "status": "away",
    }
    assert browser.get("me").json()["me"]["name"] == "Luis"


def test_wrong_name_wrong_password_and_put_out_look_the_same(desk: Desk) -> None:
    ada = desk.signed_in("ada")
    ada.patch("agents/Marta", {"is_active": False})
    answers = [desk.browser().sign_in(*who) for who in (("nobody",), ("luis", "wrong"), ("marta",))]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, '{"error":"wrong"}')}
    assert len({frozenset(answer.headers) for answer in answers}) == 1


@pytest.mark.parametrize("name", ["luis", "nobody", "sso"])
def test_a_hash_is_worked_out_whatever_the_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        accounts.create(session, name="Sso", sign_in_name="sso", now=NOW)  # has no password
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, kept: str, password: str) -> bool:
        verified.append(kept)
        return verify(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    assert tried(name) == "wrong"
    assert len(verified) == 1
    assert verified[0].split("$")[:4] == passwords.hashed("x").split("$")[:4]  # argon2id, with the same costs


def test_the_password_is_kept_as_argon2id_only(desk: Desk) -> None:
    assert str(desk.agent("Luis").password_hash).startswith("$argon2id$")


def test_hashes_cost_what_rfc_9106_recommends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert passwords.hashed(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_hash_of_other_costs_is_made_anew(desk: Desk) -> None:
    with desk.session() as session:
        luis = session.execute(select(Agent).where(Agent.name == "Luis")).scalar_one()
        luis.password_hash = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    assert "m=1024," in desk.agent("Luis").password_hash
    desk.signed_in("luis")
    assert "m=1024," not in desk.agent("Luis").password_hash
    desk.signed_in("luis")


def test_so_many_wrong_passwords_of_a_name_and_then_it_has_to_wait() -> None:
    for place in range(TRIES_OF_NAME):
        assert tried("luis", address=f"192.0.2.{place}") == "wrong"  # from wherever
    assert tried("Luis", PASSWORD, address="198.51.100.1") == "too_many"  # also the right one
    assert tried("marta", PASSWORD, address="198.51.100.1") == "in"
    assert tried("luis", PASSWORD, now=NOW + WINDOW + timedelta(seconds=1)) == "in"


def test_it_is_said_how_long_to_wait(desk: Desk) -> None:
    browser = desk.browser()
    for _ in range(TRIES_OF_NAME):
        assert browser.sign_in("luis", "wrong").status_code == 401
    answer = browser.sign_in("luis")
    assert answer.status_code == 429
    assert answer.json()["error"] == "too_many"
    assert WINDOW.total_seconds() - 60 < answer.json()["after"] <= WINDOW.total_seconds()
    assert answer.headers["retry-after"] == str(answer.json()["after"])


def test_a_password_that_was_right_begins_the_count_anew() -> None:
    for _ in range(TRIES_OF_NAME - 1):
        tried("luis")
    assert tried("luis", PASSWORD, now=NOW + timedelta(seconds=1)) == "in"
    for place in range(TRIES_OF_NAME):
        assert tried("luis", now=NOW + timedelta(seconds=2 + place)) == "wrong"
    assert tried("luis", now=NOW + timedelta(seconds=60)) == "too_many"


def test_names_that_are_nobodys_are_counted_as_well() -> None:
    assert [tried("nobody", address=f"192.0.2.{place}") for place in range(TRIES_OF_NAME + 1)][-2:] == ["wrong", "too_many"]


def test_an_address_that_tries_many_names_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "fits", lambda kept, password: False)
    for place in range(TRIES_OF_ADDRESS):
        assert tried(f"name{place}") == "wrong"
    assert tried("luis", PASSWORD) == "too_many"
    assert tried("luis", PASSWORD, address="198.51.100.1") == "wrong"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_at_the_same_moment_are_no_way_around(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_url")
        Base.metadata.create_all(engine_for(url))
        monkeypatch.setenv("TENDERO_DATABASE_URL", url)
    all_there = threading.Barrier(TRIES_OF_NAME, timeout=30)  # none has an answer before all that may try have begun

    def slow(kept: str | None, password: str) -> bool:
        all_there.wait()
        return False

    monkeypatch.setattr(passwords, "fits", slow)
    with ThreadPoolExecutor(TRIES_OF_NAME * 3) as pool:
        told = list(pool.map(lambda _: tried("luis"), range(TRIES_OF_NAME * 3)))
    assert (told.count("wrong"), told.count("too_many")) == (TRIES_OF_NAME, TRIES_OF_NAME * 2)


def kept_tries() -> list[SignInAttempt]:
    with transaction() as session:
        return list(session.execute(select(SignInAttempt)).scalars())


def test_tries_are_kept_without_names_and_addresses() -> None:
    tried("luis")
    (row,) = kept_tries()
    assert len(row.name_hash) == len(row.address_hash) == 64
    assert row.name_hash != hashlib.sha256(b"luis").hexdigest()


def test_every_sign_in_is_noted_and_no_word_of_who_was_nobody(desk: Desk) -> None:
    desk.signed_in("luis")
    desk.browser().sign_in("luis", "wrong")
    desk.browser().sign_in("my-password-typed-here", "wrong")
    rows = [(row.agent_name, row.action, row.details["via"], row.details.get("why")) for row in desk.audit()]
    assert rows == [
        ("Luis", "signed_in", "password", None),
        ("Luis", "sign_in_refused", "password", "wrong"),
        ("", "sign_in_refused", "password", "nobodys"),
    ]
    assert "127.0.0.1" not in str([row.details for row in desk.audit()])


def test_who_signs_in_again_in_a_browser_has_one_session_there(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    before = luis.token
    assert luis.sign_in("luis").status_code == 200
    assert luis.token != before
    old = desk.browser()
    old.token = before
    assert old.get("me").status_code == 401
    assert luis.get("me").status_code == 200


# Passwords


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", "too_short"),
        ("elevensigns", "too_short"),
        ("x" * 300, "too_long"),
        ("password1234", "too_common"),
        ("123456789012", "too_common"),
        ("qwertyuiop12", "too_common"),
        ("aaaaaaaaaaaa", "too_common"),
        ("luis.mercado@example.com", "too_common"),
        ("LuisMercado1", "too_common"),
    ],
)
def test_a_password_that_is_guessed_soon_is_refused(password: str, rule: str) -> None:
    with pytest.raises(passwords.PasswordRefused) as refused:
        passwords.check(password, ("Luis Mercado", "luis.mercado@example.com"))
    assert refused.value.rule == rule
    assert password not in str(refused.value)


def test_a_long_phrase_and_a_generated_one_are_accepted() -> None:
    passwords.check(PASSWORD, ("Luis",))
    passwords.check(passwords.generated(), ("Luis",))


def test_a_new_password_ends_the_other_sessions(desk: Desk) -> None:
    here, elsewhere = desk.signed_in("luis"), desk.signed_in("luis")
    new = "otra frase bastante larga"
    assert here.post("me/password", {"old": "wrong", "new": new}).json()["rule"] == "wrong_password"
    assert here.post("me/password", {"old": PASSWORD, "new": "short"}).json()["rule"] == "too_short"
    assert elsewhere.get("me").status_code == 200
    assert here.post("me/password", {"old": PASSWORD, "new": new}).json() == {"ended": 1}
    assert here.get("me").status_code == 200
    assert elsewhere.get("me").status_code == 401
    assert desk.browser().sign_in("luis").status_code == 401
    assert desk.browser().sign_in("luis", new).status_code == 200
    assert [row.agent_name for row in desk.audit("changed_password")] == ["Luis"]


def test_the_old_password_can_be_guessed_no_more_often_than_at_the_door(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    answers = [luis.post("me/password", {"old": "wrong", "new": PASSWORD}).status_code for _ in range(TRIES_OF_NAME + 1)]
    assert answers == [422] * TRIES_OF_NAME + [429]


# Sessions


def test_a_session_goes_on_while_it_is_used_and_no_longer_than_a_week(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    begun = datetime.now(timezone.utc)
    now = begun
    while now < begun + timedelta(days=7) - timedelta(hours=11):
        now += timedelta(hours=11)
        assert sessions.visit(luis.token, now) is not None, now - begun
    assert sessions.visit(luis.token, begun + timedelta(days=7, minutes=1)) is None
    marta = desk.signed_in("marta")
    assert sessions.visit(marta.token, datetime.now(timezone.utc) + timedelta(hours=12, minutes=1)) is None


def test_all_sessions_are_shown_and_each_can_be_ended(desk: Desk) -> None:
    here, elsewhere = desk.signed_in("luis"), desk.signed_in("luis")
    desk.signed_in("marta")
    shown = here.get("me/sessions").json()["sessions"]
    assert [each["is_this"] for each in shown].count(True) == 1
    assert [(each["via"], each["browser"]) for each in shown] == [("password", "Firefox of the tests")] * 2
    other = next(each["id"] for each in shown if not each["is_this"])
    assert here.delete(f"me/sessions/{other}").status_code == 200
    assert elsewhere.get("me").status_code == 401
    this = next(each["id"] for each in shown if each["is_this"])
    assert here.delete(f"me/sessions/{this}").status_code == 200
    assert (here.token, here.get("me").status_code) == ("", 401)
