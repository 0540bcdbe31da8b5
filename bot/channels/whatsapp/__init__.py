"""WhatsApp, by Meta's Cloud API: a Rasa channel connector."""
