"""Files and words for browsers: small, fresh, and for the pages that may have them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.channels import pages
from bot.channels.webchat import static
from tests.bot.webchat.server import Served

SHOP = "https://shop.example"


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another `web` folder and another `data` folder."""
    folder = tmp_path / "web"
    (folder / "widget").mkdir(parents=True)
    (folder / "demo").mkdir()
    (folder / "widget.js").write_text("export const one = 1; // " + "x" * 2000)
    (folder / "widget" / "view.js").write_text("export const two = 2;")
    (folder / "demo" / "chat.html").write_text("<!doctype html><title>Chat</title>")
    (tmp_path / "data" / "widget").mkdir(parents=True)
    (tmp_path / "data" / "widget" / "es.yml").write_text("greeting: ¡Hola!\n", encoding="utf-8")
    (tmp_path / "secret.yml").write_text("key: 1")
    for module in (pages, static):
        monkeypatch.setattr(module, "WEB", folder)
    monkeypatch.setenv("TENDERO_DATA", str(tmp_path / "data"))
    return folder


@pytest.fixture
def shop(web: Path, serve: Callable[..., Served]) -> httpx.Client:
    return httpx.Client(base_url=serve(origins=[SHOP]).url, timeout=20)


def test_the_widget_comes_compressed_and_not_twice(shop: httpx.Client, web: Path) -> None:
    first = shop.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert first.text.startswith("export const one")
    assert first.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert int(first.headers["content-length"]) == len(gzip.compress(first.content, mtime=0))
    again = shop.get("/widget.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    (web / "widget.js").write_text("export const one = 1.1;")
    changed = shop.get("/widget.js", headers={"If-None-Match": first.headers["etag"], "Accept-Encoding": "identity"})
    assert (changed.status_code, changed.text) == (200, "export const one = 1.1;")


def test_a_page_of_the_shop_may_load_modules_and_words_and_no_other_page(shop: httpx.Client) -> None:
    for path in ("/widget.js", "/webhooks/webchat/static/widget/view.js", "/webhooks/webchat/v1/words/es.json"):
        theirs = shop.get(path, headers={"Origin": SHOP})
        assert theirs.headers["access-control-allow-origin"] == SHOP
        assert "Origin" in theirs.headers["vary"]
        others = shop.get(path, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in others.headers
        assert "access-control-allow-credentials" not in theirs.headers


def test_a_module_comes_again_under_another_address(shop: httpx.Client) -> None:
    first = shop.get("/webhooks/webchat/static/widget/view.js")
    assert shop.get("/webhooks/webchat/static/again-2/widget/view.js").content == first.content
    assert shop.get("/webhooks/webchat/static/again-2/../../secret.yml").status_code == 404


def test_words_are_those_of_the_language(shop: httpx.Client) -> None:
    answer = shop.get("/webhooks/webchat/v1/words/es.json")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content) == {"greeting": "¡Hola!"}
    assert shop.get("/webhooks/webchat/v1/words/es.json", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/webchat/v1/words/xx.json",
        "/webhooks/webchat/v1/words/..%2F..%2Fsecret.json",
        "/webhooks/webchat/static/..%2Fsecret.yml",
        "/webhooks/webchat/static/../secret.yml",
        "/webhooks/webchat/static/widget",
        "/webhooks/webchat/static/nothing.js",
    ],
)
def test_what_is_not_there_or_not_for_browsers_is_not_found(shop: httpx.Client, path: str) -> None:
    assert shop.get(path).status_code == 404


def test_the_chat_has_a_page_of_its_own(shop: httpx.Client) -> None:
    page = shop.get("/chat")
    assert "<title>Chat</title>" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert shop.get("/").headers["location"] == "/chat"
    assert shop.head("/chat").status_code == 200
