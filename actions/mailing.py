"""Mail that a turn causes: enqueued with the turn's other effects, sent after they are committed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from actions import clock
from actions.turn import Turn
from actions.wording import first_name
from commerce.models import Customer
from database import home_folder
from messaging import mail, worded_mail


def send_mail(turn: Turn, text: str, customer: Customer, key: str, attachments: Sequence[str] = (), **values: Any) -> None:
    """Enqueue a mail of `data/mail/<lang>.yml` to the customer's address on file, in the language of the conversation.

    key: what causes it; the same cause twice sends one mail.
    """
    send_mail_to(turn, text, customer.email, key, attachments, name=first_name(customer), **values)


def send_mail_to(turn: Turn, text: str, address: str, key: str, attachments: Sequence[str] = (), **values: Any) -> None:
    """The same to an address: of somebody who is no customer any more."""
    worded_mail.enqueue(turn.session, text, address, turn.language, key, turn.now, attachments, **values)
    turn.mail_is_due = True


def deliver() -> None:
    """Send what is due. A server that fails keeps nobody waiting: the mail stays due and is tried again."""
    home = home_folder()
    mail.deliver_due(None, mail.transport_from(os.environ, home), clock.now(), home)


def read_ahead() -> None:
    """Read the texts of mail."""
    worded_mail.texts()
