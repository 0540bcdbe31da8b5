"""The shop's sign-in: what a JWT has to be, and what comes of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from datetime import datetime, timedelta
from typing import Any

import jwt as pyjwt
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.channels.webchat import sign_in, visitors
from bot.channels.webchat.settings import WebChatSettings
from bot.channels.webchat.sign_in import SignInRefused
from bot.channels.webchat.visitors import Visitor, begin
from messaging import identities, web_visitors
from messaging.models import UsedSignIn, WebVisitor

SHOP = "https://shop.example"
SECRET = "the secret that the shop's server has, too"
SETTINGS = WebChatSettings(jwt_secret=SECRET)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LEFT_OUT = object()


def claims(now: datetime, **other: Any) -> dict[str, Any]:
    at = int(now.timestamp())
    usual = {"sub": "C-1", "iat": at, "exp": at + 300, "aud": "tendero-webchat", "jti": "sign-in 1", **other}
    return {name: value for name, value in usual.items() if value is not LEFT_OUT}


def signed(now: datetime, secret: str = SECRET, **other: Any) -> str:
    return pyjwt.encode(claims(now, **other), secret, algorithm="HS256")


def raw(header: dict[str, Any], body: bytes, secret: str = SECRET) -> str:
    """As no library would make it."""
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (json.dumps(header).encode(), body)]
    signature = hmac.new(secret.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def refused(session: Session, visitor: Visitor, jwt: str, now: datetime, settings: WebChatSettings = SETTINGS) -> str:
    with pytest.raises(SignInRefused) as error:
        sign_in.show(session, visitor, jwt, settings, now)
    return error.value.why


@pytest.fixture
def visitor(session: Session, now: datetime) -> Visitor:
    return begin(session, SHOP, "es", now)


def test_customer_is_signed_in_and_the_conversation_goes_on(session: Session, visitor: Visitor, now: datetime) -> None:
    after = sign_in.show(session, visitor, signed(now), SETTINGS, now)
    assert (after.sender_id, after.token_to_keep, after.customer) == (visitor.sender_id, visitor.token_to_keep, "C-1")
    assert web_visitors.signed_in(session, visitor.sender_id, now) == ("C-1", now + 12 * HOUR)


# What is refused


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"aud": "another-service"}, "bad_jwt"),
        ({"aud": LEFT_OUT}, "bad_jwt"),
        ({"sub": LEFT_OUT}, "bad_jwt"),
        ({"sub": ""}, "bad_jwt"),
        ({"sub": "  "}, "bad_jwt"),
        ({"sub": "x" * 65}, "bad_jwt"),
        ({"jti": LEFT_OUT}, "bad_jwt"),
        ({"jti": ""}, "bad_jwt"),
        ({"iat": LEFT_OUT}, "bad_jwt"),
        ({"exp": LEFT_OUT}, "bad_jwt"),
    ],
)
def test_claims_that_are_missing_or_wrong(session: Session, visitor: Visitor, now: datetime, other: Any, why: str) -> None:
    assert refused(session, visitor, signed(now, **other), now) == why


def test_claims_of_another_type(session: Session, visitor: Visitor, now: datetime) -> None:
    at = int(now.timestamp())
    for other in (
        {"sub": 7},
        {"sub": ["C-1"]},
        {"jti": 7},
        {"exp": str(at + 300)},
        {"exp": True},
        {"exp": None},
        {"exp": [at]},
        {"iat": "now"},
        {"iat": -1},
        {"exp": 1e300},
        {"exp": 10**400},
        {"nbf": at + 3600},
        {"nbf": "later"},
    ):
        body = json.dumps(claims(now, **other)).encode()
        assert refused(session, visitor, raw({"alg": "HS256", "typ": "JWT"}, body), now) == "bad_jwt", other
    for value in ("NaN", "Infinity", "-Infinity", "1e999"):  # numbers to Python, which compare as they like
        body = json.dumps(claims(now, exp="?")).replace('"?"', value).encode()
        assert refused(session, visitor, raw({"alg": "HS256"}, body), now) == "bad_jwt", value


def test_wrong_key(session: Session, visitor: Visitor, now: datetime) -> None:
    assert refused(session, visitor, signed(now, secret="another secret, as long as the right one"), now) == "bad_jwt"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS512", "RS256", ""])
def test_other_algorithm(session: Session, visitor: Visitor, now: datetime, alg: str) -> None:
    body = json.dumps(claims(now)).encode()
    whole = raw({"alg": alg, "typ": "JWT"}, body)
    assert refused(session, visitor, whole, now) == "bad_jwt"
    assert refused(session, visitor, whole.rpartition(".")[0] + ".", now) == "bad_jwt"


def test_algorithm_that_is_as_good_but_not_ours(session: Session, visitor: Visitor, now: datetime) -> None:
    longer = WebChatSettings(jwt_secret=SECRET * 2)
    for alg in ("HS384", "HS512"):
        assert refused(session, visitor, pyjwt.encode(claims(now), SECRET * 2, algorithm=alg), now, longer) == "bad_jwt"


def test_without_a_signature(session: Session, visitor: Visitor, now: datetime) -> None:
    unsigned = pyjwt.encode(claims(now), key=None, algorithm="none")
    assert refused(session, visitor, unsigned, now) == "bad_jwt"
    assert refused(session, visitor, signed(now).rpartition(".")[0] + ".", now) == "bad_jwt"


@pytest.mark.parametrize("jwt", ["", "x", "a.b.c", "é.é.é", "..", "\x00", "{}", "[" * 4000, "a" * 5000, "\ud800.a.b"])
def test_what_is_no_jwt(session: Session, visitor: Visitor, now: datetime, jwt: str) -> None:
    assert refused(session, visitor, jwt, now) == "bad_jwt"


def test_payload_that_is_no_object(session: Session, visitor: Visitor, now: datetime) -> None:
    for body in (b"[]", b"7", b"null", b"\xff", b"", b"[" * 2000):
        assert refused(session, visitor, raw({"alg": "HS256"}, body), now) == "bad_jwt"


def test_jwt_that_is_longer_than_any_of_ours(session: Session, visitor: Visitor, now: datetime) -> None:
    assert refused(session, visitor, signed(now, more="x" * 4000), now) == "bad_jwt"


def test_expired(session: Session, visitor: Visitor, now: datetime) -> None:
    jwt = signed(now)
    assert refused(session, visitor, jwt, now + 5 * MINUTE + 30 * SECOND) == "old_jwt"
    assert sign_in.show(session, visitor, jwt, SETTINGS, now + 5 * MINUTE + 29 * SECOND).customer == "C-1"  # clocks differ


def test_life_of_more_than_ten_minutes(session: Session, visitor: Visitor, now: datetime) -> None:
    at = int(now.timestamp())
    assert refused(session, visitor, signed(now, exp=at + 631), now) == "bad_jwt"
    assert refused(session, visitor, signed(now, iat=at - 3600, exp=at + 60), now) == "bad_jwt"  # or it would hold for an hour
    assert refused(session, visitor, signed(now, iat=at + 25, exp=at + 25 + 610), now) == "bad_jwt"
    assert sign_in.show(session, visitor, signed(now, exp=at + 600), SETTINGS, now).customer == "C-1"


def test_from_the_future(session: Session, visitor: Visitor, now: datetime) -> None:
    at = int(now.timestamp())
    assert refused(session, visitor, signed(now, iat=at + 31, exp=at + 200), now) == "bad_jwt"


def test_shop_that_has_told_us_no_secret_signs_nobody_in(session: Session, visitor: Visitor, now: datetime) -> None:
    nothing = WebChatSettings()
    assert refused(session, visitor, signed(now), now, nothing) == "not_configured"
    empty = raw({"alg": "HS256", "typ": "JWT"}, json.dumps(claims(now)).encode(), secret="")
    assert refused(session, visitor, empty, now, nothing) == "not_configured"
    assert refused(session, visitor, empty, now) == "bad_jwt"


def test_whoever_is_refused_is_nobody(session: Session, visitor: Visitor, now: datetime) -> None:
    refused(session, visitor, signed(now, aud="x"), now)
    assert web_visitors.signed_in(session, visitor.sender_id, now) is None
    assert session.execute(select(UsedSignIn)).all() == []


def test_no_refusal_and_no_log_has_the_secret_or_the_token(
    session: Session, visitor: Visitor, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tried = [signed(now), signed(now, aud="x"), signed(now, secret="another secret, as long as the right one"), "a.b.c"]
    said = []
    for jwt in tried:
        try:
            sign_in.show(session, visitor, jwt, SETTINGS, now)
        except SignInRefused as error:
            said.append(f"{error!r} {error.__cause__!r} {error.__suppress_context__}")
    everything = " ".join([*said, caplog.text, repr(SETTINGS), str(SETTINGS)])
    assert len(said) == 3
    assert all("None True" in each for each in said)  # what PyJWT says is not told along
    assert not [jwt for jwt in (*tried[:3], SECRET) if jwt in everything]
    assert tried[0] not in str([tuple(row) for row in session.execute(UsedSignIn.__table__.select())])


# Once


def test_shown_again_by_the_same_visitor_changes_nothing(session: Session, visitor: Visitor, now: datetime) -> None:
    jwt = signed(now)
    first = sign_in.show(session, visitor, jwt, SETTINGS, now)
    again = sign_in.show(session, first, jwt, SETTINGS, now + MINUTE)
    assert again == first
    assert web_visitors.signed_in(session, visitor.sender_id, now) == ("C-1", now + 12 * HOUR)


def test_shown_by_another_visitor_is_refused(session: Session, visitor: Visitor, now: datetime) -> None:
    jwt, thief = signed(now), begin(session, SHOP, "es", now)
    sign_in.show(session, visitor, jwt, SETTINGS, now)
    assert refused(session, thief, jwt, now) == "used_jwt"
    assert refused(session, thief, signed(now, sub="C-2"), now) == "used_jwt"  # the same jti, whoever it names
    assert web_visitors.signed_in(session, thief.sender_id, now) is None
    assert sign_in.show(session, thief, signed(now, jti="sign-in 2"), SETTINGS, now).customer == "C-1"


def test_shown_again_after_signing_out_in_the_chat_it_signs_in_no_more(session: Session, visitor: Visitor, now: datetime) -> None:
    jwt = signed(now)
    sign_in.show(session, visitor, jwt, SETTINGS, now)
    identities.forget(session, "webchat", visitor.sender_id, now)
    known = visitors.current(session, visitor.sender_id, now)
    assert known is not None
    assert sign_in.show(session, known, jwt, SETTINGS, now + MINUTE).customer is None
    assert web_visitors.signed_in(session, visitor.sender_id, now + MINUTE) is None
    assert sign_in.show(session, known, signed(now, jti="sign-in 2"), SETTINGS, now + MINUTE).customer == "C-1"


# Another customer


def test_same_customer_keeps_the_conversation_and_holds_longer(session: Session, visitor: Visitor, now: datetime) -> None:
    sign_in.show(session, visitor, signed(now), SETTINGS, now)
    later = now + 20 * HOUR
    after = sign_in.show(session, visitor, signed(later, jti="sign-in 2"), SETTINGS, later)
    assert after.sender_id == visitor.sender_id
    assert web_visitors.signed_in(session, visitor.sender_id, later) == ("C-1", later + 12 * HOUR)


@pytest.mark.parametrize("hours", [0, 11, 13, 1000])
def test_another_customer_begins_a_new_conversation(session: Session, visitor: Visitor, now: datetime, hours: int) -> None:
    sign_in.show(session, visitor, signed(now), SETTINGS, now)
    later = now + hours * HOUR
    after = sign_in.show(session, visitor, signed(later, sub="C-2", jti="sign-in 2"), SETTINGS, later)
    assert after.sender_id != visitor.sender_id
    assert after.customer == "C-2"
    assert web_visitors.signed_in(session, visitor.sender_id, later) is None
    assert visitors.known(session, after.token_to_keep, SHOP, later) == after.sender_id


def test_conversation_before_cannot_be_opened_once_the_jwt_is_over(session: Session, visitor: Visitor, now: datetime) -> None:
    sign_in.show(session, visitor, signed(now), SETTINGS, now)
    sign_in.show(session, visitor, signed(now, sub="C-2", jti="sign-in 2"), SETTINGS, now)
    over = now + 5 * MINUTE + 30 * SECOND
    assert visitors.resume(session, visitor.token_to_keep, SHOP, over - SECOND) is not None
    assert visitors.resume(session, visitor.token_to_keep, SHOP, over) is None


def test_lost_answer_to_another_customers_sign_in_loses_nothing(session: Session, visitor: Visitor, now: datetime) -> None:
    sign_in.show(session, visitor, signed(now), SETTINGS, now)
    jwt = signed(now, sub="C-2", jti="sign-in 2")
    after = sign_in.show(session, visitor, jwt, SETTINGS, now)
    before = visitors.resume(session, visitor.token_to_keep, SHOP, now + MINUTE)
    assert before is not None
    assert before.customer is None
    assert sign_in.show(session, before, jwt, SETTINGS, now + MINUTE) == after
    assert refused(session, begin(session, SHOP, "es", now), jwt, now + MINUTE) == "used_jwt"


def test_customer_who_has_proven_themselves_by_a_code_counts_too(session: Session, visitor: Visitor, now: datetime) -> None:
    web_visitors.note_whose(session, visitor.sender_id, "C-1")
    same = sign_in.show(session, visitor, signed(now), SETTINGS, now)
    assert same.sender_id == visitor.sender_id
    other = sign_in.show(session, visitor, signed(now, sub="C-2", jti="sign-in 2"), SETTINGS, now)
    assert other.sender_id != visitor.sender_id


def test_new_visitor_has_the_origin_and_language_of_the_one_before(session: Session, visitor: Visitor, now: datetime) -> None:
    sign_in.show(session, visitor, signed(now), SETTINGS, now)
    after = sign_in.show(session, visitor, signed(now, sub="C-2", jti="sign-in 2"), SETTINGS, now)
    assert after.language == "es"
    assert visitors.known(session, after.token_to_keep, SHOP, now) == after.sender_id
    assert visitors.known(session, after.token_to_keep, "https://other.example", now) is None


# Signing out


def test_signing_out_begins_a_new_visitor_and_ends_all_of_the_old_one(session: Session, visitor: Visitor, now: datetime) -> None:
    signed_in = sign_in.show(session, visitor, signed(now), SETTINGS, now)
    identities.prove_identity(session, "webchat", visitor.sender_id, 7, now)
    after = sign_in.end(session, signed_in, now)
    assert after.sender_id != visitor.sender_id
    assert (after.customer, after.language) == (None, "es")
    assert visitors.resume(session, visitor.token_to_keep, SHOP, now) is None
    assert web_visitors.signed_in(session, visitor.sender_id, now) is None
    assert identities.identity(session, "webchat", visitor.sender_id, now) == identities.ANONYMOUS


def test_whose_the_conversation_was_stays_known_after_signing_out(session: Session, visitor: Visitor, now: datetime) -> None:
    sign_in.end(session, sign_in.show(session, visitor, signed(now), SETTINGS, now), now)
    whose = select(WebVisitor.customer).where(WebVisitor.sender_id == visitor.sender_id)
    assert session.execute(whose).scalar_one() == "C-1"  # to export and to erase it


def test_sign_in_that_is_over_says_nobody(session: Session, visitor: Visitor, now: datetime) -> None:
    sign_in.show(session, visitor, signed(now), SETTINGS, now)
    session.execute(update(WebVisitor).values(seen_at=now))
    at_the_end = visitors.current(session, visitor.sender_id, now + 12 * HOUR)
    assert at_the_end is not None
    assert at_the_end.customer is None
