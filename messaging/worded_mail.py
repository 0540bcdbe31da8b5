"""Mail in the words of `data/mail/<language>.yml`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from messaging import mail
from messaging.kept import kept
from messaging.labels import data_folder
from messaging.mail_texts import MailTexts, load_mail_texts
from messaging.shop import shop_name


def enqueue(
    session: Session,
    text: str,
    address: str,
    language: str,
    key: str,
    now: datetime,
    attachments: Sequence[str] = (),
    **values: Any,
) -> None:
    """Write down a mail with this text, to be sent. key: what causes it; the same cause twice sends one mail."""
    rendered = texts().render(language, text, shop=shop_name(), **values)
    mail.enqueue(session, key, address, rendered.subject, rendered.body, now, attachments)


@kept
def texts() -> MailTexts:
    return load_mail_texts(data_folder() / "mail")
