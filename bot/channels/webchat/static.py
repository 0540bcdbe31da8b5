"""What a browser needs to show the chat: files of the `web` folder, and the widget's words; small, and not sent twice."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.channels.pages import WEB

KEPT = 128  # files
TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")
SHORT = "public, max-age=60"  # seconds, in which a browser does not ask: a new version comes soon
ALWAYS_ASKS = "no-cache"
AGAIN = re.compile(r"^again-\d+/")  # web/widget.js
LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class _Kept:
    body: bytes
    zipped: bytes | None  # None: it would not be smaller
    tag: str


def web_file(request: Request, path: str, headers: Mapping[str, str]) -> HTTPResponse:
    """A file of the `web` folder, as often as a page tries it again under another address; 404 for anything else."""
    file = (WEB / AGAIN.sub("", path)).resolve()
    if not file.is_relative_to(WEB.resolve()) or not file.is_file():
        return _not_found(headers)
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return _answer(request, _file(file, file.stat().st_mtime_ns), kind, {"Cache-Control": SHORT, **headers})


def words(request: Request, language: str, headers: Mapping[str, str], folder: str = "widget") -> HTTPResponse:
    """`data/<folder>/<language>.yml` as JSON."""
    file = Path(os.environ.get("TENDERO_DATA", "data")) / folder / f"{language}.yml"
    if not LANGUAGE.fullmatch(language) or not file.is_file():
        return _not_found(headers)
    return _answer(request, _words(file, file.stat().st_mtime_ns), "application/json", {"Cache-Control": SHORT, **headers})


def _answer(request: Request, kept: _Kept, kind: str, headers: Mapping[str, str]) -> HTTPResponse:
    vary = ", ".join(filter(None, (headers.get("Vary", ""), "Accept-Encoding")))
    head = {**headers, "Vary": vary, "ETag": kept.tag, "X-Content-Type-Options": "nosniff"}
    if kept.tag in request.headers.get("if-none-match", ""):
        return response.empty(status=304, headers=head)
    if kept.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return response.raw(kept.zipped, content_type=kind, headers={**head, "Content-Encoding": "gzip"})
    return response.raw(kept.body, content_type=kind, headers=head)


@lru_cache(maxsize=KEPT)
def _file(file: Path, _changed_at: int) -> _Kept:
    return _kept(file.read_bytes(), (mimetypes.guess_type(file.name)[0] or "").startswith(TEXTS))


@lru_cache(maxsize=KEPT)
def _words(file: Path, _changed_at: int) -> _Kept:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return _kept(json.dumps(content, ensure_ascii=False).encode(), is_text=True)


def _kept(body: bytes, is_text: bool) -> _Kept:
    zipped = gzip.compress(body, mtime=0) if is_text else body
    return _Kept(body, zipped if len(zipped) < len(body) else None, f'W/"{hashlib.sha256(body).hexdigest()[:20]}"')


def _not_found(headers: Mapping[str, str]) -> HTTPResponse:
    return response.json({"error": "not_found"}, status=404, headers=dict(headers))
