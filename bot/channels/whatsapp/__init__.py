"""WhatsApp, by Meta's Cloud API: a Rasa channel connector."""

from bot.channels.whatsapp.connector import WhatsAppInput

__all__ = ["WhatsAppInput"]
