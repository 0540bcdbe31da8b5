"""The demo shop's own page: a shop front at `/` with the web chat on it, and a sign-in for its made-up customers.

It is here only while the database holds the demo shop: `tendero run` then writes this channel into the credentials that it starts
Rasa with, and never otherwise. What the sign-in signs is good only for a server that was started with the same key, which
`tendero run` makes for the demo at each start, and only where the shop has none of its own: it cannot sign for a real shop.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from typing import Any

import jwt
from rasa.core.channels.channel import InputChannel
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.pages import page, page_at
from bot.channels.webchat.sign_in import AUDIENCE
from database import home_folder

WINDOW = "shop-window"  # below TENDERO_HOME: tendero.shop_window writes it
KEY = "TENDERO_DEMO_SIGN_IN_KEY"
SIGN_IN_SECONDS = 120
LANGUAGE = re.compile(r"[a-z]{2}")


class DemoShopPage(InputChannel):
    """Takes no messages. Routes below `/webhooks/demo_shop/`: `window/<language>` (goods and words), `sign-in`."""

    @classmethod
    def name(cls) -> str:
        return "demo_shop"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> DemoShopPage:
        return cls()

    def blueprint(self, on_new_message: Any) -> Blueprint:
        routes = Blueprint("demo_shop_routes")

        @routes.get("/window/<language>")
        async def window(_request: Request, language: str) -> HTTPResponse:
            return shop_window(language)

        @routes.post("/sign-in")
        async def sign_in(request: Request) -> HTTPResponse:
            return signed_in(request.json)

        @routes.listener("before_server_start")
        async def serve_page(app: Sanic, _loop: Any) -> None:
            app.register_middleware(page_at("/", lambda: page("demo/index.html")), "request")

        return routes


def shop_window(language: str) -> HTTPResponse:
    file = home_folder() / WINDOW / f"{language}.json"
    if not LANGUAGE.fullmatch(language) or not file.is_file():
        return response.json({"error": "not_found"}, status=404)
    return response.raw(file.read_bytes(), content_type="application/json", headers={"Cache-Control": "no-cache"})


def signed_in(body: Any) -> HTTPResponse:
    """body: `{"person": "emma"}`. What a shop's own server would give its page: a token that says who is signed in there."""
    key = os.environ.get(KEY)
    if not key:
        return response.json({"error": "not_configured"}, status=404)
    number = _numbers().get(str(body.get("person"))) if isinstance(body, dict) else None
    if number is None:
        return response.json({"error": "unknown_person"}, status=400)
    now = int(time.time())
    claims = {"sub": number, "aud": AUDIENCE, "iat": now, "exp": now + SIGN_IN_SECONDS, "jti": secrets.token_urlsafe(16)}
    return response.json({"jwt": jwt.encode(claims, key, algorithm="HS256")}, headers={"Cache-Control": "no-store"})


def _numbers() -> dict[str, str]:
    """The customer number of each person whom one may be."""
    file = home_folder() / WINDOW / "people.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found
