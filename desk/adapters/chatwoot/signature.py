"""Whether a webhook is from our Chatwoot: signed with our secret, as newer versions do it, or sent to the secret address."""

from __future__ import annotations

import hmac

HEADER, TIMESTAMP = "X-Chatwoot-Signature", "X-Chatwoot-Timestamp"


def is_address(given: str, secret: str) -> bool:
    """Whether the last part of the webhook's address is the secret."""
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
