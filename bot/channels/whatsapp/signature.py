"""Whether a webhook is from Meta: its signature is made of the app's secret and the bytes of the body, as they came."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Hub-Signature-256"
KIND = "sha256="


def is_signed(body: bytes, header: str | None, app_secret: str) -> bool:
    """False without a header, and without a secret."""
    if not app_secret or not header or not header.startswith(KIND):
        return False
    return hmac.compare_digest(header[len(KIND) :].strip().encode("utf-8", "replace"), _signature(body, app_secret))


def signed(body: bytes, app_secret: str) -> str:
    """The header for this body."""
    return KIND + _signature(body, app_secret).decode()


def _signature(body: bytes, app_secret: str) -> bytes:
    return hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest().encode()
