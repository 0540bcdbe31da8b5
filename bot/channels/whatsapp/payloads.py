"""Ids of buttons and rows, signed: only what we sent ourselves can be a command."""

from __future__ import annotations

import hashlib
import hmac


def signed(payload: str, key: bytes) -> str:
    return f"{_signature(payload, key)}:{payload}"


def payload_of(id: str, key: bytes) -> str | None:
    """What the id stands for; None where we did not sign it."""
    signature, _, payload = id.partition(":")
    is_ours = hmac.compare_digest(signature.encode(), _signature(payload, key).encode())
    return payload if payload and is_ours else None


def _signature(payload: str, key: bytes) -> str:
    return hmac.new(key, f"button:{payload}".encode(), hashlib.sha256).hexdigest()[:16]
