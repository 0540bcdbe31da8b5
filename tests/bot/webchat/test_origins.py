"""Which pages may use the chat, and what their browsers are told."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sanic.compat import Header

from bot.channels.webchat.origins import allowed, cors, origin_of, preflight
from bot.channels.webchat.settings import WebChatSettings, normal_origin
from tests.bot.webchat.server import Served

SHOP = "https://shop.example"
LISTED = WebChatSettings(origins=(SHOP, "http://localhost:3000"))
NONE = WebChatSettings()


def request(origin: str | None, host: str = "assistant.example", scheme: str = "https", **more: str) -> Any:
    headers = [("Host", host), *((name.replace("_", "-"), value) for name, value in more.items())]
    return SimpleNamespace(headers=Header([*headers, *([("Origin", origin)] if origin is not None else [])]), scheme=scheme)


def test_by_default_only_the_assistants_own_page_may() -> None:
    assert allowed(request("https://assistant.example"), NONE)
    assert allowed(request("http://localhost:5005", host="localhost:5005", scheme="http"), NONE)
    assert allowed(request("http://localhost:5005", host="localhost:5005", scheme="ws"), NONE)
    assert allowed(request("https://assistant.example", scheme="wss"), NONE)
    for other in (SHOP, "http://assistant.example", "https://assistant.example:8443", "https://assistant.example.evil"):
        assert not allowed(request(other), NONE), other


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        (SHOP, True),
        ("https://shop.example:443", True),
        ("HTTPS://Shop.Example", True),
        ("http://localhost:3000", True),
        ("http://shop.example", False),
        ("https://shop.example:8443", False),
        ("https://www.shop.example", False),
        ("https://shop.example.evil", False),
        ("https://evil-shop.example", False),
        ("https://shop.example@evil.example", False),
        ("https://shop.example/path", False),
        ("http://localhost", False),
        ("http://localhost:3001", False),
        ("null", False),
        ("", False),
        ("*", False),
        ("file://", False),
        ("https://", False),
        ("https://shop.example, https://evil.example", False),
        ("https://shop.example https://evil.example", False),
        ("javascript://shop.example", False),
        ("https://shop.example:port", False),
    ],
)
def test_allow_list_is_exact(origin: str, may: bool) -> None:
    assert allowed(request(origin), LISTED) is may
    assert ("Access-Control-Allow-Origin" in cors(request(origin), LISTED)) is may
    assert preflight(request(origin), LISTED).status == (204 if may else 403)


def test_page_that_says_no_origin_may_not() -> None:
    assert origin_of(request(None)) is None
    assert not allowed(request(None), LISTED)


def test_page_that_says_two_origins_may_not() -> None:
    assert not allowed(request(SHOP, Origin="https://evil.example"), LISTED)
    assert not allowed(request("https://evil.example", Origin=SHOP), LISTED)


def test_host_of_a_proxy_counts_only_where_there_is_one() -> None:
    behind = {"host": "10.0.0.5:5005", "scheme": "http", "X_Forwarded_Host": "assistant.example", "X_Forwarded_Proto": "https"}
    assert allowed(request("https://assistant.example", **behind), WebChatSettings(proxies=1))
    assert not allowed(request("http://assistant.example", **behind), WebChatSettings(proxies=1))
    assert not allowed(request("https://assistant.example", **behind), NONE)
    spoofed = {**behind, "X_Forwarded_Host": "evil.example, assistant.example"}
    assert not allowed(request("https://evil.example", **spoofed), WebChatSettings(proxies=1))


def test_answers_are_for_this_origin_and_never_for_all_or_with_credentials() -> None:
    headers = cors(request(SHOP), LISTED)
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (SHOP, "Origin")
    assert cors(request("https://evil.example"), LISTED) == {"Vary": "Origin"}
    everything = {**headers, **preflight(request(SHOP), LISTED).headers}
    assert "*" not in str(everything)
    assert "credentials" not in str(everything).lower()


def test_preflight_lets_json_and_the_token_through() -> None:
    headers = preflight(request(SHOP), LISTED).headers
    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in headers["Access-Control-Allow-Methods"].split(", ")
    assert {"Authorization", "Content-Type", "X-File-Name"} <= set(headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize("route", ["exchange", "files"])
def test_routes_answer_preflights_and_refuse_others(serve: Callable[..., Served], route: str) -> None:
    url = f"{serve(origins=[SHOP]).url}/webhooks/webchat/v1/{route}"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = httpx.options(url, headers={"Origin": SHOP, **asked})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert httpx.options(url, headers={"Origin": "https://evil.example", **asked}).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        refused = httpx.post(url, headers=headers, json={})
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert httpx.post(url, headers={"Origin": SHOP}, json={}).headers["Access-Control-Allow-Origin"] == SHOP


# What may be listed


def test_origins_are_told_by_credentials_or_the_environment() -> None:
    for credentials, environ in (
        ({"origins": ["https://Shop.example/", "http://a.example:80"]}, {}),
        ({"origins": "https://shop.example, http://a.example"}, {}),
        ({}, {"WEBCHAT_ORIGINS": "https://shop.example http://a.example,https://shop.example:443"}),
        ({"origins": None}, {"WEBCHAT_ORIGINS": "https://shop.example http://a.example"}),
    ):
        assert WebChatSettings.of(credentials, environ).origins == (SHOP, "http://a.example")
    assert WebChatSettings.of(None, {}).origins == ()


@pytest.mark.parametrize(
    "origin", ["*", "null", "shop.example", "https://*.shop.example", "https://shop.example/chat", "ftp://a.example"]
)
def test_what_is_no_origin_is_told_at_the_start(origin: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        WebChatSettings.of({"origins": [origin]}, {})


def test_origins_are_compared_as_browsers_write_them() -> None:
    assert normal_origin("https://bücher.example") == "https://xn--bcher-kva.example"
    assert normal_origin("http://[::1]:5005") == "http://[::1]:5005"


def test_other_settings_are_told_in_words_that_quote_no_secret() -> None:
    settings = WebChatSettings.of({"jwt_secret": "s" * 32, "proxies": 1, "whatsapp": "+52 1 55 1234 5678"}, {})
    assert (settings.jwt_secret, settings.proxies, settings.whatsapp) == ("s" * 32, 1, "5215512345678")
    assert "sss" not in repr(settings)
    for wrong in ({"jwt_secret": "too short a secret"}, {"proxies": "many"}, {"proxies": -1}, {"port": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))) as error:
            WebChatSettings.of(wrong, {})
        assert "too short" not in str(error.value)
