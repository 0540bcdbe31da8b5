"""What the tests of returns, exchanges, claims and refunds share: the shop with its real policies, and a shopper's moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.claims import OpenClaim
from commerce.loyalty import balance
from commerce.loyalty.ledger import Cause, add_lot
from commerce.models import Claim, Customer, Effect, LedgerEntry, Order, Payment, Refund, ReturnAuthorization, StockLevel
from commerce.policies import load_policies
from commerce.proposals import Done, Offer, Operation, Refusal, Stale, confirm, propose
from commerce.returns import AuthorizeExchange, AuthorizeReturn
from tests.commerce.shop import NOW, Shop

POLICIES = load_policies(Path(__file__).parents[2] / "data" / "policies")
CHAT = "web:ana"


class Desk:
    """The shop, its three operations, and a shopper who proposes and says yes."""

    def __init__(self, session: Session, home: Path) -> None:
        self.session = session
        self.home = home
        self.shop = Shop(session)
        self.ana = self.shop.customer("Ana")
        self.returns = AuthorizeReturn(POLICIES, home)
        self.exchanges = AuthorizeExchange(POLICIES, home)
        self.claims = OpenClaim(POLICIES, home)

    def points(self, customer: Customer, points: int, order: Order | None = None) -> None:
        """Points earned 30 days ago: 1,000 make silver."""
        at = NOW - timedelta(days=30)
        cause = Cause("earn", "purchase", f"test:{customer.id}:{order and order.id}:{points}", at, order and order.id)
        add_lot(self.session, customer.id, points, cause, NOW + timedelta(days=300))

    def points_left(self) -> int:
        return balance(self.session, self.ana.id, NOW)

    def ask(self, operation: Operation, parameters: dict[str, Any], who: Customer | None = None, now: datetime = NOW) -> Any:
        return propose(self.session, operation, (who or self.ana).id, CHAT, parameters, now)

    def yes(self, operation: Operation, offer: Offer, who: Customer | None = None, now: datetime = NOW) -> Done | Stale:
        return confirm(self.session, operation, offer.proposal_id, (who or self.ana).id, CHAT, now)

    def do(self, operation: Operation, parameters: dict[str, Any], now: datetime = NOW) -> Any:
        """Propose, say yes, and give the result."""
        offer = self.ask(operation, parameters, now=now)
        assert isinstance(offer, Offer), offer
        done = self.yes(operation, offer, now=now)
        assert isinstance(done, Done), done
        return done.result

    def refused(self, operation: Operation, parameters: dict[str, Any], who: Customer | None = None) -> Refusal:
        before = self.counts()
        outcome = self.ask(operation, parameters, who)
        assert isinstance(outcome, Refusal), outcome
        assert self.counts() == before
        return outcome

    def counts(self) -> dict[str, int]:
        """Everything that a write could leave behind."""
        tables = (ReturnAuthorization, Refund, Claim, Payment, LedgerEntry, Effect)
        rows = {each.__tablename__: self.session.execute(select(func.count(each.id))).scalar_one() for each in tables}
        stock = self.session.execute(select(func.sum(StockLevel.quantity))).scalar_one()
        return {**rows, "stock": stock, "labels": len(list(self.home.glob("labels/*")))}

    def refunds(self) -> list[Refund]:
        return list(self.session.execute(select(Refund).order_by(Refund.id)).scalars())


def back(order: Order, *quantities: int, **more: Any) -> dict[str, Any]:
    """Parameters of a return of so many pieces of each line, sealed, by drop-off, to the original payment."""
    lines = [{"line_id": line.id, "quantity": n} for line, n in zip(order.lines, quantities or (1,), strict=False) if n]
    usual = {"reason": "changed_mind", "method": "drop_off", "refund_to": "original", "package": "sealed"}
    return {"order_number": order.number, "lines": lines, **usual, **more}


def swap(order: Order, to_variant_id: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """Parameters of an exchange of the first line, sealed, brought to the store, which costs nothing."""
    usual = {"reason": "too_small", "method": "store", "package": "sealed"}
    return {
        "order_number": order.number,
        "line_id": order.lines[0].id,
        "quantity": quantity,
        "to_variant_id": to_variant_id,
        **usual,
        **more,
    }


def wrong(order: Order, problem: str, line: int | None = 0, **more: Any) -> dict[str, Any]:
    """Parameters of a claim about a line, by its place in the order; about all of it with None."""
    line_id = None if line is None else order.lines[line].id
    return {"order_number": order.number, "line_id": line_id, "problem": problem, "note": "", **more}
