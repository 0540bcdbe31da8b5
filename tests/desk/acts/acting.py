"""Ana of the tests' shop has asked for a person in the web chat; Marta has her conversation, Sol is a supervisor.

acting = Acting(session)
offer = acting.propose("cancel_order", order_number=..., cancel_reason="no_longer_needed")
done = acting.confirm("cancel_order", offer)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.loyalty.ledger import Cause, add_lot
from commerce.models import Effect, LedgerEntry, Order, Payment, Proposal, Refund, ReturnAuthorization, StockLevel
from desk import acts
from desk.asked import Asked
from desk.errors import DeskError
from desk.models import AuditEntry
from desk.permissions import PERMISSIONS, Me
from desk.requests import Fields
from messaging import handoffs, identities
from messaging.conversations import conversation
from messaging.models import ChannelContact, ChannelLink, Handoff, OutgoingMail
from tests.commerce.shop import NOW, Shop
from tests.desk.people import SUPPORT

CHAT = "web-ana"
RETURN = {"return_reason": "changed_mind", "package": "sealed", "method": "store", "refund_to": "original"}


def person(name: str, role: str = "agent", permissions: frozenset[str] | None = None) -> Me:
    may = PERMISSIONS[role] if permissions is None else permissions
    return Me(sum(map(ord, name)), name, role, may, (), (), 4, "available", 1)


class Acting:
    """now: of all that is done; tests move it."""

    def __init__(self, session: Session, currency: str = "EUR") -> None:
        self.session, self.now = session, NOW
        self.shop = Shop(session)
        self.ana = self.shop.customer("Ana", currency=currency)
        self.ben = self.shop.customer("Ben")
        self.marta, self.luis, self.sol = person("Marta"), person("Luis"), person("Sol", "supervisor")
        identities.prove_identity(session, "webchat", CHAT, self.ana.id, NOW)
        self.handoff_id = self.asks(CHAT, customer_id=self.ana.id)
        handoffs.take(session, self.handoff_id, "Marta", NOW)

    def asks(self, sender_id: str, channel: str = "webchat", customer_id: int | None = None, **more: Any) -> int:
        told: dict[str, Any] = {"language": "es", "reason": "asked", "goal": None, "verdict": None}
        told |= {"collected": {}, "tried": [], "transcript": []}
        whose = {"sender_id": sender_id, "channel": channel, "customer_id": customer_id}
        opened = handoffs.open_handoff(self.session, now=NOW, calendar=SUPPORT, **{**told, **whose, **more})
        return int(opened.handoff.id)

    def is_on_whatsapp(self, is_proven: bool = False) -> None:
        """Ana writes from her number, too; whether she has shown a code there."""
        conversation(self.session, "wa-ana", "whatsapp", self.now)
        named = {"sender_id": "wa-ana", "channel": "whatsapp", "name": "Ana", "phone": self.ana.phone}
        self.session.add(ChannelContact(**named, created_at=self.now, last_inbound_at=self.now))
        self.session.flush()
        identities.assert_identity(self.session, "whatsapp", "wa-ana", self.ana.id, self.now)
        if is_proven:
            identities.prove_identity(self.session, "whatsapp", "wa-ana", self.ana.id, self.now)

    def handoff(self, id: int | None = None) -> Handoff:
        return handoffs.by_id(self.session, id or self.handoff_id)

    def asked(self, me: Me | None, handoff: int | None = None) -> Asked:
        return Asked(me or self.marta, handoff or self.handoff_id, self.now)

    # Acts, each as the page does them

    def propose(self, kind: str, me: Me | None = None, handoff: int | None = None, **fields: Any) -> Any:
        """The proposal, or the DeskError."""
        return self._tried(lambda: acts.propose(self.session, self.asked(me, handoff), kind, Fields(fields)))

    def confirm(self, kind: str, offer: Any, me: Me | None = None, handoff: int | None = None) -> Any:
        assert isinstance(offer, dict), vars(offer)
        return self._tried(lambda: acts.confirm(self.session, self.asked(me, handoff), kind, offer["proposal"]))

    def do(self, kind: str, me: Me | None = None, **fields: Any) -> dict[str, Any]:
        done = self.confirm(kind, self.propose(kind, me, **fields), me)
        assert isinstance(done, dict), vars(done)
        return done

    def undo(self, effect: int, me: Me | None = None, handoff: int | None = None) -> Any:
        return self._tried(lambda: acts.undo(self.session, self.asked(me, handoff), effect))

    def refused(self, kind: str, me: Me | None = None, handoff: int | None = None, **fields: Any) -> DeskError:
        """It is not proposed, and nothing has changed."""
        before = self.counts()
        outcome = self.propose(kind, me, handoff, **fields)
        assert isinstance(outcome, DeskError), outcome
        assert self.counts() == before
        return outcome

    def _tried(self, work: Any) -> Any:
        try:
            return work()
        except DeskError as error:
            return error

    # Parameters

    def whole(self, order: Order, **more: Any) -> dict[str, Any]:
        """Of a return of all that is in an order."""
        return {"items": f"all:{order.number}", **RETURN, **more}

    def back(self, order: Order, minor: int, currency: str = "EUR", **more: Any) -> dict[str, Any]:
        """Of a refund without a return."""
        amount = {"minor": minor, "currency": currency}
        return {"order_number": order.number, "amount": amount, "refund_to": "original", "reason": "it came torn", **more}

    def points(self, points: int) -> None:
        """Ana has earned them 30 days ago."""
        at = NOW - timedelta(days=30)
        add_lot(self.session, self.ana.id, points, Cause("earn", "purchase", f"test:{points}", at), NOW + timedelta(days=300))

    # What there is

    def counts(self) -> dict[str, int]:
        """Everything that an act could leave behind."""
        tables = (Proposal, Effect, ReturnAuthorization, Refund, Payment, LedgerEntry, OutgoingMail, ChannelLink)
        rows = {each.__tablename__: self.session.execute(select(func.count(each.id))).scalar_one() for each in tables}
        states = self.session.execute(select(func.count()).select_from(Order).where(Order.status == "cancelled")).scalar_one()
        stock = self.session.execute(select(func.sum(StockLevel.quantity))).scalar_one()
        return {**rows, "cancelled": states, "stock": stock}

    def effects(self) -> list[Effect]:
        return list(self.session.execute(select(Effect).order_by(Effect.id)).scalars())

    def audited(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(agent, action, details), the oldest first."""
        rows = self.session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars()
        return [(each.agent_name, each.action, each.details) for each in rows]

    def refunds(self) -> list[Refund]:
        return list(self.session.execute(select(Refund).order_by(Refund.id)).scalars())

    def returns(self) -> list[ReturnAuthorization]:
        found = select(ReturnAuthorization).order_by(ReturnAuthorization.id).execution_options(populate_existing=True)
        return list(self.session.execute(found).scalars())

    def ledger(self) -> list[tuple[int, str, int, str, datetime, str]]:
        rows = self.session.execute(select(LedgerEntry).order_by(LedgerEntry.id)).scalars()
        return [(each.id, each.kind, each.points, each.reason, each.occurred_at, each.key) for each in rows]
