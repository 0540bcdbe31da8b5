"""Files of the `web` folder, for whoever asks for them, and pages among them."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

WEB = Path(__file__).resolve().parents[2] / "web"
# What keeps other scripts and other pages out. blob: is for pictures that are about to be uploaded.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Answer = Callable[[Request], HTTPResponse | None]


def page(path: str) -> HTTPResponse:
    """A page of our own, which loads nothing from elsewhere."""
    return web_file(path, PAGE_HEADERS)


def web_file(path: str, headers: Mapping[str, str] = {}) -> HTTPResponse:
    """A file of the `web` folder; 404 for anything else."""
    file = (WEB / path).resolve()
    if not file.is_relative_to(WEB) or not file.is_file():
        return response.json({"error": "not_found"}, status=404)
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return response.raw(file.read_bytes(), content_type=kind, headers={"Cache-Control": "max-age=60", **headers})


def page_at(path: str, answer: Callable[[], HTTPResponse]) -> Answer:
    """A middleware: Rasa has a route at "/" already, and a channel's own begin with /webhooks.

    Of two for one path the first answers.
    """

    def serve(request: Request) -> HTTPResponse | None:
        return answer() if request.path == path and request.method in ("GET", "HEAD") else None

    return serve
