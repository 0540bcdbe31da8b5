"""The demo shop's page and its sign-in, over HTTP. What may be signed, and what never."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from sanic import Sanic

from bot.channels.demo_shop import AUDIENCE, KEY, WINDOW, DemoShopPage
from bot.channels.webchat import WebChatInput
from tests.bot.whatsapp.server import serving

SECRET = "key-of-the-tests-that-is-long-enough-for-hs256"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.setenv(KEY, SECRET)
    (tmp_path / WINDOW).mkdir()
    (tmp_path / WINDOW / "en.json").write_text('{"language": "en"}')
    (tmp_path / WINDOW / "people.json").write_text('{"emma": "C-10002"}')
    return tmp_path


async def _served(*channels: Any) -> AsyncIterator[httpx.AsyncClient]:
    listening = socket.create_server(("127.0.0.1", 0))
    app = Sanic(f"test-{uuid.uuid4().hex}", configure_logging=False)
    for channel in channels:
        app.blueprint(channel.from_credentials(None).blueprint(_never), url_prefix=f"/webhooks/{channel.name()}")
    server = await serving(app, listening)
    await server.before_start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
        yield client
    server.close()
    await server.wait_closed()
    listening.close()


async def _never(_message: Any) -> None:
    raise AssertionError("the page takes no messages")


@pytest.fixture
async def demo(home: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for client in _served(DemoShopPage, WebChatInput):
        yield client


@pytest.fixture
async def real_shop(home: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for client in _served(WebChatInput):
        yield client


async def test_shop_front_is_at_the_root_under_a_strict_policy(demo: httpx.AsyncClient) -> None:
    answer = await demo.get("/")
    assert '<script type="module" src="/widget.js"></script>' in answer.text
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_chat_has_a_page_of_its_own_in_every_shop(demo: httpx.AsyncClient, real_shop: httpx.AsyncClient) -> None:
    for client in (demo, real_shop):
        answer = await client.get("/chat")
        assert '<tendero-chat mode="page">' in answer.text
        assert "Content-Security-Policy" in answer.headers


async def test_real_shop_has_the_chat_at_the_root_and_nothing_of_the_demo(real_shop: httpx.AsyncClient) -> None:
    assert (await real_shop.get("/")).headers["Location"] == "/chat"
    assert (await real_shop.get("/webhooks/demo_shop/window/en")).status_code == 404
    assert (await real_shop.post("/webhooks/demo_shop/sign-in", json={"person": "emma"})).status_code == 404


async def test_goods_are_served_by_language(demo: httpx.AsyncClient) -> None:
    assert (await demo.get("/webhooks/demo_shop/window/en")).json() == {"language": "en"}


@pytest.mark.parametrize("name", ["people", "xx", "EN", "en.json", "..%2Fsecret", "%2e%2e%2Fsecret"])
async def test_nothing_else_is_served(demo: httpx.AsyncClient, home: Path, name: str) -> None:
    (home / "secret.json").write_text("secret")
    assert (await demo.get(f"/webhooks/demo_shop/window/{name}")).status_code == 404


async def test_sign_in_says_which_customer_it_is_for_two_minutes(demo: httpx.AsyncClient) -> None:
    answer = await demo.post("/webhooks/demo_shop/sign-in", json={"person": "emma"})
    claims = jwt.decode(answer.json()["jwt"], SECRET, algorithms=["HS256"], audience=AUDIENCE)
    assert claims["sub"] == "C-10002"
    assert claims["exp"] - claims["iat"] == 120
    again = await demo.post("/webhooks/demo_shop/sign-in", json={"person": "emma"})
    assert jwt.decode(again.json()["jwt"], SECRET, algorithms=["HS256"], audience=AUDIENCE)["jti"] != claims["jti"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", [{"person": "robin"}, {"person": "C-10002"}, {}, [], "emma", None])
async def test_nobody_else_is_signed_in(demo: httpx.AsyncClient, body: Any) -> None:
    assert (await demo.post("/webhooks/demo_shop/sign-in", content=json.dumps(body))).status_code == 400


async def test_nobody_is_signed_in_without_the_demos_key(demo: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    monkeypatch.setenv("WEBCHAT_JWT_SECRET", SECRET)
    answer = await demo.post("/webhooks/demo_shop/sign-in", json={"person": "emma"})
    assert (answer.status_code, answer.json()) == (404, {"error": "not_configured"})
