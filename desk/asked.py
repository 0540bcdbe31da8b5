"""Who asks for a conversation: each route that is about one begins with this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from desk import errors
from desk.frames import LAST_ID
from desk.permissions import Me, may_see
from messaging import handoffs
from messaging.handoffs import NoSuchHandoff
from messaging.models import Handoff


@dataclass(frozen=True)
class Asked:
    """Who asks for a conversation, and when."""

    me: Me
    handoff_id: int
    now: datetime

    @classmethod
    def of(cls, me: Me, handoff: str, now: datetime) -> Asked:
        """handoff: as the address names it. Raises DeskError (not_found)."""
        if not (handoff.isascii() and handoff.isdecimal() and len(handoff) < 11 and 0 < int(handoff) <= LAST_ID):
            raise errors.not_found()
        return cls(me, int(handoff), now)

    def handoff(self, session: Session) -> Handoff:
        """Raises DeskError (not_found), also where it is not theirs to see."""
        try:
            row = handoffs.by_id(session, self.handoff_id)
        except NoSuchHandoff:
            raise errors.not_found() from None
        if not may_see(self.me, row):
            raise errors.not_found()
        return row
