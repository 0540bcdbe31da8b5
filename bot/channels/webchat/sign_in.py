"""STUB until branch server-b is merged."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.channels.webchat import visitors
from bot.channels.webchat.settings import WebChatSettings
from bot.channels.webchat.visitors import Visitor
from messaging.models import WebVisitor


class SignInRefused(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def show(session: Session, visitor: Visitor, jwt: str, settings: WebChatSettings, now: datetime) -> Visitor:
    raise SignInRefused("not_configured")


def end(session: Session, visitor: Visitor, now: datetime) -> Visitor:
    origin = session.get(WebVisitor, visitor.sender_id).origin
    visitors.revoke(session, visitor.sender_id, now)
    return visitors.begin(session, origin, visitor.language, now)
