"""Who the business is: its number, its account and its secrets."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from tendero.simulator.errors import EXPIRED, GraphError


@dataclass
class Account:
    """access_tokens: those that are let in. has_expired: as Meta's tokens of 24 hours or 60 days do, on demand."""

    phone_number_id: str
    business_account_id: str
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    access_tokens: list[str] = field(repr=False)
    display_phone_number: str = "15550001234"
    verified_name: str = "Mercado Aurora"
    has_expired: bool = False

    def check(self, token: str) -> None:
        """Raises GraphError 190 for a token that is missing, wrong or expired."""
        if self.has_expired:
            raise GraphError(190, "Error validating access token: Session has expired.", subcode=EXPIRED)
        if not self.knows(token):
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")

    def knows(self, token: str) -> bool:
        return any(hmac.compare_digest(token.encode(), each.encode()) for each in self.access_tokens)

    @property
    def metadata(self) -> dict[str, str]:
        """As every webhook tells it."""
        return {"display_phone_number": self.display_phone_number, "phone_number_id": self.phone_number_id}

    def as_phone_number(self) -> dict[str, object]:
        return {
            "id": self.phone_number_id,
            "display_phone_number": self.display_phone_number,
            "verified_name": self.verified_name,
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "name_status": "APPROVED",
            "platform_type": "CLOUD_API",
            "status": "CONNECTED",
            "throughput": {"level": "STANDARD"},
        }
