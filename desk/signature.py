"""Signed calls: over the time, a dot, and the bytes of the body. We sign ours so; Chatwoot does with headers of its own.

docs/signatures.md says how to check them.
"""

from __future__ import annotations

import hashlib
import hmac

HEADER, TIMESTAMP, DELIVERY = "X-Tendero-Signature", "X-Tendero-Timestamp", "X-Tendero-Delivery"
KIND = "sha256="
FRESH = 300  # seconds


def signed_headers(body: bytes, delivery: str, secret: str, at: float) -> dict[str, str]:
    """Of a call of ours. delivery: its name, the same in each try. at: now, in seconds since 1970."""
    timestamp = str(int(at))
    signed = {DELIVERY: delivery, TIMESTAMP: timestamp, HEADER: signature(body, timestamp, secret)}
    return {"Content-Type": "application/json", **signed}


def signature(body: bytes, timestamp: str, secret: str) -> str:
    """The header for this body. timestamp: seconds since 1970."""
    return KIND + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, header: str | None, timestamp: str | None, secret: str, now: float) -> bool:
    """False without the headers or a secret, and for what was signed long ago: whoever has overheard it cannot play it again."""
    if not secret or not header or not timestamp or not timestamp.isascii() or not timestamp.isdigit():
        return False
    is_fresh = abs(now - int(timestamp[:12])) <= FRESH
    ours = signature(body, timestamp, secret).encode()
    return is_fresh and hmac.compare_digest(header.strip().encode("utf-8", "replace"), ours)
