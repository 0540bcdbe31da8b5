"""`bot.server` as it is, but for its patience: what takes minutes of waiting takes seconds here. Takes the same arguments."""

from __future__ import annotations

from bot.arguments import server_arguments
from bot.without_tensorflow import leave_out_unused

STOPPED, TELLS_WITHIN, LEASE, TIMERS = 2.0, 3.0, 6.0, 1.0  # seconds


def main() -> None:
    leave_out_unused(server_arguments().model, server_arguments().credentials)  # before Rasa is imported, as bot.server does
    from bot import server
    from bot.channels.whatsapp import sending
    from messaging.turns.engine import Limits

    sending.STOPPED, sending.TELLS_WITHIN = STOPPED, TELLS_WITHIN
    sending.WhatsAppSender.lease = LEASE
    server._limits = lambda: Limits(timers_every=TIMERS)
    server.main()


if __name__ == "__main__":
    main()
