"""Meta's errors: those that refuse a request, and those that a status tells later.

Codes and titles are those of Meta's page "error codes"; a code that is not among them can still be injected as a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


@dataclass(frozen=True)
class Kind:
    title: str
    http_status: int = 400


KINDS: Mapping[int, Kind] = {
    0: Kind("AuthException", 401),
    1: Kind("API Unknown", 400),
    2: Kind("API Service", 503),
    3: Kind("API Method", 500),
    4: Kind("API Too Many Calls", 400),
    10: Kind("Permission Denied", 403),
    100: Kind("Invalid parameter"),
    190: Kind("Access token has expired or is invalid", 401),
    200: Kind("API Permission", 403),
    368: Kind("Temporarily blocked for policies violations", 403),
    80007: Kind("Rate limit issues"),
    130429: Kind("Rate limit hit"),
    130472: Kind("User's number is part of an experiment"),
    130497: Kind("Business account is restricted from messaging users in this country.", 403),
    131000: Kind("Something went wrong", 500),
    131005: Kind("Access denied", 403),
    131008: Kind("Required parameter is missing"),
    131009: Kind("Parameter value is not valid"),
    131016: Kind("Service unavailable", 500),
    131021: Kind("Recipient cannot be sender"),
    131026: Kind("Message undeliverable"),
    131030: Kind("Recipient phone number not in allowed list"),
    131031: Kind("Account has been locked", 403),
    131037: Kind("WhatsApp provided number needs display name approval before message can be sent."),
    131042: Kind("Business eligibility payment issue"),
    131045: Kind("Message failed to send due to certificate problem", 500),
    131047: Kind("Re-engagement message"),
    131048: Kind("Spam rate limit hit"),
    131049: Kind("This message was not delivered to maintain healthy ecosystem engagement."),
    131050: Kind("User has stopped receipt of marketing messages from this business"),
    131051: Kind("Unsupported message type"),
    131052: Kind("Media download error"),
    131053: Kind("Media upload error"),
    131056: Kind("(Business Account, Consumer Account) pair rate limit hit"),
    131057: Kind("Account in maintenance mode", 500),
    131062: Kind("Business-scoped user ids cannot receive this message"),
    132000: Kind("Number of parameters does not match the expected number of params"),
    132001: Kind("Template name does not exist in the translation", 404),
    132005: Kind("Translated text too long"),
    132007: Kind("Template format character policy violated"),
    132012: Kind("Parameter format does not match format in the created template"),
    132015: Kind("Template is paused"),
    132016: Kind("Template is disabled"),
    133004: Kind("Server temporarily unavailable", 503),
    133010: Kind("Phone number not registered"),
    137000: Kind("Recipient identity key hash mismatch"),
}
UNKNOWN_OBJECT = 33  # subcode of 100
EXPIRED = 463  # subcode of 190


def kind_of(code: int) -> Kind:
    return KINDS.get(code, Kind("An error that was asked for"))


class GraphError(Exception):
    """A refusal in Meta's words. `str()` is the details, which say what is wrong and where."""

    def __init__(self, code: int, details: str, *, subcode: int | None = None, http_status: int | None = None) -> None:
        super().__init__(details)
        self.code, self.details, self.subcode = code, details, subcode
        self.http_status = http_status or kind_of(code).http_status

    def to_json(self, trace: str) -> dict[str, Any]:
        """trace: what Meta finds the request by."""
        error: dict[str, Any] = {"message": self._message(), "type": self._type(), "code": self.code, "fbtrace_id": trace}
        if self.subcode is None:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        else:
            error["error_subcode"] = self.subcode
        return {"error": error}

    def _message(self) -> str:
        return self.details if self.subcode is not None else f"(#{self.code}) {kind_of(self.code).title}"

    def _type(self) -> str:
        return "GraphMethodException" if self.subcode == UNKNOWN_OBJECT else "OAuthException"


def unknown_object(node: str, method: str = "get") -> GraphError:
    """What an id that is wrong, expired or somebody else's is answered with."""
    details = (
        f"Unsupported {method} request. Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation"
    )
    return GraphError(100, details, subcode=UNKNOWN_OBJECT)


def told_later(code: int, details: str = "") -> dict[str, Any]:
    """An entry of a failed status's `errors`."""
    title = kind_of(code).title
    return {"code": code, "title": title, "message": title, "error_data": {"details": details or title}, "href": HELP}
