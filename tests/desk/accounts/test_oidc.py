"""Single sign-on with a real provider over HTTP, and everything that must not let anybody in."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt as pyjwt
import pytest
from joserfc.jwk import RSAKey

from desk import account_routes, accounts, oidc
from desk.oidc import OidcSettings
from tests.conftest import NOW
from tests.desk.accounts.provider import Provider
from tests.desk.accounts.server import Browser, Desk
from tests.plain_http import NO_TLS


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    oidc.provider_of.cache_clear()
    running = Provider()
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    yield running
    running.close()


@pytest.fixture
def desk(provider: Provider, serve: Callable[..., Desk]) -> Desk:
    """Luis signs in as luis@example.com, Marta and Ada have short names."""
    desk = serve()
    with desk.session() as session:
        accounts.change(session, "Luis", NOW, sign_in_name="luis@example.com")
    return desk


def start(browser: Browser) -> httpx.Response:
    return browser.get("oidc/start")


def at_the_provider(browser: Browser) -> str:
    """The address that the provider sends the browser back to."""
    begun = start(browser)
    assert begun.status_code == 302
    return str(httpx.get(begun.headers["location"], verify=NO_TLS).headers["location"])


def signed_in_there(browser: Browser) -> str:
    """To where the whole way leads: the desk, or the desk with why not."""
    return str(browser.http.get(at_the_provider(browser)).headers["location"])


def is_in(browser: Browser) -> bool:
    return browser.get("me").status_code == 200


def why(desk: Desk) -> str:
    rows = desk.audit("sign_in_refused")
    assert rows[-1].details["via"] == "oidc"
    return str(rows[-1].details["why"])


def test_whoever_is_known_there_by_a_verified_e_mail_is_in(desk: Desk) -> None:
    browser = desk.browser()
    assert browser.get("me").json() == {"error": "signed_out", "oidc": {"name": "Shop login"}}
    assert signed_in_there(browser) == "/desk"
    assert browser.get("me").json()["me"]["name"] == "Luis"
    assert [(row.agent_name, row.details) for row in desk.audit("signed_in")] == [("Luis", {"via": "oidc"})]
    assert browser.get("me/sessions").json()["sessions"][0]["via"] == "oidc"


def test_from_then_on_the_subject_counts_and_not_the_e_mail(desk: Desk, provider: Provider) -> None:
    assert signed_in_there(desk.browser()) == "/desk"
    assert desk.agent("Luis").oidc_subject == f"{provider.issuer}|subject-1"
    provider.claims["email"] = "luis.new@example.com"
    assert signed_in_there(desk.browser()) == "/desk"
    provider.claims = {"sub": "subject-2", "email": "luis@example.com", "email_verified": True}
    assert signed_in_there(desk.browser()) == "/desk?sign_in=unknown"
    assert why(desk) == "other_subject"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email_verified": False}, "email_not_verified"),
        ({"email_verified": "true"}, "email_not_verified"),
        ({"email_verified": None}, "email_not_verified"),
        ({"email": None}, "email_not_verified"),
        ({"email": ["luis@example.com"]}, "email_not_verified"),
        ({"email": "somebody@example.com"}, "nobodys"),
    ],
)
def test_nobody_else_is_known_and_nobody_is_made(desk: Desk, provider: Provider, claims: dict[str, Any], reason: str) -> None:
    provider.broken = claims
    browser = desk.browser()
    assert signed_in_there(browser) == "/desk?sign_in=unknown"
    assert not is_in(browser)
    assert why(desk) == reason
    with desk.session() as session:
        assert len(accounts.everybody(session)) == 3


def test_who_was_put_out_stays_out(desk: Desk) -> None:
    assert signed_in_there(desk.browser()) == "/desk"
    with desk.session() as session:
        accounts.change(session, "Luis", NOW, is_active=False)
    assert signed_in_there(desk.browser()) == "/desk?sign_in=unknown"


def test_where_the_shop_wants_it_new_people_get_a_role(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, serve: Callable[..., Desk]
) -> None:
    monkeypatch.setenv("TENDERO_OIDC_CREATES_AGENTS", "agent")
    desk = serve()
    provider.claims = {"sub": "9", "email": "Marta@Example.com", "email_verified": True, "name": "Marta"}  # a name that is taken
    browser = desk.browser()
    assert signed_in_there(browser) == "/desk"
    me = browser.get("me").json()["me"]
    assert (me["name"], me["role"]) == ("Marta Example.com", "agent")
    provider.claims["email_verified"] = False
    provider.claims["sub"] = "10"
    assert signed_in_there(desk.browser()) == "/desk?sign_in=unknown"


HOUR = 3600


def without_instants(broken: dict[str, Any]) -> str:
    """A test that has another name in each process that shares the tests keeps all of them from being run."""
    return re.sub(r"\d{9,}", "then", str(broken))


@pytest.mark.parametrize(
    "broken",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["desk-of-the-tests", "another"]},  # without saying for whom (azp)
        {"aud": "desk-of-the-tests", "azp": "another"},
        {"aud": "another client", "azp": "desk-of-the-tests"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": int(time.time()) - HOUR},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": int(time.time()) + HOUR},
        {"iat": None},
        {"iat": int(time.time()) + HOUR},
        {"sub": None},
        {"sub": ""},
        {"sub": "s" * 300},
        {"at_hash": "of another access token"},
    ],
    ids=without_instants,
)
def test_a_token_that_proves_nothing_lets_nobody_in(desk: Desk, provider: Provider, broken: dict[str, Any]) -> None:
    provider.broken = broken
    browser = desk.browser()
    assert signed_in_there(browser) == "/desk?sign_in=refused"
    assert not is_in(browser)
    assert desk.audit("signed_in") == []


def test_a_token_of_another_key_lets_nobody_in(desk: Desk, provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "1"})
    assert signed_in_there(desk.browser()) == "/desk?sign_in=refused"
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "other"})
    assert signed_in_there(desk.browser()) == "/desk?sign_in=refused"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_a_signature_of_the_providers_lets_nobody_in(
    desk: Desk, provider: Provider, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forged(claims: dict[str, Any]) -> str:
        if algorithm == "none":
            parts = [
                base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in ({"alg": "none"}, claims)
            ]
            return f"{parts[0]}.{parts[1]}."
        return pyjwt.encode(claims, "client secret of the tests, and more", algorithm="HS256")

    monkeypatch.setattr(provider, "signed", forged)
    assert signed_in_there(desk.browser()) == "/desk?sign_in=refused"


def test_new_keys_of_the_provider_are_found(desk: Desk, provider: Provider) -> None:
    assert signed_in_there(desk.browser()) == "/desk"
    provider.new_keys()
    assert signed_in_there(desk.browser()) == "/desk"


def test_an_answer_is_good_once(desk: Desk) -> None:
    browser = desk.browser()
    back = at_the_provider(browser)
    cookie = browser.http.cookies.get("tendero_desk_oidc")
    assert browser.http.get(back).headers["location"] == "/desk"
    thief = desk.browser()  # has seen all of it
    thief.http.cookies.set("tendero_desk_oidc", str(cookie), path="/webhooks/desk/v1/oidc")
    assert thief.http.get(back).headers["location"] == "/desk?sign_in=refused"
    assert not is_in(thief)
    assert why(desk) == "used"


def test_a_code_is_good_once_also_with_another_state(desk: Desk) -> None:
    browser, thief = desk.browser(), desk.browser()
    back = at_the_provider(browser)
    assert browser.http.get(back).headers["location"] == "/desk"
    theirs = dict(parse_qsl(urlsplit(at_the_provider(thief)).query))
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    assert (
        thief.get("oidc/callback", params={"code": code, "state": theirs["state"]}).headers["location"] == "/desk?sign_in=refused"
    )
    assert why(desk) == "code"


def test_a_stolen_code_is_worth_nothing_in_another_browser(desk: Desk) -> None:
    """PKCE and state: what was begun in one browser ends in no other."""
    victim, thief = desk.browser(), desk.browser()
    back = at_the_provider(victim)
    at_the_provider(thief)
    assert thief.http.get(back).headers["location"] == "/desk?sign_in=refused"
    assert why(desk) == "state"
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    state = dict(parse_qsl(urlsplit(at_the_provider(thief)).query))["state"]
    assert thief.get("oidc/callback", params={"code": code, "state": state}).headers["location"] == "/desk?sign_in=refused"
    assert not is_in(thief)


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": None}, {"code": None}, {"iss": "https://evil.example"}, {"state": "é"}]
)
def test_a_changed_answer_lets_nobody_in(desk: Desk, change: dict[str, str | None]) -> None:
    browser = desk.browser()
    told = {**dict(parse_qsl(urlsplit(at_the_provider(browser)).query)), **change}
    answer = browser.get("oidc/callback", params={name: value for name, value in told.items() if value is not None})
    assert answer.headers["location"] == "/desk?sign_in=refused"
    assert not is_in(browser)


def test_without_what_the_browser_kept_or_with_it_changed_nobody_is_in(desk: Desk) -> None:
    browser = desk.browser()
    back = at_the_provider(browser)
    kept = str(browser.http.cookies.get("tendero_desk_oidc"))
    for wrong in ("", kept[:-2] + ("AA" if kept[-2:] != "AA" else "BB"), "x.y.z"):
        other = desk.browser()
        other.http.cookies.set("tendero_desk_oidc", wrong, path="/webhooks/desk/v1/oidc")
        assert other.http.get(back).headers["location"] == "/desk?sign_in=refused"


def test_whoever_is_too_long_at_the_provider_begins_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.browser()
    back = at_the_provider(browser)
    later = datetime.now(timezone.utc) + timedelta(minutes=oidc.MINUTES_AT_THE_PROVIDER, seconds=1)
    monkeypatch.setattr(account_routes, "_now", lambda: later)
    assert browser.http.get(back).headers["location"] == "/desk?sign_in=refused"
    assert why(desk) == "too_late"


def test_the_cookie_of_the_way_comes_back_from_another_site_and_is_kept_from_scripts(desk: Desk) -> None:
    begun = start(desk.browser())
    parts = {part.strip().lower() for part in begun.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "path=/webhooks/desk/v1/oidc", "max-age=600"} <= parts
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{desk.url}/webhooks/desk/v1/oidc/callback"]


def test_a_provider_that_says_it_is_another_or_is_not_there_is_not_used(desk: Desk, provider: Provider) -> None:
    provider.metadata = {"issuer": "https://evil.example"}
    assert start(desk.browser()).headers["location"] == "/desk?sign_in=unavailable"
    provider.metadata = {}
    assert start(desk.browser()).headers["location"].startswith(provider.issuer)
    oidc.provider_of.cache_clear()
    provider.close()
    assert start(desk.browser()).headers["location"] == "/desk?sign_in=unavailable"


def test_without_a_provider_there_is_no_such_route(serve: Callable[..., Desk]) -> None:
    browser = serve().browser()
    assert browser.get("me").json() == {"error": "signed_out"}
    assert browser.get("oidc/start").status_code == browser.get("oidc/callback").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"TENDERO_OIDC_ISSUER": "http://login.example.com"},
        {"TENDERO_OIDC_CLIENT_ID": ""},
        {"TENDERO_OIDC_CLIENT_SECRET": ""},
        {"TENDERO_OIDC_CREATES_AGENTS": "boss"},
    ],
)
def test_settings_that_cannot_be_are_refused_without_quoting_the_secret(change: dict[str, str]) -> None:
    fine = {
        "TENDERO_OIDC_ISSUER": "https://login.example.com",
        "TENDERO_OIDC_CLIENT_ID": "i",
        "TENDERO_OIDC_CLIENT_SECRET": "s3cret",
    }
    assert OidcSettings.of(fine) is not None
    assert "s3cret" not in repr(OidcSettings.of(fine))
    with pytest.raises(ValueError, match="TENDERO_OIDC") as refused:
        OidcSettings.of({**fine, **change})
    assert "s3cret" not in str(refused.value)
