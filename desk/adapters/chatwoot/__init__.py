"""Chatwoot in front of shoppers, Tendero as its agent bot: their webhooks come in, their API is called.

A conversation that is `pending` over there is the assistant's, one that is `open` or `snoozed` belongs to their people.
"""

from desk.adapters.chatwoot.connector import ChatwootInput

__all__ = ["ChatwootInput"]
