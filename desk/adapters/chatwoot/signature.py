"""Whether a webhook is from our Chatwoot: signed with our secret, as newer versions do it, or sent to the secret address."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Chatwoot-Signature"
TIMESTAMP = "X-Chatwoot-Timestamp"
KIND = "sha256="
FRESH = 300  # seconds


def is_signed(body: bytes, header: str | None, timestamp: str | None, secret: str, now: float) -> bool:
    """False without a header or secret, and for one that was signed long ago."""
    if not secret or not header or not timestamp or not timestamp.isascii() or not timestamp.isdigit():
        return False
    is_fresh = abs(now - int(timestamp[:12])) <= FRESH
    return is_fresh and hmac.compare_digest(header.strip().encode("utf-8", "replace"), signed(body, timestamp, secret).encode())


def signed(body: bytes, timestamp: str, secret: str) -> str:
    """The header for this body at this time (seconds since 1970)."""
    return KIND + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_address(given: str, secret: str) -> bool:
    """Whether the last part of the webhook's address is the secret."""
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
