"""Any other desk: it is told by signed webhooks, and answers by signed calls. docs/desk-adapters.md has the protocol."""

from desk.adapters.webhook.connector import OtherDeskInput

__all__ = ["OtherDeskInput"]
