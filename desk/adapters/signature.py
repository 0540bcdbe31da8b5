"""Signed calls, as Chatwoot signs its webhooks and we sign ours: over the time, a dot, and the bytes of the body."""

from __future__ import annotations

import hashlib
import hmac

KIND = "sha256="
FRESH = 300  # seconds


def signature(body: bytes, timestamp: str, secret: str) -> str:
    """The header for this body. timestamp: seconds since 1970."""
    return KIND + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, header: str | None, timestamp: str | None, secret: str, now: float) -> bool:
    """False without the headers or a secret, and for what was signed long ago."""
    if not secret or not header or not timestamp or not timestamp.isascii() or not timestamp.isdigit():
        return False
    is_fresh = abs(now - int(timestamp[:12])) <= FRESH
    ours = signature(body, timestamp, secret).encode()
    return is_fresh and hmac.compare_digest(header.strip().encode("utf-8", "replace"), ours)
