"""A conversation in which a person of ours would do something for its shopper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from commerce.models import Customer
from commerce.powers import Powers
from commerce.rulings import ask
from desk.known_as import known_as
from desk.permissions import Me
from desk.shop_policies import kept_policies
from messaging.identities import Identity
from messaging.models import Handoff

EXCEPTIONS = "exceptions"  # permission, without which only the tables allow
ROLES = {"agent": "agent", "supervisor": "supervisor", "admin": "supervisor"}  # of the desk, in the table `agent_powers`


@dataclass(frozen=True)
class Case:
    """who: the shopper, as far as they are known now. language: of the agent."""

    session: Session
    me: Me
    handoff: Handoff
    who: Identity
    now: datetime
    language: str

    @property
    def customer(self) -> Customer | None:
        return self.session.get(Customer, self.who.customer_id) if self.who.customer_id is not None else None

    @property
    def customer_id(self) -> int:
        """Raises LookupError where nobody is known."""
        if self.who.customer_id is None:
            raise LookupError("nobody is known in this conversation")
        return self.who.customer_id

    @property
    def powers(self) -> Powers:
        return Powers(kept_policies(), ROLES.get(self.me.role, "bot") if self.me.may(EXCEPTIONS) else "bot")

    def is_known_for(self, operation: str) -> bool:
        """Whether the table `identity` would let the assistant do it for this shopper."""
        if self.who.customer_id is None:
            return False
        facts = {"level": self.who.level.name, "operation": operation}
        return ask(kept_policies(), "identity", facts, self.now.date()).is_allowed


def case_of(session: Session, me: Me, handoff: Handoff, now: datetime, language: str) -> Case:
    return Case(session, me, handoff, known_as(session, handoff, now), now, language)
